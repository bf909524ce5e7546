//! The index's two text files, `.ann` (contigs) and `.amb` (runs of bases other than ACGT), checked line by line.
//!
//! ```text
//! .ann   BASES CONTIGS SEED                .amb   BASES CONTIGS RUNS
//!        GI NAME COMMENT     (each contig)        OFFSET LENGTH LETTER   (each run)
//!        OFFSET LENGTH RUNS
//! ```

use std::path::{Path, PathBuf};

use crate::AlignerError;
use crate::index::index_file;

/// Checks that `.ann` and `.amb` are whole and agree. Returns the bases of the reference.
pub(crate) fn check_texts(prefix: &Path) -> Result<u64, AlignerError> {
    let annotation = Lines::read(index_file(prefix, "ann"))?;
    let [bases, contigs, _] = annotation.numbers(0, "BASES CONTIGS SEED")?;
    if bases == 0 || contigs == 0 {
        return Err(annotation.problem(0, format!("{contigs} contigs of {bases} bases; valid is 1 or more of each")));
    }
    annotation.check_count(2 * contigs + 1, &format!("{contigs} contigs"))?;
    let (mut offset, mut contigs_runs) = (0, 0);
    for line in (2..annotation.lines.len()).step_by(2) {
        let name = annotation.lines[line - 1].split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        if name.is_empty() {
            return Err(annotation.problem(line - 1, "no contig name; expected is GI NAME COMMENT".into()));
        }
        let [start, length, runs] = annotation.numbers(line, "OFFSET LENGTH RUNS")?;
        if start != offset || length > bases - offset {
            let problem = format!("a contig of {length} bases at {start}; expected is one at {offset} of {bases}");
            return Err(annotation.problem(line, problem));
        }
        offset += length;
        contigs_runs += runs;
    }
    if offset != bases {
        let problem = format!("names {bases} bases, but its contigs have {offset} together");
        return Err(annotation.problem(0, problem));
    }
    check_runs(prefix, bases, contigs, contigs_runs)?;
    Ok(bases)
}

fn check_runs(prefix: &Path, bases: u64, contigs: u64, contigs_runs: u64) -> Result<(), AlignerError> {
    let ambiguous = Lines::read(index_file(prefix, "amb"))?;
    let [other_bases, other_contigs, runs] = ambiguous.numbers(0, "BASES CONTIGS RUNS")?;
    if (other_bases, other_contigs, runs) != (bases, contigs, contigs_runs) {
        let path = index_file(prefix, "ann");
        let problem = format!(
            "{other_bases} bases, {other_contigs} contigs, {runs} runs of N; {} has {bases}, {contigs}, {contigs_runs}",
            path.display()
        );
        return Err(ambiguous.problem(0, problem));
    }
    ambiguous.check_count(runs + 1, &format!("{runs} runs of N"))?;
    let mut end = 0;
    for line in 1..ambiguous.lines.len() {
        let [start, length] = ambiguous.numbers(line, "OFFSET LENGTH LETTER")?;
        if start < end || start >= bases || length == 0 || length > bases - start {
            let problem = format!("a run of {length} bases at {start}; valid are runs within {end} to {bases}");
            return Err(ambiguous.problem(line, problem));
        }
        end = start + length;
    }
    Ok(())
}

/// The lines of a file, each of which has to end.
struct Lines {
    path: PathBuf,
    lines: Vec<Vec<u8>>,
}

impl Lines {
    fn read(path: PathBuf) -> Result<Self, AlignerError> {
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(reason) => return Err(AlignerError::IndexFile { path, reason }),
        };
        let ends = text.ends_with(b"\n");
        let mut lines: Vec<Vec<u8>> = text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        if ends {
            lines.pop();
            return Ok(Self { path, lines });
        }
        let last = lines.len() - 1;
        Err(Self { path, lines }.problem(last, "the line does not end".into()))
    }

    /// The first numbers of a line; `form` is what it should look like.
    fn numbers<const N: usize>(&self, line: usize, form: &str) -> Result<[u64; N], AlignerError> {
        let text = String::from_utf8_lossy(self.lines.get(line).map_or(&[][..], Vec::as_slice));
        let mut fields = text.split_ascii_whitespace();
        let mut numbers = [0; N];
        for number in &mut numbers {
            // bwa keeps lengths and positions in signed numbers.
            let parsed = fields.next().and_then(|field| field.parse::<i64>().ok()).and_then(|n| u64::try_from(n).ok());
            *number =
                parsed.ok_or_else(|| self.problem(line, format!("`{}`; expected is {form}", text.escape_debug())))?;
        }
        Ok(numbers)
    }

    fn check_count(&self, expected: u64, content: &str) -> Result<(), AlignerError> {
        let found = self.lines.len();
        if found as u64 == expected {
            return Ok(());
        }
        Err(self.problem(0, format!("{content}, which take {expected} lines; the file has {found}")))
    }

    /// `line` is 0-based here, and 1-based in the message.
    fn problem(&self, line: usize, problem: String) -> AlignerError {
        AlignerError::IndexContent { path: self.path.clone(), problem: format!("line {}: {problem}", line + 1) }
    }
}
