//! The single rules: which seeds of a read stay for what reason.

use super::Competition;
use crate::FilterStatistics;
use crate::bound::Bound;

impl Competition {
    /// The best seed and its runner-up: whether a read counts as unique, when the insert size is measured, rests on the two.
    pub(super) fn keep_hopeless(
        &self,
        bounds: &[Bound],
        best: i32,
        keep: &mut [bool],
        statistics: &mut FilterStatistics,
    ) {
        let first = bounds.iter().position(|bound| bound.score == best).expect("one has the best score");
        let rivals = bounds.iter().enumerate().filter(|(number, bound)| {
            *number != first && bound.overlaps(&bounds[first]) && !bound.is_near(&bounds[first], self.bridge)
        });
        let runner_up = rivals.max_by_key(|(number, bound)| (bound.score, std::cmp::Reverse(*number)));
        for number in [Some(first), runner_up.map(|(number, _)| number)].into_iter().flatten() {
            keep[number] = true;
            statistics.kept_hopeless += 1;
        }
    }

    /// For each part of the read its best seed, what comes near it, and the runners-up.
    pub(super) fn keep_reported(&self, bounds: &[Bound], keep: &mut [bool], statistics: &mut FilterStatistics) {
        let mut order: Vec<usize> = (0..bounds.len()).filter(|&number| bounds[number].score > 0).collect();
        order.sort_unstable_by_key(|&number| (std::cmp::Reverse(bounds[number].score), number));
        // The best seed of each part of the read, and how many runners-up it has.
        let mut leaders: Vec<(usize, usize)> = Vec::new();
        for number in order {
            let bound = &bounds[number];
            let leader = leaders.iter_mut().find(|(leader, _)| bound.overlaps(&bounds[*leader]));
            match leader {
                None if self.is_reported(bound.score) => {
                    leaders.push((number, 0));
                    keep[number] = true;
                    statistics.kept_best += 1;
                }
                None => {}
                Some((leader, runners_up)) => {
                    let leader = &bounds[*leader];
                    if bound.score >= leader.score - self.near_best {
                        keep[number] = true;
                        statistics.kept_near_best += 1;
                    } else if *runners_up < self.runners_up && !bound.is_near(leader, self.bridge) {
                        *runners_up += 1;
                        keep[number] = true;
                        statistics.kept_runners_up += 1;
                    }
                }
            }
        }
    }

    /// Seeds that a gap may join with one that stays. They are of its chain: without them bwa would extend another seed
    /// of it, and in tandem repeats that leads elsewhere.
    pub(super) fn keep_chains_whole(&self, bounds: &[Bound], keep: &mut [bool], statistics: &mut FilterStatistics) {
        let kept = bounds.iter().zip(&*keep).filter(|(_, keep)| **keep);
        let mut places: Vec<(bool, i64)> = kept.map(|(bound, _)| (bound.reverse, bound.diagonal)).collect();
        places.sort_unstable();
        places.dedup();
        for (bound, keep) in bounds.iter().zip(keep).filter(|(bound, keep)| !**keep && bound.score > 0) {
            let next = places.partition_point(|&place| place < (bound.reverse, bound.diagonal - self.bridge));
            let beside = |&(reverse, place)| reverse == bound.reverse && place <= bound.diagonal + self.bridge;
            if places.get(next).is_some_and(beside) {
                *keep = true;
                statistics.kept_in_chain += 1;
            }
        }
    }

    /// Seeds beside a good seed of the mate, which would win by being paired.
    pub(super) fn keep_beside_mate(
        &self,
        bounds: &[Bound],
        best: i32,
        mate: &[Bound],
        keep: &mut [bool],
        statistics: &mut FilterStatistics,
    ) {
        let Some(mate_best) = mate.iter().map(|bound| bound.score).max() else { return };
        if !self.is_reported(mate_best) {
            return;
        }
        let lowest = if self.is_reported(best) { best - self.pairing } else { 0 };
        let strong = mate_best - self.pairing;
        let mut places: Vec<i64> =
            mate.iter().filter(|bound| bound.score >= strong).map(|bound| bound.diagonal).collect();
        places.sort_unstable();
        for (bound, keep) in bounds.iter().zip(keep) {
            if *keep || bound.score < lowest.max(1) {
                continue;
            }
            let next = places.partition_point(|&place| place < bound.diagonal - self.mate_distance);
            if places.get(next).is_some_and(|&place| place <= bound.diagonal + self.mate_distance) {
                *keep = true;
                statistics.kept_beside_mate += 1;
            }
        }
    }
}

/// With one seed of a chain all of them are extended, as bwa would; `chains` holds the number of each seed's chain, those
/// of one chain side by side.
pub(super) fn extend_whole_chains(chains: &[u32], extend: &mut [bool], statistics: &mut FilterStatistics) {
    let mut extend = extend;
    for chain in chains.chunk_by(|one, next| one == next) {
        let (of_chain, rest) = extend.split_at_mut(chain.len());
        if of_chain.contains(&true) {
            statistics.kept_in_chain += of_chain.iter().filter(|extended| !**extended).count() as u64;
            of_chain.fill(true);
        }
        extend = rest;
    }
}
