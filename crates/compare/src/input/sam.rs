//! SAM: lines of text.

use std::io::{self, BufRead, Read as _};
use std::path::Path;

use super::invalid;
use crate::error::CompareError;

/// Above the longest reads with all their tags: a file without line ends must not be taken into memory whole.
const MAX_LINE_BYTES: u64 = 1 << 26;

pub(super) type Text = Box<dyn BufRead + Send>;
/// Names and lengths of contigs.
pub(super) type Contigs = Vec<(String, String)>;

pub(super) struct Lines {
    text: Text,
    /// Lines taken so far.
    line: u64,
    /// The first record, which was read to find the end of the header.
    first: Option<Vec<u8>>,
}

impl Lines {
    /// Reads up to the first record; also returns the contigs of the header.
    pub(super) fn start(path: &Path, text: Text) -> Result<(Self, Contigs), CompareError> {
        let mut lines = Self { text, line: 0, first: None };
        let mut contigs = Vec::new();
        loop {
            match lines.read_line(path)? {
                Some(text) if text.starts_with(b"@") => contigs.extend(contig_of(&text)),
                // A read's name may begin with it, too.
                Some(text) if text.starts_with(b">") && !text.contains(&b'\t') => {
                    return Err(CompareError::Format { path: path.to_owned(), found: "FASTA" });
                }
                other => {
                    lines.first = other;
                    return Ok((lines, contigs));
                }
            }
        }
    }

    /// 1-based number of the line that was taken last.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn next_line(&mut self, path: &Path) -> Result<Option<Vec<u8>>, CompareError> {
        if self.first.is_some() {
            return Ok(self.first.take());
        }
        self.read_line(path)
    }

    /// The next line without its end.
    fn read_line(&mut self, path: &Path) -> Result<Option<Vec<u8>>, CompareError> {
        let line = self.line + 1;
        let mut text = Vec::with_capacity(512);
        let truncated = |why| CompareError::Truncated { path: path.to_owned(), why };
        let mut read = (&mut self.text).take(MAX_LINE_BYTES).read_until(b'\n', &mut text);
        if text.len() as u64 == MAX_LINE_BYTES && text.last() != Some(&b'\n') {
            read = Err(invalid(format!("the line is longer than {MAX_LINE_BYTES} bytes; expected SAM")));
        }
        read.map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => truncated(format!("its compressed data end within line {line}")),
            _ => CompareError::Line { path: path.to_owned(), line, problem: source.to_string() },
        })?;
        if text.is_empty() {
            return Ok(None);
        }
        self.line = line;
        if text.pop() != Some(b'\n') {
            return Err(truncated(format!("line {line}, the last one, has no line end")));
        }
        text.pop_if(|&mut last| last == b'\r');
        Ok(Some(text))
    }
}

/// Name and length of an `@SQ` line.
fn contig_of(line: &[u8]) -> Option<(String, String)> {
    let line = str::from_utf8(line).ok()?.strip_prefix("@SQ\t")?;
    let field = |tag| line.split('\t').find_map(|field| field.strip_prefix(tag)).map(str::to_owned);
    Some((field("SN:")?, field("LN:")?))
}
