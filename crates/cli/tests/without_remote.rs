//! A binary without the feature `remote` says so at an address. Empty with it: `cargo test --no-default-features` runs it; a
//! test beside the code (`commands/addresses.rs`) is in every run.
#![cfg(not(feature = "remote"))]

mod common;

use common::{fail, seedsieve, text};

#[test]
fn addresses_are_refused_with_the_feature_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let address = "https://host.invalid/genome.fa";
    let output = folder.path().join("seeds");
    let message = fail(
        seedsieve(&["extract-seeds", "--reference", address, "--single", "--output"]).arg(&output).arg("reads.fastq"),
    );
    assert!(message.contains(address) && message.contains("`remote`"), "{message}");
    let message = fail(&mut seedsieve(&["index", address]));
    assert!(message.contains(address) && message.contains("`remote`"), "{message}");
    let cache = ["extract-seeds", "--cache", text(folder.path()), "--reference", "genome.fa", "-o", text(&output)];
    let message = fail(seedsieve(&cache).arg("reads.fastq"));
    assert!(message.contains("`remote`"), "{message}");
    assert!(!output.exists());
}
