//! Reads from FASTQ or FASTA, plain or gzip, in bwa's chunks.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use needletail::errors::{ParseError, ParseErrorKind};
use needletail::parser::{FastxReader, parse_fastx_reader};

use crate::input::{open_input, peek};
use crate::read_name::check_read_name;
use crate::{AlignerError, Mate, Read, ReadStream};

/// Reads one FASTQ or FASTA file, plain or gzip.
pub struct FastqReader {
    path: PathBuf,
    records: u64,
    parser: Option<Box<dyn FastxReader>>,
}

impl FastqReader {
    /// Opens `path`; `-` is standard input. An empty file has no reads.
    ///
    /// # Errors
    /// A file that cannot be opened, or that is neither FASTQ nor FASTA.
    pub fn open(path: &Path) -> Result<Self, AlignerError> {
        Self::from_input(path, open_input(path)?)
    }

    /// Reads what [`open_input`] has opened; `path` is its name in messages.
    ///
    /// # Errors
    /// What is neither FASTQ nor FASTA.
    pub fn from_input(path: &Path, input: Box<dyn BufRead + Send>) -> Result<Self, AlignerError> {
        let error = |problem: String| AlignerError::ReadsFile { path: path.into(), problem };
        let (head, input) = peek(input, 2).map_err(|reason| error(format!("{reason}; is the file complete?")))?;
        let parser = match head.first() {
            None => None,
            Some(b'@' | b'>') => {
                let parser = parse_fastx_reader(input);
                Some(parser.map_err(|parse| error(format!("{}; {RECORD_FORM}", in_words(&parse))))?)
            }
            Some(&other) => {
                let found = [other];
                let found = found.escape_ascii();
                return Err(error(format!(
                    "byte 0 is '{found}'; FASTQ starts with '@', FASTA with '>', plain or gzip"
                )));
            }
        };
        Ok(Self { path: path.into(), records: 0, parser })
    }

    /// The next read, or `None` at the end.
    ///
    /// # Errors
    /// A record that is cut off, whose qualities are not as many as its bases, or that holds bytes which no SAM may hold; a
    /// name that [`check_read_name`] refuses.
    pub fn next_read(&mut self) -> Result<Option<Read>, AlignerError> {
        let Some(parser) = &mut self.parser else { return Ok(None) };
        let Some(record) = parser.next() else { return Ok(None) };
        self.records += 1;
        let (path, number) = (&self.path, self.records);
        let broken = |problem: String| AlignerError::Reads {
            path: path.clone(),
            record: number,
            problem: format!("{problem}; {RECORD_FORM}"),
        };
        let record = record.map_err(|parse| broken(in_words(&parse)))?;
        let (name, comment) = split_header(record.id());
        let nameless = |problem: String| AlignerError::Reads { path: path.clone(), record: number, problem };
        check_read_name(name).map_err(nameless)?;
        let name = String::from_utf8_lossy(name).into_owned();
        let comment = comment.map(|comment| String::from_utf8_lossy(comment).into_owned());
        let bases = record.seq().into_owned();
        let qualities = record.qual().map(<[u8]>::to_vec);
        check_characters("base", &bases).map_err(broken)?;
        check_characters("quality", qualities.as_deref().unwrap_or_default()).map_err(broken)?;
        Ok(Some(Read { name, comment, bases, qualities }))
    }

    fn error(&self, problem: String) -> AlignerError {
        AlignerError::Reads { path: self.path.clone(), record: self.records, problem }
    }
}

impl ReadStream for FastqReader {
    fn next_read(&mut self) -> Result<Option<(Read, Mate)>, AlignerError> {
        Ok(self.next_read()?.map(|read| (read, Mate::ByName)))
    }

    fn error(&self, problem: String) -> AlignerError {
        self.error(problem)
    }
}

/// What every message about a broken record ends with.
const RECORD_FORM: &str =
    "a FASTQ record is @NAME, bases, +, as many qualities: the file is truncated or corrupt, copy it again";

/// A parser's error with its line. (The parser's own text shows the name as it stands, with whatever bytes it holds.)
fn in_words(error: &ParseError) -> String {
    let line = error.position.line;
    let found = || error.msg.trim_end_matches('\'').rsplit('\'').next().unwrap_or_default();
    match error.kind {
        ParseErrorKind::InvalidStart => format!("line {line}: a record starts with '{}'", found()),
        ParseErrorKind::InvalidSeparator => format!("line {line}: starts with '{}', not with '+'", found()),
        ParseErrorKind::UnexpectedEnd => format!("line {line}: the file ends within the record"),
        ParseErrorKind::UnequalLengths => format!("line {line}: {}", error.msg.to_lowercase()),
        _ => error.msg.clone(),
    }
}

