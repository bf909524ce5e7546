//! How the seeds of a read, and of its mate, compete for what the output shows.

mod rules;

use crate::FilterStatistics;
use crate::bands::Bands;
use crate::bound::Bound;

/// The rules by which seeds stay. They are guard rails and part of the filter: a read keeps what its records rest on.
///
/// A read of which some seed reaches the reporting threshold keeps, for each part of the read:
/// - its best seed, and every seed that comes near it (ties, alternatives in XA, the count of rivals in MAPQ);
/// - the best of those further below (XS and MAPQ are decided by the runner-up);
/// - seeds beside a good seed of the mate that would win by being paired.
///
/// A read of which none does keeps its best seed and the runner-up; where the mate is good, the seeds beside it, and as many
/// of the best as bwa looks for the mate from. With every seed that stays, those of its chain do.
///
/// Where some seeds lie on ALT contigs, those on the primary assembly compete among themselves as well, whatever an ALT
/// contig scores: bwa chooses the primary alignment, its rivals and its pairing among them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Competition {
    /// Score from which a read is reported (-T).
    pub report_score: i32,
    /// Bounds may be this much too low (gaps that were not tried): a seed so far under the threshold still counts.
    pub slack: i32,
    /// A seed of a paired read stays when its bound is at most this much below the best of its part of the read: pairing
    /// may prefer it.
    pub near_best: i32,
    /// The same for single reads, of which MAPQ alone is at stake.
    pub near_best_single: i32,
    /// Seeds further below that stay nevertheless, the best ones: the runners-up.
    pub runners_up: usize,
    /// What being paired is worth (-U), with the slack of bounds.
    pub pairing: i32,
    /// Seeds that a read keeps, if none can be reported, where its mate can: bwa looks for the mate beside so many (-m).
    pub anchors: usize,
    /// A seed lies beside one of the mate when the two are at most this far apart.
    pub mate_distance: i64,
    /// Seeds within a gap of this length are one alignment.
    pub bridge: i64,
    /// Of a pair that cannot be reported, the best seeds are extended where they miss the threshold by this much at most.
    pub hopeless: i32,
}

impl Default for Competition {
    /// The bands that are built in.
    fn default() -> Self {
        Bands::built_in().settings().competition
    }
}

impl Competition {
    /// Whether an alignment of this score can become a record of its own.
    fn is_reported(&self, best: i32) -> bool {
        best >= self.report_score - self.slack
    }

    /// Score from which `bound` stays for its own sake, among the seeds of a read whose best is `best`.
    pub(crate) fn floor(&self, best: &Bound, bound: &Bound) -> i32 {
        let lowest = self.report_score - self.slack;
        if bound.overlaps(best) { (best.score - self.near_best).max(lowest) } else { lowest }
    }

    /// Decides on the seeds of one read; `mate` holds the bounds of its mate's seeds.
    pub(crate) fn decide(
        &self,
        bounds: &[Bound],
        mate: &[Bound],
        keep: &mut [bool],
        statistics: &mut FilterStatistics,
    ) {
        keep.fill(false);
        self.keep_among(bounds, mate, keep, statistics);
        of_primary_assembly(bounds, mate, keep, statistics, |bounds, mate, keep, statistics| {
            self.keep_among(bounds, mate, keep, statistics);
        });
        self.keep_chains_whole(bounds, keep, statistics);
        statistics.dropped += keep.iter().filter(|kept| !**kept).count() as u64;
    }

