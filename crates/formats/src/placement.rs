use std::collections::HashMap;

use crate::FormatError;

const REVERSE: u16 = 0x10;
const UNMAPPED: u16 = 0x4;

/// Where a record lies, as far as sorting and indexing ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Number of the contig in the header; `None` for a read without a place.
    pub contig: Option<u32>,
    /// 0-based leftmost position.
    pub start: u32,
    /// Exclusive; at least one base after `start`.
    pub end: u32,
    pub reverse: bool,
    pub mapped: bool,
}

impl Placement {
    /// The place of the record in this line of SAM text (without its line end).
    pub fn of_line(line: &[u8], contigs: &HashMap<Vec<u8>, u32>) -> Result<Self, FormatError> {
        let mut fields = line.split(|&byte| byte == b'\t').skip(1);
        let mut next = || fields.next().unwrap_or_default();
        let (flags, contig, position, _mapq, cigar) = (next(), next(), next(), next(), next());
        let flags = number(flags).unwrap_or(u32::from(UNMAPPED)) as u16;
        let contig = match contig {
            b"*" => None,
            name => Some(*contigs.get(name).ok_or_else(|| {
                let problem = format!("contig {} is in no @SQ line", String::from_utf8_lossy(name));
                FormatError::Header { problem }
            })?),
        };
        let position = number(position).filter(|&position| position > 0);
        let (contig, start) = match (contig, position) {
            (Some(contig), Some(position)) => (Some(contig), position - 1),
            _ => (None, 0),
        };
        let mapped = flags & UNMAPPED == 0;
        let bases = if mapped { reference_bases(cigar).max(1) } else { 1 };
        Ok(Self { contig, start, end: start.saturating_add(bases), reverse: flags & REVERSE != 0, mapped })
    }

    /// Coordinate order: contig, position, forward strand first; reads without a place last.
    pub fn key(&self) -> u64 {
        match self.contig {
            // LN is below 2^31 (SAM specification, section 1.3), so that contig, position and strand fit.
            Some(contig) => u64::from(contig) << 32 | u64::from(self.start) << 1 | u64::from(self.reverse),
            None => u64::MAX,
        }
    }
}

fn number(text: &[u8]) -> Option<u32> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// Bases of the reference that a CIGAR covers: M, D, N, = and X.
fn reference_bases(cigar: &[u8]) -> u32 {
    let (mut bases, mut length) = (0u32, 0u32);
    for &byte in cigar {
        match byte {
            b'0'..=b'9' => length = length.saturating_mul(10).saturating_add(u32::from(byte - b'0')),
            b'M' | b'D' | b'N' | b'=' | b'X' => bases = bases.saturating_add(std::mem::take(&mut length)),
            _ => length = 0,
        }
    }
    bases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &str) -> Result<Placement, FormatError> {
        let contigs = [(b"c0".to_vec(), 0), (b"c1".to_vec(), 1)].into_iter().collect();
        Placement::of_line(line.as_bytes(), &contigs)
    }

    #[test]
    fn clips_and_insertions_cover_no_reference() {
        let found = place("r\t16\tc1\t100\t60\t5S10M2I3D4M6H\t*\t0\t0\t*\t*").unwrap();
        assert_eq!(found, Placement { contig: Some(1), start: 99, end: 116, reverse: true, mapped: true });
    }

    #[test]
    fn an_unmapped_read_lies_where_its_mate_does_or_nowhere() {
        let beside = place("r\t69\tc0\t7\t0\t*\t=\t7\t0\tA\tI").unwrap();
        assert_eq!((beside.contig, beside.start, beside.end, beside.mapped), (Some(0), 6, 7, false));
        assert_eq!(place("r\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI").unwrap().key(), u64::MAX);
    }

    #[test]
    fn keys_order_by_contig_then_position_then_strand() {
        let key = |flags: u16, contig: &str, position: u32| {
            place(&format!("r\t{flags}\t{contig}\t{position}\t0\t1M\t*\t0\t0\tA\tI")).unwrap().key()
        };
        let keys = [key(0, "c0", 1), key(16, "c0", 1), key(0, "c0", 2), key(0, "c0", 2_000_000_000), key(0, "c1", 1)];
        assert!(keys.is_sorted_by(|left, right| left < right), "{keys:?}");
    }

    #[test]
    fn a_contig_that_the_header_lacks_is_named() {
        assert!(place("r\t0\tc9\t1\t0\t1M\t*\t0\t0\tA\tI").unwrap_err().to_string().contains("c9"));
    }
}
