//! Pairs of a chunk: regions of all of them, the insert size, and then, batch by batch, mate rescue and records.

use std::ops::Range;

use bwa_mem4_core::opt::flags;
use bwa_mem4_mem::{MemAlnReg, PairRescueData, PeStat, mem_pestat, mem_sam_pe};
use rayon::prelude::*;

use super::marking::mark_unpaired;
use super::regions::Batch;
use super::{Aligner, ChunkOutput, named};
use crate::cpu_time::thread_cpu_time;
use crate::observe::Observer;
use crate::stages::packed_regions::PackedRegions;
use crate::{AlignerError, Gate, Read, Stage, Statistics};

/// Pairs to rescue that a worker takes in one batch: enough for searches to fill the kernel's lanes, few enough that their
/// regions and what is known of their mates take little memory.
const PAIRS_TO_RESCUE: std::ops::RangeInclusive<usize> = 256..=1_024;

/// The regions of two mates.
pub(super) type Mates = [Vec<MemAlnReg>; 2];

/// Some pairs of a chunk.
struct PairBatch<'a> {
    /// The number of the first pair in the run.
    first: u64,
    pairs: &'a [[Read; 2]],
    /// Base codes, read by read.
    codes: &'a [Vec<u8>],
    /// Read by read; taken when the pair's records are written.
    regions: &'a mut [PackedRegions],
    /// Which pairs are rescued.
    is_rescued: &'a [bool],
}

impl Aligner<'_> {
    /// Aligns pairs; `first` is the number of the first pair in the run. The insert size is measured on this chunk, as in
    /// bwa, so the chunk's size is part of the result.
    ///
    /// # Errors
    /// Whatever the filter's backend reports.
    pub fn align_pairs(
        &self,
        pairs: &[[Read; 2]],
        first: u64,
        observer: &dyn Observer,
    ) -> Result<ChunkOutput, AlignerError> {
        let codes: Vec<Vec<u8>> = pairs.as_flattened().par_iter().map(Read::codes).collect();
        let Batch { mut regions, mut statistics, capped } = self.regions(&codes, true, 2 * first, observer)?;
        let insert_size = self.options.insert_size.unwrap_or_else(|| self.measure_insert_size(&regions));
        let is_rescued = self.pairs_to_rescue(&regions, &mut statistics);
        let mut batches = Vec::new();
        let mut rest = regions.as_mut_slice();
        for range in batches_of_pairs(&is_rescued, rayon::current_num_threads()) {
            let (regions, behind) = rest.split_at_mut(2 * range.len());
            rest = behind;
            let codes = &codes[2 * range.start..2 * range.end];
            let first = first + range.start as u64;
            batches.push(PairBatch {
                first,
                pairs: &pairs[range.clone()],
                codes,
                regions,
                is_rescued: &is_rescued[range],
            });
        }
        // Records wait for those of the whole chunk.
        let written: Vec<(Vec<Vec<u8>>, Statistics)> =
            batches.into_par_iter().map(|batch| self.align_batch(batch, &insert_size, observer)).collect();
        let mut sam = Vec::with_capacity(pairs.len());
        for (mut records, of_batch) in written {
            sam.append(&mut records);
            statistics.add(&of_batch);
        }
        let name = |read: u64| pairs.as_flattened()[(read - 2 * first) as usize].name.clone();
        Ok(ChunkOutput { sam, statistics, capped: named(&capped, name) })
    }

    fn measure_insert_size(&self, regions: &[PackedRegions]) -> [PeStat; 4] {
        let options = &self.options.mem;
        let of_reads: Vec<Vec<MemAlnReg>> = regions.par_iter().map(|regions| regions.of_insert_size(options)).collect();
        let of_reads: Vec<&[MemAlnReg]> = of_reads.iter().map(Vec::as_slice).collect();
        mem_pestat(options, self.index.bns.l_pac, &of_reads)
    }

    /// Which pairs are rescued.
    fn pairs_to_rescue(&self, regions: &[PackedRegions], statistics: &mut Statistics) -> Vec<bool> {
        let is_off = self.options.mem.flag & flags::NO_RESCUE != 0;
        let Some(gate) = self.gates.rescue.as_ref().filter(|_| !is_off) else {
            return vec![!is_off; regions.len() / 2];
        };
        let started = thread_cpu_time();
        let is_worth = |pair: &[PackedRegions]| {
            gate.is_worth_rescue([0, 1].map(|read| pair[read].best_score()), self.options.mem.t)
        };
        let is_rescued: Vec<bool> = regions.chunks_exact(2).map(is_worth).collect();
        let deciding = thread_cpu_time() - started;
        statistics.filter.pairs_in += is_rescued.len() as u64;
        statistics.filter.pairs_not_rescued += is_rescued.iter().filter(|is_rescued| !**is_rescued).count() as u64;
        statistics.gates[Gate::Rescue as usize] += deciding;
        statistics.cpu[Stage::Rescue as usize] += deciding;
        is_rescued
    }

    /// The records of each pair.
    fn align_batch(
        &self,
        batch: PairBatch<'_>,
        insert_size: &[PeStat; 4],
        observer: &dyn Observer,
    ) -> (Vec<Vec<u8>>, Statistics) {
        let PairBatch { first, pairs, codes, regions, is_rescued } = batch;
        let mut statistics = Statistics::default();
        let mut rescued: Vec<Mates> = Vec::new();
        statistics.time_counting(Stage::Rescue, |statistics| {
            let with_rescue = |(pair, is_rescued): (&mut [PackedRegions], &bool)| is_rescued.then(|| take(pair));
            rescued.extend(regions.chunks_exact_mut(2).zip(is_rescued).filter_map(with_rescue));
            let numbers = (0..).zip(is_rescued).filter_map(|(number, is_rescued)| is_rescued.then_some(number));
            let mut data = Vec::with_capacity(rescued.len());
            for (number, mates) in numbers.zip(&mut rescued) {
                if observer.wants_traces() {
                    self.show_anchors(observer, first + number as u64, mates);
                }
                let [a0, a1] = mates;
                data.push(PairRescueData { seq0: &codes[2 * number], seq1: &codes[2 * number + 1], a0, a1 });
            }
            self.rescue_mates(&mut data, insert_size, statistics);
        });
        let records = statistics.time(Stage::Output, || {
            let mut rescued = rescued.into_iter();
            // The records of a pair take no more memory than they have bytes.
            let mut buffer = Vec::new();
            let of_pairs = pairs.iter().zip(codes.chunks_exact(2)).zip(regions.chunks_exact_mut(2)).zip(is_rescued);
            let records = (first..).zip(of_pairs).map(|(id, (((reads, codes), packed), is_rescued))| {
                let mates = if *is_rescued { rescued.next() } else { None };
                self.write_pair(
                    id,
                    reads,
                    codes,
                    mates.unwrap_or_else(|| take(packed)),
                    insert_size,
                    observer,
                    &mut buffer,
                );
                buffer.as_slice().to_vec()
            });
            records.collect()
        });
        (records, statistics)
    }

    /// Writes the records of one pair into `records`, none where the observer wants none.
    #[allow(clippy::too_many_arguments)] // one call, and a type for it would only repeat the names
    fn write_pair(
        &self,
        id: u64,
        [one, two]: &[Read; 2],
        codes: &[Vec<u8>],
        [mut first, mut second]: Mates,
        insert_size: &[PeStat; 4],
        observer: &dyn Observer,
        records: &mut Vec<u8>,
    ) {
        records.clear();
        let options = &self.options.mem;
        if observer.wants_records() || !mark_unpaired(options, id, [&mut first, &mut second]) {
            let written = mem_sam_pe(
                &self.index.packed,
                &self.index.bns,
                options,
                insert_size,
                id,
                &[&one.name, &two.name],
                &[&codes[0], &codes[1]],
                &[one.qualities.as_deref(), two.qualities.as_deref()],
                &[one.comment.as_deref(), two.comment.as_deref()],
                &mut first,
                &mut second,
                true,
                records,
            );
            written.expect("a Vec takes every write");
        }
        if !observer.wants_records() {
            records.clear();
        }
        self.show_regions(observer, 2 * id, &first);
        self.show_regions(observer, 2 * id + 1, &second);
    }
}

