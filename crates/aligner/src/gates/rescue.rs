//! The rescue gate: which mates are looked for, and from which score on one counts.

use std::ops::Range;

use crate::{AlignOptions, ReferenceIndex};

/// A mate that might be looked for beside a region of its read. Scores are alignment scores.
pub struct RescueCase<'a> {
    /// The run's options.
    pub options: &'a AlignOptions,
    /// The reference.
    pub index: &'a ReferenceIndex,
    /// Score of the region beside which the mate would be looked for.
    pub anchor: i32,
    /// Where that region lies: half-open, in bwa's 2L coordinate.
    pub anchor_place: Range<i64>,
    /// Best score of the anchor's read.
    pub best: i32,
    /// Best score of the mate, where it has a region.
    pub mate_best: Option<i32>,
    /// Base codes of the mate, on the strand of the window.
    pub mate: &'a [u8],
    /// Where the mate would be looked for: half-open, in bwa's 2L coordinate.
    pub window: Range<i64>,
}

impl RescueCase<'_> {
    /// Score below which bwa ignores what it finds.
    pub fn floor(&self) -> i32 {
        self.options.mem.min_seed_len * self.options.mem.a
    }

    /// The reference in the window, as base codes.
    pub fn reference(&self) -> Vec<u8> {
        let mut bases = Vec::new();
        self.index.packed.bases_into(self.window.start, self.window.end, &mut bases);
        bases
    }
}

/// What becomes of one search for a mate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescueVerdict {
    /// The mate is looked for; what scores less than this does not count. (Most windows are proven to hold nothing of the
    /// kind, and are left out; the higher the score, the more of them.)
    Search {
        /// The score; no less than [`RescueCase::floor`].
        least_score: i32,
    },
    /// It is not.
    Skip,
}

/// Decides which mates are looked for. Called from worker threads.
pub trait RescueGate: Send + Sync {
    /// Whether the mates of a pair are looked for at all. `best` holds the best score of each read's regions.
    fn is_worth_rescue(&self, best: [Option<i32>; 2], report_score: i32) -> bool {
        let _ = (best, report_score);
        true
    }

    /// What becomes of one search: one region, one orientation.
    fn judge(&self, case: &RescueCase<'_>) -> RescueVerdict {
        RescueVerdict::Search { least_score: case.floor() }
    }
}

/// The filter's own. Where one of the reads can be reported its mate is looked for as bwa does: each way to leave some of
/// these searches out that was tried moved three times as many alignments. Where none can, but one comes close, its mate is
/// looked for beside what comes close, and has to be reportable itself.
pub(super) struct Reportable;

impl Reportable {
    /// Points under -T that still count as close.
    const CLOSE: i32 = 9;

    /// `anchor` is the score beside which the mate is looked for, `pair_best` the best of both reads, `floor` bwa's least score.
    fn verdict(anchor: i32, pair_best: i32, report_score: i32, floor: i32) -> RescueVerdict {
        if pair_best >= report_score {
            RescueVerdict::Search { least_score: floor }
        } else if anchor >= report_score - Self::CLOSE {
            RescueVerdict::Search { least_score: floor.max(report_score) }
        } else {
            RescueVerdict::Skip
        }
    }
}

impl RescueGate for Reportable {
    fn is_worth_rescue(&self, best: [Option<i32>; 2], report_score: i32) -> bool {
        best.into_iter().flatten().any(|best| best >= report_score - Self::CLOSE)
    }

    fn judge(&self, case: &RescueCase<'_>) -> RescueVerdict {
        let pair_best = case.best.max(case.mate_best.unwrap_or(0));
        Self::verdict(case.anchor, pair_best, case.options.mem.t, case.floor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_nearly_is_reported_is_rescued_by_a_mate_that_is() {
        let verdict = |anchor, pair_best| Reportable::verdict(anchor, pair_best, 30, 19);
        let search = |least_score| RescueVerdict::Search { least_score };
        assert_eq!(verdict(15, 30), search(19), "bwa's own search");
        assert_eq!(verdict(21, 29), search(30));
        assert_eq!(verdict(20, 29), RescueVerdict::Skip, "no good anchor");
        assert!(Reportable.is_worth_rescue([None, Some(21)], 30));
        assert!(!Reportable.is_worth_rescue([None, Some(20)], 30));
        assert_eq!(Reportable::verdict(21, 29, 30, 35), search(35), "bwa's own threshold is higher");
    }
}
