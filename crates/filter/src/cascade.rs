//! The cascade: which seeds of a read or a pair are worth aligning, from integers alone.
//!
//! 1. Each seed's diagonal is compared with the whole read, and the best ungapped extension is scored.
//! 2. Where that leaves a seed in doubt, one gap is tried: to the diagonal of another seed of the read, and to the
//!    diagonals right beside its own.
//! 3. The seeds of a read, and of its mate, compete: what can become a record of its own stays, what decides its mapping
//!    quality stays, what may be placed by its mate stays. See [`Competition`].
//!
//! It decides at two places. Before chaining, pairs of which no read can be reported lose all but their best seeds; before
//! extension, the seeds of the others' chains compete, and those that lose are not extended.

use std::ops::Range;

use crate::FilterStatistics;
use crate::bands::Bands;
use crate::bound::Bound;
use crate::bounds::Probe;
use crate::competition::Competition;
use crate::diagonal::Scoring;
use crate::doubt::Doubts;
use crate::planes::ReferencePlanes;

/// What the cascade decides by: bwa's scores, and the bands of [`Bands`].
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
    /// The bands that are built in.
    fn default() -> Self {
        Bands::built_in().settings()
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
    /// Whether it lies on an ALT contig.
    pub alt: bool,
}

impl PlacedSeed {
    pub(crate) fn diagonal(&self) -> i64 {
        self.start as i64 - i64::from(self.query_start)
    }

    pub(crate) fn query(&self) -> Range<usize> {
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
    /// Number, within its read, of the chain of each seed; empty before chaining.
    pub chains: &'a [u32],
    /// Whether reads 2p and 2p + 1 are mates.
    pub paired: bool,
}

impl CascadeBatch<'_> {
    /// The reads that are decided upon together: pairs, or one by one.
    fn groups(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (reads, step) = (self.reads.len(), 1 + usize::from(self.paired));
        (0..reads).step_by(step).map(move |first| first..(first + step).min(reads))
    }

    /// The seeds of the read of this number.
    pub(crate) fn of(&self, read: usize) -> Range<usize> {
        self.read_offsets[read]..self.read_offsets[read + 1]
    }
}

/// Decides on the seeds of reads with integers only.
#[derive(Debug, Clone, Default)]
pub struct Cascade {
    settings: CascadeSettings,
}

impl Cascade {
    /// A cascade with these bands.
    pub fn new(settings: CascadeSettings) -> Self {
        Self { settings }
    }

    /// What it decides by.
    pub fn settings(&self) -> &CascadeSettings {
        &self.settings
    }

    /// Decides for each seed of `batch` whether it is kept: the seeds of each read compete. The decision depends on the
    /// seed's read and its mate alone.
    ///
    /// # Panics
    /// If the lengths in `batch` and `keep` do not agree.
    pub fn retain(&self, reference: &ReferencePlanes, batch: &CascadeBatch<'_>, keep: &mut [bool]) -> FilterStatistics {
        let mut statistics = self.check(batch, keep.len());
        let competition = self.competition(batch.paired);
        let mut probe = Probe::new(reference, &self.settings);
        let mut bounds: [Vec<Bound>; 2] = Default::default();
        for reads in batch.groups() {
            for (read, bounds) in reads.clone().zip(&mut bounds) {
                let seeds = &batch.seeds[batch.of(read)];
                probe.ungapped_bounds(batch.reads[read], seeds, i32::MAX, bounds);
                probe.add_gaps(&competition, seeds, bounds, &mut statistics);
            }
            for (number, read) in reads.enumerate() {
                let mate = if batch.paired { bounds[1 - number].as_slice() } else { &[] };
                competition.decide(&bounds[number], mate, &mut keep[batch.of(read)], &mut statistics);
            }
        }
        statistics
    }

    /// Decides for each seed of `batch` whether it is kept, where [`Self::stand_ins`] will decide on what is kept: reads
    /// that can be reported, and their mates, keep all seeds, so that chains and the chain filter stay as they are. The
    /// others keep their best seeds.
    ///
    /// # Panics
    /// If the lengths in `batch` and `keep` do not agree.
    pub fn retain_reportable(
        &self,
        reference: &ReferencePlanes,
        batch: &CascadeBatch<'_>,
        keep: &mut [bool],
    ) -> FilterStatistics {
        let mut statistics = self.check(batch, keep.len());
        let competition = self.competition(batch.paired);
        let mut probe = Probe::new(reference, &self.settings);
        let mut bounds: [Vec<Bound>; 2] = Default::default();
        for reads in batch.groups() {
            let all = batch.read_offsets[reads.start]..batch.read_offsets[reads.end];
            if self.is_reportable(batch, reads.clone(), &mut probe, &mut bounds, &mut statistics) {
                keep[all.clone()].fill(true);
                statistics.kept_reportable += all.len() as u64;
                continue;
            }
            for (number, read) in reads.enumerate() {
                competition.decide(&bounds[number], &[], &mut keep[batch.of(read)], &mut statistics);
            }
        }
        statistics
    }

