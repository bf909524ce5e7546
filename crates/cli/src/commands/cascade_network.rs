//! The convolutional network as the cascade's third tier.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use seedsieve_inference::{BackendChoice, Model, NpuBackend, detect_npu_backend, set_ort_library};

/// The network on a backend, and what decides where rounding could.
pub struct CascadeNetwork {
    pub model: Model,
    pub backend: Arc<dyn NpuBackend>,
    /// The native kernel, whose scores are the same on every machine; nothing for a model that it does not run.
    pub referee: Option<Arc<dyn NpuBackend>>,
}

impl CascadeNetwork {
    /// Loads this model file, or the one that is built in: in eight bits wherever the backend runs that, so that scores differ
    /// by rounding alone.
    ///
    /// # Errors
    /// A model or library that cannot be used; a backend that is not there.
    pub fn load(file: Option<&Path>, choice: BackendChoice, ort_library: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(library) = ort_library {
            set_ort_library(library)?;
        }
        let floats_only = matches!(choice, BackendChoice::Cuda | BackendChoice::CoreMl | BackendChoice::TensorRt);
        let model = match file {
            Some(file) => Model::read(file)?,
            None if floats_only => Model::embedded(),
            None => Model::embedded_int8(),
        };
        let backend = detect_npu_backend(&model, choice).context(
            "the third tier of the cascade needs the network: name another backend (--npu-backend), or go without it \
             (--cascade-tiers 2, or 1 where the bands have no student)",
        )?;
        let in_eight_bits = if file.is_none() { Model::embedded_int8() } else { model.clone() };
        let referee = if backend.name().starts_with("native") {
            Some(Arc::clone(&backend))
        } else {
            detect_npu_backend(&in_eight_bits, BackendChoice::Native).ok()
        };
        if referee.is_none() {
            tracing::warn!(
                "the native kernel does not run {}: near the threshold of the third tier other backends may decide otherwise",
                model.source()
            );
        }
        Ok(Self { model, backend, referee })
    }
}
