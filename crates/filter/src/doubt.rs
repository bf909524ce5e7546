//! Seeds about which the competition is in doubt: they lose by little, and a student network is asked.

use std::ops::Range;

use seedsieve_inference::NpuResult;

use crate::FilterStatistics;
use crate::bounds::bases_on;
use crate::cascade::PlacedSeed;
use crate::competition::Bound;
use crate::planes::{BLOCK, ReadPlanes, ReferencePlanes};
use crate::student_features::{STUDENT_ROW, StudentRead, StudentSeed};

/// Tells viable seeds from hopeless ones by what a student network sees of them. Shared between threads.
pub trait SeedScorer: Send + Sync {
    /// Version of the rows that it was trained on: under 1 the bounds with a gap are zeros.
    fn version(&self) -> u8;

    /// Viability of each seed in [0, 1]. `rows`: shape (seeds, [`STUDENT_ROW`]), row-major. A score depends on its row alone.
    ///
    /// # Errors
    /// Whatever the network reports.
    fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()>;
}

/// What is asked, and of whom.
#[derive(Clone, Copy)]
pub struct Student<'a> {
    /// The network.
    pub scorer: &'a dyn SeedScorer,
    /// Seeds that miss what would keep them by so many points at most are in doubt.
    pub points: i32,
    /// Viability from which on a seed is extended.
    pub threshold: f32,
    /// Occurrences of each seed's SMEM, in the order of the batch.
    pub occurrences: &'a [u32],
}

/// Seeds that are scored at once.
const AT_ONCE: usize = 1_024;

/// Seeds in doubt, of all reads of a batch.
#[derive(Default)]
pub(crate) struct Doubts {
    rows: Vec<u8>,
    /// Of each, the seeds of the batch that are extended with it: those of its chain.
    chains: Vec<Range<usize>>,
    read: ReadPlanes,
    mask: Vec<u64>,
    seeds: Vec<StudentSeed>,
    of_read: StudentRead,
}

/// A read with seeds in doubt.
pub(crate) struct DoubtfulRead<'a> {
    /// Base codes.
    pub(crate) codes: &'a [u8],
    /// Its seeds.
    pub(crate) seeds: &'a [PlacedSeed],
    /// What they can score.
    pub(crate) bounds: &'a [Bound],
    /// Number of the first in the batch.
    pub(crate) first: usize,
    /// Numbers of their chains.
    pub(crate) chains: &'a [u32],
    /// Best bound of the mate; 0 without one.
    pub(crate) mate_best: i32,
}

impl Doubts {
    /// Takes the seeds of a read with these numbers within it.
    pub(crate) fn add(
        &mut self,
        reference: &ReferencePlanes,
        student: &Student<'_>,
        read: &DoubtfulRead<'_>,
        numbers: &[usize],
    ) {
        self.read.set(read.codes);
        self.seeds.clear();
        let contig =
            |seed: &PlacedSeed| reference.contig_around(seed.start, u64::from(seed.length)).unwrap_or_default();
        self.seeds.extend(read.seeds.iter().zip(read.bounds).map(|(seed, bound)| StudentSeed {
            ungapped_score: bound.segment.score,
            gap_bound: bound.score,
            strand_of_contig: 2 * contig(seed).start + u64::from(seed.reverse),
            diagonal: seed.diagonal(),
            ..StudentSeed::default()
        }));
        self.of_read.set(&self.seeds, read.codes.len() as u32, read.mate_best);
        for &number in numbers {
            let seed = &read.seeds[number];
            let seen = self.view(reference, seed, &contig(seed), student.occurrences[read.first + number], number);
            let start = self.rows.len();
            self.rows.resize(start + STUDENT_ROW, 0);
            let row = (&mut self.rows[start..]).try_into().expect("a row");
            self.of_read.write(&seen, student.scorer.version(), row);
            self.chains.push(chain_of(read.chains, number, read.first));
        }
    }

