use std::io;
use std::path::{Path, PathBuf};

use rust_htslib::bam::record::Aux;
use rust_htslib::bam::{Read as _, Reader, Record};
use seedsieve_aligner::{AlignerError, Mate, Read, ReadStream};

use super::tags::{array, is_kept, push_tag};
use super::{KeptTags, RawRead, invalid, read_group_lines};
use crate::cram::ends_completely;

/// Reads the reads of a CRAM through htslib.
pub(super) struct CramReads {
    path: PathBuf,
    reader: Reader,
    kept: KeptTags,
    record: Record,
    records: u64,
}

impl CramReads {
    pub fn open(path: &Path, reference: &Path, kept: KeptTags) -> Result<(Self, Vec<String>), AlignerError> {
        let failed = |problem: String| AlignerError::ReadsFile { path: path.into(), problem };
        if !ends_completely(path).map_err(|reason| failed(reason.to_string()))? {
            return Err(failed(
                "lacks the container that ends a CRAM 3; the file is truncated or of an older version".into(),
            ));
        }
        let mut reader = Reader::from_path(path).map_err(|error| failed(error.to_string()))?;
        // Unaligned reads are stored as they are, and need no reference.
        if reference.is_file() {
            reader.set_reference(reference).map_err(|error| {
                failed(format!("the reference {} cannot be used to decode it ({error})", reference.display()))
            })?;
        }
        let read_groups = read_group_lines(reader.header().as_bytes());
        Ok((Self { path: path.into(), reader, kept, record: Record::new(), records: 0 }, read_groups))
    }

    fn comment(&self) -> io::Result<Option<String>> {
        let mut comment = String::new();
        for field in self.record.aux_iter() {
            let (tag, value) = field.map_err(|error| invalid(error.to_string()))?;
            let tag: [u8; 2] = tag.try_into().map_err(|_| invalid("a tag without two characters"))?;
            if is_kept(tag, self.kept) {
                push_tag(&mut comment, tag, &text_of(&value)?)?;
            }
        }
        Ok(Some(comment).filter(|comment| !comment.is_empty()))
    }
}

impl ReadStream for CramReads {
    fn next_read(&mut self) -> Result<Option<(Read, Mate)>, AlignerError> {
        const ADVICE: &str =
            "the file is truncated or corrupt, or --reference is not the FASTA that it was compressed with";
        loop {
            self.records += 1;
            match self.reader.read(&mut self.record) {
                None => return Ok(None),
                Some(Ok(())) => {}
                Some(Err(error)) => return Err(self.error(format!("{error}; {ADVICE}"))),
            }
            let record = &self.record;
            if RawRead::is_repeated(record.flags()) {
                continue;
            }
            let comment = if self.kept.tags { self.comment() } else { Ok(None) };
            let raw = RawRead {
                name: record.qname().to_vec(),
                flags: record.flags(),
                bases: record.seq().as_bytes(),
                qualities: record.qual().to_vec(),
                comment: comment.map_err(|reason| self.error(format!("{reason}; {ADVICE}")))?,
            };
            return raw.into_read(ADVICE).map(Some).map_err(|problem| self.error(problem));
        }
    }

    fn error(&self, problem: String) -> AlignerError {
        AlignerError::Reads { path: self.path.clone(), record: self.records, problem }
    }
}

fn text_of(value: &Aux<'_>) -> io::Result<String> {
    Ok(match value {
        Aux::Char(character) => format!("A:{}", char::from(*character)),
        Aux::I8(number) => format!("i:{number}"),
        Aux::U8(number) => format!("i:{number}"),
        Aux::I16(number) => format!("i:{number}"),
        Aux::U16(number) => format!("i:{number}"),
        Aux::I32(number) => format!("i:{number}"),
        Aux::U32(number) => format!("i:{number}"),
        Aux::Float(number) => format!("f:{number}"),
        Aux::Double(number) => format!("f:{number}"),
        Aux::String(text) => format!("Z:{text}"),
        Aux::HexByteArray(text) => format!("H:{text}"),
        Aux::ArrayI8(values) => array('c', values.iter().map(Ok))?,
        Aux::ArrayU8(values) => array('C', values.iter().map(Ok))?,
        Aux::ArrayI16(values) => array('s', values.iter().map(Ok))?,
        Aux::ArrayU16(values) => array('S', values.iter().map(Ok))?,
        Aux::ArrayI32(values) => array('i', values.iter().map(Ok))?,
        Aux::ArrayU32(values) => array('I', values.iter().map(Ok))?,
        Aux::ArrayFloat(values) => array('f', values.iter().map(Ok))?,
    })
}