    /// Which of these seeds stay, but for those that stay with others of their chain.
    fn keep_among(&self, bounds: &[Bound], mate: &[Bound], keep: &mut [bool], statistics: &mut FilterStatistics) {
        let Some(best) = bounds.iter().map(|bound| bound.score).max() else { return };
        let mate_best = mate.iter().map(|bound| bound.score).max().unwrap_or(0);
        if self.is_reported(best) {
            self.keep_reported(bounds, keep, statistics);
        } else if self.is_reported(mate_best) {
            let mut order: Vec<usize> =
                (0..bounds.len()).filter(|&number| bounds[number].score >= best - self.pairing).collect();
            order.sort_unstable_by_key(|&number| (std::cmp::Reverse(bounds[number].score), number));
            order.truncate(self.anchors);
            statistics.kept_for_mate += order.len() as u64;
            order.into_iter().for_each(|number| keep[number] = true);
        } else {
            self.keep_hopeless(bounds, best, keep, statistics);
        }
        self.keep_beside_mate(bounds, best, mate, keep, statistics);
    }

    /// Decides which seeds of one read's chains are extended; `mate` holds the bounds of its mate's seeds. What is not
    /// extended is not gone, so that a mate is looked for beside it all the same.
    pub(crate) fn decide_extensions(
        &self,
        bounds: &[Bound],
        chains: &[u32],
        mate: &[Bound],
        extend: &mut [bool],
        statistics: &mut FilterStatistics,
    ) {
        self.extend_among(bounds, mate, extend, statistics);
        of_primary_assembly(bounds, mate, extend, statistics, |bounds, mate, extend, statistics| {
            self.extend_among(bounds, mate, extend, statistics);
        });
        rules::extend_whole_chains(chains, extend, statistics);
    }

    /// Which of these seeds are extended, but for those that are extended with others of their chain.
    fn extend_among(&self, bounds: &[Bound], mate: &[Bound], extend: &mut [bool], statistics: &mut FilterStatistics) {
        let Some(best) = bounds.iter().map(|bound| bound.score).max() else { return };
        let mate_best = mate.iter().map(|bound| bound.score).max().unwrap_or(0);
        if self.is_reported(best) {
            self.keep_reported(bounds, extend, statistics);
        } else if self.is_reported(mate_best) || best >= self.report_score - self.hopeless {
            self.keep_hopeless(bounds, best, extend, statistics);
        } else {
            return;
        }
        self.keep_beside_mate(bounds, best, mate, extend, statistics);
    }

    /// Seeds that are not extended but miss by at most `points` what would have them extended, where the read or its mate can
    /// be reported.
    pub(crate) fn doubtful(
        &self,
        bounds: &[Bound],
        mate_best: i32,
        extend: &[bool],
        points: i32,
        found: &mut Vec<usize>,
    ) {
        found.clear();
        let best = |alt: bool| bounds.iter().filter(|bound| alt || !bound.alt).max_by_key(|bound| bound.score);
        let Some(of_all) = best(true).filter(|best| self.is_reported(best.score.max(mate_best))) else { return };
        let of_primary = best(false);
        found.extend((0..bounds.len()).filter(|&number| {
            let bound = &bounds[number];
            let rival = of_primary.filter(|_| !bound.alt).unwrap_or(of_all);
            !extend[number] && bound.segment.score > 0 && self.floor(rival, bound) - bound.score <= points
        }));
    }
}

