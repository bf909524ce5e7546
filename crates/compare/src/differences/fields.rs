use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::{AlignmentRecord, Field, canonical};

/// Which fields and tags differ in the reads whose place and CIGAR are the same in both files (or that are unmapped in
/// both): elsewhere nearly all do.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct FieldDifferences {
    /// Reads whose place is the same, those with identical records among them.
    pub reads: u64,
    /// Fields besides the place and the name, in the order of SAM.
    pub fields: Vec<FieldCounts>,
    /// Tags that differ in at least one read, by name.
    pub tags: Vec<TagCounts>,
}

/// A field and the reads in which it differs.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
pub struct FieldCounts {
    /// Name of the field in the SAM specification.
    pub field: &'static str,
    /// Reads in which it differs.
    pub differs: u64,
}

/// A tag and the reads in which it differs.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TagCounts {
    /// Two characters; `??` stands for what is no TAG:TYPE:VALUE.
    pub tag: String,
    /// Reads that have it in both files, with different values.
    pub differs: u64,
    /// Reads that have it in the first file only.
    pub only_a: u64,
    /// Reads that have it in the second file only.
    pub only_b: u64,
}

const FIELDS: [(Field, &str); 7] = [
    (Field::Flags, "FLAG"),
    (Field::MappingQuality, "MAPQ"),
    (Field::MateContig, "RNEXT"),
    (Field::MatePosition, "PNEXT"),
    (Field::TemplateLength, "TLEN"),
    (Field::Sequence, "SEQ"),
    (Field::Qualities, "QUAL"),
];

/// Counts fields and tags of reads of one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldCounter {
    reads: u64,
    fields: [u64; FIELDS.len()],
    /// Differs, only in the first file, only in the second.
    tags: BTreeMap<[u8; 2], [u64; 3]>,
}

impl FieldCounter {
    pub(crate) fn add_identical(&mut self) {
        self.reads += 1;
    }

    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord) {
        self.reads += 1;
        for ((field, _), count) in FIELDS.iter().zip(&mut self.fields) {
            *count += u64::from(a.field(*field) != b.field(*field));
        }
        let (of_a, of_b) = (tags(a), tags(b));
        for (name, value) in &of_a {
            match of_b.get(name) {
                Some(other) if other == value => {}
                Some(_) => self.tags.entry(*name).or_default()[0] += 1,
                None => self.tags.entry(*name).or_default()[1] += 1,
            }
        }
        for name in of_b.keys().filter(|name| !of_a.contains_key(*name)) {
            self.tags.entry(*name).or_default()[2] += 1;
        }
    }

    pub(crate) fn finish(self) -> FieldDifferences {
        let fields = FIELDS.iter().zip(self.fields).map(|((_, field), differs)| FieldCounts { field, differs });
        let tags = self.tags.into_iter().map(|(name, [differs, only_a, only_b])| TagCounts {
            tag: String::from_utf8_lossy(&name).into_owned(),
            differs,
            only_a,
            only_b,
        });
        FieldDifferences { reads: self.reads, fields: fields.collect(), tags: tags.collect() }
    }
}

/// Tags by name; of several of one name all values together.
fn tags(record: &AlignmentRecord) -> BTreeMap<[u8; 2], Vec<u8>> {
    let mut tags = BTreeMap::new();
    for tag in record.tags() {
        let name = match tag {
            [first, second, b':', _, b':', ..] if first.is_ascii_graphic() && second.is_ascii_graphic() => {
                [*first, *second]
            }
            _ => *b"??",
        };
        let value: &mut Vec<u8> = tags.entry(name).or_default();
        value.extend(canonical(tag));
        value.push(b'\t');
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_tags_are_counted_by_name() {
        let record = |quality: u8, tags: &str| {
            let line = format!("r\t0\tc\t1\t{quality}\t4M\t*\t0\t0\tACGT\t*\t{tags}");
            AlignmentRecord::parse(1, line.into_bytes()).unwrap()
        };
        let mut counter = FieldCounter::default();
        counter.add_identical();
        counter.add(&record(60, "NM:i:0\tXS:i:4\tXA:Z:c,1"), &record(50, "XS:i:5\tNM:i:0\tSA:Z:c,2"));
        counter.add(&record(60, "XS:i:4\todd"), &record(60, "XS:i:5\todd"));
        let differences = counter.finish();
        assert_eq!(differences.reads, 3);
        let differing: Vec<_> = differences.fields.iter().filter(|field| field.differs > 0).collect();
        assert_eq!(differing, [&FieldCounts { field: "MAPQ", differs: 1 }]);
        let tags: Vec<_> =
            differences.tags.iter().map(|tag| (tag.tag.as_str(), tag.differs, tag.only_a, tag.only_b)).collect();
        assert_eq!(tags, [("SA", 0, 0, 1), ("XA", 0, 1, 0), ("XS", 2, 0, 0)]);
    }
}
