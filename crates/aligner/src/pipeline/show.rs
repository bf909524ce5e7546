//! What an observer is shown.

use bwa_mem4_chain::MemChain;
use bwa_mem4_mem::MemAlnReg;

use super::Aligner;
use super::pairs::Mates;
use crate::observe::{Observer, Seed};
use crate::stages::containment::Candidate;
use crate::trace::{trace_regions, trace_seeds};

impl Aligner<'_> {
    #[allow(clippy::too_many_arguments)] // one call, and a type for it would only repeat the names
    pub(super) fn show_seeds(
        &self,
        observer: &dyn Observer,
        first: u64,
        reads: &[&[u8]],
        seeds: &[Vec<(Seed, u8)>],
        keep: Option<&[bool]>,
        chains: &[Vec<MemChain>],
        candidates: &[Vec<Candidate>],
    ) {
        let mut seeds_before = 0;
        for (read, codes) in reads.iter().enumerate() {
            let observed = seeds[read].iter().enumerate().map(|(number, (seed, round))| {
                let kept = keep.is_none_or(|keep| keep[seeds_before + number]);
                (*seed, *round, kept)
            });
            let mine = candidates[read].iter().filter(|candidate| candidate.is_extended()).filter_map(|candidate| {
                candidate.extension.map(|extension| (candidate.chain, candidate.number, extension))
            });
            observer.seeds(first + read as u64, codes, trace_seeds(observed, &chains[read], mine));
            seeds_before += seeds[read].len();
        }
    }

    /// The anchors of a pair that is rescued are those of bwa: the regions near the read's best, up to -m.
    pub(super) fn show_anchors(&self, observer: &dyn Observer, pair: u64, mates: &Mates) {
        let options = &self.options.mem;
        for (read, regions) in (2 * pair..).zip(mates) {
            let least = regions.first().map_or(0, |best| best.score - options.pen_unpaired);
            let near_best = regions.iter().filter(|region| region.score >= least);
            let anchors: Vec<MemAlnReg> = near_best.take(options.max_matesw.max(0) as usize).cloned().collect();
            observer.rescue_anchors(read, trace_regions(&anchors, options.t));
        }
    }

    pub(super) fn show_regions(&self, observer: &dyn Observer, read: u64, regions: &[MemAlnReg]) {
        if observer.wants_traces() {
            observer.regions(read, trace_regions(regions, self.options.mem.t));
        }
    }
}
