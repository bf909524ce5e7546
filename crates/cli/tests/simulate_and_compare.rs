//! `seedsieve simulate` and `seedsieve compare` as they are typed.

use std::path::Path;
use std::process::{Command, Output};

fn seedsieve(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seedsieve")).current_dir(folder).args(arguments).output().unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Error text of a run that has to fail with exit code 1.
fn failure(folder: &Path, arguments: &[&str]) -> String {
    let output = seedsieve(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A SAM of first mates at `shift` from where their names say they belong.
fn sam(folder: &Path, name: &str, shift: u64) {
    let mut text = String::from("@SQ\tSN:synthetic1\tLN:60000\n");
    for serial in 0..50 {
        let start = 1_000 + 100 * serial;
        let position = if serial < 10 { start + shift } else { start };
        text += &format!(
            "sim:synthetic1:{start}:+:{}:-:{serial}\t0\tsynthetic1\t{position}\t60\t4M\t*\t0\t0\tACGT\t*\n",
            start + 300
        );
    }
    std::fs::write(folder.join(name), text).unwrap();
}

#[test]
fn simulate_writes_three_files_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    let output = seedsieve(
        folder.path(),
        &[
            "simulate",
            "--output",
            "data",
            "--genome-size",
            "60000",
            "--read-pairs",
            "25",
            "--seed",
            "3",
            "--foreign",
            "0.2",
        ],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let data = folder.path().join("data");
    assert_eq!(files(&data), ["genome.fa", "reads_1.fastq", "reads_2.fastq"]);
    let names = |file: &str| -> Vec<String> {
        let text = std::fs::read_to_string(data.join(file)).unwrap();
        text.lines().step_by(4).map(str::to_owned).collect()
    };
    assert_eq!(names("reads_1.fastq").len(), 25);
    assert_eq!(names("reads_1.fastq"), names("reads_2.fastq"));
    assert!(names("reads_1.fastq").iter().any(|name| name.starts_with("@sim:*:0:*:0:*:")));
}

#[test]
fn simulate_refuses_what_it_cannot_do_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = failure(folder.path(), &["simulate", "--output", "data", "--genome-size", "100"]);
    assert!(error.contains("the genome size is 100; it has to be from 30000 to"), "{error}");
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let error = failure(folder.path(), &["simulate", "--output", "file", "--genome-size", "60000"]);
    assert!(error.contains("cannot write file"), "{error}");
    assert_eq!(files(folder.path()), ["file"]);
}

#[test]
fn compare_prints_the_table_and_writes_json_and_report() {
    let folder = tempfile::tempdir().unwrap();
    sam(folder.path(), "a.sam", 0);
    sam(folder.path(), "b.sam", 500);
    let output = seedsieve(
        folder.path(),
        &[
            "compare",
            "a.sam",
            "b.sam",
            "--truth",
            "names",
            "--json",
            "out.json",
            "--report",
            "out.html",
            "--label-a",
            "off",
            "--label-b",
            "on",
        ],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("80.000") && table.contains("100.000"), "{table}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("out.json")).unwrap()).unwrap();
    assert_eq!((&json["reads"], &json["changes"][6]["moved"]), (&50.into(), &10.into()));
    assert_eq!(json["b"]["truth"][6]["right"], 40);
    let page = std::fs::read_to_string(folder.path().join("out.html")).unwrap();
    assert!(page.contains("<h1>on against off</h1>"));
}

#[test]
fn compare_fails_without_leaving_a_file() {
    let folder = tempfile::tempdir().unwrap();
    sam(folder.path(), "a.sam", 0);
    let before = files(folder.path());
    let outputs = ["--json", "out.json", "--report", "out.html"];
    let error = failure(folder.path(), &[&["compare", "a.sam", "nowhere.sam"], outputs.as_slice()].concat());
    assert!(error.contains("cannot read nowhere.sam"), "{error}");
    let error = failure(folder.path(), &["compare", "a.sam", "a.sam", "--json", "out.json", "--report", "no/out.html"]);
    assert!(error.contains("cannot write no/out.html"), "{error}");
    assert_eq!(files(folder.path()), before);
}
