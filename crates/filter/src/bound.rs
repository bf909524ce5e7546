//! What a seed can score.

use crate::cascade::PlacedSeed;
use crate::diagonal::Segment;

/// What a seed can score, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// Best score that was found: ungapped, or with one gap.
    pub score: i32,
    /// The ungapped part around the seed, in the read's (oriented) coordinates.
    pub segment: Segment,
    /// Start on the forward strand of the reference, less start in the oriented read.
    pub diagonal: i64,
    /// Whether the reverse complement of the read matches.
    pub reverse: bool,
    /// Bases of the read.
    pub read_length: u32,
    /// Whether it lies on an ALT contig.
    pub alt: bool,
}

impl Bound {
    /// Whether the ungapped part covers `seed`, so that it is the seed's as well.
    pub(crate) fn runs_through(&self, seed: &PlacedSeed) -> bool {
        self.diagonal == seed.diagonal()
            && self.reverse == seed.reverse
            && self.segment.start <= seed.query_start
            && seed.query_start + seed.length <= self.segment.end
    }

    /// The segment in the coordinates of the read as it was sequenced.
    pub fn query(&self) -> (u32, u32) {
        if self.reverse {
            (self.read_length - self.segment.end, self.read_length - self.segment.start)
        } else {
            (self.segment.start, self.segment.end)
        }
    }

    /// Whether the two cover the same part of the read, as bwa sees it when it marks secondary alignments: half of the
    /// shorter one.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let ((start, end), (other_start, other_end)) = (self.query(), other.query());
        let common = end.min(other_end).saturating_sub(start.max(other_start));
        2 * common >= (end - start).min(other_end - other_start)
    }

    /// Whether a gap may lie between the two: one alignment can run through both.
    pub(crate) fn is_near(&self, other: &Self, gap: i64) -> bool {
        self.reverse == other.reverse && (self.diagonal - other.diagonal).abs() <= gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bound of a read of 100.
    fn bound(start: u32, end: u32, reverse: bool) -> Bound {
        let segment = Segment { score: (end - start) as i32, start, end };
        Bound { score: segment.score, segment, diagonal: 0, reverse, read_length: 100, alt: false }
    }

    #[test]
    fn parts_of_the_read_are_told_apart_on_either_strand() {
        let turned = bound(0, 40, true);
        assert_eq!(turned.query(), (60, 100));
        assert!(!turned.overlaps(&bound(0, 60, false)));
    }
}
