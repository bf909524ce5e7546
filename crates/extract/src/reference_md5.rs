use md5::{Digest, Md5};
use seedsieve_aligner::ReferenceIndex;
use seedsieve_dataset::hexadecimal;
use std::path::Path;

/// A run of one ambiguous letter, as the index's `.amb` file lists it.
struct AmbiguousRun {
    /// 0-based start in the concatenation of all contigs.
    start: u64,
    length: u64,
    letter: u8,
}

/// MD5 of a contig of the index at `prefix` as SAM defines M5: of all letters in upper case. `None` where the `.amb`
/// file does not say what its ambiguous letters are.
pub(crate) fn contig_md5(index: &ReferenceIndex, prefix: &Path, contig: usize) -> Option<String> {
    const SLICE: u64 = 1 << 22;
    let runs = ambiguous_runs(prefix)?;
    let offset: u64 = index.contigs()[..contig].iter().map(|contig| contig.length).sum();
    let length = index.contigs()[contig].length;
    let mut digest = Md5::new();
    for start in (0..length).step_by(SLICE as usize) {
        let end = (start + SLICE).min(length);
        let mut letters = index.contig_codes(contig, start, end);
        letters.iter_mut().for_each(|letter| *letter = b"ACGTN"[usize::from((*letter).min(4))]);
        for run in &runs {
            let from = run.start.max(offset + start);
            let to = (run.start + run.length).min(offset + end);
            if from < to {
                letters[(from - offset - start) as usize..(to - offset - start) as usize].fill(run.letter);
            }
        }
        digest.update(&letters);
    }
    Some(hexadecimal(&digest.finalize()))
}

/// A line of bases, contigs and runs in all, then a line a run: start, length, letter.
fn ambiguous_runs(prefix: &Path) -> Option<Vec<AmbiguousRun>> {
    let mut path = prefix.as_os_str().to_owned();
    path.push(".amb");
    let text = std::fs::read_to_string(path).ok()?;
    text.lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split_ascii_whitespace();
            Some(AmbiguousRun {
                start: fields.next()?.parse().ok()?,
                length: fields.next()?.parse().ok()?,
                letter: fields.next()?.bytes().next()?.to_ascii_uppercase(),
            })
        })
        .collect()
}