    /// Whether some read of a pair (or a single read) reaches the reporting threshold. Where none does, `bounds` are those
    /// of all its seeds.
    fn is_reportable(
        &self,
        batch: &CascadeBatch<'_>,
        reads: Range<usize>,
        probe: &mut Probe<'_>,
        bounds: &mut [Vec<Bound>; 2],
        statistics: &mut FilterStatistics,
    ) -> bool {
        let competition = self.competition(batch.paired);
        let enough = competition.report_score - competition.slack;
        let reaches = |bounds: &[Bound]| bounds.iter().any(|bound| bound.score >= enough);
        for (read, bounds) in reads.zip(bounds) {
            let seeds = &batch.seeds[batch.of(read)];
            probe.ungapped_bounds(batch.reads[read], seeds, enough, bounds);
            if reaches(bounds) {
                return true;
            }
            probe.add_gaps(&competition, seeds, bounds, statistics);
            if reaches(bounds) {
                return true;
            }
        }
        false
    }

    /// Decides for each seed of the batch's chains whether Smith-Waterman is spared: `stand_ins` gets the ungapped
    /// alignment that then stands in for the seed's region, so that whatever counts, orders or hides regions finds as many
    /// as without a filter, in the same places. The decision depends on the seed's read and its mate alone.
    ///
    /// # Panics
    /// If the lengths in `batch` and `stand_ins` do not agree.
    pub fn stand_ins(
        &self,
        reference: &ReferencePlanes,
        batch: &CascadeBatch<'_>,
        stand_ins: &mut [Option<Bound>],
    ) -> FilterStatistics {
        self.stand_ins_and_doubts(reference, batch, None, stand_ins).0
    }

    /// As [`Self::stand_ins`]; says as well which of the stand-ins are in doubt: those whose seeds miss what would have them
    /// extended by at most `points`, none where that is `None`.
    ///
    /// # Panics
    /// If the lengths in `batch` and `stand_ins` do not agree.
    pub fn stand_ins_and_doubts(
        &self,
        reference: &ReferencePlanes,
        batch: &CascadeBatch<'_>,
        points: Option<i32>,
        stand_ins: &mut [Option<Bound>],
    ) -> (FilterStatistics, Doubts) {
        self.check(batch, stand_ins.len());
        let (mut doubts, mut doubtful) = (Doubts::default(), Vec::new());
        let mut statistics =
            FilterStatistics { candidates_in: batch.seeds.len() as u64, ..FilterStatistics::default() };
        let competition = self.competition(batch.paired);
        let mut probe = Probe::new(reference, &self.settings);
        let mut bounds: [Vec<Bound>; 2] = Default::default();
        let mut extend = Vec::new();
        for reads in batch.groups() {
            let all = batch.read_offsets[reads.start]..batch.read_offsets[reads.end];
            if self.has_few(batch, reads.clone()) {
                statistics.extended_few += all.len() as u64;
                continue;
            }
            for (read, bounds) in reads.clone().zip(&mut bounds) {
                let seeds = &batch.seeds[batch.of(read)];
                probe.ungapped_bounds(batch.reads[read], seeds, i32::MAX, bounds);
                probe.add_gaps(&competition, seeds, bounds, &mut statistics);
            }
            for (number, read) in reads.enumerate() {
                let mate = if batch.paired { bounds[1 - number].as_slice() } else { &[] };
                let bounds = bounds[number].as_slice();
                extend.clear();
                extend.resize(bounds.len(), false);
                let chains = batch.chains.get(batch.of(read)).unwrap_or_default();
                competition.decide_extensions(bounds, chains, mate, &mut extend, &mut statistics);
                if let Some(points) = points {
                    let mate_best = mate.iter().map(|bound| bound.score).max().unwrap_or(0);
                    competition.doubtful(bounds, mate_best, &extend, points, &mut doubtful);
                    doubts.add(read, batch.read_offsets[read], &doubtful, bounds, mate_best);
                }
                let decided = extend.iter().zip(bounds).zip(&mut stand_ins[batch.of(read)]);
                for ((extend, bound), stand_in) in decided {
                    // A seed on no contig has no alignment that could stand in for it.
                    if !extend && bound.segment.score > 0 {
                        *stand_in = Some(*bound);
                        statistics.stand_ins += 1;
                    }
                }
            }
        }
        (statistics, doubts)
    }

    /// Whether the seeds of these reads, which are decided upon together, are extended without a comparison: where there is
    /// hardly anything to save.
    fn has_few(&self, batch: &CascadeBatch<'_>, reads: Range<usize>) -> bool {
        let Competition { report_score, .. } = self.settings.competition;
        let all = &batch.seeds[batch.read_offsets[reads.start]..batch.read_offsets[reads.end]];
        let is_reported = |seed: &PlacedSeed| seed.length as i32 * self.settings.scoring.matched >= report_score;
        all.len() <= FEW_A_READ * reads.len() && all.iter().any(is_reported)
            || reads.clone().all(|read| batch.of(read).len() <= 1)
    }

