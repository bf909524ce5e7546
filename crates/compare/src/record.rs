//! One alignment record, as a line of SAM.

use crate::shown::shown;

/// Fields before the tags (SAM specification, section 1.4).
const MANDATORY_FIELDS: usize = 11;

/// Fields of a line of SAM, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Name = 0,
    Flags = 1,
    Contig = 2,
    Position = 3,
    MappingQuality = 4,
    Cigar = 5,
    MateContig = 6,
    MatePosition = 7,
    TemplateLength = 8,
    Sequence = 9,
    Qualities = 10,
}

/// A parsed line of SAM. All formats come down to it, so that a BAM can be compared to a SAM.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlignmentRecord {
    /// 1-based number of the record in its file, header lines not counted.
    pub(crate) number: u64,
    line: Vec<u8>,
    /// Ends of the mandatory fields within the line.
    ends: [usize; MANDATORY_FIELDS],
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
        let mut ends = [0; MANDATORY_FIELDS];
        let (mut found, mut start) = (0, 0);
        while found < MANDATORY_FIELDS && start <= line.len() {
            let end = line[start..].iter().position(|&byte| byte == b'\t').map_or(line.len(), |length| start + length);
            ends[found] = end;
            found += 1;
            start = end + 1;
        }
        if found < MANDATORY_FIELDS {
            return Err(format!(
                "{found} tab-separated fields; a record has at least {MANDATORY_FIELDS} (QNAME to QUAL): is the file complete?"
            ));
        }
        let mut record = Self { number, line, ends, ..Self::default() };
        let text = |field| String::from_utf8_lossy(record.field(field));
        let wrong =
            |field, name: &str, valid: &str| format!("{name} is \"{}\"; valid: {valid}", shown(record.field(field)));
        let flags = text(Field::Flags).parse().map_err(|_| wrong(Field::Flags, "FLAG", "0 to 65535"))?;
        let position = match text(Field::Position).parse::<u64>() {
            Ok(position) if position <= i32::MAX as u64 => position,
            _ => return Err(wrong(Field::Position, "POS", "0 to 2147483647")),
        };
        let mapping_quality =
            text(Field::MappingQuality).parse().map_err(|_| wrong(Field::MappingQuality, "MAPQ", "0 to 255"))?;
        if record.name().is_empty() {
            return Err(wrong(Field::Name, "QNAME", "at least one character"));
        }
        if record.cigar() != b"*" && !Operations(record.cigar()).all(|operation| operation.is_some()) {
            return Err(wrong(Field::Cigar, "CIGAR", "* or lengths, each with one of MIDNSHP=X"));
        }
        (record.flags, record.position, record.mapping_quality) = (flags, position, mapping_quality);
        Ok(record)
    }

    pub(crate) fn field(&self, field: Field) -> &[u8] {
        let number = field as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] + 1 };
        &self.line[start..self.ends[number]]
    }

    /// What follows the mandatory fields, each with its tag and type (`NM:i:0`); empty ones are left out.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &[u8]> {
        let start = (self.ends[MANDATORY_FIELDS - 1] + 1).min(self.line.len());
        self.line[start..].split(|&byte| byte == b'\t').filter(|tag| !tag.is_empty())
    }

    /// Value of a tag of type `i`.
    pub(crate) fn number_tag(&self, name: &[u8; 2]) -> Option<i64> {
        let [first, second] = *name;
        let value = self.tags().find_map(|tag| tag.strip_prefix(&[first, second, b':', b'i', b':']))?;
        str::from_utf8(value).ok()?.parse().ok()
    }

    pub(crate) fn name(&self) -> &[u8] {
        self.field(Field::Name)
    }

    pub(crate) fn contig(&self) -> &[u8] {
        self.field(Field::Contig)
    }

    pub(crate) fn cigar(&self) -> &[u8] {
        self.field(Field::Cigar)
    }

    /// Whether all fields and all tags are the same; the order of the tags does not count, as CRAM does not keep it, nor
    /// does the number of digits of a float.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        if self.line == other.line {
            return true;
        }
        let (mandatory, of_other) = (self.ends[MANDATORY_FIELDS - 1], other.ends[MANDATORY_FIELDS - 1]);
        if self.line[..mandatory] != other.line[..of_other] {
            return false;
        }
        let sorted = |record: &Self| {
            let mut tags: Vec<Vec<u8>> = record.tags().map(canonical).collect();
            tags.sort_unstable();
            tags
        };
        sorted(self) == sorted(other)
    }

    pub(crate) fn is_mapped(&self) -> bool {
        self.flags & 0x4 == 0
    }

    pub(crate) fn is_paired(&self) -> bool {
        self.flags & 0x1 != 0
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

    /// Same contig, strand and position, and the same CIGAR.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        self.contig() == other.contig()
            && self.is_reverse() == other.is_reverse()
            && self.position == other.position
            && self.cigar() == other.cigar()
    }

    /// 1-based position where the read would start were its leftmost clipped bases aligned; may lie before the contig.
    pub(crate) fn unclipped_start(&self) -> i64 {
        let is_clip = |(_, operation): &(u32, u8)| b"SH".contains(operation);
        let clipped: i64 = self.operations().take_while(is_clip).map(|(length, _)| i64::from(length)).sum();
        self.position as i64 - clipped
    }

    /// 1-based position where the read would end were its rightmost clipped bases aligned.
    pub(crate) fn unclipped_end(&self) -> i64 {
        let mut end = self.position as i64 - 1;
        let mut aligned = false;
        for (length, operation) in self.operations() {
            aligned |= !b"SH".contains(&operation);
            let counts = b"MDN=X".contains(&operation) || (aligned && b"SH".contains(&operation));
            end += if counts { i64::from(length) } else { 0 };
        }
        end
    }

    /// Lengths and operations of the CIGAR, in order; none for `*`.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (u32, u8)> {
        let cigar = if self.cigar() == b"*" { &[][..] } else { self.cigar() };
        Operations(cigar).flatten()
    }
}

