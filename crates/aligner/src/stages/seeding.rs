//! SMEMs and their places in the reference.

use std::ops::Range;

use bwa_index::Smem;
use bwa_mem4_chain::sa_positions_for_read;
use bwa_mem4_core::MemOpt;
use bwa_seed::mem_collect_smem_batched;

use super::rounds::rounds;
use crate::{ReferenceIndex, Seed};

/// SMEMs of all reads, searched in lockstep so that the cache misses of many reads overlap.
pub(crate) fn find_smems(index: &ReferenceIndex, options: &MemOpt, reads: &[&[u8]]) -> Vec<Vec<Smem>> {
    mem_collect_smem_batched(&index.fm, reads, options)
}

/// The round of seeding that found each SMEM, read by read, in the order that [`SeededReads::locate`] brings them into.
pub(crate) fn rounds_of_smems(
    index: &ReferenceIndex,
    options: &MemOpt,
    reads: &[&[u8]],
    smems: &[Vec<Smem>],
) -> Vec<Vec<u8>> {
    let of_read = |(smems, codes): (&Vec<Smem>, &&[u8])| {
        let rounds = rounds(&index.fm, options, codes, smems);
        let mut order: Vec<usize> = (0..smems.len()).collect();
        // Of equal SMEMs the earlier round's stays the first, as in the stage crate's sort.
        order.sort_by_key(|&number| (smems[number].m, smems[number].n));
        order.into_iter().map(|number| rounds[number]).collect()
    };
    smems.iter().zip(reads).map(of_read).collect()
}

/// Seeds of a read with these SMEMs: their occurrences, of each SMEM at most about `max_occ` (-c).
pub(crate) fn seeds_of_smems(max_occ: i32, smems: &[Smem]) -> u64 {
    let most = i64::from(max_occ);
    let looked_at = |smem: &Smem| {
        let step = if smem.s > most { smem.s / most } else { 1 };
        let sampled = (smem.s + step - 1) / step;
        sampled.clamp(0, most) as u64
    };
    smems.iter().map(looked_at).sum()
}

/// Runs of neighbouring reads that have at most `most` seeds together, or are but one read (one pair where `paired`).
/// Together they are all reads; `seeds` holds the number of each.
pub(crate) fn runs_of_reads(seeds: &[u64], paired: bool, most: u64) -> Vec<Range<usize>> {
    let unit = if paired { 2 } else { 1 };
    let mut runs = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (number, unit_seeds) in seeds.chunks(unit).enumerate() {
        let of_unit: u64 = unit_seeds.iter().sum();
        let at = number * unit;
        if at > start && sum + of_unit > most {
            runs.push(start..at);
            (start, sum) = (at, 0);
        }
        sum += of_unit;
    }
    if start < seeds.len() {
        runs.push(start..seeds.len());
    }
    runs
}

/// The seeds of a batch of reads, in bwa's order: by start and end of the SMEM, then by suffix-array row.
pub(crate) struct SeededReads {
    /// SMEMs of each read.
    pub(crate) smems: Vec<Vec<Smem>>,
    /// How many occurrences of each SMEM are looked at (-c caps them).
    counts: Vec<Vec<i64>>,
    /// Reference start of every occurrence, all reads one after the other.
    reference_starts: Vec<i64>,
    /// First occurrence of each read in `reference_starts`, and the end.
    offsets: Vec<usize>,
}

