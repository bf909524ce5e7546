//! `seedsieve index --map`: the same records from a mapped index as from one that is read.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{fail, prepared, seedsieve, succeed, synthetic, text};

/// The synthetic genome with a second copy of its index, which is mapped; its prefix.
fn mapped() -> PathBuf {
    let (genome, ..) = synthetic();
    let folder = prepared("synthetic_mapped", |folder| {
        succeed(&mut seedsieve(&["index", "--map", "--prefix", text(&folder.join("mapped")), text(&genome)]));
    });
    folder.join("mapped")
}

/// Records of all reads, without the header, whose @PG names the index.
fn records(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let (_, first, second) = synthetic();
    let output = succeed(seedsieve(&["align"]).args(arguments).args([text(prefix), text(&first), text(&second)]));
    let sam = String::from_utf8(output.stdout).expect("SAM is text");
    sam.lines().filter(|line| !line.starts_with('@')).map(String::from).collect()
}

#[test]
fn a_mapped_index_gives_the_same_records() {
    let (read, ..) = synthetic();
    let mapped = mapped();
    assert!(fs::exists(format!("{}.seedsieve.fm", mapped.display())).unwrap());
    for arguments in [&["-t", "2"][..], &["-k", "12", "--filter", "cascade"]] {
        let expected = records(&read, arguments);
        assert!(expected.len() >= 10_000);
        assert!(records(&mapped, arguments) == expected, "{arguments:?}");
    }
}

#[test]
fn an_index_that_is_there_can_be_made_to_map_and_gets_the_same_file() {
    let mapped = mapped();
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("copy");
    let file = |prefix: &Path, suffix: &str| PathBuf::from(format!("{}.{suffix}", prefix.display()));
    for suffix in ["amb", "ann", "pac", "0123", "bwt.2bit.64"] {
        fs::copy(file(&mapped, suffix), file(&prefix, suffix)).unwrap();
    }
    succeed(&mut seedsieve(&["index", "--map-only", text(&prefix)]));
    let bytes = |prefix: &Path| fs::read(file(prefix, "seedsieve.fm")).unwrap();
    assert!(bytes(&prefix) == bytes(&mapped));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6, "temporary files are removed");

    fs::write(file(&prefix, "seedsieve.fm"), &bytes(&mapped)[..100_000]).unwrap();
    let message = fail(&mut seedsieve(&["align", text(&prefix), text(&synthetic().1)]));
    assert!(message.contains("copy.seedsieve.fm: 100000 bytes; for this reference it has"), "{message}");
    assert!(message.contains("`seedsieve index --map-only`, or remove it"), "{message}");
}

#[test]
fn without_an_index_there_is_nothing_to_map() {
    let folder = tempfile::tempdir().unwrap();
    let message = fail(&mut seedsieve(&["index", "--map-only", text(&folder.path().join("none.fa"))]));
    assert!(message.contains("none.fa.ann") && message.contains("`seedsieve index REF.fa` writes"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The packed reference is loaded through a temporary folder; without one the index takes more memory, and all is the same.
#[test]
fn a_machine_without_a_temporary_folder_aligns_as_well() {
    let (genome, first, _) = synthetic();
    let run = |folder: Option<&str>| {
        let mut command = seedsieve(&["align", text(&genome), text(&first)]);
        folder.map(|folder| command.env("TMPDIR", folder));
        succeed(&mut command).stdout
    };
    assert!(run(None) == run(Some("/nowhere/at/all")));
}