/// The operations that are left of a CIGAR; one that is none comes as `None`, and is the last.
struct Operations<'a>(&'a [u8]);

impl Iterator for Operations<'_> {
    type Item = Option<(u32, u8)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let operation = rest.get(digits).copied().filter(|operation| b"MIDNSHP=X".contains(operation));
        let length = str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok());
        let (Some(operation), Some(length)) = (operation, length) else { return Some(None) };
        self.0 = &rest[digits + 1..];
        Some(Some((length, operation)))
    }
}

/// A tag in one form: a float as the bits that BAM holds.
pub(crate) fn canonical(tag: &[u8]) -> Vec<u8> {
    let float = tag.get(2..5).filter(|form| *form == b":f:").and_then(|_| str::from_utf8(&tag[5..]).ok());
    match float.and_then(|text| text.parse::<f32>().ok()) {
        Some(value) => [&tag[..5], format!("{value:e}").as_bytes()].concat(),
        None => tag.to_vec(),
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
        for tags in ["", "\t", "\tNM:i:0\tAS:i:5"] {
            let record = parse(&format!("r1\t147\tchr1\t101\t37\t3H2S5M\t=\t1\t-105\tACGTACG\t*{tags}")).unwrap();
            assert_eq!(record.name(), b"r1");
            assert_eq!(record.contig(), b"chr1");
            assert_eq!(record.field(Field::TemplateLength), b"-105");
            assert_eq!((record.position, record.mapping_quality, record.mate()), (101, 37, 2));
            assert_eq!((record.unclipped_start(), record.unclipped_end()), (96, 105));
            assert!(record.is_mapped() && record.is_reverse() && record.is_proper_pair());
            assert!(!record.is_secondary() && !record.is_supplementary());
            assert_eq!(record.tags().count(), if tags.len() > 1 { 2 } else { 0 });
            assert_eq!(record.number_tag(b"AS"), (tags.len() > 1).then_some(5));
        }
    }

    #[test]
    fn ends_count_deletions_and_clips_and_no_insertions() {
        let record = parse("r1\t0\tchr1\t101\t37\t2S5M3I4D6M1S2H\t*\t0\t0\t*\t*").unwrap();
        assert_eq!((record.unclipped_start(), record.unclipped_end()), (99, 118));
    }

    #[test]
    fn order_of_tags_and_digits_of_floats_do_not_count() {
        let record = |tags: &str| parse(&format!("r1\t0\tchr1\t101\t37\t4M\t*\t0\t0\tACGT\t*\t{tags}")).unwrap();
        let one = record("NM:i:0\tpa:f:0.990\tAS:i:5");
        assert!(one.same_as(&record("AS:i:5\tpa:f:0.99\tNM:i:0")));
        assert!(!one.same_as(&record("AS:i:5\tpa:f:0.98\tNM:i:0")));
        assert!(!one.same_as(&record("AS:i:5\tNM:i:0")));
    }

    #[test]
    fn wrong_fields_are_named_with_their_value() {
        let line = |flag: &str, position: &str, quality: &str, cigar: &str| {
            parse(&format!("r1\t{flag}\tchr1\t{position}\t{quality}\t{cigar}\t*\t0\t0\tA\t*")).unwrap_err()
        };
        assert!(line("x", "1", "1", "1M").starts_with("FLAG is \"x\""));
        assert!(line("0", "-1", "1", "1M").starts_with("POS is \"-1\""));
        assert!(line("0", "2147483648", "1", "1M").starts_with("POS is \"2147483648\"; valid: 0 to 2147483647"));
        assert!(line("0", "1", "256", "1M").starts_with("MAPQ is \"256\"; valid: 0 to 255"));
        assert!(line("0", "1", "1", "5").starts_with("CIGAR is \"5\""));
        assert!(line("0", "1", "1", "99999999999M").starts_with("CIGAR"));
        assert!(line("0", "1", "1", "4MM").starts_with("CIGAR"));
        assert!(parse("r1\t0\tchr1").unwrap_err().starts_with("3 tab-separated fields"));
        assert!(parse("").unwrap_err().starts_with("1 tab-separated"));
    }
}
