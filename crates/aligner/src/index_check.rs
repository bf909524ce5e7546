//! Whether the files of an index are whole and of one reference.
//!
//! bwa-mem2's index files carry no checksums. What can be told without reading gigabytes is told: the text files against
//! each other, line by line; the sizes of the binary files; the head of the FM-index; whether `.pac`, `.0123` and the
//! FM-index have the same bases at places spread over the reference; and, where the FASTA lies at the prefix, its ends.
//! An altered byte between those places is not seen.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bwa_index::BntSeq;

use crate::AlignerError;
use crate::fm_index::{FmIndex, Interval};
use crate::index::index_file;

/// Places of the reference at which the files are compared.
const PLACES: u64 = 32;
/// Bases compared at each place: by chance they occur nowhere in another genome.
const PLACE_BASES: u64 = 64;
/// A repeat with more occurrences is not looked up in the suffix array.
const MAX_LOOKED_UP: i64 = 16;
/// Bytes of the FM-index before its blocks: rows, then five cumulative counts of bases.
const FM_HEAD_BYTES: usize = 48;

/// Checks the sizes of the binary files, which follow from the reference's length (bwa-mem2's file formats): two bits a
/// base and two bytes of padding and count; one byte a base of both strands; and for the FM-index its head, a 64-byte
/// block for each 64 rows, five bytes for each eighth row, the row of the sentinel.
pub(crate) fn check_sizes(prefix: &Path, bases: u64) -> Result<(), AlignerError> {
    let rows = 2 * bases + 1;
    let packed = bases / 4 + 2;
    let fm_index = FM_HEAD_BYTES as u64 + (rows / 64 + 1) * 64 + (rows / 8 + 1) * 5 + 8;
    for (suffix, expected) in [("pac", packed), ("0123", 2 * bases), ("bwt.2bit.64", fm_index)] {
        let path = index_file(prefix, suffix);
        let found = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(reason) => return Err(AlignerError::IndexFile { path, reason }),
        };
        if found != expected {
            let problem = format!("{found} bytes; a reference of {bases} bases needs {expected}");
            return Err(AlignerError::IndexContent { path, problem });
        }
    }
    check_fm_head(prefix, rows)
}

/// Checks the FM-index's numbers that say where to look within it: wrong ones would lead outside.
fn check_fm_head(prefix: &Path, rows: u64) -> Result<(), AlignerError> {
    let path = index_file(prefix, "bwt.2bit.64");
    let (mut head, mut sentinel) = ([0; FM_HEAD_BYTES], [0; 8]);
    let read = File::open(&path).and_then(|mut file| {
        file.read_exact(&mut head)?;
        file.seek(SeekFrom::End(-(sentinel.len() as i64)))?;
        file.read_exact(&mut sentinel)
    });
    read.map_err(|reason| AlignerError::IndexFile { path: path.clone(), reason })?;
    let numbers: Vec<u64> =
        head.chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect();
    let (found, cumulative, sentinel) = (numbers[0], &numbers[1..], u64::from_le_bytes(sentinel));
    let bases = (rows - 1) / 2;
    // Both strands are in the text, so that there are as many A as T, and as many C as G.
    let sound = cumulative[0] == 0
        && cumulative[4] == rows - 1
        && cumulative.is_sorted()
        && cumulative[1] == cumulative[4] - cumulative[3]
        && cumulative[2] - cumulative[1] == cumulative[3] - cumulative[2];
    let problem = if found != rows {
        format!("byte 0: is for {found} rows; a reference of {bases} bases has {rows}")
    } else if !sound {
        format!("byte 8: the counts of bases are {cumulative:?}, which are not those of two strands of {bases} bases")
    } else if sentinel >= rows {
        format!("the last 8 bytes: the sentinel is in row {sentinel}; valid are 0 to {}", rows - 1)
    } else {
        return Ok(());
    };
    Err(AlignerError::IndexContent { path, problem })
}

/// Checks at places spread over the reference that `.pac`, `.0123` and the FM-index have the same bases.
pub(crate) fn check_places(
    prefix: &Path,
    bns: &BntSeq,
    fm: &FmIndex,
    packed: &bwa_index::FmIndex,
) -> Result<(), AlignerError> {
    let path = index_file(prefix, "0123");
    let open = File::open(&path);
    let mut unpacked = open.map_err(|reason| AlignerError::IndexFile { path: path.clone(), reason })?;
    let bases = bns.l_pac as u64;
    let length = bases.min(PLACE_BASES);
    let mut found = vec![0; length as usize];
    for place in 0..PLACES {
        let start = (bases - length) * place / (PLACES - 1);
        let expected = packed.bases(start as i64, (start + length) as i64);
        let read = unpacked.seek(SeekFrom::Start(start)).and_then(|_| unpacked.read_exact(&mut found));
        read.map_err(|reason| AlignerError::IndexFile { path: path.clone(), reason })?;
        let (ours, theirs) = (letters(&expected), letters(&found));
        if found != expected {
            let problem =
                format!("byte {start}: {theirs}, but {} has {ours} there", index_file(prefix, "pac").display());
            return Err(AlignerError::IndexContent { path, problem });
        }
        if !holds(fm, &expected, start as i64) {
            let pac = index_file(prefix, "pac");
            let problem = format!("does not hold {ours}, which {} has at base {start} (0-based)", pac.display());
            return Err(AlignerError::IndexContent { path: index_file(prefix, "bwt.2bit.64"), problem });
        }
    }
    Ok(())
}

/// Whether the FM-index finds `codes`, and, where they are rare, at `start`.
fn holds(fm: &FmIndex, codes: &[u8], start: i64) -> bool {
    let Some((&last, before)) = codes.split_last() else { return true };
    let mut interval = fm.of_base(last);
    for &code in before.iter().rev() {
        interval = fm.with_base_before(interval, code);
        let inside = interval.row >= 0 && interval.occurrences > 0 && interval.row <= fm.rows() - interval.occurrences;
        if !inside {
            return false;
        }
    }
    let Interval { row, occurrences, .. } = interval;
    occurrences > MAX_LOOKED_UP || (row..row + occurrences).any(|row| fm.place(row) == start)
}

pub(crate) fn letters(codes: &[u8]) -> String {
    codes.iter().map(|&code| char::from(b"ACGTN"[usize::from(code.min(4))])).collect()
}
