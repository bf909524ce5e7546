//! Student networks: small dense networks over a row of whole numbers a seed, in the same integers as the convolutional
//! network and on the same levels of instructions.

mod kernels;
mod plan;
mod reader;

use std::path::Path;

use self::plan::Plan;
use super::{Level, NAME};
use crate::backend::check_scores;
use crate::model::{StudentMetadata, check_size, check_student, read_file};
use crate::{NpuError, NpuResult};

/// Numbers a seed that the student network of this project's training package takes: 256 matches and mismatches around
/// the seed, 32 facts.
pub const STUDENT_FEATURES: usize = 288;

/// A dense network of an INT8 model file, on the CPU, without any library: a chain of Gemm and ReLU with a Sigmoid at its
/// end, activations of eight bits without sign, weights of eight bits with it, sums of 32 bits.
///
/// Up to 1024 inputs (a multiple of 4) and 64 outputs a layer. Scores are the same, bit for bit, on every [`Level`], for
/// any number of threads, order of seeds and size of batches. It is shared between threads.
pub struct StudentNetwork {
    metadata: StudentMetadata,
    plan: Plan,
    level: Level,
    score: kernels::Score,
}

impl StudentNetwork {
    /// Reads a model file; the network runs on the fastest level of this processor.
    ///
    /// # Errors
    /// [`NpuError::ModelLoadFailed`] if the file cannot be read, is empty or larger than 64 MiB; else as
    /// [`from_bytes`](Self::from_bytes).
    pub fn read(path: &Path) -> NpuResult<Self> {
        Self::from_bytes(&read_file(path)?, &path.display().to_string())
    }

    /// Reads an ONNX file that is in memory; `source` names it in messages.
    ///
    /// # Errors
    /// [`NpuError::UnsupportedFormat`] if it is damaged, is no ONNX file, has no or other metadata, or its network is not
    /// of this family: the message names the layer. [`NpuError::UnsupportedBatchSize`] if its batch size is fixed.
    pub fn from_bytes(bytes: &[u8], source: &str) -> NpuResult<Self> {
        Self::with_level(bytes, source, Level::best())
    }

    /// As [`from_bytes`](Self::from_bytes), on a given level.
    ///
    /// # Errors
    /// [`NpuError::BackendNotAvailable`] if this processor lacks the level's instructions; else as there.
    pub fn with_level(bytes: &[u8], source: &str, level: Level) -> NpuResult<Self> {
        check_size(bytes, source)?;
        let (plan, metadata) = read(bytes, source).map_err(|error| match error {
            NpuError::UnsupportedFormat(why) if !why.starts_with(source) => {
                NpuError::UnsupportedFormat(format!("{source}: {why}"))
            }
            other => other,
        })?;
        Ok(Self { metadata, plan, level, score: kernels::for_level(level)? })
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &StudentMetadata {
        &self.metadata
    }

    /// Numbers of a seed: the length of its row of features.
    pub fn features(&self) -> usize {
        self.plan.inputs()
    }

    /// Multiplications of one seed.
    pub fn products(&self) -> usize {
        self.plan.products()
    }

    /// The level in use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Viability of each seed, in [0, 1].
    ///
    /// `features`: shape (seeds, [`features`](Self::features)), row-major, as the network was trained on them; `scores`: one
    /// a seed.
    ///
    /// # Errors
    /// [`NpuError::InvalidBatch`] if the lengths do not belong to the same number of seeds; [`NpuError::InvalidScore`] if a
    /// score is no probability.
    pub fn score(&self, features: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        let width = self.features();
        if scores.len().checked_mul(width) != Some(features.len()) {
            return Err(NpuError::InvalidBatch(format!(
                "{} features for {} scores; each seed takes {width} features",
                features.len(),
                scores.len()
            )));
        }
        (self.score)(&self.plan, features, scores);
        check_scores(NAME, scores)
    }
}

fn read(bytes: &[u8], source: &str) -> NpuResult<(Plan, StudentMetadata)> {
    let (_, metadata, _) = check_student(bytes)?;
    Ok((reader::read_plan(bytes, source, metadata.features)?, metadata))
}
