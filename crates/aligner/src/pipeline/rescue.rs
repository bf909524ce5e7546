//! Mates are looked for, over the pairs of a chunk.

use bwa_mem4_mem::{MemAlnReg, PairRescueData, PeStat, batch_mate_rescue};
use rayon::prelude::*;

use super::Aligner;
use crate::cpu_time::thread_cpu_time;
use crate::stages::rescue::rescue_mates;
use crate::{Gate, Stage, Statistics};

/// Pairs that a worker rescues in one batch: enough for searches to fill the kernel's lanes, few enough that what is known of
/// their mates takes little memory beside the regions of the chunk.
const PAIRS_PER_RESCUE: std::ops::RangeInclusive<usize> = 256..=1_024;

impl Aligner<'_> {
    /// Looks for the mates of well-placed reads where the insert size expects them.
    pub(super) fn rescue_mates(
        &self,
        codes: &[Vec<u8>],
        regions: &mut [Vec<MemAlnReg>],
        insert_size: &[PeStat; 4],
    ) -> Statistics {
        let started = thread_cpu_time();
        let is_worth: Vec<bool> = regions.chunks_exact(2).map(|regions| self.is_worth_rescue(regions)).collect();
        let deciding = thread_cpu_time() - started;
        let mut pairs: Vec<PairRescueData<'_>> = codes
            .chunks_exact(2)
            .zip(regions.chunks_exact_mut(2))
            .zip(&is_worth)
            .filter(|(_, is_worth)| **is_worth)
            .map(|((codes, regions), _)| {
                let [a0, a1] = regions else { unreachable!("chunks of two") };
                PairRescueData { seq0: &codes[0], seq1: &codes[1], a0, a1 }
            })
            .collect();
        let batch_size = pairs.len().div_ceil(2 * rayon::current_num_threads().max(1));
        let batch_size = batch_size.clamp(*PAIRS_PER_RESCUE.start(), *PAIRS_PER_RESCUE.end());
        let mut all = pairs
            .par_chunks_mut(batch_size)
            .map(|batch| {
                let mut statistics = Statistics::default();
                statistics.time_counting(Stage::Rescue, |statistics| match &self.gates.rescue {
                    None => {
                        batch_mate_rescue(&self.index.packed, &self.index.bns, &self.options.mem, insert_size, batch)
                    }
                    Some(gate) => {
                        let counts = rescue_mates(self.index, self.options, insert_size, gate.as_ref(), batch);
                        statistics.filter.add(&counts);
                    }
                });
                statistics
            })
            .reduce(Statistics::default, |mut sum, part| {
                sum.add(&part);
                sum
            });
        if self.gates.rescue.is_some() {
            all.filter.pairs_in += is_worth.len() as u64;
            all.filter.pairs_not_rescued += is_worth.iter().filter(|is_worth| !**is_worth).count() as u64;
            all.gates[Gate::Rescue as usize] += deciding;
            all.cpu[Stage::Rescue as usize] += deciding;
        }
        all
    }

    pub(super) fn is_worth_rescue(&self, regions: &[Vec<MemAlnReg>]) -> bool {
        self.gates.rescue.as_ref().is_none_or(|gate| {
            let best = [0, 1].map(|read| regions[read].first().map(|best| best.score));
            gate.is_worth_rescue(best, self.options.mem.t)
        })
    }
}
