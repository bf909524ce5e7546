//! Where the bytes of an FM-index are: in memory, or in a file that is mapped.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use memmap2::{Mmap, MmapMut};

use super::MAPPED_INDEX_SUFFIX;
use super::convert::Source;
use super::layout::{HEAD_BYTES, Head, Layout, head_with_checksum, is_as_written};
use crate::AlignerError;
use crate::index::index_file;

/// Reads the index into memory.
pub(super) fn read(source: &Source, layout: &Layout) -> Result<Mmap, AlignerError> {
    let no_memory = |reason| source.no_memory(layout, reason);
    let mut bytes = MmapMut::map_anon(layout.bytes()).map_err(no_memory)?;
    // Look-ups are at random places: with large pages half as many cache misses. A hint that some systems do not know.
    #[cfg(target_os = "linux")]
    let _ = bytes.advise(memmap2::Advice::HugePage);
    source.write(layout, &mut bytes)?;
    bytes.make_read_only().map_err(no_memory)
}

/// Maps the file at `path`, which has to be of the index with this head.
pub(super) fn map(path: &Path, file: &File, head: &Head, layout: &Layout) -> Result<Mmap, AlignerError> {
    let unreadable = |reason| AlignerError::IndexFile { path: path.into(), reason };
    let content = |problem| Err(AlignerError::MappedIndex { path: path.into(), problem });
    let bytes = file.metadata().map_err(unreadable)?.len();
    if bytes != layout.bytes() as u64 {
        return content(format!("{bytes} bytes; for this reference it has {}", layout.bytes()));
    }
    // SAFETY: the file is only read. It is replaced by renaming, never written in place; whoever truncates the file of an
    // index while it is in use ends the process, as with every mapped file.
    let mapped = unsafe { Mmap::map(file) }.map_err(unreadable)?;
    match Head::read(&mapped) {
        None => return content("byte 0: not an FM-index of this version of seedsieve".into()),
        Some(found) if found != *head => {
            return content(format!(
                "byte 24: is of another reference: {found:?}, where PREFIX.bwt.2bit.64 has {head:?}"
            ));
        }
        Some(_) => {}
    }
    // What is not in memory yet is read ahead.
    #[cfg(unix)]
    let _ = mapped.advise(memmap2::Advice::WillNeed);
    if is_as_written(&mapped) {
        Ok(mapped)
    } else {
        content("byte 80: not the checksum of what follows, which was altered".into())
    }
}

/// Writes `PREFIX.seedsieve.fm` from `PREFIX.bwt.2bit.64`, under a temporary name until it is complete.
///
/// # Errors
/// An index that cannot be read or is not whole; a place that cannot be written.
pub(crate) fn write_mapped(prefix: &Path) -> Result<(), AlignerError> {
    let source = Source::open(index_file(prefix, "bwt.2bit.64"))?;
    let layout = source.layout()?;
    let path = index_file(prefix, MAPPED_INDEX_SUFFIX);
    let temporary = index_file(prefix, &format!("{MAPPED_INDEX_SUFFIX}-{}.tmp", std::process::id()));
    let written = write(&source, &layout, &temporary)
        .and_then(|()| fs::rename(&temporary, &path).map_err(|reason| AlignerError::IndexWrite { path, reason }));
    if written.is_err() {
        // The error is what counts; the file may not even be there.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Converts in memory and writes from there: a full disk is an error of a write, but the death of a process that has mapped a
/// file with holes.
fn write(source: &Source, layout: &Layout, path: &Path) -> Result<(), AlignerError> {
    let bytes = read(source, layout)?;
    let write = || -> io::Result<()> {
        let mut file = File::create_new(path)?;
        io::Write::write_all(&mut file, &head_with_checksum(&bytes))?;
        io::Write::write_all(&mut file, &bytes[HEAD_BYTES..])?;
        file.sync_all()
    };
    write().map_err(|reason| AlignerError::IndexWrite { path: path.into(), reason })
}