/// Bases and qualities stand in SAM as they are, where a tab or line end would make other fields of them.
fn check_characters(what: &str, characters: &[u8]) -> Result<(), String> {
    match characters.iter().position(|byte| !byte.is_ascii_graphic()) {
        None => Ok(()),
        Some(at) => {
            let found = characters[at..=at].escape_ascii();
            Err(format!("{what} {at} (0-based) is '{found}'; valid are the characters from '!' to '~'"))
        }
    }
}

/// The name, without /1 or /2, and what follows it on the line.
fn split_header(header: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = header.iter().position(u8::is_ascii_whitespace).unwrap_or(header.len());
    let (name, rest) = header.split_at(end);
    let name = match name {
        [stem @ .., b'/', digit] if !stem.is_empty() && digit.is_ascii_digit() => stem,
        _ => name,
    };
    let comment = rest.trim_ascii_start();
    (name, Some(comment).filter(|comment| !comment.is_empty()))
}

/// Where the reads of a run come from.
pub enum ReadSource {
    /// Single reads.
    Single(FastqReader),
    /// Mates in two files, in the same order.
    Paired(FastqReader, FastqReader),
    /// Mates one after the other in one file (bwa's -p).
    Interleaved(FastqReader),
}

/// A chunk of reads.
#[derive(Debug)]
pub enum Chunk {
    /// Single reads.
    Single(Vec<Read>),
    /// Pairs.
    Pairs(Vec<[Read; 2]>),
}

impl Chunk {
    /// Reads or pairs.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(reads) => reads.len(),
            Self::Pairs(pairs) => pairs.len(),
        }
    }

    /// Whether there are no reads.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ReadSource {
    /// The next reads, until they have at least `bases` bases together; an empty chunk at the end.
    ///
    /// # Errors
    /// A broken record, mates of different names, a file that ends before the other.
    pub fn next_chunk(&mut self, bases: u64) -> Result<Chunk, AlignerError> {
        let mut seen = 0;
        match self {
            Self::Single(reader) => {
                let mut reads = Vec::new();
                while seen < bases {
                    let Some(read) = reader.next_read()? else { break };
                    seen += read.bases.len() as u64;
                    reads.push(read);
                }
                Ok(Chunk::Single(reads))
            }
            _ => {
                let mut pairs = Vec::new();
                while seen < bases {
                    let Some(pair) = self.next_pair()? else { break };
                    seen += (pair[0].bases.len() + pair[1].bases.len()) as u64;
                    pairs.push(pair);
                }
                Ok(Chunk::Pairs(pairs))
            }
        }
    }

    fn next_pair(&mut self) -> Result<Option<[Read; 2]>, AlignerError> {
        let (one, two, second) = match self {
            Self::Single(_) => return Ok(None),
            Self::Paired(first, second) => match (first.next_read()?, second.next_read()?) {
                (None, None) => return Ok(None),
                (Some(one), Some(two)) => (one, two, second),
                (Some(one), None) => {
                    let path = first.path.display();
                    let problem =
                        format!("the file ends here, but {path} goes on with {}: the files are not mates", one.name);
                    return Err(second.error(problem));
                }
                (None, Some(two)) => {
                    let path = second.path.display();
                    let problem =
                        format!("the file ends here, but {path} goes on with {}: the files are not mates", two.name);
                    return Err(first.error(problem));
                }
            },
            Self::Interleaved(reader) => {
                let Some(one) = reader.next_read()? else { return Ok(None) };
                match reader.next_read()? {
                    Some(two) => (one, two, reader),
                    None => return Err(reader.error(format!("{} has no mate after it; -p expects pairs", one.name))),
                }
            }
        };
        if one.name != two.name {
            let problem = format!("{} is not the mate of {}: sort both files the same way", two.name, one.name);
            return Err(second.error(problem));
        }
        Ok(Some([one, two]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_mate_number_and_keep_the_comment_apart() {
        assert_eq!(split_header(b"r1/1 BC:Z:AC"), (&b"r1"[..], Some(&b"BC:Z:AC"[..])));
        assert_eq!(split_header(b"r1/x"), (&b"r1/x"[..], None));
        assert_eq!(split_header(b"/1"), (&b"/1"[..], None));
        assert_eq!(split_header(b"r1  "), (&b"r1"[..], None));
    }
}