/// Lets `decide` look at the seeds on the primary assembly alone, where others of the read or its mate lie on ALT contigs, and
/// adds what stays on their account.
fn of_primary_assembly(
    bounds: &[Bound],
    mate: &[Bound],
    keep: &mut [bool],
    statistics: &mut FilterStatistics,
    decide: impl Fn(&[Bound], &[Bound], &mut [bool], &mut FilterStatistics),
) {
    if !bounds.iter().chain(mate).any(|bound| bound.alt) {
        return;
    }
    let primary = |bounds: &[Bound]| bounds.iter().filter(|bound| !bound.alt).copied().collect::<Vec<_>>();
    let own = primary(bounds);
    let mut own_keep = vec![false; own.len()];
    decide(&own, &primary(mate), &mut own_keep, &mut FilterStatistics::default());
    let places = keep.iter_mut().zip(bounds).filter(|(_, bound)| !bound.alt);
    for ((keep, _), also) in places.zip(own_keep) {
        statistics.kept_beside_alt += u64::from(also && !*keep);
        *keep |= also;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BandsFile, Segment};
    use proptest::prelude::*;

    /// The bands that were chosen by hand, whatever is built in.
    fn competition() -> Competition {
        let file = BandsFile::parse(include_str!("../../../../models/cascade_v1.json")).unwrap();
        file.bands.settings().competition
    }

    /// A bound of `score` whose ungapped part covers these bases of a read of 100, at a place of its own.
    fn bound(score: i32, query: (u32, u32), place: i64) -> Bound {
        let segment = Segment { score, start: query.0, end: query.1 };
        Bound { score, segment, diagonal: place, reverse: false, read_length: 100, alt: false }
    }

    fn decide(bounds: &[Bound], mate: &[Bound]) -> Vec<bool> {
        let mut keep = vec![true; bounds.len()];
        let mut statistics = FilterStatistics::default();
        competition().decide(bounds, mate, &mut keep, &mut statistics);
        let kept = keep.iter().filter(|kept| **kept).count() as u64;
        let counted = statistics.kept_best
            + statistics.kept_near_best
            + statistics.kept_runners_up
            + statistics.kept_beside_mate
            + statistics.kept_for_mate
            + statistics.kept_in_chain
            + statistics.kept_hopeless
            + statistics.kept_beside_alt;
        assert_eq!((counted, statistics.dropped), (kept, bounds.len() as u64 - kept), "every seed is counted once");
        keep
    }

    #[test]
    fn the_best_its_rivals_and_one_runner_up_stay() {
        let seeds = [90, 73, 60, 65, 40].map(|score| bound(score, (0, 100), 10_000 * i64::from(score)));
        assert_eq!(decide(&seeds, &[]), [true, true, false, true, false]);
    }

    #[test]
    fn another_part_of_the_read_has_its_own_best() {
        let seeds = [bound(60, (0, 60), 0), bound(35, (62, 97), 50_000), bound(29, (65, 95), 90_000)];
        assert_eq!(decide(&seeds, &[]), [true, true, true]);
        let below = [bound(60, (0, 60), 0), bound(29, (65, 95), 90_000)];
        assert_eq!(decide(&below, &[]), [true, false], "it would not be reported");
    }

    #[test]
    fn a_chain_stays_whole() {
        let mut turned = bound(20, (0, 20), 1_050);
        turned.reverse = true;
        let best = bound(90, (0, 90), 1_000);
        let seeds = [best, bound(20, (80, 100), 1_100), bound(20, (0, 20), 1_101), turned, bound(25, (0, 25), 7_000)];
        assert_eq!(decide(&seeds, &[]), [true, true, false, false, true], "the last is the runner-up");
    }

    #[test]
    fn a_chain_is_extended_as_a_whole_and_hopeless_pairs_are_not() {
        let extended = |scores: &[i32], chains: &[u32], mate: &[Bound]| {
            let place = |(number, &score)| bound(score, (0, 20), 10_000 * number as i64);
            let bounds: Vec<Bound> = scores.iter().enumerate().map(place).collect();
            let mut extend = vec![false; bounds.len()];
            let mut statistics = FilterStatistics::default();
            competition().decide_extensions(&bounds, chains, mate, &mut extend, &mut statistics);
            extend
        };
        assert_eq!(
            extended(&[90, 20, 25, 14], &[0, 0, 1, 2], &[]),
            [true, true, true, false],
            "the third is the runner-up"
        );
        assert_eq!(extended(&[20, 17, 13], &[0, 1, 2], &[]), [false; 3]);
        assert_eq!(extended(&[20, 17, 13], &[0, 1, 2], &[bound(80, (0, 100), 900_000)]), [true, true, false]);
        assert_eq!(extended(&[22, 17, 13], &[0, 1, 2], &[]), [true, true, false], "a gap may add eight");
    }

    #[test]
    fn the_primary_assembly_has_a_competition_of_its_own() {
        let on = |alt: bool, score: i32, place: i64| Bound { alt, ..bound(score, (0, 100), place) };
        let seeds = [on(true, 95, 0), on(false, 70, 10_000), on(false, 60, 20_000), on(false, 41, 30_000)];
        assert_eq!(decide(&seeds, &[]), [true; 4], "the last is the runner-up there");
        let seeds = seeds.map(|seed| Bound { alt: false, ..seed });
        assert_eq!(decide(&seeds, &[]), [true, true, false, false]);
        // Beside the mate, as it lies on the primary assembly, and not as it lies on the ALT contig.
        let mate = [on(true, 95, 900_000), on(false, 60, 500_000)];
        let seeds = [on(true, 95, 0), on(false, 60, 10_000), on(false, 41, 500_200), on(false, 42, 700_000)];
        assert_eq!(decide(&seeds, &mate), [true, true, true, true]);
        assert_eq!(decide(&seeds, &mate[..1]), [true, true, false, true]);
    }

    #[test]
    fn doubt_reaches_below_what_is_extended() {
        let seeds = [90, 72, 60, 45, 40].map(|score| bound(score, (0, 100), 10_000 * i64::from(score)));
        let mut found = Vec::new();
        let mut doubtful = |extend: &[bool], mate_best, points| {
            competition().doubtful(&seeds, mate_best, extend, points, &mut found);
            found.clone()
        };
        // What is extended has to come within 17 of the best: 73.
        assert_eq!(doubtful(&[true, false, false, false, false], 0, 13), [1, 2]);
        assert_eq!(doubtful(&[true, true, false, false, false], 0, 28), [2, 3]);
        let weak = [25, 20].map(|score| bound(score, (0, 25), 10_000 * i64::from(score)));
        let mut found = Vec::new();
        competition().doubtful(&weak, 0, &[false; 2], 100, &mut found);
        assert!(found.is_empty(), "such a pair is not reported");
        competition().doubtful(&weak, 80, &[false; 2], 5, &mut found);
        assert_eq!(found, [0]);
    }

    #[test]
    fn a_hopeless_read_keeps_its_best_seed_and_the_runner_up() {
        let seeds = [14, 20, 17, 13].map(|score| bound(score, (0, 20), 1_000 * i64::from(score)));
        assert_eq!(decide(&seeds, &[]), [false, true, true, false]);
    }

    #[test]
    fn a_good_mate_keeps_what_lies_beside_it_and_what_it_may_be_rescued_from() {
        let mate = [bound(80, (0, 100), 500_300)];
        let hopeless = [bound(15, (0, 20), 500_000), bound(24, (0, 24), 9_000)];
        assert_eq!(decide(&hopeless, &mate), [true, true]);
        let reported = [bound(70, (0, 70), 9_000), bound(48, (0, 70), 70_000), bound(45, (0, 100), 500_000)];
        assert_eq!(decide(&reported, &mate), [true, true, false], "pairing is worth less than the difference");
        let close = [bound(60, (0, 70), 9_000), bound(45, (75, 100), 500_000), bound(45, (75, 100), 800_000)];
        assert_eq!(decide(&close, &mate), [true, true, true]);
    }

    proptest! {
        #[test]
        fn no_read_is_left_without_its_best_seed(
            seeds in proptest::collection::vec((12i32..150, 0u32..80, 5u32..20, 0i64..1_000_000), 1..40),
            mate in proptest::collection::vec((12i32..150, 0i64..1_000_000), 0..5),
        ) {
            let seeds: Vec<Bound> = seeds
                .iter()
                .map(|&(score, start, length, place)| bound(score, (start, start + length), place))
                .collect();
            let mate: Vec<Bound> = mate.iter().map(|&(score, place)| bound(score, (0, 100), place)).collect();
            let keep = decide(&seeds, &mate);
            let best = seeds.iter().map(|seed| seed.score).max().unwrap();
            prop_assert!(seeds.iter().zip(&keep).any(|(seed, keep)| *keep && seed.score == best));
        }
    }
}
