use serde::Serialize;

use crate::change::Change;
use crate::record::AlignmentRecord;

/// Reads that both files map, but differently, by their alignment scores (AS): a read that moved with the same score has
/// several places that are as good.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ScoreCounts {
    /// [`Change::Realigned`] or [`Change::Moved`].
    pub change: Change,
    /// The same score in both files.
    pub same: u64,
    /// A higher one in the first file.
    pub higher_in_a: u64,
    /// A higher one in the second file.
    pub higher_in_b: u64,
    /// No score in one of them.
    pub unknown: u64,
}

impl ScoreCounts {
    pub(crate) fn all() -> Vec<Self> {
        [Change::Realigned, Change::Moved]
            .map(|change| Self { change, same: 0, higher_in_a: 0, higher_in_b: 0, unknown: 0 })
            .to_vec()
    }

    /// Counts the read if it changed in the way that is counted here.
    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord, change: Change) {
        if change != self.change {
            return;
        }
        let (Some(a), Some(b)) = (a.number_tag(b"AS"), b.number_tag(b"AS")) else {
            self.unknown += 1;
            return;
        };
        *match a.cmp(&b) {
            std::cmp::Ordering::Equal => &mut self.same,
            std::cmp::Ordering::Greater => &mut self.higher_in_a,
            std::cmp::Ordering::Less => &mut self.higher_in_b,
        } += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_that_moved_are_told_by_which_score_is_higher() {
        let record = |tags: &str| {
            AlignmentRecord::parse(1, format!("r\t0\tc\t1\t0\t4M\t*\t0\t0\t*\t*\t{tags}").into_bytes()).unwrap()
        };
        let mut counts = ScoreCounts::all().pop().unwrap();
        for (a, b) in [("AS:i:5", "AS:i:5"), ("AS:i:6", "AS:i:5"), ("AS:i:4", "AS:i:50"), ("AS:i:4", "")] {
            counts.add(&record(a), &record(b), Change::Moved);
        }
        counts.add(&record("AS:i:5"), &record("AS:i:5"), Change::Realigned);
        let expected = ScoreCounts { change: Change::Moved, same: 1, higher_in_a: 1, higher_in_b: 1, unknown: 1 };
        assert_eq!(counts, expected);
    }
}