impl SeededReads {
    /// Looks up where SMEMs occur, in one batch. Re-seeding finds some SMEMs twice; their rows are looked up once. Of a read
    /// with more than `most` seeds only those of its rarest SMEMs are.
    pub(crate) fn locate(
        index: &ReferenceIndex,
        options: &MemOpt,
        most: Option<u64>,
        mut smems: Vec<Vec<Smem>>,
    ) -> Self {
        let mut rows = Vec::new();
        let mut repeats = Vec::new();
        let mut counts = Vec::with_capacity(smems.len());
        let mut offsets = Vec::with_capacity(smems.len() + 1);
        offsets.push(0);
        for smems in &mut smems {
            counts.push(match most {
                Some(most) if seeds_of_smems(options.max_occ, smems) > most => {
                    rows_of_rarest(options, smems, most, &mut rows)
                }
                _ => sa_positions_for_read(options, smems, &mut rows, &mut repeats),
            });
            offsets.push(rows.len());
        }
        let mut reference_starts = Vec::new();
        if repeats.is_empty() {
            reference_starts.resize(rows.len(), 0);
            index.fm.get_sa_batch(&rows, &mut reference_starts);
            return Self { smems, counts, reference_starts, offsets };
        }
        let mut distinct_rows = Vec::with_capacity(rows.len());
        let mut next = 0;
        for repeat in &repeats {
            distinct_rows.extend_from_slice(&rows[next..repeat.dst]);
            next = repeat.dst + repeat.len;
        }
        distinct_rows.extend_from_slice(&rows[next..]);
        let mut distinct_starts = vec![0; distinct_rows.len()];
        index.fm.get_sa_batch(&distinct_rows, &mut distinct_starts);

        let starts = &mut reference_starts;
        starts.reserve(rows.len());
        let mut rest = distinct_starts.as_slice();
        for repeat in &repeats {
            let (new, later) = rest.split_at(repeat.dst - starts.len());
            starts.extend_from_slice(new);
            starts.extend_from_within(repeat.src..repeat.src + repeat.len);
            rest = later;
        }
        starts.extend_from_slice(rest);
        Self { smems, counts, reference_starts, offsets }
    }

    /// Seeds of all reads together.
    pub(crate) fn len(&self) -> usize {
        self.reference_starts.len()
    }

    /// First seed of each read, and the end: `reads + 1` numbers.
    pub(crate) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The seeds of read `read`, those included that lie across the end of a contig or strand.
    pub(crate) fn seeds_of(&self, read: usize) -> impl Iterator<Item = Seed> + '_ {
        let starts = &self.reference_starts[self.offsets[read]..self.offsets[read + 1]];
        let smem_of_each = self.smems[read].iter().zip(&self.counts[read]);
        smem_of_each.flat_map(|(smem, &count)| std::iter::repeat_n(smem, count as usize)).zip(starts).map(
            |(smem, &reference_start)| Seed {
                query_start: smem.m as i32,
                length: (smem.n + 1 - smem.m) as i32,
                reference_start,
                occurrences: smem.s,
            },
        )
    }

    /// Occurrences of the SMEM that this seed of read `read` belongs to; 0 where there is none.
    pub(crate) fn occurrences(&self, read: usize, seed: &Seed) -> i64 {
        let smems = &self.smems[read];
        let key = (seed.query_start as u32, (seed.query_start + seed.length - 1) as u32);
        let place = smems.partition_point(|smem| (smem.m, smem.n) < key);
        smems.get(place).filter(|smem| (smem.m, smem.n) == key).map_or(0, |smem| smem.s)
    }

    /// `of_smems` of read `read`, one value an SMEM, for each of its seeds.
    pub(crate) fn for_seeds<'a>(&'a self, read: usize, of_smems: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
        let counts = self.counts[read].iter();
        of_smems.iter().zip(counts).flat_map(|(&value, &count)| std::iter::repeat_n(value, count as usize))
    }

    /// What chaining needs of read `read`: its SMEMs, occurrences of each, reference start of each occurrence.
    pub(crate) fn for_chaining(&self, read: usize) -> (&[Smem], &[i64], &[i64]) {
        let starts = &self.reference_starts[self.offsets[read]..self.offsets[read + 1]];
        (&self.smems[read], &self.counts[read], starts)
    }

    /// Drops the seeds whose `keep` is false. The SMEMs stay: how repetitive a read is does not depend on the filter.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut seed = 0;
        let mut kept = 0;
        for (read, counts) in self.counts.iter_mut().enumerate() {
            for count in counts {
                let mut left = 0;
                for _ in 0..*count {
                    if keep[seed] {
                        self.reference_starts[kept] = self.reference_starts[seed];
                        kept += 1;
                        left += 1;
                    }
                    seed += 1;
                }
                *count = left;
            }
            self.offsets[read + 1] = kept;
        }
        self.reference_starts.truncate(kept);
    }
}

