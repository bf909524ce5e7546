//! A seed's own extension in a band that fits a register: sixteen cells of an antidiagonal at once, each a byte.
//!
//! It is Smith-Waterman as bwa extends a seed, with three limits: paths stay within fifteen diagonals of the seed's own,
//! scores end at 255, and it is over where no path's score is above 0, which beside a chance seed is after some ten bases.

mod band;
mod lanes;

use std::ops::Range;

use crate::bounds::bases_on;
use crate::cascade::PlacedSeed;
use crate::diagonal::{Scoring, extend_left, extend_right};
use crate::planes::{BLOCK, ReadPlanes, ReferencePlanes};
use band::{AMBIGUOUS, Band, Costs, MARGIN, STEPS};
use lanes::{Fastest, LANES, Lanes};

/// Codes of the bases of the reference that the lanes meet in so many steps.
const WINDOW: usize = STEPS + LANES;
/// What stands beyond the reads' and the contigs' ends: no code is the other's, nor that of a base or N.
const BEYOND_READ: u8 = 6;
const BEYOND_CONTIG: u8 = 5;

/// Seeds ahead for which the reference is asked for.
const AHEAD: usize = 12;

/// Scores the seeds of one read after another. Memory is used again from read to read.
pub struct NarrowScores<'a> {
    reference: &'a ReferencePlanes,
    scoring: Scoring,
    /// Most that is not enough.
    most: u8,
    planes: ReadPlanes,
    /// The read backwards, and that of its reverse complement, with [`MARGIN`] codes on either side.
    backwards: [Vec<u8>; 2],
    has_ambiguous: bool,
    mask: Vec<u64>,
}

impl<'a> NarrowScores<'a> {
    /// For reads laid on `reference`. A side is left as soon as a score of `enough` (at most 255) is reached.
    #[must_use]
    pub fn new(reference: &'a ReferencePlanes, scoring: Scoring, enough: i32) -> Self {
        let most = (enough.clamp(1, i32::from(u8::MAX)) - 1) as u8;
        let (planes, backwards) = (ReadPlanes::default(), Default::default());
        Self { reference, scoring, most, planes, backwards, has_ambiguous: false, mask: Vec::new() }
    }

    /// Of each seed, in their order, the score of its own extension to both sides, the seed included; `enough` or more says
    /// only that as much is reached. 0 for a seed that lies on no single contig. `codes` are the read's (0 to 3, 4 for N).
    ///
    /// As in bwa's extension the side before the seed, in the read's direction, is aligned first, the best score there is
    /// what the other side begins with, and a path ends where its score falls to 0.
    pub fn of_read<'s>(&'s mut self, codes: &[u8], seeds: &'s [PlacedSeed]) -> impl Iterator<Item = i32> + 's {
        self.set_read(codes);
        self.prefetch(&seeds[..seeds.len().min(AHEAD)]);
        seeds.iter().enumerate().map(|(number, seed)| {
            self.prefetch(seeds.get(number + AHEAD).map_or(&[], std::slice::from_ref));
            self.of_seed(seed)
        })
    }

    fn prefetch(&self, seeds: &[PlacedSeed]) {
        seeds.iter().for_each(|seed| self.reference.prefetch(seed.diagonal(), self.planes.length()));
    }

    /// Takes the base codes of a read.
    pub(crate) fn set_read(&mut self, codes: &[u8]) {
        self.planes.set(codes);
        self.has_ambiguous = codes.iter().any(|&code| code >= AMBIGUOUS);
        let complement = |&code: &u8| if code < AMBIGUOUS { 3 - code } else { AMBIGUOUS };
        let margin = [BEYOND_READ; MARGIN];
        let [plain, turned] = &mut self.backwards;
        for backwards in [&mut *plain, &mut *turned] {
            backwards.clear();
            backwards.extend(margin);
        }
        plain.extend(codes.iter().rev().map(|&code| code.min(AMBIGUOUS)));
        turned.extend(codes.iter().map(complement));
        for backwards in [plain, turned] {
            backwards.extend(margin);
        }
    }

