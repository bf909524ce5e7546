use crate::SourceHeader;
use crate::path::AlignmentPath;
use seedsieve_aligner::Read;

// Flags of the SAM specification, section 1.4.2.
const PAIRED: u16 = 0x1;
const UNMAPPED: u16 = 0x4;
const REVERSE: u16 = 0x10;
const SECOND: u16 = 0x80;
const SECONDARY: u16 = 0x100;
const DUPLICATE: u16 = 0x400;
const SUPPLEMENTARY: u16 = 0x800;
/// MAPQ that stands for "not available".
const NO_MAPPING_QUALITY: u8 = 255;

/// A record of BAM or CRAM, as far as it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AlignmentRecord {
    pub name: Vec<u8>,
    pub flags: u16,
    /// Number of the contig in the header.
    pub contig: Option<usize>,
    /// 0-based.
    pub position: Option<u64>,
    pub mapping_quality: u8,
    /// Operations as (character, length).
    pub cigar: Vec<(u8, u32)>,
    /// ASCII, on the reference's forward strand.
    pub bases: Vec<u8>,
    /// Phred, without offset; `None` where the record has none.
    pub qualities: Option<Vec<u8>>,
    pub read_group: Option<Vec<u8>>,
}

/// Why a record is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Omitted {
    NotPrimary,
    Duplicate,
    WithoutSequence,
}

impl AlignmentRecord {
    pub(crate) fn omitted(&self) -> Option<Omitted> {
        if self.flags & (SECONDARY | SUPPLEMENTARY) != 0 {
            Some(Omitted::NotPrimary)
        } else if self.flags & DUPLICATE != 0 {
            Some(Omitted::Duplicate)
        } else if self.bases.is_empty() {
            Some(Omitted::WithoutSequence)
        } else {
            None
        }
    }

    /// Contig and span on it, one base for an unmapped record that is placed beside its mate.
    pub(crate) fn place(&self) -> Option<(usize, std::ops::Range<u64>)> {
        let (contig, start) = (self.contig?, self.position?);
        let on_reference = |(operation, _): &&(u8, u32)| matches!(operation, b'M' | b'D' | b'N' | b'=' | b'X');
        let bases: u64 = self.cigar.iter().filter(on_reference).map(|&(_, length)| u64::from(length)).sum();
        Some((contig, start..start + bases.max(1)))
    }

    /// 0 unpaired, 1 first, 2 second.
    pub(crate) fn mate(&self) -> u8 {
        match (self.flags & PAIRED != 0, self.flags & SECOND != 0) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }

    pub(crate) fn stated_mapping_quality(&self) -> Option<u8> {
        Some(self.mapping_quality).filter(|&quality| quality != NO_MAPPING_QUALITY)
    }

    /// The alignment, `None` for an unmapped read; the error says what is wrong with the record.
    pub(crate) fn alignment_path(&self, header: &SourceHeader) -> Result<Option<AlignmentPath>, String> {
        if self.flags & UNMAPPED != 0 {
            return Ok(None);
        }
        let name = String::from_utf8_lossy(&self.name);
        let (Some(contig), Some(position)) = (self.contig, self.position) else {
            return Err(format!("{name} is mapped, but has no contig or no position; the file is corrupt"));
        };
        let known = header.contigs.len();
        if contig >= known {
            return Err(format!(
                "{name} is on contig number {contig}, valid is 0 to {known} (exclusive); corrupt file"
            ));
        }
        let path = AlignmentPath::new(contig, position, self.flags & REVERSE != 0, &self.cigar)
            .ok_or_else(|| format!("{name} has a CIGAR operation that is none of MIDNSHP=X; the file is corrupt"))?;
        let bases = self.bases.len();
        // A mapped read without CIGAR (`*`) has a place but no path.
        if !self.cigar.is_empty() && path.query_length() != bases as u64 {
            return Err(format!(
                "the CIGAR of {name} accounts for {} bases, the read has {bases}; the file is corrupt",
                path.query_length()
            ));
        }
        Ok(Some(path))
    }

    /// The read in sequencing orientation.
    pub(crate) fn into_read(mut self) -> Read {
        if self.flags & REVERSE != 0 {
            self.bases.reverse();
            for base in &mut self.bases {
                *base = complement(*base);
            }
            if let Some(qualities) = &mut self.qualities {
                qualities.reverse();
            }
        }
        let printable = |quality: u8| quality.min(93) + b'!';
        Read {
            name: String::from_utf8_lossy(&self.name).into_owned(),
            comment: None,
            bases: self.bases,
            qualities: self.qualities.map(|qualities| qualities.into_iter().map(printable).collect()),
        }
    }
}

/// The complement of the four bases; all that is ambiguous becomes N, as for the aligner it is one and the same.
fn complement(base: u8) -> u8 {
    match base {
        b'A' | b'a' => b'T',
        b'C' | b'c' => b'G',
        b'G' | b'g' => b'C',
        b'T' | b't' => b'A',
        _ => b'N',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(flags: u16) -> AlignmentRecord {
        AlignmentRecord {
            name: b"r".to_vec(),
            flags,
            contig: Some(0),
            position: Some(5),
            mapping_quality: 60,
            cigar: vec![(b'M', 5)],
            bases: b"ACGNR".to_vec(),
            qualities: Some(vec![0, 1, 2, 93, 120]),
            read_group: None,
        }
    }

    #[test]
    fn reverse_records_are_returned_to_sequencing_orientation() {
        let read = record(REVERSE).into_read();
        assert_eq!(read.bases, b"NNCGT");
        assert_eq!(read.qualities.as_deref(), Some(b"~~#\"!".as_slice()));
        let read = record(0).into_read();
        assert_eq!(read.bases, b"ACGNR");
        assert_eq!(read.qualities.as_deref(), Some(b"!\"#~~".as_slice()));
    }

    #[test]
    fn the_mate_is_told_by_the_flags() {
        assert_eq!(
            [0, SECOND, PAIRED, PAIRED | 0x40, PAIRED | SECOND].map(|flags| record(flags).mate()),
            [0, 0, 1, 1, 2]
        );
    }

    #[test]
    fn what_is_mapped_must_have_a_place_of_the_header() {
        let header = SourceHeader::new(vec![("c".into(), 100)], b"");
        let problem = |record: AlignmentRecord| record.alignment_path(&header).unwrap_err();
        assert!(problem(AlignmentRecord { contig: None, ..record(0) }).contains("no contig"));
        assert!(problem(AlignmentRecord { contig: Some(1), ..record(0) }).contains("contig number 1"));
        assert!(problem(AlignmentRecord { cigar: vec![(b'M', 4)], ..record(0) }).contains("4 bases"));
        assert_eq!(record(UNMAPPED).alignment_path(&header), Ok(None));
        assert!(record(0).alignment_path(&header).unwrap().is_some());
    }

    #[test]
    fn mapping_quality_255_is_none() {
        assert_eq!(record(0).stated_mapping_quality(), Some(60));
        assert_eq!(AlignmentRecord { mapping_quality: 255, ..record(0) }.stated_mapping_quality(), None);
    }
}
