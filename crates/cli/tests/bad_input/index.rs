//! Index files that are missing, cut, extended or of another reference; references that cannot be indexed.

use std::fs;
use std::path::{Path, PathBuf};

use super::common::{seedsieve, succeed, text};
use super::damage::{altered, cut_in_half, flip_the_middle, gzip, line, random};
use super::{align, extract_seeds, refused, sound};

const SUFFIXES: [&str; 5] = ["amb", "ann", "pac", "0123", "bwt.2bit.64"];

/// A copy of the sound genome and its index, to be damaged.
struct Copy {
    folder: tempfile::TempDir,
    genome: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genome = folder.path().join("genome.fa");
        copy_index(&sound().genome, &genome);
        fs::copy(sound().genome, &genome).unwrap();
        Self { folder, genome }
    }

    fn file(&self, suffix: &str) -> PathBuf {
        file(&self.genome, suffix)
    }

    /// Both commands that load an index refuse this one.
    fn is_refused(&self, parts: &[&str]) {
        let (sound, folder) = (sound(), self.folder.path());
        refused(&mut align(&folder.join("out.sam"), &self.genome, &[&sound.reads]), folder, parts);
        refused(&mut extract_seeds(&folder.join("seeds"), &self.genome, &[&sound.reads]), folder, parts);
    }

    /// Alters a file, sees that it is refused, and puts it back.
    fn altered_is_refused(&self, suffix: &str, alter: impl FnOnce(&mut Vec<u8>), parts: &[&str]) {
        let path = self.file(suffix);
        let sound = fs::read(&path).unwrap();
        let mut bytes = sound.clone();
        alter(&mut bytes);
        assert_ne!(bytes, sound, "an alteration of {suffix}");
        fs::write(&path, bytes).unwrap();
        self.is_refused(&[&[text(&path)], parts].concat());
        fs::write(&path, sound).unwrap();
    }
}

fn file(prefix: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", text(prefix)))
}

fn copy_index(from: &Path, to: &Path) {
    for suffix in SUFFIXES {
        fs::copy(file(from, suffix), file(to, suffix)).unwrap();
    }
}

