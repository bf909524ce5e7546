use serde::Serialize;

use crate::change::Change;
use crate::record::AlignmentRecord;

/// Alignments of the reads that both files map to about the same place (identical, same place or realigned).
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct CigarCounts {
    /// The same CIGAR.
    pub same: u64,
    /// The same gaps; the alignment's ends differ: other clips.
    pub ends_differ: u64,
    /// Other insertions, deletions or skips.
    pub gaps_differ: u64,
}

impl CigarCounts {
    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord, change: Change) {
        if !a.is_mapped() || !matches!(change, Change::Identical | Change::PlaceKept | Change::Realigned) {
            return;
        }
        let gaps = |record: &AlignmentRecord| -> Vec<(u32, u8)> {
            record.operations().filter(|(_, operation)| b"IDN".contains(operation)).collect()
        };
        let count = if a.cigar() == b.cigar() {
            &mut self.same
        } else if gaps(a) == gaps(b) {
            &mut self.ends_differ
        } else {
            &mut self.gaps_differ
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ends_are_told_from_other_gaps() {
        let record = |position: u32, cigar: &str| {
            let line = format!("r\t0\tc\t{position}\t60\t{cigar}\t*\t0\t0\t*\t*");
            AlignmentRecord::parse(1, line.into_bytes()).unwrap()
        };
        let a = record(100, "50M2D50M");
        let mut counts = CigarCounts::default();
        for b in [record(100, "50M2D50M"), record(105, "5S45M2D50M"), record(100, "50M1D50M"), record(100, "100M")] {
            counts.add(&a, &b, Change::between(&a, &b));
        }
        counts.add(&a, &record(900, "100M"), Change::Moved);
        assert_eq!(counts, CigarCounts { same: 1, ends_differ: 1, gaps_differ: 2 });
    }
}