/// Adds the suffix-array rows of a read's rarest SMEMs, as many as have at most `most` occurrences together, and the rarest
/// one in any case. Returns how many each SMEM has in bwa's order of them; those left out have none.
fn rows_of_rarest(options: &MemOpt, smems: &mut Vec<Smem>, most: u64, rows: &mut Vec<i64>) -> Vec<i64> {
    let mut all = Vec::new();
    let mut counts = sa_positions_for_read(options, smems, &mut all, &mut Vec::new());
    let mut rarest: Vec<usize> = (0..counts.len()).collect();
    rarest.sort_by_key(|&number| (smems[number].s, number));
    let mut left = most as i64;
    let mut is_left_out = vec![true; counts.len()];
    for (rank, number) in rarest.into_iter().enumerate() {
        left -= counts[number];
        if left < 0 && rank > 0 {
            break;
        }
        is_left_out[number] = false;
    }
    let mut start = 0;
    for (count, left_out) in counts.iter_mut().zip(is_left_out) {
        let of_smem = &all[start..start + *count as usize];
        start += of_smem.len();
        if left_out {
            *count = 0;
        } else {
            rows.extend_from_slice(of_smem);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smem(start: u32, row: i64, occurrences: i64) -> Smem {
        Smem { rid: 0, m: start, n: start + 18, k: row, l: 0, s: occurrences }
    }

    #[test]
    fn the_number_of_seeds_is_that_of_the_rows() {
        for max_occ in [1, 3, 500] {
            let options = MemOpt { max_occ, ..MemOpt::default() };
            for occurrences in [1, 2, 3, 4, 7, 499, 500, 501, 999, 1000, 1501] {
                let (mut smems, mut rows) = (vec![smem(0, 10, occurrences)], Vec::new());
                sa_positions_for_read(&options, &mut smems, &mut rows, &mut Vec::new());
                assert_eq!(seeds_of_smems(max_occ, &smems), rows.len() as u64, "-c {max_occ}, {occurrences}");
            }
        }
    }

    #[test]
    fn runs_hold_whole_pairs_and_no_more_seeds_than_asked_for() {
        assert_eq!(runs_of_reads(&[3, 3, 3, 9, 1], false, 6), [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(runs_of_reads(&[3, 3, 3, 9, 1, 1], true, 6), [0..2, 2..4, 4..6]);
        assert_eq!(runs_of_reads(&[1, 1, 1, 1, 1, 1], true, 4), [0..4, 4..6]);
        assert!(runs_of_reads(&[], false, 6).is_empty());
    }

    #[test]
    fn over_the_limit_the_rarest_smems_stay_in_their_order() {
        let mut smems = vec![smem(0, 100, 4), smem(5, 200, 2), smem(9, 300, 1), smem(12, 400, 2)];
        let mut rows = vec![7];
        let counts = rows_of_rarest(&MemOpt::default(), &mut smems, 4, &mut rows);
        assert_eq!((counts, rows), (vec![0, 2, 1, 0], vec![7, 200, 201, 300]));
        let (mut smems, mut rows) = (vec![smem(0, 100, 4), smem(5, 200, 3)], Vec::new());
        let counts = rows_of_rarest(&MemOpt::default(), &mut smems, 1, &mut rows);
        assert_eq!((counts, rows), (vec![0, 3], vec![200, 201, 202]), "a read keeps its rarest");
    }
}
