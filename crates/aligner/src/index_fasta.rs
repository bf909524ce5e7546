//! Whether the FASTA at the prefix of an index is the one that was indexed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bwa_mem4_core::dna::nt4;
use seedsieve_encoding::AMBIGUOUS;

use crate::AlignerError;
use crate::index::{Contig, ReferenceIndex};
use crate::index_build::open_maybe_gzip;
use crate::index_check::letters;

/// Bytes that are read at either end of the FASTA.
const END_BYTES: u64 = 1 << 16;
/// Bases that a message shows.
const SHOWN: usize = 20;

/// Compares the first contigs and bases, and of a plain file the last bases, with the index: a reference that was
/// replaced or cut after it was indexed. What lies between is not read. No FASTA there: nothing to compare.
pub(crate) fn check_fasta(prefix: &Path, index: &ReferenceIndex) -> Result<(), AlignerError> {
    let mut head = Vec::new();
    let read = open_maybe_gzip(prefix).and_then(|file| file.take(END_BYTES).read_to_end(&mut head));
    if read.is_err() || head.first() != Some(&b'>') {
        return Ok(());
    }
    let problem = |problem| AlignerError::OtherReference { path: prefix.into(), problem };
    check_head(&head, index).map_err(problem)?;
    match last_bases(prefix) {
        Some(last) => check_tail(&last, index).map_err(problem),
        None => Ok(()),
    }
}

fn check_head(head: &[u8], index: &ReferenceIndex) -> Result<(), String> {
    let (mut contig, mut position) = (None, 0);
    let mut lines = head.split(|&byte| byte == b'\n').enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let is_cut = lines.peek().is_none();
        if let [b'>', header @ ..] = line {
            let next = contig.map_or(0, |contig| contig + 1);
            check_end(contig, position, index).map_err(|problem| format!("line {}: {problem}", number + 1))?;
            if is_cut {
                return Ok(());
            }
            let name = header.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            let expected = index.contigs().get(next).map_or("no further contig", |contig| &contig.name);
            if name != expected.as_bytes() {
                let name = name.escape_ascii();
                return Err(format!("line {}: contig {name}, but the index has {expected} there", number + 1));
            }
            (contig, position) = (Some(next), 0);
            continue;
        }
        let Some(contig) = contig else { return Ok(()) };
        let codes: Vec<u8> = line.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|&base| code(base)).collect();
        let end = position + codes.len() as u64;
        let Contig { name, length, .. } = &index.contigs()[contig];
        if end > *length {
            return Err(format!("line {}: {name} has {end} bases or more, but {length} in the index", number + 1));
        }
        let expected = index.contig_codes(contig, position, end);
        if let Some(at) = difference(&codes, &expected) {
            let (found, expected) = (shown(&codes[at..]), shown(&expected[at..]));
            let base = position + at as u64;
            let line = number + 1;
            return Err(format!(
                "line {line}: {name} has {found} at base {base} (0-based), but {expected} in the index"
            ));
        }
        position = end;
    }
    if (head.len() as u64) < END_BYTES {
        check_end(contig, position, index)?;
        let (found, expected) = (contig.map_or(0, |contig| contig + 1), index.contigs().len());
        if found != expected {
            return Err(format!("{found} contigs, but the index has {expected}"));
        }
    }
    Ok(())
}

/// A contig that ends has to have the index's length.
fn check_end(contig: Option<usize>, bases: u64, index: &ReferenceIndex) -> Result<(), String> {
    let Some(contig) = contig else { return Ok(()) };
    let Contig { name, length, .. } = &index.contigs()[contig];
    if bases == *length {
        return Ok(());
    }
    Err(format!("{name} ends after {bases} bases, but has {length} in the index"))
}

fn check_tail(last: &[u8], index: &ReferenceIndex) -> Result<(), String> {
    let codes: Vec<u8> = last.iter().map(|&base| code(base)).collect();
    let contig = index.contigs().len() - 1;
    let Contig { name, length, .. } = &index.contigs()[contig];
    let Some(start) = length.checked_sub(codes.len() as u64) else {
        return Err(format!("the last contig has {} bases or more, but {name} has {length} in the index", codes.len()));
    };
    let expected = index.contig_codes(contig, start, *length);
    let Some(at) = difference(&codes, &expected) else { return Ok(()) };
    let (found, expected) = (shown(&codes[at..]), shown(&expected[at..]));
    let from_end = codes.len() - at;
    Err(format!("{found} stands {from_end} bases before the end, but {expected} in the index ({name})"))
}

/// The last bases of a plain FASTA, at most those of its last contig; `None` where it is compressed or cannot be read.
fn last_bases(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let mut first = [0];
    file.read_exact(&mut first).ok()?;
    if first != *b">" {
        return None;
    }
    let size = file.metadata().ok()?.len();
    let start = size.saturating_sub(END_BYTES);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    // The tail may begin within a line, which may be a header's.
    let whole = tail.split(|&byte| byte == b'\n').skip(usize::from(start > 0));
    let mut bases = Vec::new();
    for line in whole {
        if line.first() == Some(&b'>') {
            bases.clear();
        } else {
            bases.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    Some(bases)
}

fn code(base: u8) -> u8 {
    nt4(base).min(AMBIGUOUS)
}

fn difference(found: &[u8], expected: &[u8]) -> Option<usize> {
    found.iter().zip(expected).position(|(found, expected)| found != expected)
}

fn shown(codes: &[u8]) -> String {
    letters(&codes[..codes.len().min(SHOWN)])
}
