//! The cascade: which seeds of a read or a pair are worth aligning, from integers alone.
//!
//! 1. Each seed's diagonal is compared with the whole read, and the best ungapped extension is scored.
//! 2. Where that leaves a seed in doubt, one gap is tried: to the diagonal of another seed of the read, and to the
//!    diagonals right beside its own.
//! 3. The seeds of a read, and of its mate, compete: what can become a record of its own stays, what decides its mapping
//!    quality stays, what may be placed by its mate stays. See [`Competition`].

use std::ops::Range;

use crate::FilterStatistics;
use crate::competition::{Bound, Competition};
use crate::diagonal::{Scoring, Segment, extend, find_run, join};
use crate::planes::{ReadPlanes, ReferencePlanes};

/// Bands of the cascade. Defaults were chosen on reads that are in no test; see the documentation of the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CascadeSettings {
    /// Scores of matches, mismatches and gaps.
    pub scoring: Scoring,
    /// How scores turn into decisions.
    pub competition: Competition,
    /// An ungapped extension ends this far below its best.
    pub drop: i32,
    /// Seeds below this ungapped score are not looked at for gaps.
    pub gap_from: i32,
    /// A gap beside the seed's diagonal is tried where at most so much is missing: a longer stretch on the other diagonal
    /// has a seed of its own.
    pub unseeded_gain: i32,
    /// Longest gap that is tried beside the seed's own diagonal.
    pub shifts: i32,
    /// Matches in a row that make another diagonal worth a closer look.
    pub run: usize,
    /// Longest gap between two seeds that is bridged.
    pub bridge: i64,
}

impl Default for CascadeSettings {
    fn default() -> Self {
        Self {
            scoring: Scoring::default(),
            competition: Competition::default(),
            drop: 20,
            gap_from: 16,
            unseeded_gain: 24,
            shifts: 5,
            run: 8,
            bridge: 100,
        }
    }
}

/// A seed on the forward strand of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedSeed {
    /// 0-based start on the forward strand, all contigs one after the other.
    pub start: u64,
    /// 0-based start in the read, reverse-complemented where `reverse`.
    pub query_start: u32,
    /// Bases of the exact match.
    pub length: u32,
    /// Whether the reverse complement of the read matches.
    pub reverse: bool,
}

impl PlacedSeed {
    pub(crate) fn diagonal(&self) -> i64 {
        self.start as i64 - i64::from(self.query_start)
    }

    fn query(&self) -> Range<usize> {
        self.query_start as usize..(self.query_start + self.length) as usize
    }
}

/// Seeds of some reads, those of one read side by side.
pub struct CascadeBatch<'a> {
    /// Base codes of each read.
    pub reads: &'a [&'a [u8]],
    /// First seed of each read, and the end.
    pub read_offsets: &'a [usize],
    /// The seeds.
    pub seeds: &'a [PlacedSeed],
    /// Whether reads 2p and 2p + 1 are mates.
    pub paired: bool,
}

/// How far ahead the reference of a seed is asked for.
const PREFETCH: usize = 8;

/// How many of the seeds before it may spare a seed its own comparison, by lying on the same diagonal.
const SAME_DIAGONAL: usize = 4;

/// Decides on the seeds of reads with integers only.
#[derive(Debug, Clone, Default)]
pub struct Cascade {
    settings: CascadeSettings,
}

/// Memory that is used again from read to read.
#[derive(Default)]
struct Scratch {
    read: ReadPlanes,
    mask: Vec<u64>,
    by_diagonal: Vec<u32>,
}

impl Cascade {
    /// A cascade with these bands.
    pub fn new(settings: CascadeSettings) -> Self {
        Self { settings }
    }