    /// Single reads keep fewer rivals: nothing is paired with them.
    fn competition(&self, paired: bool) -> Competition {
        match self.settings.competition {
            of_pairs if paired => of_pairs,
            single => Competition { near_best: single.near_best_single, ..single },
        }
    }

    fn check(&self, batch: &CascadeBatch<'_>, decisions: usize) -> FilterStatistics {
        assert_eq!(decisions, batch.seeds.len(), "one decision a seed");
        assert_eq!(batch.read_offsets.len(), batch.reads.len() + 1, "one range a read");
        FilterStatistics { seeds_in: decisions as u64, ..FilterStatistics::default() }
    }
}

/// Reads that can be reported and have so many seeds in their chains, in the mean of a pair, are extended without a comparison:
/// of 30x reads these are more than half of all seeds, and one in thirty of those that are spared.
const FEW_A_READ: usize = 4;

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

    /// The seeds that are extended.
    fn by_stand_ins(
        cascade: &Cascade,
        reference: &ReferencePlanes,
        batch: &CascadeBatch<'_>,
        extend: &mut [bool],
    ) -> FilterStatistics {
        let mut stand_ins = vec![None; extend.len()];
        let statistics = cascade.stand_ins(reference, batch, &mut stand_ins);
        extend.iter_mut().zip(&stand_ins).for_each(|(extend, stand_in)| *extend = stand_in.is_none());
        statistics
    }

    #[test]
    fn a_decision_does_not_depend_on_the_other_reads_of_the_batch() {
        let reference = sequence(20_000, 4);
        let planes = planes(&reference);
        // Every third pair belongs nowhere.
        let is_foreign = |number: usize| (number / 2).is_multiple_of(3);
        let reads: Vec<Vec<u8>> = (0..20)
            .map(|number| {
                let start = 700 * number;
                let own = if is_foreign(number) { 0 } else { 60 + number };
                [&reference[start..start + own], &sequence(120 - own, 100 + number as u64)].concat()
            })
            .collect();
        let seeds_of = |number: usize| {
            let start = 700 * number as u64;
            let length = if is_foreign(number) { 14 } else { 25 };
            vec![
                seed(start, 0, length),
                seed(start + 30, 30, length),
                seed(5_000 + start, 40, 12),
                seed(11, 70, 13),
                seed(9_000 + start, 90, 12),
            ]
        };
        let cascade = Cascade::default();
        type Decide = fn(&Cascade, &ReferencePlanes, &CascadeBatch<'_>, &mut [bool]) -> FilterStatistics;
        let retain = |decide: Decide, numbers: Range<usize>| {
            let reads: Vec<&[u8]> = reads[numbers.clone()].iter().map(Vec::as_slice).collect();
            let seeds: Vec<PlacedSeed> = numbers.clone().flat_map(seeds_of).collect();
            let read_offsets: Vec<usize> = (0..=reads.len()).map(|read| 5 * read).collect();
            let mut keep = vec![false; seeds.len()];
            let batch =
                CascadeBatch { reads: &reads, read_offsets: &read_offsets, seeds: &seeds, chains: &[], paired: true };
            decide(&cascade, &planes, &batch, &mut keep);
            keep
        };
        for decide in [Cascade::retain as Decide, Cascade::retain_reportable, by_stand_ins] {
            let together = retain(decide, 0..20);
            let apart: Vec<bool> = (0..20).step_by(2).flat_map(|first| retain(decide, first..first + 2)).collect();
            assert_eq!(together, apart);
            assert!(together.iter().any(|keep| *keep) && together.iter().any(|keep| !*keep));
        }
    }

    #[test]
    fn few_seeds_of_what_can_be_reported_are_not_compared() {
        let reference = sequence(20_000, 5);
        let planes = planes(&reference);
        // Reads of one place, whose other seeds are chance ones.
        let read = reference[1_000..1_100].to_vec();
        let extended = |reportable: u32, chance: [usize; 2]| {
            let mut seeds = Vec::new();
            let mut read_offsets = vec![0];
            for chance in chance {
                seeds.push(seed(1_000, 0, reportable));
                seeds.extend((0..chance as u64).map(|number| seed(3_000 + 500 * number, 40, 12)));
                read_offsets.push(seeds.len());
            }
            let (reads, chains) = (&[&read[..], &read[..]], &(0..seeds.len() as u32).collect::<Vec<_>>());
            let batch = CascadeBatch { reads, read_offsets: &read_offsets, seeds: &seeds, chains, paired: true };
            let mut stand_ins = vec![None; seeds.len()];
            let statistics = Cascade::default().stand_ins(&planes, &batch, &mut stand_ins);
            assert_eq!(statistics.stand_ins, stand_ins.iter().flatten().count() as u64);
            (statistics.extended_few, statistics.stand_ins > 0)
        };
        assert_eq!(extended(30, [3, 3]), (8, false));
        assert_eq!(extended(30, [6, 0]), (8, false));
        assert_eq!(extended(30, [4, 3]), (0, true), "one more");
        assert_eq!(extended(29, [3, 3]), (0, true), "no seed alone can be reported");
        assert_eq!(extended(29, [0, 0]), (2, false), "a seed each");
    }
}
