use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use seedsieve_aligner::{ReferenceIndex, build_index};
use tempfile::TempDir;

/// A small index, made once: two contigs of made-up sequence, one of them with a run of N, and a repeat in both.
pub(crate) struct SmallReference {
    _folder: TempDir,
    /// Prefix of the index's files.
    pub(crate) prefix: PathBuf,
    /// Bases of the first contig.
    pub(crate) first_contig: Vec<u8>,
    /// The index, loaded.
    pub(crate) index: ReferenceIndex,
}

/// Bases in a contig.
const CONTIG: usize = 700;

pub(crate) static REFERENCE: LazyLock<SmallReference> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (fasta, prefix) = (folder.path().join("small.fa"), folder.path().join("small"));
    let mut first_contig = bases(1, CONTIG);
    let mut second = bases(2, CONTIG);
    let repeat = bases(3, 120);
    first_contig[300..420].copy_from_slice(&repeat);
    second[100..220].copy_from_slice(&repeat);
    second[400..420].fill(b'N');
    let text = [b">one\n", &first_contig[..], b"\n>two\n", &second, b"\n"].concat();
    fs::write(&fasta, text).expect("temporary files can be written");
    build_index(&fasta, &prefix).expect("the reference is sound");
    let index = ReferenceIndex::load(&prefix).expect("the index was made just now");
    SmallReference { _folder: folder, prefix, first_contig, index }
});

/// Made-up bases, the same on every machine.
fn bases(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"ACGT"[(state >> 30) as usize]
    };
    (0..length).map(step).collect()
}
