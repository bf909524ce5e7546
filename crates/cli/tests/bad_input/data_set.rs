//! Data sets with cut, altered, missing and foreign files.

use std::fs;
use std::path::{Path, PathBuf};

use super::common::{seedsieve, succeed, text};
use super::damage::{cut_in_half, flip_the_middle, random};
use super::{extract_seeds, refused, sound};

/// A sound data set of one part, to be damaged.
struct DataSet {
    folder: tempfile::TempDir,
    directory: PathBuf,
}

impl DataSet {
    fn new() -> Self {
        let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
        let directory = folder.path().join("seeds");
        succeed(&mut extract_seeds(&directory, &sound.genome, &[&sound.reads]));
        succeed(&mut seedsieve(&["dataset", "validate", text(&directory)]));
        Self { folder, directory }
    }

    fn part(&self) -> PathBuf {
        self.directory.join("data/part-00000.parquet")
    }

    fn manifest(&self) -> PathBuf {
        self.directory.join("dataset.json")
    }

    fn is_refused(&self, parts: &[&str]) {
        refused(&mut seedsieve(&["dataset", "validate", text(&self.directory)]), self.folder.path(), parts);
    }

    /// Alters a file, sees that it is refused, and puts it back.
    fn altered_is_refused(&self, path: &Path, alter: impl FnOnce(&mut Vec<u8>), parts: &[&str]) {
        let sound = fs::read(path).unwrap();
        let mut bytes = sound.clone();
        alter(&mut bytes);
        assert_ne!(bytes, sound);
        fs::write(path, bytes).unwrap();
        self.is_refused(&[&[text(path)], parts].concat());
        fs::write(path, sound).unwrap();
    }

    /// Makes size and checksum of the manifest those of the part as it is: what is left to find is in the Parquet.
    fn vouch_for_the_part(&self) {
        let bytes = fs::read(self.part()).unwrap();
        let text = fs::read_to_string(self.manifest()).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        manifest["parts"][0]["size"] = bytes.len().into();
        manifest["parts"][0]["sha256"] = sha256(&self.part()).into();
        fs::write(self.manifest(), manifest.to_string()).unwrap();
    }
}

fn sha256(path: &Path) -> String {
    seedsieve_dataset::file_sha256(path).unwrap().1
}

#[test]
fn parts_that_are_not_what_was_written_are_named() {
    let data_set = DataSet::new();
    let part = data_set.part();
    let size = fs::metadata(&part).unwrap().len().to_string();
    for alter in [cut_in_half, |bytes: &mut Vec<u8>| bytes.push(0), Vec::clear, random] {
        data_set.altered_is_refused(&part, alter, &["dataset.json says", &size, "copy it again"]);
    }
    let stated = sha256(&part);
    data_set.altered_is_refused(&part, flip_the_middle, &["SHA-256", &stated, "the file was altered"]);
    fs::remove_file(&part).unwrap();
    data_set.is_refused(&[text(&part), "missing", "restore it"]);
}

#[test]
fn corrupt_parquet_that_the_manifest_vouches_for_is_an_error_with_its_row() {
    let data_set = DataSet::new();
    let (part, sound) = (data_set.part(), fs::read(data_set.part()).unwrap());
    for alter in [cut_in_half, Vec::clear, random] {
        let mut bytes = sound.clone();
        alter(&mut bytes);
        fs::write(&part, bytes).unwrap();
        data_set.vouch_for_the_part();
        data_set.is_refused(&[text(&part), "row 0"]);
    }
    // Any byte may be altered: the answer is an error, or a byte that means nothing; never a panic.
    let mut errors = 0;
    for at in (4..sound.len()).step_by(sound.len() / 60) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0xff;
        fs::write(&part, bytes).unwrap();
        data_set.vouch_for_the_part();
        let output = seedsieve(&["dataset", "validate", text(&data_set.directory)]).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)) && !message.contains("panicked"), "byte {at}: {message}");
        errors += u32::from(!output.status.success());
    }
    assert!(errors > 30, "only {errors} of 60 altered bytes were found");
}

