//! Making the index from a FASTA.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::AlignerError;
use crate::fm_index::write_mapped;
use crate::index::index_file;
use crate::index_check::check_sizes;
use crate::index_text::check_texts;

/// Suffixes of the five index files, bwa-mem2's.
pub const INDEX_SUFFIXES: [&str; 5] = ["amb", "ann", "pac", "0123", "bwt.2bit.64"];

/// Indexes `fasta` (plain or gzip) into `PREFIX.{amb,ann,pac,0123,bwt.2bit.64}`, the bytes that `bwa-mem2 index` writes.
///
/// The files are written under temporary names beside their place and renamed when all five are complete.
///
/// # Errors
/// A FASTA that cannot be read, is empty or holds no sequence; a place that cannot be written.
pub fn build_index(fasta: &Path, prefix: &Path) -> Result<(), AlignerError> {
    let scratch = Scratch::beside(prefix)?;
    let plain = scratch.folder.join("reference.fa");
    write_plain(fasta, &plain)?;
    check_has_bases(fasta, &plain)?;
    let temporary = scratch.folder.join("index");
    bwa_index::build::build_index_with_prefix(&plain, &temporary)
        .map_err(|error| reference_error(fasta, error.to_string()))?;
    for suffix in INDEX_SUFFIXES {
        let path = index_file(prefix, suffix);
        let made = index_file(&temporary, suffix);
        File::open(&made)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&made, &path))
            .map_err(|reason| AlignerError::IndexWrite { path, reason })?;
    }
    Ok(())
}

/// Writes `PREFIX.seedsieve.fm` for an index that is there, bwa-mem2's or ours: the FM-index in the form that is mapped, 2.03
/// bytes a base. [`ReferenceIndex::load`](crate::ReferenceIndex::load) maps it then, in place of reading `PREFIX.bwt.2bit.64`.
///
/// # Errors
/// An index that is missing, not whole, or contradicts itself; a place that cannot be written.
pub fn build_mapped_index(prefix: &Path) -> Result<(), AlignerError> {
    let bases = check_texts(prefix)?;
    check_sizes(prefix, bases)?;
    write_mapped(prefix)
}

/// A folder that is removed with all its content when it goes out of scope.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn beside(prefix: &Path) -> Result<Self, AlignerError> {
        let folder = index_file(prefix, &format!("index-{}.tmp", std::process::id()));
        fs::create_dir(&folder).map_err(|reason| AlignerError::IndexWrite { path: prefix.into(), reason })?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing can be done about a folder that cannot be removed, and the index does not depend on it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Copies a FASTA, decompressed, after checking that it looks like one.
fn write_plain(fasta: &Path, plain: &Path) -> Result<(), AlignerError> {
    let mut input = open_maybe_gzip(fasta)
        .map_err(|error| reference_error(fasta, format!("{error}; check the path and its permissions")))?;
    let mut first = [0; 1];
    input.read_exact(&mut first).map_err(|error| {
        reference_error(
            fasta,
            format!("no FASTA header at byte 0 ({error}); a reference starts with `>NAME`, is the file complete?"),
        )
    })?;
    if first[0] != b'>' {
        let problem = format!("byte 0 is '{}'; a reference FASTA starts with `>NAME`", first.escape_ascii());
        return Err(reference_error(fasta, problem));
    }
    let output = File::create(plain).map_err(|reason| AlignerError::IndexWrite { path: plain.into(), reason })?;
    let mut output = BufWriter::new(output);
    output
        .write_all(&first)
        .and_then(|()| std::io::copy(&mut input, &mut output))
        .and_then(|_| output.flush())
        .map_err(|error| reference_error(fasta, format!("{error}; is the file complete, and the disk not full?")))
}

/// An index of nothing cannot be searched.
fn check_has_bases(fasta: &Path, plain: &Path) -> Result<(), AlignerError> {
    let file = File::open(plain).map_err(|error| reference_error(fasta, error.to_string()))?;
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|error| reference_error(fasta, error.to_string()))?;
        if line.first() != Some(&b'>') && line.iter().any(u8::is_ascii_graphic) {
            return Ok(());
        }
    }
    Err(reference_error(fasta, "headers without a base after them; is the file complete?".into()))
}

/// Opens a plain or gzip file, told apart by the first two bytes.
pub(crate) fn open_maybe_gzip(path: &Path) -> std::io::Result<Box<dyn Read + Send>> {
    let mut reader = BufReader::with_capacity(1 << 17, File::open(path)?);
    let gzip = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

fn reference_error(path: &Path, problem: String) -> AlignerError {
    AlignerError::Reference { path: path.into(), problem }
}
