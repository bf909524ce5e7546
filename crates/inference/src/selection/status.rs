//! Which backends this program has, and whether they can be used here.

use serde::Serialize;

use super::choice::BackendChoice;
use super::order::order_here;
#[cfg(feature = "ort")]
use super::provider;
use crate::NpuCapabilities;
#[cfg(feature = "ort")]
use crate::NpuError;
#[cfg(feature = "native-cuda")]
use crate::backends::native::NativeCudaBackend;
#[cfg(feature = "native")]
use crate::backends::native::{Level, NativeBackend};
#[cfg(feature = "ort")]
use crate::backends::onnx_runtime::{OrtBackend, Provider};
#[cfg(feature = "tract")]
use crate::backends::tract::TractBackend;

/// One backend of this program and whether it can be used here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackendStatus {
    /// The name that chooses it.
    pub name: &'static str,
    /// Whether it can be used here.
    pub available: bool,
    /// Why, in words: where its library was found, or what is missing and what to do.
    pub why: String,
    /// The instructions that it uses, where it chooses them itself: the native kernel's [`Level`](crate::native::Level).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// What it can do; `None` if this program was built without it.
    pub capabilities: Option<NpuCapabilities>,
}

/// The backends of this program: those that `auto` tries, in its order, then those that have to be asked for; whether or not
/// they can be used here.
pub fn list_available_backends() -> Vec<BackendStatus> {
    let by_name = [
        BackendChoice::NativeCuda,
        BackendChoice::OpenVino,
        BackendChoice::CoreMl,
        BackendChoice::Cuda,
        BackendChoice::TensorRt,
        BackendChoice::Qnn,
        BackendChoice::Vitis,
    ];
    order_here().into_iter().chain(by_name).map(status).collect()
}

fn status(choice: BackendChoice) -> BackendStatus {
    match choice {
        BackendChoice::Tract => tract_status(),
        BackendChoice::Native | BackendChoice::Auto | BackendChoice::Fastest => native_status(),
        BackendChoice::NativeCuda => native_cuda_status(),
        #[cfg(feature = "ort")]
        _ => provider_status(provider(choice)),
        #[cfg(not(feature = "ort"))]
        _ => status_without(choice),
    }
}

#[cfg(feature = "native")]
fn native_status() -> BackendStatus {
    let levels: Vec<String> = Level::supported().iter().map(ToString::to_string).collect();
    let why = format!("part of this program; this processor has {}", levels.join(", "));
    let capabilities = Some(NativeBackend::static_capabilities(Level::best()));
    BackendStatus {
        name: BackendChoice::Native.name(),
        available: true,
        why,
        level: levels.into_iter().next(),
        capabilities,
    }
}

#[cfg(not(feature = "native"))]
fn native_status() -> BackendStatus {
    status_without(BackendChoice::Native)
}

#[cfg(feature = "native-cuda")]
fn native_cuda_status() -> BackendStatus {
    let (available, why) = match NativeCudaBackend::device() {
        Ok(device) => (true, format!("part of this program; {device}")),
        Err(why) => (false, why),
    };
    let capabilities = Some(NativeCudaBackend::static_capabilities());
    BackendStatus { name: BackendChoice::NativeCuda.name(), available, why, level: None, capabilities }
}

#[cfg(not(feature = "native-cuda"))]
fn native_cuda_status() -> BackendStatus {
    status_without(BackendChoice::NativeCuda)
}

#[cfg(feature = "ort")]
fn provider_status(provider: Provider) -> BackendStatus {
    let description = provider.description();
    let capabilities = description.built.then(|| OrtBackend::static_capabilities(provider));
    let (available, why) = match OrtBackend::availability(provider) {
        Ok(why) => (true, why),
        // The entry says already what is not available.
        Err(NpuError::BackendNotAvailable { why, .. }) => (false, why),
        Err(error) => (false, error.to_string()),
    };
    BackendStatus { name: description.name, available, why, level: None, capabilities }
}

#[cfg(feature = "tract")]
fn tract_status() -> BackendStatus {
    let capabilities = Some(TractBackend::static_capabilities());
    BackendStatus {
        name: BackendChoice::Tract.name(),
        available: true,
        why: "part of this program".into(),
        level: None,
        capabilities,
    }
}

#[cfg(not(feature = "tract"))]
fn tract_status() -> BackendStatus {
    status_without(BackendChoice::Tract)
}

#[cfg(not(all(feature = "native-cuda", feature = "native", feature = "ort", feature = "tract")))]
fn status_without(choice: BackendChoice) -> BackendStatus {
    let name = choice.name();
    BackendStatus { name, available: false, why: super::built_without(name), level: None, capabilities: None }
}
