//! The student network that the cascade asks about seeds in doubt.

use std::path::Path;
use std::sync::Arc;

use seedsieve_aligner::SeedScorer;

/// The network of a file, or the one that is built in.
///
/// # Errors
/// A file that holds no student network in eight bits, or one that sees something else of a seed.
#[cfg(feature = "native")]
pub fn student(file: Option<&Path>) -> anyhow::Result<Arc<dyn SeedScorer>> {
    use anyhow::ensure;
    use seedsieve_filter::STUDENT_ROW;
    use seedsieve_inference::NpuResult;
    use seedsieve_inference::native::StudentNetwork;

    const BUILT_IN: &[u8] = include_bytes!("../../../../models/seed_student_near_v2_int8.onnx");

    struct Scorer(StudentNetwork);

    impl SeedScorer for Scorer {
        fn version(&self) -> u8 {
            self.0.metadata().version
        }

        fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()> {
            self.0.score(rows, scores)
        }
    }

    let network = match file {
        None => StudentNetwork::from_bytes(BUILT_IN, "the built-in student")?,
        Some(file) => StudentNetwork::read(file)?,
    };
    ensure!(
        network.features() == STUDENT_ROW,
        "{}: it takes {} features of a seed; the cascade makes {STUDENT_ROW}",
        network.metadata().name,
        network.features()
    );
    Ok(Arc::new(Scorer(network)))
}

/// Without the native kernel there is none.
///
/// # Errors
/// Always.
#[cfg(not(feature = "native"))]
pub fn student(_: Option<&Path>) -> anyhow::Result<Arc<dyn SeedScorer>> {
    anyhow::bail!(
        "this build has no native kernel (feature `native`), which the student network needs; say --cascade-tiers 1"
    )
}
