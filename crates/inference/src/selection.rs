use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

#[cfg(feature = "ort")]
use crate::backends::onnx_runtime::{self, OrtBackend};
#[cfg(feature = "tract")]
use crate::backends::tract::TractBackend;
use crate::{Model, NpuBackend, NpuCapabilities, NpuError, NpuResult};

/// Which backend to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// The fastest that works here: ONNX Runtime, then tract.
    #[default]
    Auto,
    /// ONNX Runtime, or an error.
    Ort,
    /// tract, or an error.
    Tract,
}

impl FromStr for BackendChoice {
    type Err = NpuError;

    fn from_str(name: &str) -> NpuResult<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "ort" => Ok(Self::Ort),
            "tract" => Ok(Self::Tract),
            _ => Err(NpuError::UnknownBackend(name.to_owned())),
        }
    }
}

impl Display for BackendChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Ort => "ort",
            Self::Tract => "tract",
        })
    }
}

/// One backend of this program and whether it can be used here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackendStatus {
    /// The name that chooses it.
    pub name: &'static str,
    /// Whether it can be used here.
    pub available: bool,
    /// Why, in words: where its library was found, or what is missing and what to do.
    pub why: String,
    /// What it can do; `None` if this program was built without it.
    pub capabilities: Option<NpuCapabilities>,
}

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
        Err(not_built(ORT))
    }
}

/// Loads a model into a backend and runs it once.
///
/// [`BackendChoice::Auto`] takes the first that works of ONNX Runtime and tract, and logs a warning with the reason for
/// each that does not.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] or the model's error of the backend that was asked for; under `Auto` the last
/// backend's error, [`NpuError::NotAvailable`] where this program was built without any.
pub fn detect_npu_backend(model: &Model, choice: BackendChoice) -> NpuResult<Arc<dyn NpuBackend>> {
    let candidates: &[BackendChoice] = match choice {
        BackendChoice::Auto => BUILT_IN,
        BackendChoice::Ort => &[BackendChoice::Ort],
        BackendChoice::Tract => &[BackendChoice::Tract],
    };
    let mut last_error = NpuError::NotAvailable;
    for &candidate in candidates {
        match load(model, candidate) {
            Ok(backend) => {
                tracing::info!(backend = backend.name(), model = model.source(), "inference backend chosen");
                return Ok(backend);
            }
            Err(error) => {
                if choice == BackendChoice::Auto {
                    tracing::warn!("inference backend `{candidate}` is not used: {error}");
                }
                last_error = error;
            }
        }
    }
    Err(last_error)
}

/// The backends of this program in the order in which they are tried, whether or not they can be used here.
pub fn list_available_backends() -> Vec<BackendStatus> {
    vec![ort_status(), tract_status()]
}

const ORT: &str = "ort";
const TRACT: &str = "tract";

/// In order of speed.
const BUILT_IN: &[BackendChoice] = &[
    #[cfg(feature = "ort")]
    BackendChoice::Ort,
    #[cfg(feature = "tract")]
    BackendChoice::Tract,
];

fn load(model: &Model, choice: BackendChoice) -> NpuResult<Arc<dyn NpuBackend>> {
    match choice {
        BackendChoice::Auto => detect_npu_backend(model, choice),
        #[cfg(feature = "ort")]
        BackendChoice::Ort => warmed_up(OrtBackend::new(model)?),
        #[cfg(feature = "tract")]
        BackendChoice::Tract => warmed_up(TractBackend::new(model)?),
        #[cfg(not(feature = "ort"))]
        BackendChoice::Ort => Err(not_built(ORT)),
        #[cfg(not(feature = "tract"))]
        BackendChoice::Tract => Err(not_built(TRACT)),
    }
}

#[cfg(any(feature = "ort", feature = "tract"))]
fn warmed_up(backend: impl NpuBackend + 'static) -> NpuResult<Arc<dyn NpuBackend>> {
    backend.warmup()?;
    Ok(Arc::new(backend))
}

#[cfg(feature = "ort")]
fn ort_status() -> BackendStatus {
    let capabilities = Some(OrtBackend::static_capabilities());
    match onnx_runtime::loaded_library() {
        Ok(library) => {
            let why = format!("{}, {}", library.path.display(), library.found);
            BackendStatus { name: ORT, available: true, why, capabilities }
        }
        // The entry says already what is not available.
        Err(NpuError::BackendNotAvailable { why, .. }) => {
            BackendStatus { name: ORT, available: false, why, capabilities }
        }
        Err(error) => BackendStatus { name: ORT, available: false, why: error.to_string(), capabilities },
    }
}

#[cfg(feature = "tract")]
fn tract_status() -> BackendStatus {
    let capabilities = Some(TractBackend::static_capabilities());
    BackendStatus { name: TRACT, available: true, why: "part of this program".into(), capabilities }
}

#[cfg(not(feature = "ort"))]
fn ort_status() -> BackendStatus {
    BackendStatus { name: ORT, available: false, why: not_built(ORT).to_string(), capabilities: None }
}

#[cfg(not(feature = "tract"))]
fn tract_status() -> BackendStatus {
    BackendStatus { name: TRACT, available: false, why: not_built(TRACT).to_string(), capabilities: None }
}

#[cfg(not(all(feature = "ort", feature = "tract")))]
fn not_built(backend: &'static str) -> NpuError {
    let why = format!("this program was built without it; build it with the feature `{backend}`");
    NpuError::BackendNotAvailable { backend, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_written_as_they_are_read() {
        for name in ["auto", "ort", "tract"] {
            assert_eq!(name.parse::<BackendChoice>().unwrap().to_string(), name);
        }
        let error = "cuda".parse::<BackendChoice>().unwrap_err().to_string();
        assert!(error.contains("`cuda`") && error.contains("auto, ort, tract"), "{error}");
    }
}
