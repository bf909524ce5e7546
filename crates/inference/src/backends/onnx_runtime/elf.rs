//! Whether a shared library is complete.
//!
//! The dynamic loader maps a library into memory and trusts its headers: one that was cut off while it was downloaded
//! or copied ends the process with a bus error. The headers tell how long the file has to be
//! (System V ABI, chapter 4, "Object Files").

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const HEADER_BYTES: usize = 64;
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const TYPE_SHARED: u16 = 3;
const PROGRAM_HEADER_BYTES: usize = 56;

/// Values of `e_machine`.
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// Checks that the file is a shared library for this processor and holds everything that its headers announce.
///
/// # Errors
/// The reason, in words.
pub(super) fn check_complete(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let file_bytes = file.metadata().map_err(|error| error.to_string())?.len();
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header).map_err(|_| format!("{file_bytes} bytes are no shared library"))?;
    check_kind(&header)?;

    let sections_end = table_end(u64_at(&header, 40), u16_at(&header, 58), u16_at(&header, 60))?;
    require_bytes(sections_end, file_bytes)?;
    let programs_start = u64_at(&header, 32);
    let program_count = u16_at(&header, 56);
    let programs_end = table_end(programs_start, u16_at(&header, 54), program_count)?;
    require_bytes(programs_end, file_bytes)?;
    if usize::from(u16_at(&header, 54)) != PROGRAM_HEADER_BYTES {
        return Err("its program headers have an unknown size".into());
    }
    let mut programs = vec![0; PROGRAM_HEADER_BYTES * usize::from(program_count)];
    file.seek(SeekFrom::Start(programs_start)).map_err(|error| error.to_string())?;
    file.read_exact(&mut programs).map_err(|error| error.to_string())?;
    for program in programs.chunks_exact(PROGRAM_HEADER_BYTES) {
        let segment_end = u64_at(program, 8).checked_add(u64_at(program, 32)).ok_or("its headers overflow")?;
        require_bytes(segment_end, file_bytes)?;
    }
    Ok(())
}

fn check_kind(header: &[u8; HEADER_BYTES]) -> Result<(), String> {
    if !header.starts_with(b"\x7fELF") {
        return Err("not a shared library (it does not start with the bytes 7f 45 4c 46)".into());
    }
    if header[4] != CLASS_64 || header[5] != LITTLE_ENDIAN || u16_at(header, 18) != MACHINE {
        return Err("a library for another processor".into());
    }
    if u16_at(header, 16) != TYPE_SHARED {
        return Err("an ELF file, but not a shared library".into());
    }
    Ok(())
}

fn table_end(start: u64, entry_bytes: u16, entries: u16) -> Result<u64, String> {
    start.checked_add(u64::from(entry_bytes) * u64::from(entries)).ok_or_else(|| "its headers overflow".to_owned())
}

fn require_bytes(needed: u64, file_bytes: u64) -> Result<(), String> {
    if needed <= file_bytes {
        return Ok(());
    }
    Err(format!("it is cut off: {file_bytes} bytes, its headers announce at least {needed}"))
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(bytes[offset..offset + 2].try_into().expect("two bytes"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The C library of this process: on every Linux, and complete.
    fn shared_library() -> Vec<u8> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let path = maps.split_whitespace().find(|word| word.starts_with('/') && word.contains("libc")).unwrap();
        std::fs::read(path).unwrap()
    }

    fn check(bytes: &[u8]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libsome.so");
        std::fs::write(&path, bytes).unwrap();
        check_complete(&path)
    }

    #[test]
    fn a_complete_library_passes_and_every_shorter_one_fails() {
        let library = shared_library();
        check(&library).unwrap();
        for kept in [0, 3, 63, 64, 1000, library.len() / 2, library.len() - 4096, library.len() - 1] {
            assert!(check(&library[..kept]).is_err(), "{kept} of {} bytes", library.len());
        }
    }

    #[test]
    fn damaged_headers_are_refused() {
        for (offset, value, reason) in [
            (0, 0, "not a shared library"),
            (4, 1, "another processor"),
            (18, 243, "another processor"),
            (16, 2, "not a shared library"),
            (47, 0xff, "cut off"),
            (54, 57, "unknown size"),
        ] {
            let mut library = shared_library();
            library[offset] = value;
            let error = check(&library).unwrap_err();
            assert!(error.contains(reason), "byte {offset}: {error}");
        }
    }
}
