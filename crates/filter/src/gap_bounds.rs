//! What each seed of a read can score with one gap, whatever its rivals are.

use crate::bound::Bound;
use crate::bounds::Probe;
use crate::cascade::{CascadeSettings, PlacedSeed};
use crate::planes::ReferencePlanes;

/// Scores the seeds of one read after another. Memory is used again from read to read.
///
/// The competition of a read's seeds tries gaps only where one could change a decision; here they are tried for every seed,
/// so that the score depends on the read and its seeds alone.
pub struct GapBounds<'a> {
    probe: Probe<'a>,
    bounds: Vec<Bound>,
}

impl<'a> GapBounds<'a> {
    /// For reads laid on `reference`, by these scores and limits of gaps.
    #[must_use]
    pub fn new(reference: &'a ReferencePlanes, settings: &'a CascadeSettings) -> Self {
        Self { probe: Probe::new(reference, settings), bounds: Vec::new() }
    }

    /// Of each seed, in their order, the best of
    /// - its ungapped extension,
    /// - that, joined by one gap of at most `bridge` bases with the ungapped extension of another of the seeds,
    /// - that, joined by one gap of at most `shifts` bases with what extends a run of `run` matches there.
    ///
    /// Gaps are tried for ungapped extensions of `gap_from` and more. Bases between two joined extensions are taken to be
    /// free, so that the score may be a little above the best alignment with one gap, and the first run is taken, so that
    /// it may be below. 0 for a seed that lies on no single contig. `codes` are the read's (0 to 3, 4 for N).
    pub fn of_read(&mut self, codes: &[u8], seeds: &[PlacedSeed]) -> impl Iterator<Item = i32> + '_ {
        self.probe.own_ungapped_bounds(codes, seeds, &mut self.bounds);
        self.probe.add_all_gaps(seeds, &mut self.bounds);
        self.bounds.iter().map(|bound| bound.score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagonal::Scoring;
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngSeed, TestRunner};

    const REFERENCE: usize = 400;
    /// Where the reads lie on it.
    const PLACE: usize = 150;

    /// Best score of an alignment of bases `[0, read.len())` through the seed with at most one gap of at most five bases, by
    /// trying every pair of diagonals and every base at which to change them.
    fn brute_force(reference: &[u8], read: &[u8], seed: &PlacedSeed) -> i32 {
        let scoring = Scoring::default();
        let (seed_start, seed_end) = (seed.query_start as usize, (seed.query_start + seed.length) as usize);
        let score = |base: usize, diagonal: i64| {
            let matched = reference.get((base as i64 + diagonal) as usize) == Some(&read[base]);
            if matched { scoring.matched } else { -scoring.mismatched }
        };
        // The best sum over a range that starts (or ends) at `from`.
        let to_right = |from: usize, diagonal: i64| {
            let sums = (from..read.len()).scan(0, |sum, base| {
                *sum += score(base, diagonal);
                Some(*sum)
            });
            sums.max().unwrap_or(0).max(0)
        };
        let to_left = |from: usize, diagonal: i64| {
            let sums = (0..from).rev().scan(0, |sum, base| {
                *sum += score(base, diagonal);
                Some(*sum)
            });
            sums.max().unwrap_or(0).max(0)
        };
        let own = seed.start as i64 - i64::from(seed.query_start);
        let exact = seed.length as i32;
        let (left, right) = (to_left(seed_start, own), to_right(seed_end, own));
        let mut best = left + exact + right;
        for shift in (1..=5).flat_map(|shift: i64| [shift, -shift]) {
            let gap = scoring.gap(shift.abs() as i32);
            for change in seed_end..read.len() {
                let before: i32 = (seed_end..change).map(|base| score(base, own)).sum();
                // A read that is further on than the reference leaves as many of its bases unaligned.
                let next = change + (-shift).max(0) as usize;
                if next < read.len() {
                    best = best.max(left + exact + before - gap + to_right(next, own + shift));
                }
            }
            for change in 1..=seed_start {
                let after: i32 = (change..seed_start).map(|base| score(base, own)).sum();
                if let Some(next) = change.checked_sub(shift.max(0) as usize) {
                    best = best.max(to_left(next, own + shift) - gap + after + exact + right);
                }
            }
        }
        best
    }

    #[test]
    fn one_gap_in_a_read_without_mismatches_is_scored_as_by_brute_force() {
        let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(7), ..Config::default() });
        let reads = (proptest::collection::vec(0u8..4, REFERENCE), 30usize..80, 25usize..60, -5i64..=5, any::<bool>());
        let (mut equal, mut tried) = (0, 0);
        for _ in 0..500 {
            let (reference, before, after, shift, seed_behind) = reads.new_tree(&mut runner).unwrap().current();
            let (deleted, inserted) = (shift.max(0) as usize, (-shift).max(0) as usize);
            let second = PLACE + before + deleted;
            // Bases that are put in are the complement of what stands there.
            let extra: Vec<u8> = (0..inserted).map(|base| 3 - reference[PLACE + before + base]).collect();
            let read = [&reference[PLACE..PLACE + before], &extra, &reference[second..second + after]].concat();
            let seed = if seed_behind {
                PlacedSeed {
                    start: (second + after - 20) as u64,
                    query_start: (read.len() - 20) as u32,
                    length: 20,
                    reverse: false,
                    alt: false,
                }
            } else {
                PlacedSeed { start: PLACE as u64, query_start: 0, length: 20, reverse: false, alt: false }
            };
            let (planes, settings) = (planes(&reference), CascadeSettings::default());
            let found = GapBounds::new(&planes, &settings).of_read(&read, &[seed]).next().unwrap();
            let expected = brute_force(&reference, &read, &seed);
            assert!(found <= expected, "{found} of {expected}, shift {shift}");
            equal += usize::from(found == expected);
            tried += 1;
        }
        assert!(100 * equal >= 95 * tried, "{equal} of {tried}");
    }

    #[test]
    fn a_gap_counts_also_where_no_competition_would_ask_for_it() {
        let mut state = 5_u64;
        let reference: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 60) as u8 & 3
        })
        .take(REFERENCE)
        .collect();
        let read = [&reference[100..160], &reference[163..200]].concat();
        let seed = PlacedSeed { start: 100, query_start: 0, length: 60, reverse: false, alt: false };
        let (planes, settings) = (planes(&reference), CascadeSettings::default());
        let mut bounds = GapBounds::new(&planes, &settings);
        // 60 reach any threshold, and the read has no better seed.
        assert_eq!(bounds.of_read(&read, &[seed]).collect::<Vec<_>>(), [97 - 9]);
        let across_the_end = PlacedSeed { start: REFERENCE as u64 - 3, ..seed };
        assert_eq!(bounds.of_read(&read, &[across_the_end, seed]).collect::<Vec<_>>(), [0, 97 - 9]);
    }

    fn planes(codes: &[u8]) -> ReferencePlanes {
        ReferencePlanes::new(vec![0, codes.len() as u64], |range, piece| {
            piece.clear();
            piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
        })
    }
}
