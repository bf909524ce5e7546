use serde::Serialize;

use crate::change::Change;
use crate::record::AlignmentRecord;

/// A read that changed, to be looked up in both files.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Example {
    /// What became of it.
    pub change: Change,
    /// Its name.
    pub read: String,
    /// 0 for an unpaired read, 1 and 2 for the mates of a pair.
    pub mate: usize,
    /// Its primary record in the first file.
    pub a: ExampleRecord,
    /// Its primary record in the second file.
    pub b: ExampleRecord,
}

/// Where a record of an [`Example`] lies.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ExampleRecord {
    /// 1-based number of the record in its file, header lines not counted.
    pub record: u64,
    /// FLAG.
    pub flag: u16,
    /// RNAME.
    pub contig: String,
    /// POS, 1-based.
    pub position: u64,
    /// MAPQ.
    pub mapq: u8,
    /// CIGAR.
    pub cigar: String,
    /// Alignment score, where there is a tag AS.
    pub score: Option<i64>,
    /// Score of the next best alignment, where there is a tag XS.
    pub next_score: Option<i64>,
}

/// The first reads of each change but [`Change::Identical`].
#[derive(Clone, Debug)]
pub(crate) struct Examples {
    most: usize,
    found: [Vec<Example>; Change::ALL.len()],
}

impl Examples {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, found: Default::default() }
    }

    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord, change: Change) {
        let found = &mut self.found[change as usize];
        if change != Change::Identical && found.len() < self.most {
            let read = String::from_utf8_lossy(a.name()).into_owned();
            found.push(Example { change, read, mate: a.mate(), a: ExampleRecord::of(a), b: ExampleRecord::of(b) });
        }
    }

    /// In the order of the changes, and of the files within each.
    pub(crate) fn finish(self) -> Vec<Example> {
        self.found.into_iter().flatten().collect()
    }
}

impl ExampleRecord {
    fn of(record: &AlignmentRecord) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self {
            record: record.number,
            flag: record.flags,
            contig: text(record.contig()),
            position: record.position,
            mapq: record.mapping_quality,
            cigar: text(record.cigar()),
            score: record.number_tag(b"AS"),
            next_score: record.number_tag(b"XS"),
        }
    }
}
