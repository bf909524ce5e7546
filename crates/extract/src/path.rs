/// A run of read bases aligned to as many reference bases without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// 0-based start in the read as the record has it, on the reference's forward strand.
    pub query_start: u64,
    /// 0-based start on the contig.
    pub reference_start: u64,
    /// Bases.
    pub length: u64,
}

/// The path of one alignment of the source: the M, = and X operations of its CIGAR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignmentPath {
    contig: usize,
    reverse: bool,
    query_length: u64,
    blocks: Vec<Block>,
    end: u64,
}

impl AlignmentPath {
    /// The path of a record on the source's contig `contig` from the 0-based `position` on.
    ///
    /// `cigar` holds operations as (character, length) in the order of the record. Returns `None` for an operation
    /// that the SAM specification does not have.
    #[must_use]
    pub fn new(contig: usize, position: u64, reverse: bool, cigar: &[(u8, u32)]) -> Option<Self> {
        let mut blocks = Vec::new();
        let (mut query, mut reference) = (0, position);
        for &(operation, length) in cigar {
            let length = u64::from(length);
            match operation {
                b'M' | b'=' | b'X' => {
                    blocks.push(Block { query_start: query, reference_start: reference, length });
                    query += length;
                    reference += length;
                }
                b'I' | b'S' => query += length,
                b'D' | b'N' => reference += length,
                // Hard-clipped bases are not part of the record's sequence, which is the read as the aligner gets it.
                b'H' | b'P' => {}
                _ => return None,
            }
        }
        Some(Self { contig, reverse, query_length: query, blocks, end: reference })
    }

    /// Number of the contig in the source's header.
    #[must_use]
    pub fn contig(&self) -> usize {
        self.contig
    }

    /// Read bases that the CIGAR accounts for.
    #[must_use]
    pub fn query_length(&self) -> u64 {
        self.query_length
    }

    /// The part of the contig from the first to the last aligned base, 0-based and half-open.
    #[must_use]
    pub fn span(&self) -> std::ops::Range<u64> {
        self.blocks.first().map_or(self.end, |block| block.reference_start)..self.end
    }

    /// Whether an exact match lies on the path: on the same strand, and with its first and its last base each aligned
    /// to the same position as here.
    ///
    /// `query_start` (0-based) and `length` are in sequencing orientation; `position` is the 0-based leftmost position
    /// on the forward strand of this path's contig.
    #[must_use]
    pub fn holds(&self, query_start: u64, length: u64, position: u64, reverse: bool) -> bool {
        if reverse != self.reverse || length == 0 || query_start + length > self.query_length {
            return false;
        }
        let leftmost = if reverse { self.query_length - query_start - length } else { query_start };
        let aligned = |query: u64, reference: u64| {
            self.blocks.iter().any(|block| {
                query >= block.query_start
                    && query - block.query_start < block.length
                    && reference == block.reference_start + (query - block.query_start)
            })
        };
        aligned(leftmost, position) && aligned(leftmost + length - 1, position + length - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(reverse: bool, cigar: &[(u8, u32)]) -> AlignmentPath {
        AlignmentPath::new(3, 1000, reverse, cigar).unwrap()
    }

    #[test]
    fn a_clip_shifts_the_read_and_not_the_reference() {
        let path = path(false, &[(b'H', 7), (b'S', 10), (b'M', 90)]);
        assert!(path.holds(10, 20, 1000, false));
        assert!(path.holds(80, 20, 1070, false));
        assert!(!path.holds(9, 20, 999, false), "the first base is clipped");
        assert!(!path.holds(81, 20, 1071, false), "beyond the read");
        assert!(!path.holds(10, 20, 1001, false), "another diagonal");
        assert_eq!((path.span(), path.query_length()), (1000..1090, 100));
    }

    #[test]
    fn a_deletion_moves_later_bases_on_the_reference() {
        let path = path(false, &[(b'M', 50), (b'D', 5), (b'=', 50)]);
        assert!(path.holds(30, 20, 1030, false));
        assert!(path.holds(50, 20, 1055, false));
        assert!(!path.holds(50, 20, 1050, false));
        assert!(!path.holds(40, 20, 1040, false), "ends behind the deletion on the old diagonal");
    }

    #[test]
    fn an_insertion_moves_later_bases_on_the_read() {
        let path = path(false, &[(b'M', 50), (b'I', 3), (b'X', 1), (b'M', 46)]);
        assert!(path.holds(53, 20, 1050, false));
        assert!(!path.holds(50, 20, 1050, false), "starts in the insertion");
        assert!(!path.holds(40, 20, 1040, false));
        assert_eq!(path.query_length(), 100);
    }

    #[test]
    fn the_reverse_strand_counts_from_the_end_of_the_read() {
        // 100 bases; on the forward strand the record reads 10 clipped, 60 aligned, 4 deleted, 30 aligned.
        let path = path(true, &[(b'S', 10), (b'M', 60), (b'D', 4), (b'M', 30)]);
        // Sequencing positions 70..90 are the record's 10..30.
        assert!(path.holds(70, 20, 1000, true));
        assert!(path.holds(0, 20, 1074, true));
        assert!(!path.holds(0, 20, 1070, true));
        assert!(!path.holds(70, 20, 1000, false), "the other strand");
    }

    #[test]
    fn spliced_and_padded_operations_are_told_apart_from_unknown_ones() {
        let path = path(false, &[(b'M', 10), (b'N', 1000), (b'P', 2), (b'M', 10)]);
        assert!(path.holds(10, 10, 2010, false));
        assert_eq!(AlignmentPath::new(0, 0, false, &[(b'Q', 1)]), None);
    }
}
