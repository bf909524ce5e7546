use super::TRUTH_TOLERANCE;
use crate::record::AlignmentRecord;

/// Where a simulated read comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TruePlace {
    /// Another genome, or nowhere: wherever such a read is aligned, it is wrong.
    Foreign,
    /// Its leftmost base on the forward strand, 1-based.
    Start { contig: Vec<u8>, start: u64, reverse: bool },
    /// It is one end of a fragment, 1-based and inclusive, and reads into it; which of the two is not known.
    EitherEnd { contig: Vec<u8>, start: u64, end: u64 },
}

impl TruePlace {
    /// Whether the read is mapped to the true contig and strand, and its outer base, before clipping, within
    /// [`TRUTH_TOLERANCE`] of the true one.
    pub(crate) fn is_right(&self, record: &AlignmentRecord) -> bool {
        let near = |found: i64, expected: u64| {
            i64::try_from(expected).is_ok_and(|expected| found.abs_diff(expected) <= TRUTH_TOLERANCE)
        };
        let lies_on = |contig: &[u8]| record.is_mapped() && record.contig() == contig;
        match self {
            Self::Foreign => false,
            Self::Start { contig, start, reverse } => {
                lies_on(contig) && record.is_reverse() == *reverse && near(record.unclipped_start(), *start)
            }
            Self::EitherEnd { contig, end, .. } if record.is_reverse() => {
                lies_on(contig) && near(record.unclipped_end(), *end)
            }
            Self::EitherEnd { contig, start, .. } => lies_on(contig) && near(record.unclipped_start(), *start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::place_of;
    use super::*;

    fn is_right(flags: u16, contig: &str, position: u32, cigar: &str, name: &str) -> bool {
        let line = format!("{name}\t{flags}\t{contig}\t{position}\t60\t{cigar}\t*\t0\t0\tACGT\t*");
        let record = AlignmentRecord::parse(1, line.into_bytes()).unwrap();
        place_of(name, record.mate()).unwrap().is_right(&record)
    }

    #[test]
    fn right_means_contig_strand_and_start_before_clipping() {
        let name = "sim:chr1:1000:+:1300:-:7";
        assert!(is_right(0x41, "chr1", 1_000, "100M", name));
        assert!(is_right(0x41, "chr1", 1_050, "50S50M", name));
        assert!(is_right(0x41, "chr1", 1_020, "100M", name));
        assert!(!is_right(0x41, "chr1", 1_021, "100M", name));
        assert!(!is_right(0x51, "chr1", 1_000, "100M", name));
        assert!(!is_right(0x41, "chr2", 1_000, "100M", name));
        assert!(is_right(0x91, "chr1", 1_300, "100M", name));
        assert!(!is_right(0x81, "chr1", 1_000, "100M", name));
        assert!(!is_right(0x45, "chr1", 1_000, "*", name));
        assert!(!is_right(0x41, "chr1", 1_000, "100M", "sim:*:0:*:0:*:7"));
    }

    #[test]
    fn either_end_of_a_fragment_is_right_for_reads_that_point_into_it() {
        let name = "chr1_1000_1399_0:0:0_1:0:0_2f";
        for mate in [0x41, 0x81] {
            assert!(is_right(mate, "chr1", 1_000, "100M", name));
            assert!(is_right(mate | 0x10, "chr1", 1_300, "90M10S", name));
            assert!(!is_right(mate | 0x10, "chr1", 1_000, "100M", name));
            assert!(!is_right(mate, "chr1", 1_300, "100M", name));
            assert!(!is_right(mate | 0x10, "chr1", 1_321, "100M", name));
        }
    }
}
