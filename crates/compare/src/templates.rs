//! Records of the same read name, together.

use std::path::Path;

use crate::error::CompareError;
use crate::input::AlignmentInput;
use crate::record::AlignmentRecord;
use crate::shown::shown;

/// What a file says of one read or pair.
pub(crate) struct Template {
    /// Primary record of the unpaired read, or of the first and the second mate.
    pub(crate) primaries: [Option<AlignmentRecord>; 3],
    pub(crate) secondary: Vec<AlignmentRecord>,
    pub(crate) supplementary: Vec<AlignmentRecord>,
    /// 1-based number of its first record.
    pub(crate) first_record: u64,
    pub(crate) name: String,
}

/// Reads a file template by template.
pub(crate) struct Templates {
    file: AlignmentInput,
    ahead: Option<AlignmentRecord>,
}

impl Templates {
    pub(crate) fn new(mut file: AlignmentInput) -> Result<Self, CompareError> {
        let ahead = file.next_record()?;
        Ok(Self { file, ahead })
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn contigs(&self) -> &[(String, String)] {
        self.file.contigs()
    }

    /// The next read or pair; `None` at the end of the file.
    pub(crate) fn next_template(&mut self) -> Result<Option<Template>, CompareError> {
        let Some(first) = self.ahead.take() else { return Ok(None) };
        let mut template = Template {
            primaries: [None, None, None],
            secondary: Vec::new(),
            supplementary: Vec::new(),
            first_record: first.number,
            name: String::from_utf8_lossy(first.name()).into_owned(),
        };
        let name = first.name().to_vec();
        let mut next = Some(first);
        while let Some(record) = next.take() {
            if record.name() != name || !template.takes(&record) {
                self.ahead = Some(record);
                break;
            }
            template.add(record);
            next = self.file.next_record()?;
        }
        self.check(&template)?;
        Ok(Some(template))
    }

    fn check(&self, template: &Template) -> Result<(), CompareError> {
        let problem = match &template.primaries {
            [Some(_), None, None] | [None, Some(_), Some(_)] => return Ok(()),
            [None, None, None] => "it has no primary record here",
            [None, Some(_), None] => "the second mate is not next to the first",
            [None, None, Some(_)] => "the first mate is not next to the second",
            [Some(_), ..] => "some of its records are paired (flag 0x1), some are not",
        };
        Err(CompareError::Order {
            path: self.path().to_owned(),
            record: template.first_record,
            name: shown(template.name.as_bytes()),
            problem: problem.to_owned(),
        })
    }
}

impl Template {
    /// Name, kind and record number, for messages.
    pub(crate) fn place_and_mates(&self) -> String {
        let kind = if self.primaries[0].is_some() { "unpaired" } else { "paired" };
        format!("the {kind} read {} at record {}", shown(self.name.as_bytes()), self.first_record)
    }

    /// False for the primary record of another read that has the same name.
    fn takes(&self, record: &AlignmentRecord) -> bool {
        record.is_secondary() || record.is_supplementary() || self.primaries[record.mate()].is_none()
    }

    fn add(&mut self, record: AlignmentRecord) {
        if record.is_secondary() {
            self.secondary.push(record);
        } else if record.is_supplementary() {
            self.supplementary.push(record);
        } else {
            let mate = record.mate();
            self.primaries[mate] = Some(record);
        }
    }
}