    /// Decides for each seed of `batch` whether it is kept. The decision depends on the seed's read and its mate alone.
    ///
    /// # Panics
    /// If the lengths in `batch` and `keep` do not agree.
    pub fn retain(&self, reference: &ReferencePlanes, batch: &CascadeBatch<'_>, keep: &mut [bool]) -> FilterStatistics {
        assert_eq!(keep.len(), batch.seeds.len(), "one decision a seed");
        assert_eq!(batch.read_offsets.len(), batch.reads.len() + 1, "one range a read");
        let competition = match self.settings.competition {
            paired if batch.paired => paired,
            single => Competition { near_best: single.near_best_single, ..single },
        };
        let mut statistics = FilterStatistics { seeds_in: keep.len() as u64, ..FilterStatistics::default() };
        let mut scratch = Scratch::default();
        let mut bounds: [Vec<Bound>; 2] = Default::default();
        let reads_at_once = 1 + usize::from(batch.paired);
        for first in (0..batch.reads.len()).step_by(reads_at_once) {
            let reads = first..(first + reads_at_once).min(batch.reads.len());
            for (read, bounds) in reads.clone().zip(&mut bounds) {
                let seeds = &batch.seeds[batch.read_offsets[read]..batch.read_offsets[read + 1]];
                self.bounds(reference, &competition, batch.reads[read], seeds, bounds, &mut scratch, &mut statistics);
            }
            for (number, read) in reads.enumerate() {
                let keep = &mut keep[batch.read_offsets[read]..batch.read_offsets[read + 1]];
                let mate = if batch.paired { bounds[1 - number].as_slice() } else { &[] };
                competition.decide(&bounds[number], mate, keep, &mut statistics);
            }
        }
        statistics
    }

    /// What each seed of one read can score.
    #[allow(clippy::too_many_arguments)] // one call, and a type for it would only repeat the names
    fn bounds(
        &self,
        reference: &ReferencePlanes,
        competition: &Competition,
        codes: &[u8],
        seeds: &[PlacedSeed],
        bounds: &mut Vec<Bound>,
        scratch: &mut Scratch,
        statistics: &mut FilterStatistics,
    ) {
        bounds.clear();
        if seeds.is_empty() {
            return;
        }
        scratch.read.set(codes);
        for seed in &seeds[..seeds.len().min(PREFETCH)] {
            reference.prefetch(seed.diagonal(), codes.len());
        }
        for (number, seed) in seeds.iter().enumerate() {
            if let Some(ahead) = seeds.get(number + PREFETCH) {
                reference.prefetch(ahead.diagonal(), codes.len());
            }
            let earlier = bounds.iter().rev().take(SAME_DIAGONAL).find(|bound| bound.runs_through(seed)).copied();
            bounds.push(earlier.unwrap_or_else(|| self.ungapped(reference, seed, scratch)));
        }
        self.bridge(bounds, scratch);
        self.try_gaps(reference, competition, seeds, bounds, scratch, statistics);
    }

    /// The ungapped bound; 0 for a seed that lies on no single contig.
    fn ungapped(&self, reference: &ReferencePlanes, seed: &PlacedSeed, scratch: &mut Scratch) -> Bound {
        let diagonal = seed.diagonal();
        let Some(contig) = reference.contig_around(seed.start, u64::from(seed.length)) else {
            return Bound { diagonal, reverse: seed.reverse, ..Bound::default() };
        };
        let bases = bases_on(&contig, diagonal, scratch.read.length());
        scratch.read.mismatches(seed.reverse, reference, diagonal, &bases, &mut scratch.mask);
        let segment = extend(&scratch.mask, &seed.query(), &bases, &self.settings.scoring, self.settings.drop);
        Bound {
            score: segment.score,
            segment,
            diagonal,
            reverse: seed.reverse,
            read_length: scratch.read.length() as u32,
        }
    }

