//! Bad input: what each kind of it is answered with. Every case has to end with exit code 1 and a message that names the
//! file, the place, the value and the next step; no panic; and the folder of the output as it was before.

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod data_set;
mod index;
mod model;
mod output;
mod reads;
mod runtime;
mod source;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fail, prepared, seedsieve, succeed, text};

/// A synthetic genome of three contigs with its index, and 400 pairs of reads from it; made once.
struct Sound {
    genome: PathBuf,
    reads: PathBuf,
    mates: PathBuf,
}

fn sound() -> Sound {
    let folder = prepared("bad_input", |folder| {
        let size = ["--genome-size", "60000", "--read-pairs", "400", "--seed", "3"];
        succeed(seedsieve(&["simulate", "--output", text(folder)]).args(size));
        succeed(&mut seedsieve(&["index", text(&folder.join("genome.fa"))]));
    });
    Sound { genome: folder.join("genome.fa"), reads: folder.join("reads_1.fastq"), mates: folder.join("reads_2.fastq") }
}

/// `seedsieve align -o OUTPUT INDEX READS...`
fn align(output: &Path, index: &Path, reads: &[&Path]) -> Command {
    let mut command = seedsieve(&["align", "-o", text(output), text(index)]);
    command.args(reads);
    command
}

/// `seedsieve extract-seeds --reference INDEX --output OUTPUT INPUT...`
fn extract_seeds(output: &Path, index: &Path, inputs: &[&Path]) -> Command {
    let mut command = seedsieve(&["extract-seeds", "--reference", text(index), "--output", text(output)]);
    command.args(inputs);
    command
}

/// Everything below a folder with its size, sorted.
fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable folder");
        let status = entry.metadata().expect("a readable file");
        found.push((entry.path(), if status.is_dir() { 0 } else { status.len() }));
        if status.is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}

/// Runs a command that has to fail with exit code 1, say every one of `parts`, and leave `folder` as it was.
fn refused(command: &mut Command, folder: &Path, parts: &[&str]) -> String {
    let before = listing(folder);
    let message = fail(command);
    for part in parts {
        assert!(message.contains(part), "{command:?} says:\n{message}\nwhich lacks: {part}");
    }
    assert_eq!(listing(folder), before, "{command:?} left something behind, and says:\n{message}");
    assert!(message.lines().any(|line| line.starts_with("error: ")), "{message}");
    says_it_once(&message);
    message
}

/// No cause stands twice in the error, as it does where a message holds its source and the chain prints it again.
fn says_it_once(message: &str) {
    let error = message.lines().find(|line| line.starts_with("error: ")).expect("an error");
    let parts: Vec<&str> = error.split(": ").collect();
    for (number, part) in parts.iter().enumerate().filter(|(_, part)| part.len() > 12) {
        assert!(!parts[..number].contains(part), "said twice: {part}\n{message}");
    }
}
