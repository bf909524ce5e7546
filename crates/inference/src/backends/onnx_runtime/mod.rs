//! ONNX Runtime, loaded at run time.

mod checksum;
mod elf;
mod library;
mod probe;
mod providers;
#[cfg(feature = "qnn")]
mod qnn;

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

pub(crate) use self::library::{LoadedLibrary, loaded_library, request_library};
pub use self::probe::{probe_library, set_library_probe};
pub(crate) use self::providers::Provider;
use super::scorer_pool::{BATCH_SIZES, BatchScorer, FULL_BATCH, ScorerPool, one_hot_shape};
use crate::{Model, NpuBackend, NpuCapabilities, NpuError, NpuResult, SeedFilterBatch};

/// Name of the library's own backend, which runs on the CPU.
pub(crate) const NAME: &str = "ort";

/// Runs a model with one of ONNX Runtime's providers, one session for each concurrent caller, of one thread where it runs on
/// the CPU: callers are the aligner's threads, which divide the seeds between them better than a session can. On other devices
/// as many batches are in flight as there are callers.
pub(crate) struct OrtBackend {
    provider: Provider,
    pool: ScorerPool<OrtScorer>,
}

impl OrtBackend {
    /// Loads the library where this has not happened yet, and the model.
    ///
    /// # Errors
    /// [`NpuError::BackendNotAvailable`] without the library, the provider or its device;
    /// [`NpuError::ModelLoadFailed`] if the provider does not run the whole model.
    pub fn new(model: &Model, provider: Provider) -> NpuResult<Self> {
        provider.check_built()?;
        let library = loaded_library()?;
        provider.check(library)?;
        let model = model.clone();
        let pool = ScorerPool::new(provider.name(), move || OrtScorer::load(library, &model, provider))?;
        Ok(Self { provider, pool })
    }

    /// Why the provider can be used here: the library's path and how it was found.
    ///
    /// # Errors
    /// As [`new`](Self::new), without a model: that the device is there shows when one is loaded.
    pub fn availability(provider: Provider) -> NpuResult<String> {
        provider.check_built()?;
        let library = loaded_library()?;
        provider.check(library)?;
        Ok(format!("{}, {}", library.path.display(), library.found))
    }

    pub fn static_capabilities(provider: Provider) -> NpuCapabilities {
        let description = provider.description();
        NpuCapabilities {
            name: description.title,
            supports_fp32: true,
            supports_int8: provider.runs_int8(),
            supports_fp16: description.half_precision,
            requires_fixed_batch: provider.requires_fixed_batch(),
            max_batch_size: FULL_BATCH,
            estimated_tops: 0.0,
            supports_dynamic_shapes: !provider.requires_fixed_batch(),
        }
    }
}

impl NpuBackend for OrtBackend {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn is_available() -> bool {
        loaded_library().is_ok()
    }

    fn capabilities(&self) -> NpuCapabilities {
        Self::static_capabilities(self.provider)
    }

    fn predict_seed_viability(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        self.pool.score_batch(batch)
    }

    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        self.pool.score_packed(packed, scores)
    }

    fn optimal_batch_size(&self) -> usize {
        FULL_BATCH
    }

    fn supported_batch_sizes(&self) -> &[usize] {
        &BATCH_SIZES
    }

    fn warmup(&self) -> NpuResult<()> {
        self.pool.warmup()
    }
}

/// One session for all sizes of batches, or one for each of [`BATCH_SIZES`].
struct OrtScorer {
    sessions: Vec<Session>,
}

impl OrtScorer {
    fn load(library: &LoadedLibrary, model: &Model, provider: Provider) -> NpuResult<Self> {
        let load = |batch_size: usize| -> ort::Result<Session> {
            let builder = Session::builder(&library.environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .with_log_level(ort::logging::LogLevel::Error)?;
            let half_precision = provider.description().half_precision && !model.graph().quantized;
            provider.apply(library, builder, half_precision, batch_size)?.commit_from_memory(model.bytes())
        };
        let sizes = if provider.requires_fixed_batch() { &BATCH_SIZES[..] } else { &[FULL_BATCH] };
        let sessions: ort::Result<Vec<Session>> = sizes.iter().map(|&size| load(size)).collect();
        let sessions = sessions.map_err(|error| match provider {
            Provider::Cpu => NpuError::ModelLoadFailed(format!(
                "{}: ONNX Runtime cannot run it: {error}; export it again",
                model.source()
            )),
            _ => NpuError::BackendNotAvailable {
                backend: provider.name(),
                why: format!(
                    "{}: the provider does not run the whole model on its device: {error}; {}",
                    model.source(),
                    provider.description().install
                ),
            },
        })?;
        Ok(Self { sessions })
    }
}

impl BatchScorer for OrtScorer {
    fn score(&mut self, one_hot: &[f32], scores: &mut [f32]) -> NpuResult<()> {
        let place = BATCH_SIZES.iter().position(|&size| size == scores.len()).expect("one of the batch sizes");
        let place = place.min(self.sessions.len() - 1);
        let mut run = || -> ort::Result<()> {
            let input = TensorRef::from_array_view((one_hot_shape(scores.len()), one_hot))?;
            let outputs = self.sessions[place].run(ort::inputs![input])?;
            let (_, values) = outputs[0].try_extract_tensor::<f32>()?;
            if values.len() != scores.len() {
                return Err(ort::Error::new(format!("{} scores for {} seeds", values.len(), scores.len())));
            }
            scores.copy_from_slice(values);
            Ok(())
        };
        run().map_err(|error| NpuError::InferenceFailed(format!("ONNX Runtime: {error}")))
    }
}
