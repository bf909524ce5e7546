//! Model files that are cut, no ONNX, or made for something else.

use std::path::{Path, PathBuf};

use super::common::{repository, seedsieve, text};
use super::damage::{altered, cut_in_half, random};
use super::{align, refused, sound};

fn sound_model() -> PathBuf {
    repository().join("models/seed_filter_v1.onnx")
}

/// Every command that reads a model refuses this one.
fn is_refused(model: &Path, folder: &Path, parts: &[&str]) {
    let (sound, parts) = (sound(), [&[text(model)], parts].concat());
    let output = folder.join("out.sam");
    let mut filtered = align(&output, &sound.genome, &[&sound.reads]);
    refused(filtered.args(["--npu-filter", "--model", text(model)]), folder, &parts);
    refused(&mut seedsieve(&["model", "inspect", text(model)]), folder, &parts);
    refused(&mut seedsieve(&["model", "verify", text(model)]), folder, &parts);
}

fn altered_is_refused(alter: impl FnOnce(&mut Vec<u8>), parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let model = altered(&sound_model(), folder.path(), "altered.onnx", alter);
    is_refused(&model, folder.path(), parts);
}

/// Another text of the same length, so that the file stays whole.
fn replaced(from: &'static str, to: &'static str) -> impl FnOnce(&mut Vec<u8>) {
    assert_eq!(from.len(), to.len());
    move |bytes| {
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("the text to replace");
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
}

#[test]
fn truncated_models_are_told_by_the_byte() {
    altered_is_refused(cut_in_half, &["cut off", "at byte", "export it again"]);
    altered_is_refused(|bytes| bytes.truncate(bytes.len() - 1), &["cut off", "at byte", "export it again"]);
    altered_is_refused(Vec::clear, &["the file is empty", "export it again"]);
}

#[test]
fn other_files_are_no_models() {
    altered_is_refused(random, &["not an ONNX file", "at byte"]);
    altered_is_refused(|bytes| *bytes = b"@read\nACGT\n+\nIIII\n".repeat(99), &["ONNX"]);
    let folder = tempfile::tempdir().unwrap();
    is_refused(&folder.path().join("missing.onnx"), folder.path(), &["No such file", "check the path"]);
    is_refused(folder.path(), folder.path(), &["not a regular file", "give the path of an ONNX file"]);
}

#[test]
fn models_of_other_windows_formats_and_programs_are_refused() {
    let window = replaced("128/32/32", "128/16/48");
    altered_is_refused(window, &["windows of `128/16/48`", "windows of 128/32/32", "train it"]);
    let foreign = replaced("seedsieve.format", "anything.format_");
    altered_is_refused(foreign, &["metadata lacks `seedsieve.format`", "export it"]);
    let incomplete = replaced("seedsieve.threshold", "seedsieve.thresh___");
    altered_is_refused(incomplete, &["metadata lacks `seedsieve.threshold`", "export it"]);
    let policy = replaced("seedsieve.label_policy", "seedsieve.label_______");
    altered_is_refused(policy, &["metadata lacks `seedsieve.label_policy`", "export it"]);
}

#[test]
fn a_network_that_contradicts_itself_is_refused_when_it_is_loaded() {
    let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
    // The first operator is one that no version of ONNX has, and nothing vouches for the file.
    let operator = |bytes: &mut Vec<u8>| {
        replaced("Conv", "Kanv")(bytes);
        replaced("seedsieve.checksum", "seedsieve.check___")(bytes);
    };
    let model = altered(&sound_model(), folder.path(), "operator.onnx", operator);
    let output = folder.path().join("out.sam");
    let mut filtered = align(&output, &sound.genome, &[&sound.reads]);
    let arguments = ["--npu-filter", "--npu-backend", "tract", "--model", text(&model)];
    refused(filtered.args(arguments), folder.path(), &[text(&model), "export it again"]);
    refused(&mut seedsieve(&["model", "verify", text(&model)]), folder.path(), &[text(&model), "export it again"]);
}

#[test]
fn windows_to_verify_with_have_to_be_whole_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let windows = altered(&sound_model(), folder.path(), "windows.bin", |bytes| bytes.truncate(129));
    let mut verify = seedsieve(&["model", "verify", text(&sound_model()), "--windows", text(&windows)]);
    refused(&mut verify, folder.path(), &[text(&windows), "129 bytes", "seeds of 128 bytes"]);
}