/// The regions of both mates, of which nothing packed stays.
fn take(pair: &mut [PackedRegions]) -> Mates {
    [0, 1].map(|read| std::mem::take(&mut pair[read]).unpack())
}

/// Parts into which a chunk's pairs are cut for `threads` workers: of a stretch of pairs those that are rescued fill a batch.
fn batches_of_pairs(is_rescued: &[bool], threads: usize) -> Vec<Range<usize>> {
    let share = |pairs: usize| pairs.div_ceil(2 * threads.max(1));
    let rescued = is_rescued.iter().filter(|is_rescued| **is_rescued).count();
    let most_rescued = share(rescued).clamp(*PAIRS_TO_RESCUE.start(), *PAIRS_TO_RESCUE.end());
    let most = share(is_rescued.len()).max(*PAIRS_TO_RESCUE.start());
    let mut batches = Vec::new();
    let (mut start, mut rescued) = (0, 0);
    for (number, is_rescued) in is_rescued.iter().enumerate() {
        rescued += usize::from(*is_rescued);
        let is_last = number + 1 == start + most || rescued == most_rescued;
        if is_last {
            batches.push(start..number + 1);
            (start, rescued) = (number + 1, 0);
        }
    }
    if start < is_rescued.len() {
        batches.push(start..is_rescued.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_pair_once_and_few_that_are_rescued() {
        for (pairs, every, threads) in
            [(0, 1, 1), (1, 1, 4), (256, 1, 1), (257, 1, 64), (5_000, 1, 1), (9_000, 7, 2), (9_000, 10_000, 3)]
        {
            let is_rescued: Vec<bool> = (1..=pairs).map(|number| number % every == 0).collect();
            let batches = batches_of_pairs(&is_rescued, threads);
            assert_eq!(batches.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..pairs).collect::<Vec<_>>());
            let rescued =
                |batch: &Range<usize>| is_rescued[batch.clone()].iter().filter(|is_rescued| **is_rescued).count();
            assert!(batches.iter().all(|batch| (1..=1_024).contains(&batch.len().min(rescued(batch).max(1)))));
            assert!(
                pairs < 512 * threads || batches.len() >= 2 * threads,
                "{pairs} pairs in {} batches",
                batches.len()
            );
        }
    }
}