    /// Raises the bounds of seeds that one gap joins with another seed of the read.
    fn bridge(&self, bounds: &mut [Bound], scratch: &mut Scratch) {
        let settings = &self.settings;
        let order = &mut scratch.by_diagonal;
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
        &self,
        reference: &ReferencePlanes,
        competition: &Competition,
        seeds: &[PlacedSeed],
        bounds: &mut [Bound],
        scratch: &mut Scratch,
        statistics: &mut FilterStatistics,
    ) {
        let settings = &self.settings;
        let Some(best) = bounds.iter().max_by_key(|bound| bound.score).copied() else { return };
        for (seed, bound) in seeds.iter().zip(bounds) {
            let missing = competition.floor(&best, bound) - bound.score;
            if bound.segment.score < settings.gap_from || missing <= 0 || missing > settings.unseeded_gain {
                continue;
            }
            let Some(contig) = reference.contig_around(seed.start, u64::from(seed.length)) else { continue };
            statistics.gaps_tried += 1;
            bound.score = bound.score.max(self.beside(reference, seed, &bound.segment, &contig, scratch));
        }
    }

    /// The best score of `segment`, on the seed's diagonal, joined by one gap with a segment on a diagonal right beside it.
    fn beside(
        &self,
        reference: &ReferencePlanes,
        seed: &PlacedSeed,
        segment: &Segment,
        contig: &Range<u64>,
        scratch: &mut Scratch,
    ) -> i32 {
        let settings = &self.settings;
        let mut best = 0;
        for shift in (1..=settings.shifts).flat_map(|shift| [shift, -shift]) {
            let diagonal = seed.diagonal() + i64::from(shift);
            let bases = bases_on(contig, diagonal, scratch.read.length());
            let mask = &mut scratch.mask;
            scratch.read.mismatches(seed.reverse, reference, diagonal, &bases, mask);
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
fn bases_on(contig: &Range<u64>, diagonal: i64, length: usize) -> Range<usize> {
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
        PlacedSeed { start, query_start, length, reverse: false }
    }

    fn bounds(reference: &[u8], read: &[u8], seeds: &[PlacedSeed]) -> Vec<i32> {
        let mut bounds = Vec::new();
        let (mut scratch, mut statistics) = (Scratch::default(), FilterStatistics::default());
        let competition = Competition::default();
        Cascade::default().bounds(
            &planes(reference),
            &competition,
            read,
            seeds,
            &mut bounds,
            &mut scratch,
            &mut statistics,
        );
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
        let turned = PlacedSeed { start: 120, query_start: 20, length: 19, reverse: true };
        assert_eq!(bounds(&reference, &read, &[turned]), [100]);
    }

    #[test]
    fn a_decision_does_not_depend_on_the_other_reads_of_the_batch() {
        let reference = sequence(20_000, 4);
        let planes = planes(&reference);
        let reads: Vec<Vec<u8>> = (0..20)
            .map(|number| {
                let start = 700 * number;
                let foreign = sequence(60, 100 + number as u64);
                [&reference[start..start + 60 + number], &foreign].concat()
            })
            .collect();
        let seeds_of = |number: usize| {
            let start = 700 * number as u64;
            vec![seed(start, 0, 30), seed(start + 30, 30, 25), seed(5_000 + start, 40, 12), seed(11, 70, 13)]
        };
        let cascade = Cascade::default();
        let retain = |numbers: std::ops::Range<usize>| {
            let reads: Vec<&[u8]> = reads[numbers.clone()].iter().map(Vec::as_slice).collect();
            let seeds: Vec<PlacedSeed> = numbers.clone().flat_map(seeds_of).collect();
            let read_offsets: Vec<usize> = (0..=reads.len()).map(|read| 4 * read).collect();
            let mut keep = vec![false; seeds.len()];
            let batch = CascadeBatch { reads: &reads, read_offsets: &read_offsets, seeds: &seeds, paired: true };
            cascade.retain(&planes, &batch, &mut keep);
            keep
        };
        let together = retain(0..20);
        let apart: Vec<bool> = (0..20).step_by(2).flat_map(|first| retain(first..first + 2)).collect();
        assert_eq!(together, apart);
        assert!(together.iter().any(|keep| *keep) && together.iter().any(|keep| !*keep));
    }
}
