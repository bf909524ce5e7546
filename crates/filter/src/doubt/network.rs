//! The convolutional network: on any backend, with the same decisions on each.

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{NpuBackend, NpuResult};

use super::{Doubts, take_back};
use crate::FilterStatistics;
use crate::bound::Bound;
use crate::cascade::CascadeBatch;

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

#[cfg(test)]
mod tests {
    use super::*;
    use seedsieve_inference::{NpuCapabilities, SeedFilterBatch};
    use std::sync::Mutex;

    /// Keeps the numbers in the windows that it is shown, call by call, and finds the even ones viable.
    #[derive(Default)]
    struct Shown(Mutex<Vec<Vec<u8>>>);

    impl NpuBackend for Shown {
        fn name(&self) -> &'static str {
            "shown"
        }

        fn is_available() -> bool {
            true
        }

        fn capabilities(&self) -> NpuCapabilities {
            unreachable!("not asked for")
        }

        fn predict_seed_viability(&self, _: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
            unreachable!("packed windows are asked about")
        }

        fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
            let seeds: Vec<u8> = packed.chunks(PACKED_SEED_BYTES).map(|window| window[9]).collect();
            seeds.iter().zip(scores).for_each(|(seed, score)| *score = if seed % 2 == 0 { 0.9 } else { 0.1 });
            self.0.lock().unwrap().push(seeds);
            Ok(())
        }

        fn optimal_batch_size(&self) -> usize {
            2
        }

        fn supported_batch_sizes(&self) -> &[usize] {
            &[2]
        }

        fn warmup(&self) -> NpuResult<()> {
            Ok(())
        }
    }

    #[test]
    fn full_batches_across_reads_hold_what_is_not_extended_already() {
        let batch = CascadeBatch {
            reads: &[&[], &[]],
            read_offsets: &[0, 4, 8],
            seeds: &[],
            chains: &[0, 0, 1, 1, 0, 1, 2, 2],
            paired: false,
        };
        let bound = Bound::default();
        let mut doubts = Doubts::default();
        doubts.add(0, 0, &[0, 1, 3], &[bound; 4], 0);
        doubts.add(1, 4, &[0, 1, 2], &[bound; 4], 0);
        // The chain of seeds 0 and 1 is extended already.
        let mut stand_ins = [None, None, Some(bound), Some(bound), Some(bound), Some(bound), Some(bound), Some(bound)];
        let shown = Shown::default();
        let encode = |seed: usize, packed: &mut [u8; PACKED_SEED_BYTES]| packed.fill(seed as u8);
        let network = Network { backend: &shown, referee: None, keep: 0.5, tolerance: 0.02, encode: &encode };
        let mut statistics = FilterStatistics { stand_ins: 6, ..FilterStatistics::default() };
        doubts.ask_network(&network, &batch, &mut stand_ins, &mut statistics).unwrap();
        assert_eq!(shown.0.into_inner().unwrap(), [vec![3, 4], vec![5, 6]]);
        assert_eq!(stand_ins.map(|stand_in| stand_in.is_some()), [false, false, true, true, false, true, false, false]);
        let FilterStatistics { asked_of_network, kept_by_network, stand_ins, .. } = statistics;
        assert_eq!((asked_of_network, kept_by_network, stand_ins), (4, 3, 3));
    }
}