#[test]
fn manifests_that_are_missing_or_damaged_are_named() {
    let data_set = DataSet::new();
    let manifest = data_set.manifest();
    data_set.altered_is_refused(&manifest, cut_in_half, &["line", "column", "restore the file"]);
    data_set.altered_is_refused(&manifest, Vec::clear, &["line 1", "restore the file"]);
    data_set.altered_is_refused(&manifest, random, &["line 1", "restore the file"]);
    let replaced = |from: &'static str, to: &'static str| {
        move |bytes: &mut Vec<u8>| {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            *bytes = text.replacen(from, to, 1).into_bytes();
        }
    };
    let newer = replaced("\"schema_version\": 5", "\"schema_version\": 99");
    data_set.altered_is_refused(&manifest, newer, &["schema version 99", "reads versions 1 to 5", "a newer one"]);
    fs::remove_file(&manifest).unwrap();
    data_set.is_refused(&[text(&data_set.directory), "no dataset.json", "extract-seeds"]);
    fs::remove_dir_all(&data_set.directory).unwrap();
    data_set.is_refused(&[text(&data_set.directory), "no dataset.json", "check the path"]);
    fs::write(&data_set.directory, "a file").unwrap();
    data_set.is_refused(&[text(&data_set.directory), "Not a directory"]);
}

#[test]
fn a_data_set_of_another_reference_is_told_by_its_first_row() {
    let data_set = DataSet::new();
    let other = data_set.folder.path().join("other");
    let arguments =
        ["simulate", "--output", text(&other), "--genome-size", "60000", "--read-pairs", "1", "--seed", "4"];
    succeed(&mut seedsieve(&arguments));
    let genome = other.join("genome.fa");
    succeed(&mut seedsieve(&["index", text(&genome)]));
    let mut validate = seedsieve(&["dataset", "validate", "--reference", text(&genome), text(&data_set.directory)]);
    let part = data_set.part();
    refused(&mut validate, data_set.folder.path(), &[text(&part), "row 0", "reference_window is", "the reference has"]);
}

#[test]
fn a_finished_data_set_is_not_replaced_unasked() {
    let (data_set, sound) = (DataSet::new(), sound());
    let mut other = extract_seeds(&data_set.directory, &sound.genome, &[&sound.reads]);
    refused(other.args(["-k", "20"]), data_set.folder.path(), &[text(&data_set.directory), "--overwrite"]);
    // The command that wrote it has done its work.
    let again = succeed(&mut extract_seeds(&data_set.directory, &sound.genome, &[&sound.reads]));
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("had been finished by this command"), "{said}");
    // Nor where it was asked for and fails.
    let cut = super::damage::altered(&sound.reads, data_set.folder.path(), "cut.fastq", cut_in_half);
    let mut failing = extract_seeds(&data_set.directory, &sound.genome, &[&cut]);
    refused(failing.arg("--overwrite"), data_set.folder.path(), &[text(&cut), "record"]);
    succeed(&mut seedsieve(&["dataset", "validate", text(&data_set.directory)]));
}

#[test]
fn data_sets_that_cannot_be_derived_as_asked_are_answered_with_the_reason() {
    let data_set = DataSet::new();
    let (directory, output) = (text(&data_set.directory), data_set.folder.path().join("new"));
    let samples = data_set.folder.path().join("samples.tsv");
    let derive = |arguments: &[&str]| {
        let mut command = seedsieve(&["dataset", arguments[0], "--output", text(&output)]);
        command.args(&arguments[1..]);
        command
    };
    for (table, parts) in [
        ("name\tsplit\nx\ttrain\n", ["line 1", "`sample` and `split`"]),
        ("sample\tsplit\nx\tother\n", ["line 2", "valid are train, validation, test"]),
        ("sample\tsplit\nx\n", ["line 2", "1 columns, but line 1 has 2"]),
        ("sample\tsplit\nx\ttest\n", ["sample `x`", "the data set has"]),
    ] {
        fs::write(&samples, table).unwrap();
        let mut split = derive(&["split", "--samples", text(&samples), directory]);
        refused(&mut split, data_set.folder.path(), &parts);
    }
    let mut sample = derive(&["sample", "-n", "5", "--viable", "1.5", directory]);
    refused(&mut sample, data_set.folder.path(), &[text(&data_set.manifest()), "1.5", "0 to 1"]);
    let mut merge = derive(&["merge", directory, directory]);
    refused(&mut merge, data_set.folder.path(), &[text(&data_set.manifest()), "reads of reads_1.fastq"]);
    let mut own_folder = seedsieve(&["dataset", "label", "--policy", "near-best", "-o", directory, directory]);
    refused(&mut own_folder, data_set.folder.path(), &["--overwrite"]);

    let made = succeed(&mut derive(&["sample", "-n", "50", directory]));
    assert!(String::from_utf8_lossy(&made.stdout).contains("all"), "{made:?}");
    succeed(&mut seedsieve(&["dataset", "validate", text(&output)]));
}
