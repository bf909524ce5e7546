//! The rescue gate: which mates are looked for, and from which score on one counts.

use std::ops::Range;

use crate::AlignOptions;

/// A mate that might be looked for beside a region of its read. Scores are alignment scores.
pub struct RescueCase<'a> {
    /// The run's options.
    pub options: &'a AlignOptions,
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
    /// The reference there.
    pub reference: &'a [u8],
}

impl RescueCase<'_> {
    /// Score below which bwa ignores what it finds.
    pub fn floor(&self) -> i32 {
        self.options.mem.min_seed_len * self.options.mem.a
    }

    /// The most 8-mers that mate and window share on one diagonal.
    pub fn diagonal_votes(&self) -> u32 {
        const LENGTH: usize = 8;
        let eight = |codes: &[u8]| {
            codes.iter().try_fold(0usize, |word, &code| (code < 4).then_some(word << 2 | usize::from(code)))
        };
        let mut places: Vec<(usize, usize)> =
            self.mate.windows(LENGTH).enumerate().filter_map(|(place, codes)| Some((eight(codes)?, place))).collect();
        places.sort_unstable();
        let mut votes = vec![0u32; self.mate.len() + self.reference.len()];
        for (place, word) in self.reference.windows(LENGTH).enumerate().filter_map(|(p, c)| Some((p, eight(c)?))) {
            let first = places.partition_point(|&(other, _)| other < word);
            for &(_, of_mate) in places[first..].iter().take_while(|(other, _)| *other == word) {
                votes[place + self.mate.len() - of_mate] += 1;
            }
        }
        votes.into_iter().max().unwrap_or(0)
    }
}

/// What becomes of one search for a mate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescueVerdict {
    /// The mate is looked for; what scores less than this does not count. (The search proves from shared 5-mers that most
    /// windows hold nothing of the kind, and leaves those out; the higher the score, the more of them.)
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

/// The filter's own: a pair is rescued where one of its reads can be reported. Its searches stay bwa's: each way to leave
/// some out that was tried moved three times as many alignments.
pub(super) struct Reportable;

impl RescueGate for Reportable {
    fn is_worth_rescue(&self, best: [Option<i32>; 2], report_score: i32) -> bool {
        best.into_iter().flatten().any(|best| best >= report_score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(options: &AlignOptions) -> RescueCase<'_> {
        let (mate, reference) = (&[][..], &[][..]);
        RescueCase {
            options,
            anchor: 50,
            anchor_place: 0..100,
            best: 50,
            mate_best: None,
            mate,
            window: 300..900,
            reference,
        }
    }

    #[test]
    fn votes_are_counted_along_diagonals() {
        let options = AlignOptions::default();
        let reference: Vec<u8> = (0..60u32).map(|i| (i * i / 7 % 4) as u8).collect();
        let mut mate = reference[20..45].to_vec();
        let votes = |mate: &[u8]| {
            let mut case = case(&options);
            (case.mate, case.reference) = (mate, &reference);
            case.diagonal_votes()
        };
        assert_eq!(votes(&mate), 25 - 7);
        mate[12] = 4;
        assert_eq!(votes(&mate), 5 + 5, "12 bases on either side of an N");
        assert_eq!(votes(&[4; 20]), 0);
    }
}
