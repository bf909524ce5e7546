//! What the fuzzers have kept, replayed.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// Calls `entry` with every file of a corpus, and names those on which it panics.
fn replay(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|file| file.expect("a file of the corpus").path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{} has {} files", folder.display(), files.len());
    let panics = |file: &std::path::PathBuf| {
        let data = fs::read(file).expect("a file of the corpus");
        catch_unwind(|| entry(&data)).is_err()
    };
    files.retain(panics);
    assert!(files.is_empty(), "these panic: {files:#?}");
}

#[test]
fn fastq() {
    replay("fastq", seedsieve_fuzzing::fastq);
}

#[test]
fn index() {
    replay("index", seedsieve_fuzzing::index);
}

#[test]
fn alignments() {
    replay("alignments", seedsieve_fuzzing::alignments);
}

#[test]
fn model() {
    replay("model", seedsieve_fuzzing::model);
}
