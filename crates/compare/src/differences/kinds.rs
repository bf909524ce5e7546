use std::cmp::Ordering;

use serde::Serialize;

use crate::change::{Change, Tally};
use crate::record::AlignmentRecord;

/// What a record is by its FLAG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Primary, in a proper pair.
    ProperPair,
    /// Primary and mapped, of a pair that is not proper.
    OtherPair,
    /// Primary and mapped, without a mate.
    Unpaired,
    /// Primary and unmapped.
    Unmapped,
    /// A secondary record.
    Secondary,
    /// A supplementary record.
    Supplementary,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::ProperPair, Self::OtherPair, Self::Unpaired, Self::Unmapped, Self::Secondary, Self::Supplementary];

    /// Its name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::ProperPair => "proper pair",
            Self::OtherPair => "other pair",
            Self::Unpaired => "unpaired",
            Self::Unmapped => "unmapped",
            Self::Secondary => "secondary",
            Self::Supplementary => "supplementary",
        }
    }

    pub(crate) fn of_primary(record: &AlignmentRecord) -> Self {
        match (record.is_mapped(), record.is_paired(), record.is_proper_pair()) {
            (false, ..) => Self::Unmapped,
            (true, false, _) => Self::Unpaired,
            (true, true, true) => Self::ProperPair,
            (true, true, false) => Self::OtherPair,
        }
    }
}

/// Records of one kind in the first file by what became of them. A secondary or supplementary record is looked for among
/// those of the same read at the same place: it is never moved, but lost here and gained there, and counts as gained in
/// its own kind.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct KindCounts {
    /// What the record is in the first file.
    pub kind: RecordKind,
    /// How many records changed in which way.
    #[serde(flatten)]
    pub tally: Tally,
}

impl KindCounts {
    pub(crate) fn all() -> Vec<Self> {
        RecordKind::ALL.map(|kind| Self { kind, tally: Tally::default() }).to_vec()
    }
}

/// Compares the secondary or the supplementary records of one read.
pub(crate) fn compare_further_records(a: &mut [AlignmentRecord], b: &mut [AlignmentRecord], tally: &mut Tally) {
    a.sort_by(by_place);
    b.sort_by(by_place);
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let Some(order) = match (a.peek(), b.peek()) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(a), Some(b)) => Some(by_place(a, b)),
    } {
        let of_a = if order == Ordering::Greater { None } else { a.next() };
        let of_b = if order == Ordering::Less { None } else { b.next() };
        tally.add(match (of_a, of_b) {
            (Some(a), Some(b)) if a.same_as(b) => Change::Identical,
            (Some(_), Some(_)) => Change::PlaceKept,
            (Some(_), None) => Change::Lost,
            _ => Change::Gained,
        });
    }
}

fn by_place(a: &AlignmentRecord, b: &AlignmentRecord) -> Ordering {
    let key = |record: &AlignmentRecord| (record.mate(), record.position, record.is_reverse());
    key(a).cmp(&key(b)).then_with(|| a.contig().cmp(b.contig())).then_with(|| a.cigar().cmp(b.cigar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_records_are_matched_by_place_in_any_order() {
        let record = |flags: u16, contig: &str, position: u32, tags: &str| {
            let line = format!("r\t{flags}\t{contig}\t{position}\t0\t4M\t*\t0\t0\t*\t*\t{tags}");
            AlignmentRecord::parse(1, line.into_bytes()).unwrap()
        };
        let mut a = [
            record(0x141, "c1", 5, "AS:i:1"),
            record(0x141, "c1", 7, ""),
            record(0x181, "c1", 7, ""),
            record(0x141, "c2", 7, ""),
            record(0x181, "c2", 9, ""),
        ];
        let mut b = [
            record(0x141, "c2", 7, ""),
            record(0x151, "c2", 7, ""),
            record(0x141, "c1", 5, "AS:i:2"),
            record(0x141, "c2", 9, ""),
        ];
        let mut tally = Tally::default();
        compare_further_records(&mut a, &mut b, &mut tally);
        assert_eq!(tally, Tally { identical: 1, place_kept: 1, lost: 3, gained: 2, ..Tally::default() });
    }
}