    /// A seed as the student sees it, in the direction in which the read was sequenced.
    fn view(
        &mut self,
        reference: &ReferencePlanes,
        seed: &PlacedSeed,
        contig: &Range<u64>,
        occurrences: u32,
        number: usize,
    ) -> StudentSeed {
        let (query, length) = (seed.query(), self.read.length());
        let bases = bases_on(contig, seed.diagonal(), length);
        self.read.mismatches(seed.reverse, reference, seed.diagonal(), &bases, &mut self.mask);
        let mut sides = [
            first(!bits_before(&self.mask, query.start), query.start - bases.start),
            first(!bits_from(&self.mask, query.end), bases.end - query.end),
        ];
        let mut rooms = [seed.start - contig.start, contig.end - seed.start - u64::from(seed.length)];
        let mut query_start = query.start;
        if seed.reverse {
            sides.reverse();
            rooms.reverse();
            query_start = length - query.end;
        }
        StudentSeed {
            before: sides[0],
            behind: sides[1],
            length: seed.length,
            query_start: query_start as u32,
            room_before: rooms[0],
            room_behind: rooms[1],
            occurrences: occurrences.into(),
            ..self.seeds[number]
        }
    }

    /// Asks the student; of what it finds viable the stand-ins are taken back, those of the whole chain, as bwa would extend
    /// it.
    pub(crate) fn decide(
        &self,
        student: &Student<'_>,
        stand_ins: &mut [Option<Bound>],
        statistics: &mut FilterStatistics,
    ) -> NpuResult<()> {
        let mut scores = vec![0.0; self.chains.len().min(AT_ONCE)];
        for (rows, chains) in self.rows.chunks(AT_ONCE * STUDENT_ROW).zip(self.chains.chunks(AT_ONCE)) {
            let scores = &mut scores[..chains.len()];
            student.scorer.score(rows, scores)?;
            for (_, chain) in scores.iter().zip(chains).filter(|(score, _)| **score >= student.threshold) {
                let kept = stand_ins[chain.clone()].iter_mut().filter_map(Option::take).count() as u64;
                statistics.kept_by_student += kept;
                statistics.stand_ins -= kept;
            }
        }
        statistics.asked_of_student += self.chains.len() as u64;
        Ok(())
    }
}

/// The seeds of the batch that are of one chain with this one; `chains` are those of its read, side by side.
fn chain_of(chains: &[u32], number: usize, first: usize) -> Range<usize> {
    let Some(chain) = chains.get(number) else { return first + number..first + number + 1 };
    let start = chains[..number].iter().rposition(|other| other != chain).map_or(0, |before| before + 1);
    let end = chains[number..].iter().position(|other| other != chain).map_or(chains.len(), |behind| number + behind);
    first + start..first + end
}

/// The 128 bits from `start` on; ones behind the end.
fn bits_from(mask: &[u64], start: usize) -> u128 {
    let word = |number: usize| u128::from(mask.get(number).copied().unwrap_or(u64::MAX));
    let (number, shift) = (start / BLOCK, start % BLOCK);
    let two = word(number) | word(number + 1) << BLOCK;
    if shift == 0 { two } else { two >> shift | word(number + 2) << (2 * BLOCK - shift) }
}

/// The 128 bits before `end`, the nearest first; zeros before the start.
fn bits_before(mask: &[u64], end: usize) -> u128 {
    match (2 * BLOCK).checked_sub(end) {
        None | Some(0) => bits_from(mask, end - 2 * BLOCK).reverse_bits(),
        Some(missing) => bits_from(mask, 0).checked_shl(missing as u32).unwrap_or(0).reverse_bits(),
    }
}

/// The first bits, as many as `count`.
fn first(bits: u128, count: usize) -> u128 {
    if count >= 2 * BLOCK { bits } else { bits & ((1 << count) - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_outwards_from_any_place() {
        let mask: Vec<u64> = (1..=5u64).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let bit = |place: usize| mask.get(place / 64).map_or(1, |word| word >> (place % 64) & 1);
        for place in [0, 1, 63, 64, 65, 127, 128, 129, 191, 200, 319] {
            for distance in 0..128 {
                let behind = (bits_from(&mask, place) >> distance & 1) as u64;
                assert_eq!(behind, bit(place + distance), "{distance} behind {place}");
                if distance < place {
                    let before = (bits_before(&mask, place) >> distance & 1) as u64;
                    assert_eq!(before, bit(place - 1 - distance), "{distance} before {place}");
                }
            }
        }
        assert_eq!((first(u128::MAX, 3), first(u128::MAX, 128), first(u128::MAX, 0)), (7, u128::MAX, 0));
    }

    #[test]
    fn a_chain_is_the_run_of_its_number() {
        let chains = [0, 0, 1, 1, 1, 2];
        let ranges: Vec<_> = (0..6).map(|number| chain_of(&chains, number, 10)).collect();
        assert_eq!(ranges, [10..12, 10..12, 12..15, 12..15, 12..15, 15..16]);
        assert_eq!(chain_of(&[], 3, 10), 13..14);
    }
}
