use serde::Serialize;

use crate::bins::MappingQualityBin;
use crate::record::AlignmentRecord;
use crate::truth::TRUTH_TOLERANCE;

/// What became of a read's primary record from the first file to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// All fields and all tags are the same, the tags in any order.
    Identical,
    /// Same contig, position, strand and CIGAR, or unmapped in both; mapping quality, flags, mate or tags differ.
    PlaceKept,
    /// Same contig and strand, start before clipping within 20 bases; position or CIGAR differ.
    Realigned,
    /// Mapped elsewhere.
    Moved,
    /// Mapped in the first file only.
    Lost,
    /// Mapped in the second file only.
    Gained,
}

impl Change {
    /// All, from the least to the greatest.
    pub const ALL: [Self; 6] =
        [Self::Identical, Self::PlaceKept, Self::Realigned, Self::Moved, Self::Lost, Self::Gained];

    /// Its name in tables and legends.
    pub fn label(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::PlaceKept => "same place",
            Self::Realigned => "realigned",
            Self::Moved => "moved",
            Self::Lost => "lost",
            Self::Gained => "gained",
        }
    }

    /// One sentence for readers of a report.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Identical => "all fields and tags of the record are the same, the tags in any order",
            Self::PlaceKept => {
                "contig, position, strand and CIGAR are the same (or unmapped in both); MAPQ, flags, mate or tags differ"
            }
            Self::Realigned => {
                "same contig and strand, and the same start within 20 bases before clipping; position or CIGAR differ"
            }
            Self::Moved => "mapped elsewhere",
            Self::Lost => "mapped in A only",
            Self::Gained => "mapped in B only",
        }
    }

    pub(crate) fn between(a: &AlignmentRecord, b: &AlignmentRecord) -> Self {
        if a.same_as(b) {
            return Self::Identical;
        }
        match (a.is_mapped(), b.is_mapped()) {
            (false, false) => Self::PlaceKept,
            (true, false) => Self::Lost,
            (false, true) => Self::Gained,
            (true, true) if a.contig() != b.contig() || a.is_reverse() != b.is_reverse() => Self::Moved,
            (true, true) if a.same_place(b) => Self::PlaceKept,
            (true, true) if a.unclipped_start().abs_diff(b.unclipped_start()) <= TRUTH_TOLERANCE => Self::Realigned,
            (true, true) => Self::Moved,
        }
    }
}

/// Reads or records by what became of them.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Tally {
    /// [`Change::Identical`].
    pub identical: u64,
    /// [`Change::PlaceKept`].
    pub place_kept: u64,
    /// [`Change::Realigned`].
    pub realigned: u64,
    /// [`Change::Moved`].
    pub moved: u64,
    /// [`Change::Lost`].
    pub lost: u64,
    /// [`Change::Gained`].
    pub gained: u64,
}

impl Tally {
    /// How many changed in this way.
    pub fn count(&self, change: Change) -> u64 {
        match change {
            Change::Identical => self.identical,
            Change::PlaceKept => self.place_kept,
            Change::Realigned => self.realigned,
            Change::Moved => self.moved,
            Change::Lost => self.lost,
            Change::Gained => self.gained,
        }
    }

    pub(crate) fn add(&mut self, change: Change) {
        *match change {
            Change::Identical => &mut self.identical,
            Change::PlaceKept => &mut self.place_kept,
            Change::Realigned => &mut self.realigned,
            Change::Moved => &mut self.moved,
            Change::Lost => &mut self.lost,
            Change::Gained => &mut self.gained,
        } += 1;
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        Change::ALL.iter().map(|&change| self.count(change)).sum()
    }
}

/// Reads by what became of them, for one bin of mapping quality in the first file.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Mapping quality in the first file.
    pub mapq_of_a: MappingQualityBin,
    /// How many reads changed in which way.
    #[serde(flatten)]
    pub tally: Tally,
}

impl ChangeCounts {
    pub(crate) fn new(mapq_of_a: MappingQualityBin) -> Self {
        Self { mapq_of_a, tally: Tally::default() }
    }

    /// How many reads changed in this way.
    pub fn count(&self, change: Change) -> u64 {
        self.tally.count(change)
    }

    /// All reads of the bin.
    pub fn reads(&self) -> u64 {
        self.tally.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(flags: u16, contig: &str, position: u32, quality: u8, cigar: &str, tags: &str) -> AlignmentRecord {
        let line = format!("r\t{flags}\t{contig}\t{position}\t{quality}\t{cigar}\t*\t0\t0\tACGT\t*\t{tags}");
        AlignmentRecord::parse(1, line.into_bytes()).unwrap()
    }

    #[test]
    fn every_change_is_told_from_its_neighbours() {
        let a = record(0, "chr1", 1_000, 60, "100M", "NM:i:0");
        let unmapped = record(4, "*", 0, 0, "*", "AS:i:0");
        let cases = [
            (record(0, "chr1", 1_000, 60, "100M", "NM:i:0"), Change::Identical),
            (record(0, "chr1", 1_000, 60, "100M", "NM:i:1"), Change::PlaceKept),
            (record(0, "chr1", 1_000, 59, "100M", "NM:i:0"), Change::PlaceKept),
            (record(0, "chr1", 1_000, 60, "90M10S", "NM:i:0"), Change::Realigned),
            (record(0, "chr1", 1_030, 60, "30S70M", "NM:i:0"), Change::Realigned),
            (record(0, "chr1", 1_020, 60, "100M", "NM:i:0"), Change::Realigned),
            (record(0, "chr1", 1_021, 60, "100M", "NM:i:0"), Change::Moved),
            (record(16, "chr1", 1_000, 60, "100M", "NM:i:0"), Change::Moved),
            (record(0, "chr2", 1_000, 60, "100M", "NM:i:0"), Change::Moved),
            (unmapped.clone(), Change::Lost),
        ];
        for (b, expected) in &cases {
            assert_eq!(Change::between(&a, b), *expected, "{b:?}");
        }
        assert_eq!(Change::between(&unmapped, &a), Change::Gained);
        assert_eq!(Change::between(&unmapped, &unmapped), Change::Identical);
        assert_eq!(Change::between(&unmapped, &record(4, "*", 0, 0, "*", "AS:i:1")), Change::PlaceKept);
    }
}
