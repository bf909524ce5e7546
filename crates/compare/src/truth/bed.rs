//! Places in a BED file.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::TruePlace;
use crate::error::CompareError;
use crate::input::open_text;
use crate::shown::shown;

/// A line that is longer is none of BED.
const MAX_LINE_BYTES: usize = 1 << 16;

/// Name and mate of a read (0: the name has neither `/1` nor `/2`).
type ReadKey = (Vec<u8>, usize);

/// The lines of a BED, looked up by name. The file is read as far as it is asked for, so that lines in the order of the
/// reads take no memory; those that were passed over wait.
pub(super) struct BedTruth {
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    line: u64,
    waiting: HashMap<ReadKey, TruePlace>,
}

impl BedTruth {
    pub(super) fn open(path: &Path) -> Result<Self, CompareError> {
        let lines =
            open_text(path).map_err(|source| CompareError::Read { path: path.to_owned(), record: 0, source })?;
        Ok(Self { path: path.to_owned(), lines, line: 0, waiting: HashMap::new() })
    }

    /// The place of the read `name`; `mate` is 0 for an unpaired read.
    pub(super) fn place_of(&mut self, name: &[u8], mate: usize) -> Result<TruePlace, CompareError> {
        // bedtools writes the /1 of a first mate; a read that is aligned without its mate has none.
        let other = if mate == 0 { 1 } else { mate };
        let keys = [(name.to_vec(), mate), (name.to_vec(), other)];
        if let Some(place) = keys.iter().find_map(|key| self.waiting.remove(key)) {
            return Ok(place);
        }
        while let Some((key, place)) = self.next_line()? {
            if keys.contains(&key) {
                return Ok(place);
            }
            if self.waiting.insert(key, place).is_some() {
                return Err(self.problem("the name and mate stand on a line before, too".to_owned()));
            }
        }
        let named = shown(name);
        let problem = if mate != 0 && self.waiting.contains_key(&(name.to_vec(), 0)) {
            format!("it names {named} without /1 and /2, and that is a pair")
        } else {
            let mate = ["", "/1", "/2"][mate];
            format!("it does not name {named}{mate}; reads of other genomes have the contig `.`, start and end -1")
        };
        Err(CompareError::Bed { path: self.path.clone(), place: "the whole file".to_owned(), problem })
    }

    fn next_line(&mut self) -> Result<Option<(ReadKey, TruePlace)>, CompareError> {
        loop {
            let mut text = Vec::new();
            let read = std::io::Read::take(&mut self.lines, MAX_LINE_BYTES as u64).read_until(b'\n', &mut text);
            self.line += 1;
            read.map_err(|error| self.problem(error.to_string()))?;
            if text.is_empty() {
                return Ok(None);
            }
            if text.len() == MAX_LINE_BYTES {
                return Err(self.problem(format!("the line is longer than {MAX_LINE_BYTES} bytes")));
            }
            let text = text.trim_ascii_end();
            let is_comment = [&b"#"[..], b"track", b"browser"].iter().any(|start| text.starts_with(start));
            if !text.is_empty() && !is_comment {
                return parse(text).map(Some).map_err(|problem| self.problem(problem));
            }
        }
    }

    fn problem(&self, problem: String) -> CompareError {
        CompareError::Bed { path: self.path.clone(), place: format!("line {}", self.line), problem }
    }
}

fn parse(line: &[u8]) -> Result<(ReadKey, TruePlace), String> {
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
    let [contig, start, end, name, _, strand, ..] = fields.as_slice() else {
        return Err(format!(
            "{} tab-separated columns; valid: 6 or more (contig, start, end, name, score, strand)",
            fields.len()
        ));
    };
    let key = match name {
        [stem @ .., b'/', digit @ (b'1' | b'2')] if !stem.is_empty() => (stem.to_vec(), usize::from(digit - b'0')),
        name => (name.to_vec(), 0),
    };
    if *contig == b"." || *contig == b"*" {
        return Ok((key, TruePlace::Foreign));
    }
    let number = |field: &[u8], what: &str| {
        let parsed = str::from_utf8(field).ok().and_then(|text| text.parse::<u32>().ok());
        parsed.map(u64::from).ok_or_else(|| format!("the {what} is \"{}\"; valid: 0 and more", shown(field)))
    };
    let (start, end) = (number(start, "start")?, number(end, "end")?);
    if start >= end {
        return Err(format!("the interval from {start} to {end} is empty; valid: a start before the end"));
    }
    let reverse = match *strand {
        b"+" => false,
        b"-" => true,
        _ => return Err(format!("the strand is \"{}\"; valid: + and -", shown(strand))),
    };
    Ok((key, TruePlace::Start { contig: contig.to_vec(), start: start + 1, reverse }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bed(text: &str) -> BedTruth {
        let lines = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
        BedTruth { path: "truth.bed".into(), lines, line: 0, waiting: HashMap::new() }
    }

    fn start(contig: &str, start: u64, reverse: bool) -> TruePlace {
        TruePlace::Start { contig: contig.into(), start, reverse }
    }

    #[test]
    fn mates_are_found_in_any_order_and_lines_are_kept_only_until_then() {
        let mut truth = bed(
            "track x\n# y\nc1\t9\t19\tb/1\t60\t+\nc1\t20\t30\tb/2\t60\t-\n\nc2\t0\t10\ta/1\t0\t-\n.\t-1\t-1\ta/2\t0\t.\nc3\t4\t5\tlone\t0\t+\n",
        );
        assert_eq!(truth.place_of(b"a", 2).unwrap(), TruePlace::Foreign);
        assert_eq!(truth.waiting.len(), 3);
        assert_eq!(truth.place_of(b"b", 1).unwrap(), start("c1", 10, false));
        assert_eq!(truth.place_of(b"b", 2).unwrap(), start("c1", 21, true));
        assert_eq!(truth.place_of(b"a", 0).unwrap(), start("c2", 1, true));
        assert_eq!(truth.place_of(b"lone", 0).unwrap(), start("c3", 5, false));
        assert!(truth.waiting.is_empty());
    }

    #[test]
    fn what_is_not_there_or_not_bed_is_said() {
        let error = |text: &str, name: &[u8], mate| bed(text).place_of(name, mate).unwrap_err().to_string();
        assert!(error("c\t1\t2\tx\t0\t+\n", b"x", 1).contains("names x without /1 and /2"));
        assert!(error("c\t1\t2\tx\t0\t+\n", b"y", 2).contains("does not name y/2"));
        assert!(error("c\t1\t2\tx\n", b"x", 0).contains("truth.bed, line 1: 4 tab-separated columns"));
        assert!(error("\nc\t2\t2\tx\t0\t+\n", b"x", 0).contains("line 2: the interval from 2 to 2 is empty"));
        assert!(error("c\t-1\t2\tx\t0\t+\n", b"x", 0).contains("the start is \"-1\""));
        assert!(error("c\t1\t2\tx\t0\t.\n", b"x", 0).contains("the strand is \".\""));
        assert!(error("c\t1\t2\tx\t0\t+\nc\t1\t2\tx\t0\t+\n", b"z", 0).contains("line 2: the name and mate stand"));
    }
}
