//! The convolutional network: on any backend, with the same decisions on each.

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{NpuBackend, NpuResult};

use super::{Doubts, take_back};
use crate::FilterStatistics;
use crate::cascade::CascadeBatch;
use crate::competition::Bound;

/// Who is asked, and what the answer means.
///
/// Backends in floating point round each in its own way. A score within `tolerance` of `keep` decides nothing by itself: the
/// referee, whose scores are the same on every machine, is asked. So decisions are those of the referee on every backend whose
/// scores lie within the tolerance of the referee's.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// The network.
    pub backend: &'a dyn NpuBackend,
    /// The same network in exact arithmetic. Without it all seeds in the band around `keep` are extended, and backends may
    /// differ at its lower end.
    pub referee: Option<&'a dyn NpuBackend>,
    /// Viability from which on a seed is extended.
    pub keep: f32,
    /// What rounding may make of a score.
    pub tolerance: f32,
    /// Packs the context windows of the batch's seed of this number.
    pub encode: &'a dyn Fn(usize, &mut [u8; PACKED_SEED_BYTES]),
}

impl Doubts {
    /// Asks the convolutional network about what is still in doubt and not of a chain that is extended already, in full batches
    /// across reads. What it finds viable is extended with its whole chain: the stand-ins are taken back.
    ///
    /// `batch` and `stand_ins` are those that the doubts are of.
    ///
    /// # Errors
    /// Whatever the backend reports.
    pub fn ask_network(
        &mut self,
        network: &Network<'_>,
        batch: &CascadeBatch<'_>,
        stand_ins: &mut [Option<Bound>],
        statistics: &mut FilterStatistics,
    ) -> NpuResult<()> {
        let mut asked = std::mem::take(&mut self.seeds);
        asked.retain(|&seed| stand_ins[seed].is_some());
        statistics.asked_of_network += asked.len() as u64;
        for seed in network.viable(&asked)? {
            let kept = take_back(batch.chain_of(seed), stand_ins);
            statistics.kept_by_network += kept;
            statistics.stand_ins -= kept;
        }
        Ok(())
    }
}

impl Network<'_> {
    /// Those of these seeds that are viable.
    fn viable(&self, seeds: &[usize]) -> NpuResult<Vec<usize>> {
        let scores = self.scores(self.backend, seeds)?;
        let (mut viable, mut close) = (Vec::new(), Vec::new());
        for (&seed, score) in seeds.iter().zip(scores) {
            if score > self.keep + self.tolerance {
                viable.push(seed);
            } else if score >= self.keep - self.tolerance {
                close.push(seed);
            }
        }
        let Some(referee) = self.referee else {
            viable.append(&mut close);
            return Ok(viable);
        };
        let scores = self.scores(referee, &close)?;
        viable.extend(close.into_iter().zip(scores).filter(|(_, score)| *score >= self.keep).map(|(seed, _)| seed));
        Ok(viable)
    }

    /// A score a seed.
    fn scores(&self, backend: &dyn NpuBackend, seeds: &[usize]) -> NpuResult<Vec<f32>> {
        let at_once = backend.optimal_batch_size().max(1);
        let mut windows = vec![0; at_once.min(seeds.len()) * PACKED_SEED_BYTES];
        let mut scores = vec![0.0; seeds.len()];
        for (seeds, scores) in seeds.chunks(at_once).zip(scores.chunks_mut(at_once)) {
            let windows = &mut windows[..seeds.len() * PACKED_SEED_BYTES];
            for (&seed, window) in seeds.iter().zip(windows.as_chunks_mut().0) {
                (self.encode)(seed, window);
            }
            backend.predict_packed(windows, scores)?;
        }
        Ok(scores)
    }
}
