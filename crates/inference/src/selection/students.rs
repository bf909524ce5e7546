//! Every way to run a student network that this build has, to compare them.

use crate::{NpuError, NpuResult, StudentModel};

/// The scores of a student network from every level of the native kernel (INT8 files), from ONNX Runtime and from tract: the
/// route's name with its scores, or why it gives none.
///
/// `features`: shape (seeds, features of the network), row-major; not empty. The native kernel is what the aligner runs, see
/// [`native::StudentNetwork`](crate::native::StudentNetwork); the others are here to compare.
///
/// # Errors
/// [`NpuError::InvalidBatch`] if the features are not whole seeds, or none.
pub fn student_scores(model: &StudentModel, features: &[u8]) -> NpuResult<Vec<(String, NpuResult<Vec<f32>>)>> {
    let width = model.metadata().features;
    if features.is_empty() || !features.len().is_multiple_of(width) {
        return Err(NpuError::InvalidBatch(format!("{} features; each seed takes {width}", features.len())));
    }
    #[allow(unused_mut, reason = "a build without any backend has no route")]
    let mut routes = Vec::new();
    #[cfg(feature = "native")]
    if model.graph().quantized {
        use crate::native::{Level, StudentNetwork};
        for level in Level::supported() {
            let network = StudentNetwork::with_level(model.bytes(), model.source(), level);
            let scores = network.and_then(|network| {
                let mut scores = vec![0.0; features.len() / width];
                network.score(features, &mut scores).map(|()| scores)
            });
            routes.push((format!("native {level}"), scores));
        }
    }
    #[cfg(any(feature = "ort", feature = "tract"))]
    let values: Vec<f32> = features.iter().map(|&feature| feature.into()).collect();
    #[cfg(feature = "ort")]
    routes.push(("ort".into(), crate::backends::onnx_runtime::student_scores(model, &values)));
    #[cfg(feature = "tract")]
    routes.push(("tract".into(), crate::backends::tract::student_scores(model, &values)));
    Ok(routes)
}
