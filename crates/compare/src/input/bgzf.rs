//! Whether a BGZF stream is whole: a cut between two of its blocks looks like its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::CompareError;

/// The empty block at the end of every complete BGZF file (SAM specification, section 4.1.2).
const MARKER: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// Whether the first bytes of a file are those of a BGZF block.
pub(super) fn is_bgzf(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b]) && head.get(12..14) == Some(b"BC")
}

pub(super) fn truncated(path: &Path) -> CompareError {
    let why = "its last block is not the end-of-file marker of BGZF".to_owned();
    CompareError::Truncated { path: path.to_owned(), why }
}

/// Whether a regular file ends as it should; moves to its end.
pub(super) fn file_ends_with_marker(file: &mut File) -> io::Result<bool> {
    let mut end = [0; MARKER.len()];
    if file.seek(SeekFrom::End(0))? >= end.len() as u64 {
        file.seek(SeekFrom::End(-(end.len() as i64)))?;
        file.read_exact(&mut end)?;
    }
    Ok(end == MARKER)
}

/// A reader whose last bytes are kept.
pub(super) struct Watched<R> {
    inner: R,
    last: LastBytes,
}

/// The last bytes that a [`Watched`] has given.
#[derive(Clone, Default)]
pub(super) struct LastBytes(Arc<Mutex<Vec<u8>>>);

impl<R> Watched<R> {
    pub(super) fn new(inner: R) -> (Self, LastBytes) {
        let last = LastBytes::default();
        (Self { inner, last: last.clone() }, last)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.last.push(&buffer[..length]);
        Ok(length)
    }
}

impl LastBytes {
    fn push(&self, bytes: &[u8]) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.extend_from_slice(&bytes[bytes.len().saturating_sub(MARKER.len())..]);
        let excess = last.len().saturating_sub(MARKER.len());
        last.drain(..excess);
    }

    /// Whether they are the marker.
    pub(super) fn are_marker(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == MARKER
    }
}
