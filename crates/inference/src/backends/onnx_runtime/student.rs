//! Student networks on ONNX Runtime's CPU, to compare the native kernel with.

use ort::session::Session;
use ort::value::TensorRef;

use super::{NAME, Provider, loaded_library};
use crate::backend::check_scores;
use crate::{NpuError, NpuResult, StudentModel};

/// Scores of a student network, one a row of features.
pub(crate) fn student_scores(model: &StudentModel, features: &[f32]) -> NpuResult<Vec<f32>> {
    let library = loaded_library()?;
    let (width, seeds) = (model.metadata().features, features.len() / model.metadata().features);
    let run = || -> ort::Result<Vec<f32>> {
        let builder = Session::builder(&library.environment)?.with_intra_threads(1)?.with_inter_threads(1)?;
        let builder = builder.with_log_level(ort::logging::LogLevel::Fatal)?;
        let mut builder = Provider::Cpu.apply(library, builder, false, seeds, model.bytes())?;
        let mut session = builder.commit_from_memory(model.bytes())?;
        let input = TensorRef::from_array_view((vec![seeds as i64, width as i64], features))?;
        let outputs = session.run(ort::inputs![input])?;
        let (_, values) = outputs[0].try_extract_tensor::<f32>()?;
        Ok(values.to_vec())
    };
    let failed = |why: &str| {
        NpuError::ModelLoadFailed(format!("{}: ONNX Runtime cannot run it: {why}; export it again", model.source()))
    };
    let scores = run().map_err(|error| failed(&error.to_string()))?;
    if scores.len() != seeds {
        return Err(failed(&format!("{} scores for {seeds} seeds", scores.len())));
    }
    check_scores(NAME, &scores)?;
    Ok(scores)
}
