//! What the seeds of one read can score: ungapped, and with one gap.

use std::ops::Range;

use crate::FilterStatistics;
use crate::cascade::{CascadeSettings, PlacedSeed};
use crate::competition::{Bound, Competition};
use crate::diagonal::{Segment, extend, find_run, join};
use crate::planes::{ReadPlanes, ReferencePlanes};

/// How far ahead the reference of a seed is asked for.
const PREFETCH: usize = 8;

/// How many of the seeds before it may spare a seed its own comparison, by lying on the same diagonal.
const SAME_DIAGONAL: usize = 4;

/// One read laid on the reference. Its memory is used again from read to read.
pub(crate) struct Probe<'a> {
    reference: &'a ReferencePlanes,
    settings: &'a CascadeSettings,
    read: ReadPlanes,
    mask: Vec<u64>,
    by_diagonal: Vec<u32>,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(reference: &'a ReferencePlanes, settings: &'a CascadeSettings) -> Self {
        Self { reference, settings, read: ReadPlanes::default(), mask: Vec::new(), by_diagonal: Vec::new() }
    }

    /// The ungapped bound of each seed of one read, in their order, until one reaches `enough`: then the rest is left out.
    pub(crate) fn ungapped_bounds(&mut self, codes: &[u8], seeds: &[PlacedSeed], enough: i32, bounds: &mut Vec<Bound>) {
        bounds.clear();
        if seeds.is_empty() {
            return;
        }
        self.read.set(codes);
        for seed in &seeds[..seeds.len().min(PREFETCH)] {
            self.reference.prefetch(seed.diagonal(), codes.len());
        }
        for (number, seed) in seeds.iter().enumerate() {
            if let Some(ahead) = seeds.get(number + PREFETCH) {
                self.reference.prefetch(ahead.diagonal(), codes.len());
            }
            let earlier = bounds.iter().rev().take(SAME_DIAGONAL).find(|bound| bound.runs_through(seed)).copied();
            let bound = earlier.unwrap_or_else(|| self.ungapped(seed));
            bounds.push(bound);
            if bound.score >= enough {
                return;
            }
        }
    }

    /// Raises ungapped bounds by what one gap can add. The read is the one of the last call of [`Self::ungapped_bounds`].
    pub(crate) fn add_gaps(
        &mut self,
        competition: &Competition,
        seeds: &[PlacedSeed],
        bounds: &mut [Bound],
        statistics: &mut FilterStatistics,
    ) {
        self.bridge(bounds);
        self.try_gaps(competition, seeds, bounds, statistics);
    }

    /// Raises ungapped bounds by what one gap can add, without asking whether it matters.
    pub(crate) fn add_all_gaps(&mut self, seeds: &[PlacedSeed], bounds: &mut [Bound]) {
        self.bridge(bounds);
        for (seed, bound) in seeds.iter().zip(bounds) {
            if bound.segment.score >= self.settings.gap_from
                && let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length))
            {
                bound.score = bound.score.max(self.beside(seed, &bound.segment, &contig));
            }
        }
    }

    /// The ungapped bound; 0 for a seed that lies on no single contig.
    fn ungapped(&mut self, seed: &PlacedSeed) -> Bound {
        let diagonal = seed.diagonal();
        let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length)) else {
            return Bound { diagonal, reverse: seed.reverse, alt: seed.alt, ..Bound::default() };
        };
        let bases = bases_on(&contig, diagonal, self.read.length());
        self.read.mismatches(seed.reverse, self.reference, diagonal, &bases, &mut self.mask);
        let segment = extend(&self.mask, &seed.query(), &bases, &self.settings.scoring, self.settings.drop);
        let (reverse, alt, read_length) = (seed.reverse, seed.alt, self.read.length() as u32);
        Bound { score: segment.score, segment, diagonal, reverse, read_length, alt }
    }

    /// Raises the bounds of seeds that one gap joins with another seed of the read.
    fn bridge(&mut self, bounds: &mut [Bound]) {
        let settings = self.settings;
        let order = &mut self.by_diagonal;
        order.clear();
        order.extend((0..bounds.len() as u32).filter(|&number| bounds[number as usize].score >= settings.gap_from));
        if order.len() < 2 {
            return;
        }
        order.sort_unstable_by_key(|&number| {
            let bound = &bounds[number as usize];
            (bound.reverse, bound.diagonal, bound.segment.start)
        });
        for (place, &one) in order.iter().enumerate() {
            let one = one as usize;
            let Bound { segment, diagonal, reverse, .. } = bounds[one];
            for &other in &order[place + 1..] {
                let other = other as usize;
                let shift = bounds[other].diagonal - diagonal;
                if bounds[other].reverse != reverse || shift > settings.bridge {
                    break;
                }
                if shift == 0 {
                    continue;
                }
                let joined = join(&segment, &bounds[other].segment, shift as i32, &settings.scoring);
                for number in [one, other] {
                    bounds[number].score = bounds[number].score.max(joined);
                }
            }
        }
    }

    /// Tries gaps to the diagonals right beside those of seeds that would be dropped for little.
    fn try_gaps(
        &mut self,
        competition: &Competition,
        seeds: &[PlacedSeed],
        bounds: &mut [Bound],
        statistics: &mut FilterStatistics,
    ) {
        let settings = self.settings;
        let Some(best) = bounds.iter().max_by_key(|bound| bound.score).copied() else { return };
        // Seeds on the primary assembly compete among themselves.
        let best_primary = bounds.iter().filter(|bound| !bound.alt).max_by_key(|bound| bound.score).copied();
        for (seed, bound) in seeds.iter().zip(bounds) {
            let best = best_primary.as_ref().filter(|_| !bound.alt).unwrap_or(&best);
            let missing = competition.floor(best, bound) - bound.score;
            if bound.segment.score < settings.gap_from || missing <= 0 || missing > settings.unseeded_gain {
                continue;
            }
            let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length)) else { continue };
            statistics.gaps_tried += 1;
            bound.score = bound.score.max(self.beside(seed, &bound.segment, &contig));
        }
    }

    /// The best score of `segment`, on the seed's diagonal, joined by one gap with a segment on a diagonal right beside it.
    fn beside(&mut self, seed: &PlacedSeed, segment: &Segment, contig: &Range<u64>) -> i32 {
        let (settings, reference) = (self.settings, self.reference);
        let mut best = 0;
        for shift in (1..=settings.shifts).flat_map(|shift| [shift, -shift]) {
            let diagonal = seed.diagonal() + i64::from(shift);
            let bases = bases_on(contig, diagonal, self.read.length());
            self.read.mismatches(seed.reverse, reference, diagonal, &bases, &mut self.mask);
            let mask = &self.mask;
            let before = bases.start..(segment.start as usize).clamp(bases.start, bases.end);
            let after = (segment.end as usize).clamp(bases.start, bases.end)..bases.end;
            for part in [before, after] {
                let Some(run) = find_run(mask, &part, settings.run) else { continue };
                let other = extend(mask, &(run..run + settings.run), &bases, &settings.scoring, settings.drop);
                best = best.max(if shift > 0 {
                    join(segment, &other, shift, &settings.scoring)
                } else {
                    join(&other, segment, -shift, &settings.scoring)
                });
            }
        }
        best
    }
}

