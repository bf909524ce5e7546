//! Which backend runs a model.

mod choice;
mod measured;
mod order;
mod status;
mod students;

use std::path::Path;
use std::sync::Arc;

pub use self::choice::BackendChoice;
use self::measured::fastest_that_works;
use self::order::{in_order_of_speed, reason};
pub use self::status::{BackendStatus, list_available_backends};
pub use self::students::student_scores;
#[cfg(feature = "native")]
use crate::backends::native::NativeBackend;
#[cfg(feature = "native-cuda")]
use crate::backends::native::NativeCudaBackend;
#[cfg(feature = "ort")]
use crate::backends::onnx_runtime::{self, OrtBackend, Provider};
#[cfg(feature = "tract")]
use crate::backends::tract::TractBackend;
use crate::fastest;
use crate::{Model, NpuBackend, NpuError, NpuResult};

/// Names the ONNX Runtime library that this process is to load. Nothing else is tried then.
///
/// Has to be called before the library's first use. Without it the library is looked for in this order: the file that the
/// environment variable `ORT_DYLIB_PATH` names; beside the executable; in a Python environment `.venv` of the current
/// folder or a folder above it; in the system's library folders.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] if another library is loaded already, or this program was built without `ort`.
pub fn set_ort_library(path: &Path) -> NpuResult<()> {
    #[cfg(feature = "ort")]
    return onnx_runtime::request_library(path);
    #[cfg(not(feature = "ort"))]
    {
        let _ = path;
        Err(not_built(BackendChoice::Ort))
    }
}

/// Loads a model into a backend and runs it once.
///
/// [`BackendChoice::Auto`] takes the first that works, in the order that is stated there, and logs a warning with the reason
/// for each that does not. The native kernel is left out for models in floating point, which it does not run.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] or the model's error of the backend that was asked for; under `Auto` the last
/// backend's error, [`NpuError::NotAvailable`] where this program was built without any.
pub fn detect_npu_backend(model: &Model, choice: BackendChoice) -> NpuResult<Arc<dyn NpuBackend>> {
    let (_, backend) = first_that_works(choice, |_| model.clone())?;
    Ok(backend)
}

/// Loads the reference model into a backend, as [`detect_npu_backend`] does, in the form that suits the backend: where
/// `prefer_quantized`, INT8 for the native kernel and for ONNX Runtime, which is twice as fast with it. tract, which is
/// slower with INT8, gets the form in floating point.
///
/// # Errors
/// As [`detect_npu_backend`].
pub fn detect_npu_backend_for_reference_model(
    choice: BackendChoice,
    prefer_quantized: bool,
) -> NpuResult<(Model, Arc<dyn NpuBackend>)> {
    first_that_works(choice, |candidate| match candidate {
        // The only form that it runs: whoever asks for this backend by name gets it.
        native if native.is_native() && (prefer_quantized || choice == native) => Model::embedded_int8(),
        BackendChoice::Ort if prefer_quantized => Model::embedded_int8(),
        _ => Model::embedded(),
    })
}

fn first_that_works(
    choice: BackendChoice,
    model_for: impl Fn(BackendChoice) -> Model,
) -> NpuResult<(Model, Arc<dyn NpuBackend>)> {
    if choice == BackendChoice::Fastest {
        return fastest_that_works(fastest::cache_folder().as_deref(), model_for);
    }
    let automatic = choice == BackendChoice::Auto;
    let candidates = if automatic { in_order_of_speed() } else { vec![choice] };
    let mut last_error = NpuError::NotAvailable;
    for candidate in candidates {
        let model = model_for(candidate);
        if automatic && candidate.is_native() && !model.graph().quantized {
            tracing::info!(model = model.source(), "inference backend `native` runs INT8 models only");
            continue;
        }
        match load(&model, candidate) {
            Ok(backend) => {
                let why = if automatic { reason() } else { "asked for".to_owned() };
                tracing::info!(backend = backend.name(), model = model.source(), why, "inference backend chosen");
                return Ok((model, backend));
            }
            Err(error) => {
                if automatic {
                    tracing::warn!("inference backend `{candidate}` is not used: {error}");
                }
                last_error = error;
            }
        }
    }
    Err(last_error)
}

/// What a backend of ONNX Runtime runs on.
#[cfg(feature = "ort")]
fn provider(choice: BackendChoice) -> Provider {
    match choice {
        BackendChoice::OpenVino => Provider::OpenVino,
        BackendChoice::CoreMl => Provider::CoreMl,
        BackendChoice::Cuda => Provider::Cuda,
        BackendChoice::TensorRt => Provider::TensorRt,
        BackendChoice::Qnn => Provider::Qnn,
        BackendChoice::Vitis => Provider::Vitis,
        _ => Provider::Cpu,
    }
}

fn load(model: &Model, choice: BackendChoice) -> NpuResult<Arc<dyn NpuBackend>> {
    match choice {
        BackendChoice::Auto | BackendChoice::Fastest => detect_npu_backend(model, choice),
        #[cfg(feature = "native")]
        BackendChoice::Native => warmed_up(NativeBackend::new(model)?),
        #[cfg(not(feature = "native"))]
        BackendChoice::Native => Err(not_built(choice)),
        #[cfg(feature = "native-cuda")]
        BackendChoice::NativeCuda => warmed_up(NativeCudaBackend::new(model)?),
        #[cfg(not(feature = "native-cuda"))]
        BackendChoice::NativeCuda => Err(not_built(choice)),
        #[cfg(feature = "tract")]
        BackendChoice::Tract => warmed_up(TractBackend::new(model)?),
        #[cfg(not(feature = "tract"))]
        BackendChoice::Tract => Err(not_built(choice)),
        #[cfg(feature = "ort")]
        _ => warmed_up(OrtBackend::new(model, provider(choice))?),
        #[cfg(not(feature = "ort"))]
        _ => Err(not_built(choice)),
    }
}

#[cfg(any(feature = "native", feature = "ort", feature = "tract"))]
fn warmed_up(backend: impl NpuBackend + 'static) -> NpuResult<Arc<dyn NpuBackend>> {
    backend.warmup()?;
    Ok(Arc::new(backend))
}

#[cfg(not(all(feature = "native-cuda", feature = "native", feature = "ort", feature = "tract")))]
fn not_built(choice: BackendChoice) -> NpuError {
    let backend = choice.name();
    NpuError::BackendNotAvailable { backend, why: built_without(backend) }
}

#[cfg(not(all(feature = "native-cuda", feature = "native", feature = "ort", feature = "tract")))]
fn built_without(backend: &str) -> String {
    format!("this program was built without it; build it with the feature `{backend}`")
}
