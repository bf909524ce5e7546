//! The reference in the form that the stage crates take it in.
//!
//! Their functions behind seeding ask for an FM-index, of which they use the packed reference alone (`PREFIX.pac`, which is
//! mapped). Their FM-index can only be loaded from files, and whole. So that it is not in memory twice, they get one of an
//! empty text, with the real packed reference and its length.

use std::fs;
use std::io;
use std::path::Path;

use bwa_index::FmIndex;

use crate::AlignerError;
use crate::index::index_file;

/// `PREFIX.bwt.2bit.64` of an empty text: the sentinel's row; no base; a block, and a place, for it; its number, zero.
fn empty_text() -> Vec<u8> {
    let (rows, cumulative, block, place, sentinel) = (1_u64.to_le_bytes(), [0; 40], [0; 64], [0; 5], [0; 8]);
    [&rows[..], &cumulative, &block, &place, &sentinel].concat()
}

/// The packed reference of an index with so many rows. Bases can be read of it; searching it is a panic.
///
/// # Errors
/// A `PREFIX.pac` that cannot be mapped.
pub(crate) fn packed_reference(prefix: &Path, rows: i64) -> Result<FmIndex, AlignerError> {
    let load = |prefix: &Path| {
        FmIndex::load(prefix)
            .map_err(|error| AlignerError::IndexContent { path: index_file(prefix, "pac"), problem: error.to_string() })
    };
    // Without a place for two small files the FM-index is there twice, and all else is the same.
    let Ok(folder) = with_empty_text(prefix) else { return load(prefix) };
    let mut reference = load(&folder.path().join("empty"))?;
    reference.ref_seq_len = rows;
    Ok(reference)
}

/// A folder with the index files `empty`, which is removed when the value is dropped: what is mapped stays.
fn with_empty_text(prefix: &Path) -> io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("empty");
    fs::write(index_file(&empty, "bwt.2bit.64"), empty_text())?;
    let (pac, name) = (std::path::absolute(index_file(prefix, "pac"))?, index_file(&empty, "pac"));
    #[cfg(unix)]
    std::os::unix::fs::symlink(pac, name)?;
    #[cfg(not(unix))]
    fs::hard_link(pac, name)?;
    Ok(folder)
}