/// Bases of a read laid on this diagonal that lie on the contig.
pub(crate) fn bases_on(contig: &Range<u64>, diagonal: i64, length: usize) -> Range<usize> {
    let first = (contig.start as i64 - diagonal).max(0) as usize;
    let end = (contig.end as i64 - diagonal).clamp(0, length as i64) as usize;
    first.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base codes that look random and are the same in every run.
    fn sequence(length: usize, mut state: u64) -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 60) as u8 & 3
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    fn planes(codes: &[u8]) -> ReferencePlanes {
        ReferencePlanes::new(vec![0, codes.len() as u64], |range, piece| {
            piece.clear();
            piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
        })
    }

    fn seed(start: u64, query_start: u32, length: u32) -> PlacedSeed {
        PlacedSeed { start, query_start, length, reverse: false, alt: false }
    }

    fn bounds(reference: &[u8], read: &[u8], seeds: &[PlacedSeed]) -> Vec<i32> {
        let (planes, settings) = (planes(reference), CascadeSettings::default());
        let mut probe = Probe::new(&planes, &settings);
        let mut bounds = Vec::new();
        probe.ungapped_bounds(read, seeds, i32::MAX, &mut bounds);
        probe.add_gaps(&Competition::default(), seeds, &mut bounds, &mut FilterStatistics::default());
        bounds.iter().map(|bound| bound.score).collect()
    }

    #[test]
    fn a_gap_beside_the_diagonal_is_found_without_a_seed_there() {
        let reference = sequence(2_000, 1);
        let read = [&reference[1_000..1_022], &reference[1_025..1_040]].concat();
        // 22 bases, a deletion of three, 15 bases: 37 - 9.
        assert_eq!(bounds(&reference, &read, &[seed(1_000, 0, 22)]), [28]);
    }

    #[test]
    fn two_seeds_with_a_long_gap_between_them_count_together() {
        let reference = sequence(2_000, 2);
        let read = [&reference[1_000..1_050], &reference[1_070..1_120]].concat();
        let seeds = [seed(1_000, 0, 50), seed(1_070, 50, 50), seed(300, 10, 12)];
        let found = bounds(&reference, &read, &seeds);
        assert_eq!(found[..2], [100 - 26, 100 - 26]);
        assert!(found[2] < 20, "the third is alone");
    }

    #[test]
    fn a_reverse_seed_is_scored_on_the_complement() {
        let reference = sequence(500, 3);
        let read: Vec<u8> = reference[100..200].iter().rev().map(|&code| 3 - code).collect();
        let turned = PlacedSeed { start: 120, query_start: 20, length: 19, reverse: true, alt: false };
        assert_eq!(bounds(&reference, &read, &[turned]), [100]);
    }
}
