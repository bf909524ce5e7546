use std::sync::Arc;

use seedsieve_encoding::ONE_HOT_SEED_LEN;
use tract_onnx::prelude::*;

use super::scorer_pool::{BATCH_SIZES, BatchScorer, FULL_BATCH, ScorerPool, one_hot_shape};
use crate::backend::check_scores;
use crate::model::batch_as_height;
use crate::{Model, NpuBackend, NpuCapabilities, NpuError, NpuResult, Precision, SeedFilterBatch, StudentModel};

/// Name of the backend.
pub(crate) const NAME: &str = "tract";

/// Runs a model with tract: pure Rust, wherever Rust runs, no library to install.
pub(crate) struct TractBackend {
    pool: ScorerPool<TractScorer>,
}

impl TractBackend {
    /// Compiles the model for each batch size.
    pub fn new(model: &Model) -> NpuResult<Self> {
        let plans = Plans::compile(model)?;
        let pool = ScorerPool::new(NAME, &BATCH_SIZES, move || plans.scorer())?;
        Ok(Self { pool })
    }

    pub fn static_capabilities() -> NpuCapabilities {
        NpuCapabilities {
            name: "tract (pure Rust, CPU)",
            supports_fp32: true,
            supports_int8: true,
            supports_fp16: false,
            precision: Precision::Fp32,
            requires_fixed_batch: true,
            max_batch_size: FULL_BATCH,
            estimated_tops: None,
            supports_dynamic_shapes: false,
        }
    }
}

impl NpuBackend for TractBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_available() -> bool {
        true
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

/// The model compiled for each of [`BATCH_SIZES`]; shared by all callers.
struct Plans([Arc<TypedRunnableModel>; BATCH_SIZES.len()]);

/// What one caller needs to run the plans.
struct TractScorer {
    plans: [TypedSimpleState; BATCH_SIZES.len()],
    input: Vec<f32>,
}

impl Plans {
    fn compile(model: &Model) -> NpuResult<Self> {
        let rewritten = batch_as_height(model.bytes())?;
        let file = rewritten.as_deref().unwrap_or(model.bytes());
        // tract panics on some graphs that contradict themselves; a model file must not end the program.
        let plans = std::panic::catch_unwind(|| -> TractResult<_> {
            let [small, full] = BATCH_SIZES;
            Ok([compile_for(file, small)?, compile_for(file, full)?])
        });
        match plans {
            Ok(Ok(plans)) => Ok(Self(plans)),
            Ok(Err(error)) => Err(load_failed(model, &format!("{error:#}"))),
            Err(_) => Err(load_failed(model, "the network contradicts itself")),
        }
    }

    fn scorer(&self) -> NpuResult<TractScorer> {
        let [small, full] = &self.0;
        let spawn = |plan: &Arc<TypedRunnableModel>| plan.spawn().map_err(inference_failed);
        Ok(TractScorer { plans: [spawn(small)?, spawn(full)?], input: vec![0.0; FULL_BATCH * ONE_HOT_SEED_LEN] })
    }
}

fn compile_for(mut file: &[u8], seeds: usize) -> TractResult<Arc<TypedRunnableModel>> {
    tract_onnx::onnx()
        // Shapes that exporters note for a dynamic batch would contradict the fixed one.
        .with_ignore_value_info(true)
        .with_ignore_output_shapes(true)
        .model_for_read(&mut file)?
        .with_input_fact(0, f32::fact(one_hot_shape(seeds)).into())?
        .into_optimized()?
        .into_runnable()
}

impl BatchScorer for TractScorer {
    type Input = f32;

    fn input(&mut self) -> &mut [f32] {
        &mut self.input
    }

    fn score(&mut self, scores: &mut [f32]) -> NpuResult<()> {
        let one_hot = &self.input[..scores.len() * ONE_HOT_SEED_LEN];
        let state = BATCH_SIZES.iter().position(|&size| size == scores.len()).expect("one of the batch sizes");
        let mut run = || -> TractResult<()> {
            let input = Tensor::from_shape(&one_hot_shape(scores.len()), one_hot)?;
            let outputs = self.plans[state].run(tvec!(input.into()))?;
            let values = outputs[0].try_as_plain_ram()?.as_slice::<f32>()?;
            if values.len() != scores.len() {
                return Err(TractError::msg(format!("{} scores for {} seeds", values.len(), scores.len())));
            }
            scores.copy_from_slice(values);
            Ok(())
        };
        run().map_err(inference_failed)
    }
}

fn load_failed(model: &Model, why: &str) -> NpuError {
    load_failed_of(model.source(), why)
}

fn load_failed_of(source: &str, why: &str) -> NpuError {
    NpuError::ModelLoadFailed(format!("{source}: tract cannot run it: {why}; export it again"))
}

fn inference_failed(error: TractError) -> NpuError {
    NpuError::InferenceFailed(format!("tract: {error:#}"))
}

/// Scores of a student network, one a row of features.
pub(crate) fn student_scores(model: &StudentModel, features: &[f32]) -> NpuResult<Vec<f32>> {
    let shape = [features.len() / model.metadata().features, model.metadata().features];
    let run = || -> TractResult<Vec<f32>> {
        let plan = tract_onnx::onnx()
            .with_ignore_value_info(true)
            .with_ignore_output_shapes(true)
            .model_for_read(&mut model.bytes())?
            .with_input_fact(0, f32::fact(shape).into())?
            .into_optimized()?
            .into_runnable()?;
        let outputs = plan.run(tvec!(Tensor::from_shape(&shape, features)?.into()))?;
        Ok(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    };
    // As above: tract panics on some graphs that contradict themselves.
    let scores = match std::panic::catch_unwind(run) {
        Ok(scores) => scores.map_err(|error| load_failed_of(model.source(), &format!("{error:#}")))?,
        Err(_) => return Err(load_failed_of(model.source(), "the network contradicts itself")),
    };
    if scores.len() != shape[0] {
        return Err(load_failed_of(model.source(), &format!("{} scores for {} seeds", scores.len(), shape[0])));
    }
    check_scores(NAME, &scores)?;
    Ok(scores)
}
