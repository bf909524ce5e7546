//! Lines of SAM text by coordinate, within a stated memory: sorted runs in memory, then on disk, merged at the end.

mod run;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::FormatError;
use crate::placement::Placement;
use run::{MAX_RUN_FILES, MemoryRun, Run, RunFileWriter};

/// Smallest and largest size of a run in memory.
const RUN_BYTES: std::ops::RangeInclusive<usize> = 64 << 10..=64 << 20;
/// Lines that merging hands on together.
const BATCH_BYTES: usize = 4 << 20;
/// Lines of a batch that are encoded together.
const PART_BYTES: usize = 64 << 10;

/// Sorts lines by coordinate. Lines of one place stay in the order in which they came, which is `samtools sort`'s.
pub(crate) struct Sorter {
    contigs: HashMap<Vec<u8>, u32>,
    folder: PathBuf,
    memory: usize,
    run_bytes: usize,
    /// Lines, unsorted.
    text: Vec<u8>,
    entries: Vec<Entry>,
    in_memory: Vec<MemoryRun>,
    on_disk: Vec<Run>,
}

/// A line of [`Sorter::text`].
#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    start: u32,
    length: u32,
}

impl Sorter {
    /// `memory` is what sorting may take, in bytes; temporary files go to `folder`.
    pub fn new(contigs: HashMap<Vec<u8>, u32>, memory: u64, folder: &Path) -> Self {
        let memory = usize::try_from(memory).unwrap_or(usize::MAX);
        Self {
            contigs,
            folder: folder.into(),
            memory,
            run_bytes: (memory / 16).clamp(*RUN_BYTES.start(), *RUN_BYTES.end()),
            text: Vec::new(),
            entries: Vec::new(),
            in_memory: Vec::new(),
            on_disk: Vec::new(),
        }
    }

    /// Takes complete lines.
    pub fn add(&mut self, lines: &[u8]) -> Result<(), FormatError> {
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let placement = Placement::of_line(line.strip_suffix(b"\n").unwrap_or(line), &self.contigs)?;
            let start = self.text.len() as u32;
            self.entries.push(Entry { key: placement.key(), start, length: line.len() as u32 });
            self.text.extend_from_slice(line);
            if self.text.len() + self.entries.len() * size_of::<Entry>() >= self.run_bytes {
                self.close_run().map_err(self.error())?;
            }
        }
        Ok(())
    }

    /// Hands the lines on in their order, in parts of several lines each.
    pub fn finish(mut self, mut take: impl FnMut(&[Vec<u8>]) -> Result<(), FormatError>) -> Result<(), FormatError> {
        let folder = self.folder.clone();
        let failed = |reason| FormatError::Sort { folder: folder.clone(), reason };
        self.sort_text();
        (self.text, self.entries) = (Vec::new(), Vec::new());
        let mut runs = std::mem::take(&mut self.on_disk);
        runs.extend(self.in_memory.into_iter().map(Run::Memory));
        let mut batch = Batch::default();
        let mut merge = Merge::start(runs).map_err(failed)?;
        while let Some((_, line)) = merge.next().map_err(failed)? {
            batch.add(line);
            merge.advance().map_err(failed)?;
            if batch.bytes >= BATCH_BYTES {
                take(&batch.parts)?;
                batch = Batch::default();
            }
        }
        take(&batch.parts)
    }

    fn error(&self) -> impl FnOnce(io::Error) -> FormatError + use<> {
        let folder = self.folder.clone();
        move |reason| FormatError::Sort { folder, reason }
    }

    fn sort_text(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        self.entries.par_sort_unstable_by_key(|entry| (entry.key, entry.start));
        let mut run = MemoryRun::with_capacity(self.text.len(), self.entries.len());
        for Entry { key, start, length } in &self.entries {
            run.push(*key, &self.text[*start as usize..][..*length as usize]);
        }
        self.in_memory.push(run);
        self.text.clear();
        self.entries.clear();
    }

    /// Sorts what came in, and moves the runs to disk where memory has no room for two more.
    fn close_run(&mut self) -> io::Result<()> {
        self.sort_text();
        let held: usize = self.in_memory.iter().map(MemoryRun::bytes).sum();
        if held + 3 * self.run_bytes <= self.memory {
            return Ok(());
        }
        let runs = std::mem::take(&mut self.in_memory).into_iter().map(Run::Memory).collect();
        let run = self.merged(runs)?;
        self.on_disk.push(run);
        if self.on_disk.len() >= MAX_RUN_FILES {
            let runs = std::mem::take(&mut self.on_disk);
            let run = self.merged(runs)?;
            self.on_disk.push(run);
        }
        Ok(())
    }

    /// One run on disk out of several. They are in the order in which their lines came, and the result takes their place.
    fn merged(&self, runs: Vec<Run>) -> io::Result<Run> {
        let mut file = RunFileWriter::create(&self.folder)?;
        let mut merge = Merge::start(runs)?;
        while let Some((key, line)) = merge.next()? {
            file.push(key, line)?;
            merge.advance()?;
        }
        file.finish()
    }
}

