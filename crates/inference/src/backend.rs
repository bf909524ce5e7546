use seedsieve_encoding::PACKED_SEED_BYTES;
use serde::Serialize;

use crate::{NpuError, NpuResult, SeedFilterBatch};

/// Something that runs a seed-viability network: a neural accelerator, or a CPU.
///
/// One backend holds one model. It is shared between threads; concurrent callers do not wait for each other. A seed's
/// score does not depend on the seeds that it is scored with, on their order or on their number.
pub trait NpuBackend: Send + Sync {
    /// Short name, for logs and for choosing it on the command line.
    fn name(&self) -> &'static str;

    /// Whether this backend can be used here.
    fn is_available() -> bool
    where
        Self: Sized;

    /// What the backend can do.
    fn capabilities(&self) -> NpuCapabilities;

    /// Viability of each seed of a one-hot batch, in [0, 1]. A batch may have any size, zero included.
    ///
    /// # Errors
    /// [`NpuError::InvalidBatch`] if the batch's sizes disagree, [`NpuError::InferenceFailed`] if the backend fails,
    /// [`NpuError::InvalidScore`] if a score is no probability.
    fn predict_seed_viability(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>>;

    /// Scores packed windows into the caller's memory: [`PACKED_SEED_BYTES`] bytes and one score a seed.
    ///
    /// Gives the scores of [`predict_seed_viability`](Self::predict_seed_viability) without the one-hot form of the whole
    /// batch (4 KiB a seed), which the aligner's batches of 100,000 seeds cannot afford. The provided form expands
    /// [`optimal_batch_size`](Self::optimal_batch_size) seeds at a time; backends that keep the memory replace it.
    ///
    /// # Errors
    /// [`NpuError::InvalidBatch`] if the two lengths do not belong to the same number of seeds, else as there.
    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        check_packed(packed, scores)?;
        let seeds = self.optimal_batch_size().max(1);
        for (packed, scores) in packed.chunks(seeds * PACKED_SEED_BYTES).zip(scores.chunks_mut(seeds)) {
            scores.copy_from_slice(&self.predict_seed_viability(&SeedFilterBatch::from_packed(packed))?);
        }
        Ok(())
    }

    /// Seeds a call from which on the backend reaches its full rate.
    fn optimal_batch_size(&self) -> usize;

    /// Sizes that run as they are; calls of other sizes are cut and padded to these. Ascending.
    fn supported_batch_sizes(&self) -> &[usize];

    /// Runs the network once: the first inference is often slow, and a damaged model shows here.
    ///
    /// # Errors
    /// As [`predict_seed_viability`](Self::predict_seed_viability).
    fn warmup(&self) -> NpuResult<()>;
}

/// The arithmetic that scores come from: how near they have to be to PyTorch's in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point: sums in another order.
    Fp32,
    /// Half precision, 11 bits.
    Fp16,
    /// bfloat16, 8 bits.
    Bf16,
    /// Integers of 8 bits.
    Int8,
}

impl Precision {
    /// Most by which a score may differ from the one in 32-bit floating point. bfloat16 has three bits fewer than half
    /// precision, hence eight times its difference.
    pub fn largest_difference(self) -> f32 {
        match self {
            Self::Fp32 => 1e-5,
            Self::Fp16 => 2e-3,
            Self::Bf16 => 8.0 * 2e-3,
            Self::Int8 => 0.05,
        }
    }
}

/// What a backend can do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NpuCapabilities {
    /// Name for humans.
    pub name: &'static str,
    /// Runs models in 32-bit floating point.
    pub supports_fp32: bool,
    /// Runs INT8 (QDQ) models.
    pub supports_int8: bool,
    /// Runs FP16 models.
    pub supports_fp16: bool,
    /// What it computes models of 32-bit floating point in.
    pub precision: Precision,
    /// The network is compiled for [`NpuBackend::supported_batch_sizes`] only. Callers need not care: see there.
    pub requires_fixed_batch: bool,
    /// Most seeds that run at once; larger calls are cut.
    pub max_batch_size: usize,
    /// Trillion operations a second, a product and its addition being two: of the native kernel's multiplying instruction on
    /// one thread, measured. `None` where nothing measures or tells it: what a library makes of a processor, or a driver of its
    /// device.
    pub estimated_tops: Option<f32>,
    /// One loaded network runs batches of any size.
    pub supports_dynamic_shapes: bool,
}

/// Checks that there is one score for each packed seed.
pub(crate) fn check_packed(packed: &[u8], scores: &[f32]) -> NpuResult<()> {
    if scores.len().checked_mul(PACKED_SEED_BYTES) == Some(packed.len()) {
        return Ok(());
    }
    Err(NpuError::InvalidBatch(format!(
        "{} bytes of packed windows for {} scores; each seed takes {PACKED_SEED_BYTES} bytes",
        packed.len(),
        scores.len()
    )))
}

/// Checks that every score is a probability. Not a number fails too: it is in no range.
#[cfg(any(feature = "native", feature = "ort", feature = "tract"))]
pub(crate) fn check_scores(backend: &'static str, scores: &[f32]) -> NpuResult<()> {
    match scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
        Some(seed) => Err(NpuError::InvalidScore { backend, seed, score: scores[seed] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores a seed by its number of bases; takes the provided `predict_packed`.
    struct CountingBackend;

    impl NpuBackend for CountingBackend {
        fn name(&self) -> &'static str {
            "counting"
        }
        fn is_available() -> bool {
            true
        }
        fn capabilities(&self) -> NpuCapabilities {
            unreachable!("not asked for")
        }
        fn predict_seed_viability(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
            assert!(batch.batch_size <= 4);
            Ok(batch.one_hot()?.chunks(1024).map(|seed| seed.iter().sum::<f32>() / 256.0).collect())
        }
        fn optimal_batch_size(&self) -> usize {
            4
        }
        fn supported_batch_sizes(&self) -> &[usize] {
            &[4]
        }
        fn warmup(&self) -> NpuResult<()> {
            Ok(())
        }
    }

    #[test]
    fn provided_packed_form_scores_every_seed_in_order() {
        let backend: &dyn NpuBackend = &CountingBackend;
        let mut packed = vec![0; 11 * PACKED_SEED_BYTES];
        for (number, seed) in packed.chunks_mut(PACKED_SEED_BYTES).enumerate() {
            seed[..number].fill(0x11);
        }
        let mut scores = vec![-1.0; 11];
        backend.predict_packed(&packed, &mut scores).unwrap();
        let expected: Vec<f32> = (0..11).map(|number| 2.0 * number as f32 / 256.0).collect();
        assert_eq!(scores, expected);
        assert!(backend.predict_packed(&packed[1..], &mut scores).is_err());
        assert!(backend.predict_packed(&packed, &mut scores[1..]).is_err());
    }

    #[test]
    #[cfg(any(feature = "native", feature = "ort", feature = "tract"))]
    fn only_probabilities_pass() {
        assert!(check_scores("x", &[0.0, 0.5, 1.0]).is_ok());
        for bad in [f32::NAN, -0.001, 1.001, f32::INFINITY] {
            let error = check_scores("x", &[0.5, bad]).unwrap_err();
            assert!(error.to_string().contains("seed 1 "), "{error}");
        }
    }
}
