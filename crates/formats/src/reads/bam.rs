use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use noodles::bam::{self, Record};
use seedsieve_aligner::{AlignerError, Mate, Read, ReadStream};

use super::tags::comment_of;
use super::{Input, KeptTags, RawRead, invalid, read_group_lines};

/// The empty block that ends each BGZF file (SAM specification, section 4.1.2).
const END_OF_FILE: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// Bytes of a record without name, CIGAR, sequence and tags (section 4.2).
const MIN_RECORD_BYTES: u32 = 32;
/// Above the longest reads with all their tags: a broken size must not ask for gigabytes of memory.
const MAX_RECORD_BYTES: u32 = 1 << 26;
/// The same for the header's text, and for the name of a contig.
const MAX_HEADER_BYTES: u32 = 1 << 30;
const MAX_NAME_BYTES: u32 = 1 << 16;
/// What every message about a broken file ends with.
const ADVICE: &str = "the file is truncated or corrupt, copy it again";

/// Reads the reads of a decompressed BAM.
pub(super) struct BamReads {
    path: PathBuf,
    input: Input,
    kept: KeptTags,
    record: Record,
    bytes: Vec<u8>,
    records: u64,
}

/// A regular file that was cut between two blocks looks sound but for its end.
pub(super) fn check_end(path: &Path) -> Result<(), AlignerError> {
    if !path.is_file() {
        return Ok(());
    }
    let ends_well = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        let mut end = [0; END_OF_FILE.len()];
        if file.metadata()?.len() >= end.len() as u64 {
            file.seek(SeekFrom::End(-(end.len() as i64)))?;
            file.read_exact(&mut end)?;
        }
        Ok(end == END_OF_FILE)
    };
    let problem = match ends_well() {
        Ok(true) => return Ok(()),
        Ok(false) => format!("lacks the block that ends a BAM; {ADVICE}"),
        Err(reason) => reason.to_string(),
    };
    Err(AlignerError::ReadsFile { path: path.into(), problem })
}

impl BamReads {
    /// Reads the header, and returns its read groups, too.
    pub fn start(path: &Path, mut input: Input, kept: KeptTags) -> Result<(Self, Vec<String>), AlignerError> {
        let text = read_header(&mut input).map_err(|reason| AlignerError::ReadsFile {
            path: path.into(),
            problem: format!("header: {reason}; {ADVICE}"),
        })?;
        let reads = Self { path: path.into(), input, kept, record: Record::default(), bytes: Vec::new(), records: 0 };
        Ok((reads, read_group_lines(&text)))
    }

    /// The next record's bytes behind its size; false at the end.
    fn read_bytes(&mut self) -> io::Result<bool> {
        self.bytes.clear();
        (&mut self.input).take(4).read_to_end(&mut self.bytes)?;
        if self.bytes.is_empty() {
            return Ok(false);
        }
        let size: [u8; 4] = self.bytes.as_slice().try_into().map_err(|_| invalid("the file ends within its size"))?;
        let size = u32::from_le_bytes(size);
        if !(MIN_RECORD_BYTES..=MAX_RECORD_BYTES).contains(&size) {
            return Err(invalid(format!("has {size} bytes, valid are {MIN_RECORD_BYTES} to {MAX_RECORD_BYTES}")));
        }
        let found = (&mut self.input).take(u64::from(size)).read_to_end(&mut self.bytes)?;
        if found < size as usize {
            return Err(invalid(format!("has {size} bytes, and the file ends after {found}")));
        }
        Ok(true)
    }

    /// The next read that is none's further alignment.
    fn next_raw(&mut self) -> io::Result<Option<RawRead>> {
        loop {
            self.records += 1;
            if !self.read_bytes()? {
                return Ok(None);
            }
            bam::io::Reader::from(self.bytes.as_slice()).read_record(&mut self.record)?;
            let record = &self.record;
            let flags = u16::from(record.flags());
            if RawRead::is_repeated(flags) {
                continue;
            }
            return Ok(Some(RawRead {
                name: record.name().map(|name| name.to_vec()).unwrap_or_default(),
                flags,
                bases: record.sequence().iter().collect(),
                qualities: record.quality_scores().as_bytes().to_vec(),
                comment: if self.kept.tags { comment_of(&record.data(), self.kept)? } else { None },
            }));
        }
    }
}

impl ReadStream for BamReads {
    fn next_read(&mut self) -> Result<Option<(Read, Mate)>, AlignerError> {
        let raw = self.next_raw().map_err(|reason| self.error(format!("{reason}; {ADVICE}")))?;
        raw.map(|raw| raw.into_read(ADVICE)).transpose().map_err(|problem| self.error(problem))
    }

    fn error(&self, problem: String) -> AlignerError {
        AlignerError::Reads { path: self.path.clone(), record: self.records, problem }
    }
}

/// Reads up to the first record; returns the header's text.
fn read_header(input: &mut Input) -> io::Result<Vec<u8>> {
    number(input, u32::MAX, "the magic number")?;
    let length = number(input, MAX_HEADER_BYTES, "the length of the text")?;
    let mut text = Vec::new();
    let found = input.take(u64::from(length)).read_to_end(&mut text)?;
    if found < length as usize {
        return Err(invalid(format!("the text has {length} bytes, and the file ends after {found}")));
    }
    for _ in 0..number(input, i32::MAX as u32, "the number of contigs")? {
        let name = number(input, MAX_NAME_BYTES, "the length of a contig's name")?;
        io::copy(&mut input.take(u64::from(name)), &mut io::sink())?;
        number(input, u32::MAX, "the length of a contig")?;
    }
    Ok(text)
}

fn number(input: &mut Input, most: u32, what: &str) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    let value = u32::from_le_bytes(bytes);
    if value > most { Err(invalid(format!("{what} is {value}, valid is up to {most}"))) } else { Ok(value) }
}