/// Lines in parts of about [`PART_BYTES`].
#[derive(Default)]
struct Batch {
    parts: Vec<Vec<u8>>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, line: &[u8]) {
        match self.parts.last_mut() {
            Some(part) if part.len() < PART_BYTES => part.extend_from_slice(line),
            _ => self.parts.push(line.to_vec()),
        }
        self.bytes += line.len();
    }
}

/// The lines of several sorted runs in one order; of equal keys the earlier run's come first.
struct Merge {
    runs: Vec<Run>,
    /// Key of the current line of each run that is not at its end.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Merge {
    fn start(mut runs: Vec<Run>) -> io::Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(run.advance()?.map(|key| Reverse((key, number))));
        }
        Ok(Self { runs, heads })
    }

    /// The current line with its key.
    fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let Some(Reverse((key, number))) = self.heads.peek() else { return Ok(None) };
        Ok(Some((*key, self.runs[*number].line())))
    }

    /// Goes on to the next line.
    fn advance(&mut self) -> io::Result<()> {
        if let Some(mut head) = self.heads.peek_mut() {
            let number = head.0.1;
            match self.runs[number].advance()? {
                Some(key) => head.0.0 = key,
                None => drop(std::collections::binary_heap::PeekMut::pop(head)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records on two contigs, many of one place, some without any.
    fn lines(count: u64) -> Vec<String> {
        let place = |number: u64| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 500;
        (0..count)
            .map(|number| match place(number) {
                0..20 => format!("r{number}\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII\n"),
                at => {
                    let flags = if at % 3 == 0 { 16 } else { 0 };
                    format!("r{number}\t{flags}\tc{}\t{at}\t60\t4M\t*\t0\t0\tACGT\tIIII\n", at % 2)
                }
            })
            .collect()
    }

    fn sorted(lines: &[String], memory: u64) -> (String, usize) {
        let contigs = [(b"c1".to_vec(), 0), (b"c0".to_vec(), 1)].into_iter().collect();
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(contigs, memory, folder.path());
        lines.iter().for_each(|line| sorter.add(line.as_bytes()).unwrap());
        let files = sorter.on_disk.len();
        let mut out = Vec::new();
        sorter
            .finish(|parts| {
                parts.iter().for_each(|part| out.extend_from_slice(part));
                Ok(())
            })
            .unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "temporary files have no name");
        (String::from_utf8(out).unwrap(), files)
    }

    /// The same order by the standard library's stable sort.
    fn expected(lines: &[String]) -> String {
        let mut lines = lines.to_vec();
        lines.sort_by_key(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let contig = ["c1", "c0"].iter().position(|name| *name == fields[2]).unwrap_or(2);
            (contig, fields[3].parse::<u32>().unwrap(), fields[1] == "16")
        });
        lines.concat()
    }

    #[test]
    fn runs_in_memory_and_on_disk_give_the_stable_order() {
        let few = lines(3_000);
        assert_eq!(sorted(&few, 64 << 20), (expected(&few), 0));
        let many = lines(60_000);
        let (text, files) = sorted(&many, 1 << 20);
        assert!(files > 1, "{files}");
        assert!(text == expected(&many), "the order differs");
    }

    #[test]
    fn more_runs_than_may_be_open_are_merged_on_the_way() {
        let many = lines(100_000);
        let (text, files) = sorted(&many, 64 << 10);
        assert!((1..MAX_RUN_FILES).contains(&files), "{files}");
        assert!(text == expected(&many), "the order differs");
    }

    #[test]
    fn nothing_sorts_to_nothing() {
        assert_eq!(sorted(&[], 1 << 20), (String::new(), 0));
    }
}