    /// The planes of the read that was taken.
    pub(crate) fn read(&self) -> &ReadPlanes {
        &self.planes
    }

    /// The score of one of the read's seeds, see [`Self::of_read`].
    pub(crate) fn of_seed(&mut self, seed: &PlacedSeed) -> i32 {
        self.with_lanes::<Fastest>(seed)
    }

    fn with_lanes<L: Lanes>(&mut self, seed: &PlacedSeed) -> i32 {
        let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length)) else { return 0 };
        let (costs, diagonal) = (Costs::<L>::new(&self.scoring), seed.diagonal());
        let bases = bases_on(&contig, diagonal, self.planes.length());
        self.planes.mismatches(seed.reverse, self.reference, diagonal, &bases, &mut self.mask);
        let mut score = (seed.length as i32 * self.scoring.matched).min(i32::from(u8::MAX)) as u8;
        // Before the seed in the read's own direction, then behind it.
        for behind in [seed.reverse, !seed.reverse] {
            if score > self.most {
                break;
            }
            score = self
                .without_gaps(seed, behind, &bases, score)
                .unwrap_or_else(|| self.side(seed, behind, &contig, score, &costs));
        }
        score.into()
    }

    /// The best score with one side on which no gap can pay, for it has fewer mismatches than a gap costs: there is nothing
    /// to be had by leaving the diagonal. `None` where that is not certain.
    fn without_gaps(&self, seed: &PlacedSeed, behind: bool, bases: &Range<usize>, score: u8) -> Option<u8> {
        let (scoring, query) = (&self.scoring, seed.query());
        let flank = if behind { query.end..bases.end } else { bases.start..query.start };
        let mismatches = ones(&self.mask, &flank) as i32;
        let cannot_die = i32::from(score) > mismatches * scoring.mismatched;
        let cannot_gain = mismatches * (scoring.matched + scoring.mismatched) < scoring.gap(1);
        if self.has_ambiguous || !cannot_die || !cannot_gain {
            return None;
        }
        let (gain, _) = if behind {
            extend_right(&self.mask, flank.start, flank.end, scoring, i32::MAX)
        } else {
            extend_left(&self.mask, flank.end, flank.start, scoring, i32::MAX)
        };
        Some((i32::from(score) + gain).min(i32::from(u8::MAX)) as u8)
    }

    /// The best score with one side; `behind`: that on which the reference ascends.
    fn side<L: Lanes>(&self, seed: &PlacedSeed, behind: bool, contig: &Range<u64>, score: u8, costs: &Costs<L>) -> u8 {
        let (query, length) = (seed.query(), self.planes.length());
        let (seed_start, seed_end) = (seed.start as i64, seed.start as i64 + i64::from(seed.length));
        let backwards = &self.backwards[usize::from(seed.reverse)];
        let (bases, room) = if behind {
            (length - query.end, contig.end as i64 - seed_end)
        } else {
            (query.start, seed_start - contig.start as i64)
        };
        let last = bases.min(room as usize) + LANES / 2;
        let mut band = Band::new(score);
        let (most, no_base) = (L::all(self.most), L::all(AMBIGUOUS));
        let mut codes = [BEYOND_CONTIG; WINDOW];
        for first in (0..=last).step_by(STEPS) {
            // The window that lanes see move along; before the seed it moves down.
            let from = if behind { seed_end + first as i64 - 9 } else { seed_start - 8 - (first + STEPS) as i64 };
            self.reference.codes(from, contig, BEYOND_CONTIG, &mut codes);
            for step in 0..STEPS.min(last + 1 - first) {
                let a = first + step;
                // Both sequences ascend with the lanes: the one outwards, the other towards the seed.
                let (even, odd, ambiguous) = if behind {
                    let read = at::<L>(backwards, MARGIN + bases - a - 8);
                    let pair = [at(&codes, step), at(&codes, step + 1)].map(|reference: L| read.same(reference));
                    (pair[0], pair[1], [read.same(no_base); 2])
                } else {
                    let reference = at::<L>(&codes, STEPS - step);
                    let read = [9, 8].map(|back| at::<L>(backwards, MARGIN + length - bases + a - back));
                    (read[0].same(reference), read[1].same(reference), read.map(|read| read.same(no_base)))
                };
                if a > 0 {
                    band.even(even, ambiguous[0], costs);
                }
                band.odd(odd, ambiguous[1], costs);
                if band.is_dead() || band.exceeds(most) {
                    return band.best();
                }
            }
        }
        band.best()
    }
}

