//! SAM (plain, gzip or BGZF), BAM and CRAM as streams of records.

mod bam;
mod bgzf;
#[cfg(feature = "htslib")]
mod cram;
mod sam;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::CompareError;
use crate::record::AlignmentRecord;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;
/// Bytes by which the formats are told from each other.
const HEAD: usize = 18;

/// Alignment records of one file, pipe or stream, in order; its first bytes tell the format.
pub struct AlignmentInput {
    path: PathBuf,
    source: Source,
    contigs: Vec<(String, String)>,
    records: u64,
    /// Where the stream is BGZF: its last bytes so far.
    end: Option<bgzf::LastBytes>,
}

enum Source {
    Sam(sam::Lines),
    Bam(Box<bam::BamRecords>),
    #[cfg(feature = "htslib")]
    Cram(Box<cram::CramRecords>),
}

impl AlignmentInput {
    /// Opens a file or a pipe; `-` is standard input. CRAM is decoded with the FASTA `reference`.
    ///
    /// # Errors
    /// [`CompareError`] for what cannot be read, is of another format, or is seen to be truncated; for CRAM without a
    /// reference, or in a build without htslib.
    pub fn open(path: &Path, reference: Option<&Path>) -> Result<Self, CompareError> {
        let read_error = |source| CompareError::Read { path: path.to_owned(), record: 0, source };
        if path.as_os_str() == "-" {
            return Self::from_reader(Path::new("standard input"), Box::new(io::stdin()));
        }
        let mut file = File::open(path).map_err(read_error)?;
        if path.is_file() {
            let head = head_of(&mut file).map_err(read_error)?;
            if head.starts_with(b"CRAM") {
                return Self::cram(path, reference);
            }
            // A file that was cut between two blocks shows before the work, not after it.
            if bgzf::is_bgzf(&head) && !bgzf::file_ends_with_marker(&mut file).map_err(read_error)? {
                return Err(bgzf::truncated(path));
            }
            file = File::open(path).map_err(read_error)?;
        }
        Self::from_reader(path, Box::new(file))
    }

    /// Reads SAM (plain, gzip or BGZF) or BAM from a stream; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`AlignmentInput::open`]; CRAM cannot be read from a stream.
    pub fn from_reader(name: &Path, mut reader: Box<dyn Read + Send>) -> Result<Self, CompareError> {
        let read_error = |source| CompareError::Read { path: name.to_owned(), record: 0, source };
        let format = |found| CompareError::Format { path: name.to_owned(), found };
        let head = head_of(&mut reader).map_err(read_error)?;
        match head.as_slice() {
            [] => return Err(format("empty")),
            [b'C', b'R', b'A', b'M', ..] => return Err(CompareError::CramFromPipe { path: name.to_owned() }),
            [b'B', b'A', b'M', 1, ..] => return Err(format("BAM without its BGZF compression")),
            _ => {}
        }
        let whole = io::Cursor::new(head.clone()).chain(reader);
        if !head.starts_with(&[0x1f, 0x8b]) {
            return Self::sam(name, Box::new(BufReader::with_capacity(BUFFER, whole)), None);
        }
        let (watched, end) = bgzf::Watched::new(whole);
        let end = bgzf::is_bgzf(&head).then_some(end);
        let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, watched));
        let mut magic = [0; 4];
        let length = read_up_to(&mut decoder, &mut magic).map_err(read_error)?;
        if magic == *b"BAM\x01" {
            let (records, contigs) = bam::BamRecords::start(name, Box::new(BufReader::new(decoder)))?;
            let source = Source::Bam(Box::new(records));
            return Ok(Self { path: name.to_owned(), source, contigs, records: 0, end });
        }
        let text = io::Cursor::new(magic[..length].to_vec()).chain(decoder);
        Self::sam(name, Box::new(BufReader::with_capacity(BUFFER, text)), end)
    }

    fn sam(path: &Path, text: sam::Text, end: Option<bgzf::LastBytes>) -> Result<Self, CompareError> {
        let (lines, contigs) = sam::Lines::start(path, text)?;
        Ok(Self { path: path.to_owned(), source: Source::Sam(lines), contigs, records: 0, end })
    }

    #[cfg(feature = "htslib")]
    fn cram(path: &Path, reference: Option<&Path>) -> Result<Self, CompareError> {
        let (records, contigs) = cram::CramRecords::open(path, reference)?;
        let source = Source::Cram(Box::new(records));
        Ok(Self { path: path.to_owned(), source, contigs, records: 0, end: None })
    }

    #[cfg(not(feature = "htslib"))]
    fn cram(path: &Path, _: Option<&Path>) -> Result<Self, CompareError> {
        let problem = "CRAM needs htslib, and this program was built without it; convert it with `samtools view -b`";
        Err(CompareError::Cram { path: path.to_owned(), problem: problem.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Contigs of the header: names and lengths, as they stand in it. Empty where there is no header.
    pub(crate) fn contigs(&self) -> &[(String, String)] {
        &self.contigs
    }

    /// The next record; `None` at the end of the file.
    pub(crate) fn next_record(&mut self) -> Result<Option<AlignmentRecord>, CompareError> {
        let number = self.records + 1;
        let line = match &mut self.source {
            Source::Sam(lines) => lines.next_line(&self.path)?,
            Source::Bam(records) => records.next_line(&self.path, number)?,
            #[cfg(feature = "htslib")]
            Source::Cram(records) => records.next_line(&self.path, number)?,
        };
        let Some(line) = line else {
            return match &self.end {
                Some(end) if !end.are_marker() => Err(bgzf::truncated(&self.path)),
                _ => Ok(None),
            };
        };
        let record = AlignmentRecord::parse(number, line).map_err(|problem| match &self.source {
            Source::Sam(lines) => CompareError::Line { path: self.path.clone(), line: lines.line(), problem },
            _ => read_error(&self.path, number, invalid(problem)),
        })?;
        self.records = number;
        Ok(Some(record))
    }
}

/// The error of a record that cannot be read.
fn read_error(path: &Path, record: u64, source: io::Error) -> CompareError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return CompareError::Truncated { path: path.to_owned(), why: format!("it ends within record {record}") };
    }
    CompareError::Read { path: path.to_owned(), record, source }
}

fn invalid(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Opens a file of text, plain or gzip.
pub(crate) fn open_text(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut file = File::open(path)?;
    let head = head_of(&mut file)?;
    let whole = BufReader::with_capacity(BUFFER, io::Cursor::new(head.clone()).chain(file));
    Ok(if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::new(MultiGzDecoder::new(whole)))
    } else {
        Box::new(whole)
    })
}

fn head_of(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD];
    let length = read_up_to(source, &mut head)?;
    Ok(head[..length].to_vec())
}

fn read_up_to(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match source.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