#[test]
fn a_missing_index_file_is_named() {
    let copy = Copy::new();
    for suffix in SUFFIXES {
        let (path, aside) = (copy.file(suffix), copy.folder.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        copy.is_refused(&[text(&path), "No such file", "`seedsieve index REF.fa` writes"]);
        fs::rename(&aside, &path).unwrap();
    }
}

#[test]
fn a_truncated_index_file_is_named() {
    let copy = Copy::new();
    for suffix in SUFFIXES {
        copy.altered_is_refused(suffix, |bytes| bytes.truncate(bytes.len() - 1), &["make it again"]);
        copy.altered_is_refused(suffix, |bytes| bytes.truncate(bytes.len() / 2), &["make it again"]);
        copy.altered_is_refused(suffix, |bytes| bytes.clear(), &["make it again"]);
    }
}

#[test]
fn an_extended_index_file_is_named() {
    let copy = Copy::new();
    for suffix in SUFFIXES {
        copy.altered_is_refused(suffix, |bytes| bytes.extend(b"0 0\n"), &["make it again"]);
    }
}

#[test]
fn numbers_that_contradict_each_other_are_named_with_their_line() {
    let copy = Copy::new();
    let number = |line_number, text: &'static str| line(line_number, |line| *line = text.into());
    for (suffix, alter, parts) in [
        ("ann", number(1, "60000 2000000000 11"), ["line 1", "2000000000 contigs"]),
        ("ann", number(1, "-60000 3 11"), ["line 1", "`-60000 3 11`; expected is BASES CONTIGS SEED"]),
        ("ann", number(1, "99999999999999999999 3 11"), ["line 1", "expected is BASES CONTIGS SEED"]),
        ("ann", number(1, "0 0 11"), ["line 1", "0 contigs of 0 bases"]),
        ("ann", number(3, "0 23999 0"), ["line 5", "a contig of 20000 bases at 24000; expected is one at 23999"]),
        ("ann", number(7, "44000 15999 0"), ["line 1", "names 60000 bases, but its contigs have 59999"]),
        ("ann", number(4, "0"), ["line 4", "no contig name"]),
        ("amb", number(1, "60000 4 0"), ["line 1", "60000 bases, 4 contigs, 0 runs of N"]),
        ("amb", number(1, "60000 3 1"), ["line 1", "1 runs of N"]),
    ] {
        copy.altered_is_refused(suffix, alter, &parts);
    }
}

#[test]
fn damage_of_the_fm_index_is_found_where_it_would_lead_astray() {
    let copy = Copy::new();
    let fm_index = "bwt.2bit.64";
    copy.altered_is_refused(fm_index, |bytes| bytes[0] ^= 1, &["byte 0", "has 120001"]);
    copy.altered_is_refused(fm_index, |bytes| bytes[17] ^= 0x40, &["byte 8", "counts of bases"]);
    copy.altered_is_refused(fm_index, |bytes| *bytes.last_mut().unwrap() = 0x7f, &["sentinel", "0 to 120000"]);
    let blocks = 48..bytes_of_blocks(60_000);
    copy.altered_is_refused(fm_index, |bytes| bytes[blocks].fill(0xff), &["byte 48", "do not follow"]);
    let zero_places = |bytes: &mut Vec<u8>| {
        let places = bytes_of_blocks(60_000)..bytes.len() - 8;
        bytes[places].fill(0);
    };
    copy.altered_is_refused(fm_index, zero_places, &["does not hold"]);
    copy.altered_is_refused(fm_index, |bytes| bytes[bytes_of_blocks(60_000)] = 1, &["place", "valid are 0 to 120000"]);
    // The last number is the row of the sentinel.
    copy.altered_is_refused(fm_index, |bytes| bytes[bytes_of_blocks(60_000)..].fill(0), &["do not follow"]);
}

/// Where the FM-index's blocks of 64 bytes for 64 rows each end.
fn bytes_of_blocks(bases: usize) -> usize {
    48 + ((2 * bases + 1) / 64 + 1) * 64
}

/// Another genome of the same size and contigs, and its index, as a replaced reference has it.
fn other_genome(folder: &Path) -> PathBuf {
    let arguments =
        ["simulate", "--output", text(folder), "--genome-size", "60000", "--read-pairs", "1", "--seed", "4"];
    succeed(&mut seedsieve(&arguments));
    let genome = folder.join("genome.fa");
    succeed(&mut seedsieve(&["index", text(&genome)]));
    genome
}

#[test]
fn files_of_two_references_are_told_apart() {
    let copy = Copy::new();
    let other_folder = tempfile::tempdir().unwrap();
    let other = other_genome(other_folder.path());
    for (suffix, part) in [("pac", "0123"), ("0123", "pac"), ("bwt.2bit.64", "does not hold")] {
        let replacement = fs::read(file(&other, suffix)).unwrap();
        let path = copy.file(suffix);
        let sound = fs::read(&path).unwrap();
        assert_eq!(sound.len(), replacement.len(), "only the content tells the two apart");
        fs::write(&path, replacement).unwrap();
        copy.is_refused(&[part, "belongs to another reference", "`seedsieve index`"]);
        fs::write(&path, sound).unwrap();
    }
}

#[test]
fn a_reference_that_was_replaced_after_indexing_is_named() {
    let copy = Copy::new();
    let other_folder = tempfile::tempdir().unwrap();
    let other = other_genome(other_folder.path());
    let genome = fs::read(&copy.genome).unwrap();
    let is_refused = |fasta: &[u8], parts: &[&str]| {
        fs::write(&copy.genome, fasta).unwrap();
        copy.is_refused(&[&[text(&copy.genome), "of another reference", "`seedsieve index`"], parts].concat());
    };
    is_refused(&fs::read(&other).unwrap(), &["line 2", "at base 0 (0-based)"]);
    is_refused(&[b">other ".as_slice(), &genome[1..]].concat(), &["line 1", "contig other", "synthetic1"]);
    let end = genome.len() - 100;
    is_refused(&genome[..end], &["synthetic3 ends after", "16000"]);
    is_refused(&[&genome, b"ACGT\n".as_slice()].concat(), &["16004 bases or more", "16000"]);
    is_refused(&[&genome, b">more\nACGT\n".as_slice()].concat(), &["contig more", "no further contig"]);
    let mut compressed = genome[..end].to_vec();
    gzip(&mut compressed);
    is_refused(&compressed, &["synthetic3 ends after"]);
}

#[test]
fn what_is_no_reference_is_not_indexed() {
    let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let empty = altered(&sound.genome, folder, "empty.fa", Vec::clear);
    let binary = altered(&sound.genome, folder, "binary.fa", random);
    let headers = altered(&sound.genome, folder, "headers.fa", |bytes| *bytes = b">one\n>two\n".to_vec());
    let cut = altered(&sound.genome, folder, "cut.fa.gz", |bytes| {
        gzip(bytes);
        cut_in_half(bytes);
    });
    let corrupt = altered(&sound.genome, folder, "corrupt.fa.gz", |bytes| {
        gzip(bytes);
        flip_the_middle(bytes);
    });
    let (reads, missing) = (sound.reads, folder.join("missing.fa"));
    for (path, part) in [
        (&empty, "no FASTA header at byte 0"),
        (&binary, "byte 0 is '\\xff'"),
        (&headers, "headers without a base"),
        (&cut, "is the file complete"),
        (&corrupt, "is the file complete"),
        (&reads, "byte 0 is '@'"),
        (&missing, "No such file"),
    ] {
        let prefix = folder.join("index");
        refused(&mut seedsieve(&["index", "--prefix", text(&prefix), text(path)]), folder, &[text(path), part]);
    }
}
