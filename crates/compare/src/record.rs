//! One alignment record, as a line of SAM.

use std::ops::Range;

/// Fields before the tags (SAM specification, section 1.4).
const MANDATORY_FIELDS: usize = 11;

/// A parsed line of SAM. Both formats come down to it, so that a BAM can be compared to a SAM.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlignmentRecord {
    /// 1-based number of the record in its file, header lines not counted.
    pub(crate) number: u64,
    line: Vec<u8>,
    name: Range<usize>,
    contig: Range<usize>,
    cigar: Range<usize>,
    pub(crate) flags: u16,
    /// 1-based leftmost aligned position.
    pub(crate) position: u64,
    pub(crate) mapping_quality: u8,
}

impl AlignmentRecord {
    /// Parses `line`, which has no line end.
    ///
    /// The error says which field is wrong, its value and what is valid.
    pub(crate) fn parse(number: u64, line: Vec<u8>) -> Result<Self, String> {
        let mut bounds = Vec::with_capacity(MANDATORY_FIELDS);
        let mut start = 0;
        while bounds.len() < MANDATORY_FIELDS && start <= line.len() {
            let end = line[start..].iter().position(|&byte| byte == b'\t').map_or(line.len(), |length| start + length);
            bounds.push(start..end);
            start = end + 1;
        }
        if bounds.len() < MANDATORY_FIELDS {
            return Err(format!(
                "{} tab-separated fields; a record has at least {MANDATORY_FIELDS} (QNAME to QUAL): is the file complete?",
                bounds.len()
            ));
        }
        let text = |field: usize| String::from_utf8_lossy(&line[bounds[field].clone()]);
        let wrong = |field: usize, name: &str, valid: &str| format!("{name} is {:?}; valid: {valid}", text(field));
        let flags = text(1).parse().map_err(|_| wrong(1, "FLAG", "0 to 65535"))?;
        let position = text(3).parse::<u32>().map_err(|_| wrong(3, "POS", "0 to 2147483647"))?;
        let mapping_quality = text(4).parse().map_err(|_| wrong(4, "MAPQ", "0 to 255"))?;
        if bounds[0].is_empty() {
            return Err(wrong(0, "QNAME", "at least one character"));
        }
        let [name, contig, cigar] = [0, 2, 5].map(|field: usize| bounds[field].clone());
        let record = Self { number, line, name, contig, cigar, flags, position: position.into(), mapping_quality };
        if record.cigar() != b"*" && record.operations().is_none() {
            let cigar = String::from_utf8_lossy(record.cigar());
            return Err(format!("CIGAR is {cigar:?}; valid: * or lengths, each with one of MIDNSHP=X"));
        }
        Ok(record)
    }

    /// The whole line: equal lines are equal records.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.line[self.name.clone()]
    }

    pub(crate) fn contig(&self) -> &[u8] {
        &self.line[self.contig.clone()]
    }

    pub(crate) fn cigar(&self) -> &[u8] {
        &self.line[self.cigar.clone()]
    }

    pub(crate) fn is_mapped(&self) -> bool {
        self.flags & 0x4 == 0
    }

    pub(crate) fn is_reverse(&self) -> bool {
        self.flags & 0x10 != 0
    }

    pub(crate) fn is_proper_pair(&self) -> bool {
        self.flags & 0x2 != 0
    }

    pub(crate) fn is_secondary(&self) -> bool {
        self.flags & 0x100 != 0
    }

    pub(crate) fn is_supplementary(&self) -> bool {
        self.flags & 0x800 != 0
    }

    /// 0 for an unpaired read, 1 and 2 for the mates of a pair.
    pub(crate) fn mate(&self) -> usize {
        match (self.flags & 0x1, self.flags & 0xc0) {
            (0, _) => 0,
            (_, 0x80) => 2,
            _ => 1,
        }
    }

    /// 1-based position where the read would start were its leftmost clipped bases aligned; may lie before the contig.
    pub(crate) fn unclipped_start(&self) -> i64 {
        let clipped: i64 = self
            .operations()
            .into_iter()
            .flatten()
            .take_while(|(_, operation)| b"SH".contains(operation))
            .map(|(length, _)| i64::from(length))
            .sum();
        self.position as i64 - clipped
    }

    /// Lengths and operations of the CIGAR; `None` where it is not one.
    fn operations(&self) -> Option<Vec<(u32, u8)>> {
        let mut operations = Vec::new();
        let mut rest = self.cigar();
        while !rest.is_empty() {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let operation = *rest.get(digits).filter(|operation| b"MIDNSHP=X".contains(operation))?;
            operations.push((std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?, operation));
            rest = &rest[digits + 1..];
        }
        Some(operations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<AlignmentRecord, String> {
        AlignmentRecord::parse(1, line.as_bytes().to_vec())
    }

    #[test]
    fn fields_are_found_with_and_without_tags() {
        for tags in ["", "\tNM:i:0\tAS:i:5"] {
            let record = parse(&format!("r1\t147\tchr1\t101\t37\t3H2S5M\t=\t1\t-105\tACGTACG\t*{tags}")).unwrap();
            assert_eq!(record.name(), b"r1");
            assert_eq!(record.contig(), b"chr1");
            assert_eq!((record.position, record.mapping_quality, record.mate()), (101, 37, 2));
            assert_eq!(record.unclipped_start(), 96);
            assert!(record.is_mapped() && record.is_reverse() && record.is_proper_pair());
            assert!(!record.is_secondary() && !record.is_supplementary());
        }
    }

    #[test]
    fn wrong_fields_are_named_with_their_value() {
        let line = |flag: &str, position: &str, quality: &str, cigar: &str| {
            parse(&format!("r1\t{flag}\tchr1\t{position}\t{quality}\t{cigar}\t*\t0\t0\tA\t*")).unwrap_err()
        };
        assert!(line("x", "1", "1", "1M").starts_with("FLAG is \"x\""));
        assert!(line("0", "-1", "1", "1M").starts_with("POS is \"-1\""));
        assert!(line("0", "1", "256", "1M").starts_with("MAPQ is \"256\"; valid: 0 to 255"));
        assert!(line("0", "1", "1", "5").starts_with("CIGAR is \"5\""));
        assert!(line("0", "1", "1", "99999999999M").starts_with("CIGAR"));
        assert!(parse("r1\t0\tchr1").unwrap_err().starts_with("3 tab-separated fields"));
        assert!(parse("").unwrap_err().starts_with("1 tab-separated"));
    }
}
