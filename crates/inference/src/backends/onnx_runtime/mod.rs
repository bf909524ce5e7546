//! ONNX Runtime, loaded at run time.

mod elf;
mod library;

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

pub(crate) use self::library::{LoadedLibrary, loaded_library, request_library};
use super::scorer_pool::{BATCH_SIZES, BatchScorer, FULL_BATCH, ScorerPool, one_hot_shape};
use crate::{Model, NpuBackend, NpuCapabilities, NpuError, NpuResult, SeedFilterBatch};

/// Name of the backend.
pub(crate) const NAME: &str = "ort";

/// Runs a model with ONNX Runtime's CPU provider, one single-threaded session for each concurrent caller: callers are
/// the aligner's threads, which divide the seeds between them better than a session can.
pub(crate) struct OrtBackend {
    pool: ScorerPool<OrtScorer>,
}

impl OrtBackend {
    /// Loads the library where this has not happened yet, and the model.
    pub fn new(model: &Model) -> NpuResult<Self> {
        let library = loaded_library()?;
        let model = model.clone();
        let pool = ScorerPool::new(NAME, move || OrtScorer::load(library, &model))?;
        Ok(Self { pool })
    }

    pub fn static_capabilities() -> NpuCapabilities {
        NpuCapabilities {
            name: "ONNX Runtime (CPU)",
            supports_fp32: true,
            supports_int8: true,
            supports_fp16: false,
            requires_fixed_batch: false,
            max_batch_size: FULL_BATCH,
            estimated_tops: 0.0,
            supports_dynamic_shapes: true,
        }
    }
}

impl NpuBackend for OrtBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_available() -> bool {
        loaded_library().is_ok()
    }

    fn capabilities(&self) -> NpuCapabilities {
        Self::static_capabilities()
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

struct OrtScorer {
    session: Session,
}

impl OrtScorer {
    fn load(library: &LoadedLibrary, model: &Model) -> NpuResult<Self> {
        let load = || -> ort::Result<Session> {
            Session::builder(&library.environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .with_log_level(ort::logging::LogLevel::Error)?
                .commit_from_memory(model.bytes())
        };
        let session = load().map_err(|error| {
            NpuError::ModelLoadFailed(format!(
                "{}: ONNX Runtime cannot run it: {error}; export it again",
                model.source()
            ))
        })?;
        Ok(Self { session })
    }
}

impl BatchScorer for OrtScorer {
    fn score(&mut self, one_hot: &[f32], scores: &mut [f32]) -> NpuResult<()> {
        let mut run = || -> ort::Result<()> {
            let input = TensorRef::from_array_view((one_hot_shape(scores.len()), one_hot))?;
            let outputs = self.session.run(ort::inputs![input])?;
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
