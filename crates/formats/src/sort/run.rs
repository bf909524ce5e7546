use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use noodles::bgzf;
use noodles::bgzf::io::writer::CompressionLevel;

use crate::bgzf::BlockWriter;

/// Runs on disk that are open at once: well below the 256 files that systems allow a process at least.
pub(super) const MAX_RUN_FILES: usize = 64;
/// Before each line: its key, and its length in bytes; little-endian.
const PREFIX_BYTES: usize = 12;
/// Bytes that are compressed together.
const WRITE_BYTES: usize = 4 << 20;

/// Sorted lines in memory.
pub(super) struct MemoryRun {
    bytes: Vec<u8>,
    /// Where the current line ends.
    at: usize,
    line: std::ops::Range<usize>,
}

impl MemoryRun {
    pub fn with_capacity(text_bytes: usize, lines: usize) -> Self {
        Self { bytes: Vec::with_capacity(text_bytes + lines * PREFIX_BYTES), at: 0, line: 0..0 }
    }

    pub fn push(&mut self, key: u64, line: &[u8]) {
        push_line(&mut self.bytes, key, line);
    }

    pub fn bytes(&self) -> usize {
        self.bytes.capacity()
    }

    fn advance(&mut self) -> Option<u64> {
        let prefix = self.bytes.get(self.at..self.at + PREFIX_BYTES)?;
        let (key, length) = split_prefix(prefix.try_into().expect("of that length"));
        let start = self.at + PREFIX_BYTES;
        self.line = start..start + length;
        self.at = self.line.end;
        Some(key)
    }
}

/// Sorted lines, read one by one.
pub(super) enum Run {
    Memory(MemoryRun),
    Disk { reader: bgzf::io::Reader<BufReader<File>>, line: Vec<u8> },
}

impl Run {
    /// Goes on to the next line and returns its key, or `None` at the end.
    pub fn advance(&mut self) -> io::Result<Option<u64>> {
        match self {
            Self::Memory(run) => Ok(run.advance()),
            Self::Disk { reader, line } => {
                let mut prefix = [0; PREFIX_BYTES];
                if reader.read(&mut prefix[..1])? == 0 {
                    return Ok(None);
                }
                reader.read_exact(&mut prefix[1..])?;
                let (key, length) = split_prefix(prefix);
                line.resize(length, 0);
                reader.read_exact(line)?;
                Ok(Some(key))
            }
        }
    }

    /// The current line, with its line end.
    pub fn line(&self) -> &[u8] {
        match self {
            Self::Memory(run) => &run.bytes[run.line.clone()],
            Self::Disk { line, .. } => line,
        }
    }
}

/// Writes sorted lines to a file that has no name, so that nothing of it stays, however the process ends.
pub(super) struct RunFileWriter {
    blocks: BlockWriter<File>,
    buffer: Vec<u8>,
}

impl RunFileWriter {
    pub fn create(folder: &Path) -> io::Result<Self> {
        let blocks = BlockWriter::new(tempfile::tempfile_in(folder)?, CompressionLevel::FAST);
        Ok(Self { blocks, buffer: Vec::with_capacity(WRITE_BYTES) })
    }

    pub fn push(&mut self, key: u64, line: &[u8]) -> io::Result<()> {
        push_line(&mut self.buffer, key, line);
        if self.buffer.len() >= WRITE_BYTES {
            self.blocks.write(&[&self.buffer])?;
            self.buffer.clear();
        }
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<Run> {
        self.blocks.write(&[&self.buffer])?;
        let mut file = self.blocks.finish()?;
        file.rewind()?;
        Ok(Run::Disk { reader: bgzf::io::Reader::new(BufReader::new(file)), line: Vec::new() })
    }
}

fn push_line(bytes: &mut Vec<u8>, key: u64, line: &[u8]) {
    bytes.extend_from_slice(&key.to_le_bytes());
    bytes.extend_from_slice(&(line.len() as u32).to_le_bytes());
    bytes.extend_from_slice(line);
}

fn split_prefix(prefix: [u8; PREFIX_BYTES]) -> (u64, usize) {
    let [key @ .., a, b, c, d] = prefix;
    (u64::from_le_bytes(key), u32::from_le_bytes([a, b, c, d]) as usize)
}
