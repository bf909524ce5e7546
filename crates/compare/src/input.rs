//! SAM (plain or gzip) and BAM as streams of records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use noodles::{bam, sam, sam::alignment::io::Write as _};

use crate::error::CompareError;
use crate::record::AlignmentRecord;

/// The empty block at the end of every complete BGZF file (SAM specification, section 4.1.2).
const BGZF_END: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// A file of alignment records, read in order.
pub(crate) struct AlignmentFile {
    path: PathBuf,
    source: Source,
    /// Contigs of the header: names and lengths, as they stand in it. Empty where there is no header.
    pub(crate) contigs: Vec<(String, String)>,
    records: u64,
}

enum Source {
    Sam {
        lines: Box<dyn BufRead>,
        /// Lines taken so far.
        line: u64,
        /// The first record, which was read to find the end of the header.
        first: Option<Vec<u8>>,
    },
    Bam(Box<BamSource>),
}

struct BamSource {
    reader: bam::io::Reader<MultiGzDecoder<BufReader<File>>>,
    header: sam::Header,
    record: bam::Record,
}

impl AlignmentFile {
    pub(crate) fn open(path: &Path) -> Result<Self, CompareError> {
        let read_error = |source| CompareError::Read { path: path.to_owned(), record: 0, source };
        let mut file = File::open(path).map_err(read_error)?;
        let start = peek(&mut file).map_err(read_error)?;
        let format = |found| CompareError::Format { path: path.to_owned(), found };
        let is_gzip = start.starts_with(&[0x1f, 0x8b]);
        match start.as_slice() {
            [] => return Err(format("empty")),
            [b'C', b'R', b'A', b'M', ..] => return Err(format("CRAM")),
            [b'>', ..] => return Err(format("FASTA")),
            [b'B', b'A', b'M', 1, ..] => return Err(format("BAM without its BGZF compression")),
            _ => {}
        }
        if !is_gzip {
            return Self::sam(path, Box::new(BufReader::with_capacity(1 << 18, file)));
        }
        let is_bgzf = start.len() >= 14 && start[12..14] == *b"BC";
        if is_bgzf && !ends_with_bgzf_end(&mut file).map_err(read_error)? {
            let why = "its last block is not the end-of-file marker of BGZF".to_owned();
            return Err(CompareError::Truncated { path: path.to_owned(), why });
        }
        let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 18, file));
        let mut magic = [0; 4];
        let length = read_up_to(&mut decoder, &mut magic).map_err(read_error)?;
        if magic == *b"BAM\x01" {
            let mut file = decoder.into_inner().into_inner();
            file.seek(SeekFrom::Start(0)).map_err(read_error)?;
            return Self::bam(path, file);
        }
        let start = io::Cursor::new(magic[..length].to_vec());
        Self::sam(path, Box::new(BufReader::with_capacity(1 << 18, start.chain(decoder))))
    }

    fn bam(path: &Path, file: File) -> Result<Self, CompareError> {
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 18, file));
        let mut reader = bam::io::Reader::from(decoder);
        let header =
            reader.read_header().map_err(|source| CompareError::Read { path: path.to_owned(), record: 0, source })?;
        let contigs = header
            .reference_sequences()
            .iter()
            .map(|(name, contig)| (name.to_string(), contig.length().to_string()))
            .collect();
        let source = Source::Bam(Box::new(BamSource { reader, header, record: bam::Record::default() }));
        Ok(Self { path: path.to_owned(), source, contigs, records: 0 })
    }

    fn sam(path: &Path, mut lines: Box<dyn BufRead>) -> Result<Self, CompareError> {
        let mut contigs = Vec::new();
        let mut line = 0;
        let first = loop {
            match next_line(&mut lines, path, &mut line)? {
                Some(text) if text.starts_with(b"@") => contigs.extend(contig_of(&text)),
                other => break other,
            }
        };
        Ok(Self { path: path.to_owned(), source: Source::Sam { lines, line, first }, contigs, records: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next record; `None` at the end of the file.
    pub(crate) fn next_record(&mut self) -> Result<Option<AlignmentRecord>, CompareError> {
        let number = self.records + 1;
        let parsed = match &mut self.source {
            Source::Sam { lines, line, first } => {
                let text = match first.take() {
                    Some(text) => Some(text),
                    None => next_line(lines, &self.path, line)?,
                };
                let Some(text) = text else { return Ok(None) };
                let line = *line;
                AlignmentRecord::parse(number, text).map_err(|problem| CompareError::Line {
                    path: self.path.clone(),
                    line,
                    problem,
                })?
            }
            Source::Bam(bam) => {
                let BamSource { reader, header, record } = bam.as_mut();
                let path = &self.path;
                let read_error = |source| bam_error(path, number, source);
                if reader.read_record(record).map_err(read_error)? == 0 {
                    return Ok(None);
                }
                let mut writer = sam::io::Writer::new(Vec::new());
                writer.write_alignment_record(header, record).map_err(read_error)?;
                let mut text = writer.into_inner();
                text.pop_if(|&mut last| last == b'\n');
                AlignmentRecord::parse(number, text)
                    .map_err(|problem| read_error(io::Error::new(io::ErrorKind::InvalidData, problem)))?
            }
        };
        self.records = number;
        Ok(Some(parsed))
    }
}

fn bam_error(path: &Path, record: u64, source: io::Error) -> CompareError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return CompareError::Truncated { path: path.to_owned(), why: format!("it ends within record {record}") };
    }
    CompareError::Read { path: path.to_owned(), record, source }
}

/// The next line without its end; `line` is then its number.
fn next_line(lines: &mut dyn BufRead, path: &Path, line: &mut u64) -> Result<Option<Vec<u8>>, CompareError> {
    let mut text = Vec::with_capacity(512);
    let truncated = |why| CompareError::Truncated { path: path.to_owned(), why };
    lines.read_until(b'\n', &mut text).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => truncated(format!("its compressed data end within line {}", *line + 1)),
        _ => CompareError::Line { path: path.to_owned(), line: *line + 1, problem: source.to_string() },
    })?;
    if text.is_empty() {
        return Ok(None);
    }
    *line += 1;
    if text.pop() != Some(b'\n') {
        return Err(truncated(format!("line {line}, the last one, has no line end")));
    }
    text.pop_if(|&mut last| last == b'\r');
    Ok(Some(text))
}

/// Name and length of an `@SQ` line.
fn contig_of(line: &[u8]) -> Option<(String, String)> {
    let line = str::from_utf8(line).ok()?.strip_prefix("@SQ\t")?;
    let field = |tag| line.split('\t').find_map(|field| field.strip_prefix(tag)).map(str::to_owned);
    Some((field("SN:")?, field("LN:")?))
}

/// The first bytes of a file, which is then at its start again.
fn peek(file: &mut File) -> io::Result<Vec<u8>> {
    let mut start = [0; 18];
    let length = read_up_to(file, &mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(start[..length].to_vec())
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

fn ends_with_bgzf_end(file: &mut File) -> io::Result<bool> {
    let mut end = [0; BGZF_END.len()];
    let length = file.seek(SeekFrom::End(0))?;
    if length >= end.len() as u64 {
        file.seek(SeekFrom::End(-(end.len() as i64)))?;
        file.read_exact(&mut end)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(end == BGZF_END)
}
