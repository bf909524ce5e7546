//! The student network in the native kernel, as the cascade asks it.

use std::path::Path;

use seedsieve_inference::native::StudentNetwork;
use seedsieve_inference::{NpuError, NpuResult};

use crate::{STUDENT_ROW, SeedScorer};

const BUILT_IN: &[u8] = include_bytes!("../../../models/seed_student_near_v2_int8.onnx");

/// A student network in eight bits: integers, the same scores on every machine.
pub struct NativeStudent(StudentNetwork);

impl NativeStudent {
    /// The one that is built in (`models/seed_student_near_v2_int8.onnx`).
    ///
    /// # Panics
    /// If the build embedded a file that is none.
    #[must_use]
    pub fn built_in() -> Self {
        let network = StudentNetwork::from_bytes(BUILT_IN, "the built-in student").and_then(Self::new);
        network.expect("a student network is built in")
    }

    /// The one of a file.
    ///
    /// # Errors
    /// A file that holds no student network in eight bits, or one that sees something else of a seed.
    pub fn read(file: &Path) -> NpuResult<Self> {
        StudentNetwork::read(file).and_then(Self::new)
    }

    fn new(network: StudentNetwork) -> NpuResult<Self> {
        if network.features() != STUDENT_ROW {
            return Err(NpuError::ModelLoadFailed(format!(
                "{}: it takes {} features of a seed; the cascade makes {STUDENT_ROW}",
                network.metadata().name,
                network.features()
            )));
        }
        Ok(Self(network))
    }
}

impl SeedScorer for NativeStudent {
    fn version(&self) -> u8 {
        self.0.metadata().version
    }

    fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        self.0.score(rows, scores)
    }
}