/// How many bits of a range are set.
fn ones(mask: &[u64], range: &Range<usize>) -> u32 {
    if range.is_empty() {
        return 0;
    }
    let (first, last) = (range.start / BLOCK, (range.end - 1) / BLOCK);
    let inside = |word: usize| {
        let from = if word == first { u64::MAX << (range.start % BLOCK) } else { u64::MAX };
        let to = if word == last { u64::MAX >> (BLOCK - 1 - (range.end - 1) % BLOCK) } else { u64::MAX };
        (mask[word] & from & to).count_ones()
    };
    (first..=last).map(inside).sum()
}

#[inline(always)]
fn at<L: Lanes>(codes: &[u8], start: usize) -> L {
    L::new(codes[start..].first_chunk().expect("a margin as wide as the lanes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn planes(codes: &[u8], contig_starts: Vec<u64>) -> ReferencePlanes {
        ReferencePlanes::new(contig_starts, |range, piece| {
            piece.clear();
            piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
        })
    }

    /// Best score of one side by a whole matrix: bases outwards from the seed, paths whose diagonal (bases of the reference
    /// less bases of the read) stays in `band`.
    fn side_by_matrix(read: &[u8], reference: &[u8], begin: i32, band: &Range<i64>) -> i32 {
        let scoring = Scoring::default();
        let width = reference.len() + 1;
        let mut paired = vec![0; (read.len() + 1) * width];
        let (mut inserted, mut deleted) = (paired.clone(), paired.clone());
        paired[0] = begin;
        let mut best = begin;
        for i in 0..=read.len() {
            for j in (0..=reference.len()).filter(|&j| band.contains(&(j as i64 - i as i64))) {
                let at = i * width + j;
                if i > 0 && j > 0 {
                    let before = at - width - 1;
                    let from = paired[before].max(inserted[before]).max(deleted[before]);
                    let step = match (read[i - 1], reference[j - 1]) {
                        (4, _) => -1,
                        (one, other) if one == other => 1,
                        _ => -4,
                    };
                    paired[at] = if from > 0 { (from + step).max(0) } else { 0 };
                }
                if i > 0 {
                    let above = at - width;
                    inserted[at] = (paired[above] - scoring.gap(1)).max(inserted[above] - scoring.gap_extend).max(0);
                }
                if j > 0 {
                    deleted[at] = (paired[at - 1] - scoring.gap(1)).max(deleted[at - 1] - scoring.gap_extend).max(0);
                }
                best = best.max(paired[at]);
            }
        }
        best
    }

    /// Of a seed of a read as it lies on the reference; `seed` are its starts in read and contig and its length.
    fn by_matrix(read: &[u8], contig: &[u8], seed: (usize, usize, usize), reverse: bool) -> i32 {
        let turned = |bases: &[u8]| bases.iter().rev().copied().collect::<Vec<u8>>();
        let (query_start, start, length) = seed;
        let mut sides = [
            (turned(&read[..query_start]), turned(&contig[..start]), -15..17),
            (read[query_start + length..].to_vec(), contig[start + length..].to_vec(), -16..16),
        ];
        if reverse {
            sides.reverse();
        }
        sides
            .iter()
            .fold(length as i32, |score, (read, contig, band)| side_by_matrix(read, contig, score, band).min(255))
    }

    /// A read of the contig from `begin` on with edits (place, kind, length): bases left out, put in, or changed to another
    /// or to N. The seed, by start and length, is left as it is. Returns the read and the seed's start in it.
    fn edited(contig: &[u8], begin: usize, seed: (usize, usize), edits: &[(usize, u8, usize)]) -> (Vec<u8>, usize) {
        let (mut read, mut place, mut query_start) = (Vec::new(), begin, 0);
        while place < contig.len() {
            if place == seed.0 {
                query_start = read.len();
                read.extend_from_slice(&contig[seed.0..seed.0 + seed.1]);
                place += seed.1;
                continue;
            }
            let end = if place < seed.0 { seed.0 } else { contig.len() };
            match edits.iter().find(|edit| begin + edit.0 == place) {
                Some(&(_, 0, length)) => {
                    place = (place + length).min(end);
                    continue;
                }
                Some(&(_, 1, length)) => {
                    read.extend((0..length).map(|base| (base as u8 + contig[place] + 1) & 3));
                    read.push(contig[place]);
                }
                Some(&(_, 2, _)) => read.push(4),
                Some(_) => read.push(contig[place] ^ 1),
                None => read.push(contig[place]),
            }
            place += 1;
        }
        (read, query_start)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]
        #[test]
        fn scores_are_those_of_a_matrix_in_every_form(
            other in proptest::collection::vec(0u8..4, 0..40),
            contig in proptest::collection::vec(0u8..4, 40..330),
            letters in 1u8..4,
            place in (0.0f64..1.0, 0.0f64..1.0),
            length in 8usize..20,
            edits in proptest::collection::vec((0usize..200, 0u8..6, 1usize..22), 0..9),
            reverse: bool,
        ) {
            // Few letters make repeats.
            let contig: Vec<u8> = contig.iter().map(|code| code & letters).collect();
            let start = (place.0 * (contig.len() - length) as f64) as usize;
            let begin = (place.1 * start as f64) as usize;
            let (read, query_start) = edited(&contig, begin, (start, length), &edits);
            let reference = [other.as_slice(), &contig, &other].concat();
            let [first, second, end] = [other.len(), other.len() + contig.len(), reference.len()].map(|at| at as u64);
            let mut starts = vec![0, first, second, end];
            starts.dedup();
            let planes = planes(&reference, starts);
            let turned = || read.iter().rev().map(|&code| if code < 4 { 3 - code } else { code }).collect();
            let given: Vec<u8> = if reverse { turned() } else { read.clone() };
            let seed = PlacedSeed {
                start: first + start as u64,
                query_start: query_start as u32,
                length: length as u32,
                reverse,
                alt: false,
            };
            let expected = by_matrix(&read, &contig, (query_start, start, length), reverse);
            let mut scores = NarrowScores::new(&planes, Scoring::default(), 255);
            prop_assert_eq!(scores.of_read(&given, &[seed]).next(), Some(expected));
            prop_assert_eq!(scores.with_lanes::<[u8; LANES]>(&seed), expected);
            let enough = NarrowScores::new(&planes, Scoring::default(), 30).of_read(&given, &[seed]).next();
            prop_assert!(enough == Some(expected) || (Some(30)..=Some(expected)).contains(&enough), "{:?}", enough);
        }
    }

    #[test]
    fn a_seed_on_no_contig_scores_nothing_and_one_that_fills_the_read_its_length() {
        let reference: Vec<u8> = (0..200).map(|place: u32| (place * place / 7 % 4) as u8).collect();
        let planes = planes(&reference, vec![0, 100, 200]);
        let mut scores = NarrowScores::new(&planes, Scoring::default(), 255);
        let seed = |start| PlacedSeed { start, query_start: 0, length: 30, reverse: false, alt: false };
        assert_eq!(scores.of_read(&reference[90..120], &[seed(90)]).collect::<Vec<_>>(), [0]);
        assert_eq!(scores.of_read(&reference[170..], &[seed(170)]).collect::<Vec<_>>(), [30]);
    }
}
