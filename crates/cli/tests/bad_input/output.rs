//! Output that cannot be written. (A folder below a regular file cannot be written by anybody, root included.)

use std::fs;
use std::path::Path;
use std::process::Command;

use super::common::{seedsieve, text};
use super::{align, extract_seeds, refused, sound};

/// A place in a folder that is not there, and one below a regular file.
const IMPOSSIBLE: [(&str, &str); 2] = [("missing/out", "No such file"), ("file/out", "Not a directory")];

fn folder_with_a_file() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "a regular file").unwrap();
    folder
}

/// Runs the command that `command` makes for each impossible place.
fn each_is_refused(command: impl Fn(&Path) -> Command, places: &[(&str, &str)]) {
    let folder = folder_with_a_file();
    for (place, reason) in places {
        let output = folder.path().join(place);
        let message = refused(&mut command(&output), folder.path(), &[text(&output), reason, "check that"]);
        assert!(!message.contains("aligned ") && !message.contains("extracted "), "found late:\n{message}");
    }
}

#[test]
fn alignments_need_a_folder_that_can_be_written() {
    let sound = sound();
    each_is_refused(|output| align(output, &sound.genome, &[&sound.reads]), &IMPOSSIBLE);
    let folder = folder_with_a_file();
    let parts = [text(folder.path()), "it is a folder", "give the name of a file"];
    refused(&mut align(folder.path(), &sound.genome, &[&sound.reads]), folder.path(), &parts);
}

#[test]
fn statistics_that_cannot_be_written_are_told_before_the_alignment() {
    let sound = sound();
    let elsewhere = tempfile::tempdir().unwrap();
    let command = |statistics: &Path| {
        let mut command = align(&elsewhere.path().join("out.sam"), &sound.genome, &[&sound.reads]);
        command.args(["--stats", text(statistics)]);
        command
    };
    each_is_refused(command, &IMPOSSIBLE);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "no alignment without its statistics");
}

#[test]
fn a_data_set_needs_a_folder_that_can_be_made() {
    let sound = sound();
    // Missing folders are made.
    each_is_refused(|output| extract_seeds(output, &sound.genome, &[&sound.reads]), &IMPOSSIBLE[1..]);
    each_is_refused(|output| extract_seeds(output, &sound.genome, &[&sound.reads]), &[("file", "Not a directory")]);
}

#[test]
fn a_failed_extraction_leaves_no_folder_that_it_made() {
    let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
    let missing = folder.path().join("missing.fa");
    let output = folder.path().join("one/two/seeds");
    let parts = [text(&missing), "No such file"];
    refused(&mut extract_seeds(&output, &missing, &[&sound.reads]), folder.path(), &parts);
}

#[test]
fn an_index_needs_a_folder_that_can_be_written() {
    let sound = sound();
    let command = |prefix: &Path| seedsieve(&["index", "--prefix", text(prefix), text(&sound.genome)]);
    each_is_refused(command, &IMPOSSIBLE);
}

#[test]
fn reports_need_a_folder_that_can_be_written() {
    let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
    let sam = folder.path().join("out.sam");
    super::common::succeed(&mut align(&sam, &sound.genome, &[&sound.reads]));
    for option in ["--json", "--report"] {
        for (place, reason) in [("missing/out", "No such file"), ("out.sam/out", "Not a directory")] {
            let output = folder.path().join(place);
            let mut compare = seedsieve(&["compare", text(&sam), text(&sam), option, text(&output)]);
            refused(&mut compare, folder.path(), &[text(&output), reason]);
        }
    }
}
