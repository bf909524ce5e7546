//! SMEMs and their places in the reference.

use bwa_index::Smem;
use bwa_mem4_chain::sa_positions_for_read;
use bwa_mem4_core::MemOpt;
use bwa_seed::mem_collect_smem_batched;

use super::rounds::rounds;
use crate::{ReferenceIndex, Seed};

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
    /// SMEMs of all reads, searched in lockstep so that the cache misses of many reads overlap.
    pub(crate) fn find(index: &ReferenceIndex, options: &MemOpt, reads: &[&[u8]]) -> Self {
        let smems = mem_collect_smem_batched(&index.fm, reads, options);
        Self { smems, counts: Vec::new(), reference_starts: Vec::new(), offsets: Vec::new() }
    }

    /// The round of seeding that found each SMEM, read by read, in the order that [`SeededReads::locate`] brings them into.
    /// To be asked for before that.
    pub(crate) fn rounds(&self, index: &ReferenceIndex, options: &MemOpt, reads: &[&[u8]]) -> Vec<Vec<u8>> {
        let of_read = |(smems, codes): (&Vec<Smem>, &&[u8])| {
            let rounds = rounds(&index.fm, options, codes, smems);
            let mut order: Vec<usize> = (0..smems.len()).collect();
            // Of equal SMEMs the earlier round's stays the first, as in the stage crate's sort.
            order.sort_by_key(|&number| (smems[number].m, smems[number].n));
            order.into_iter().map(|number| rounds[number]).collect()
        };
        self.smems.iter().zip(reads).map(of_read).collect()
    }

    /// Looks up where the SMEMs occur, in one batch. Re-seeding finds some SMEMs twice; their rows are looked up once.
    pub(crate) fn locate(&mut self, index: &ReferenceIndex, options: &MemOpt) {
        let mut rows = Vec::new();
        let mut repeats = Vec::new();
        self.offsets.push(0);
        for smems in &mut self.smems {
            self.counts.push(sa_positions_for_read(options, smems, &mut rows, &mut repeats));
            self.offsets.push(rows.len());
        }
        if repeats.is_empty() {
            self.reference_starts = vec![0; rows.len()];
            index.fm.get_sa_batch(&rows, &mut self.reference_starts);
            return;
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

        let starts = &mut self.reference_starts;
        starts.reserve(rows.len());
        let mut rest = distinct_starts.as_slice();
        for repeat in &repeats {
            let (new, later) = rest.split_at(repeat.dst - starts.len());
            starts.extend_from_slice(new);
            starts.extend_from_within(repeat.src..repeat.src + repeat.len);
            rest = later;
        }
        starts.extend_from_slice(rest);
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
