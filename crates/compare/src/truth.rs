//! Which reads lie where they come from, for simulated reads.

use seedsieve_simulate::{Origin, ReadName};
use serde::Serialize;

use crate::bins::MappingQualityBin;
use crate::record::AlignmentRecord;

/// Bases that the start of a read, before clipping, may be off and still be right: as much as a donor's insertion in
/// front of the aligned part can shift it.
pub const TRUTH_TOLERANCE: u64 = 20;

/// Reads of one file by whether they lie right, for one bin of that file's mapping quality.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TruthCounts {
    /// Mapping quality in this file.
    pub mapq: MappingQualityBin,
    /// Reads of the reference, within 20 bases of their true start on the right strand.
    pub right: u64,
    /// Reads of the reference, elsewhere; in the bin of unmapped reads, all that should have been mapped.
    pub wrong: u64,
    /// Reads of another genome: wrong where they are mapped, right in the bin of unmapped reads.
    pub foreign: u64,
}

impl TruthCounts {
    pub(crate) fn new(mapq: MappingQualityBin) -> Self {
        Self { mapq, right: 0, wrong: 0, foreign: 0 }
    }

    /// Share of the mapped reads of this bin that lie right, foreign ones counted as wrong; `None` without reads.
    pub fn share_right(&self) -> Option<f64> {
        let reads = self.right + self.wrong + self.foreign;
        (reads > 0 && self.mapq != MappingQualityBin::Unmapped).then(|| self.right as f64 / reads as f64)
    }

    pub(crate) fn add(&mut self, record: &AlignmentRecord, name: &ReadName) {
        match &name.origin {
            Origin::Foreign => self.foreign += 1,
            // An unpaired read is taken for a first mate: nothing says which file it came from.
            Origin::Reference { contig, mates } => {
                let mate = mates[record.mate().saturating_sub(1)];
                let near = record.unclipped_start().abs_diff(mate.start as i64) <= TRUTH_TOLERANCE;
                let right = record.is_mapped()
                    && record.contig() == contig.as_bytes()
                    && record.is_reverse() == mate.reverse
                    && near;
                *(if right { &mut self.right } else { &mut self.wrong }) += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(flags: u16, contig: &str, position: u32, cigar: &str, name: &str) -> (u64, u64, u64) {
        let line = format!("{name}\t{flags}\t{contig}\t{position}\t60\t{cigar}\t*\t0\t0\tACGT\t*");
        let record = AlignmentRecord::parse(1, line.into_bytes()).unwrap();
        let mut counts = TruthCounts::new(MappingQualityBin::From60);
        counts.add(&record, &ReadName::parse(name).unwrap());
        (counts.right, counts.wrong, counts.foreign)
    }

    #[test]
    fn right_means_contig_strand_and_start_before_clipping() {
        let name = "sim:chr1:1000:+:1300:-:7";
        let (right, wrong) = ((1, 0, 0), (0, 1, 0));
        assert_eq!(counts(0x41, "chr1", 1_000, "100M", name), right);
        assert_eq!(counts(0x41, "chr1", 1_050, "50S50M", name), right);
        assert_eq!(counts(0x41, "chr1", 1_020, "100M", name), right);
        assert_eq!(counts(0x41, "chr1", 1_021, "100M", name), wrong);
        assert_eq!(counts(0x51, "chr1", 1_000, "100M", name), wrong);
        assert_eq!(counts(0x41, "chr2", 1_000, "100M", name), wrong);
        assert_eq!(counts(0x91, "chr1", 1_300, "100M", name), right);
        assert_eq!(counts(0x81, "chr1", 1_000, "100M", name), wrong);
        assert_eq!(counts(0x45, "chr1", 1_000, "*", name), wrong);
        assert_eq!(counts(0x41, "chr1", 1_000, "100M", "sim:*:0:*:0:*:7"), (0, 0, 1));
    }
}
