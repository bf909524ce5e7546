//! What goes wrong around a run: full disks, readers that go away, kills; and reads that are hard or hardly reads.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{fail, first_difference, oracle, records, seedsieve, succeed, synthetic, text};

const FORMATS: [&str; 3] = ["sam", "sam.gz", "bam"];

fn align(arguments: &[&str]) -> std::process::Command {
    seedsieve(&[&["--log", "error", "align"], arguments].concat())
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let (genome, reads, mates) = synthetic();
    for format in FORMATS {
        let arguments = ["-K", "20000", "--output-format", format, text(&genome), text(&reads), text(&mates)];
        let mut run = align(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 100];
        run.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = run.wait_with_output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !message.contains("error") && !message.contains("panic"), "{message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_the_place() {
    let (genome, reads, mates) = synthetic();
    let files = [text(&genome), text(&reads), text(&mates)];
    for format in FORMATS {
        for sort in [&[][..], &["--sort", "coordinate"]] {
            let options = [&["-o", "/dev/full", "--output-format", format], sort, &files].concat();
            let message = fail(&mut align(&options));
            assert!(message.contains("/dev/full") && message.contains("No space left"), "{format}: {message}");
        }
        let options = [&["--output-format", format], &files[..]].concat();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let run = align(&options).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let message = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(1), "{message}");
        assert!(message.contains("standard output") && message.contains("No space left"), "{format}: {message}");
    }
}

#[test]
fn a_killed_run_leaves_nothing_under_the_outputs_name() {
    let (genome, reads, _) = synthetic();
    let reads = fs::read(reads).unwrap();
    for (name, sort) in [("out.sam", false), ("out.sam.gz", false), ("out.bam", true)] {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join(name);
        let sort: &[&str] = if sort { &["--sort", "coordinate", "--sort-memory", "1M"] } else { &[] };
        let options = [&["-K", "20000", "-o", text(&output)], sort, &[text(&genome), "-"]].concat();
        let mut run = align(&options).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // The input stays open, so that the run is in its middle however fast it is.
        let mut input = run.stdin.take().unwrap();
        input.write_all(&reads).unwrap();
        let start = Instant::now();
        let begun = || fs::read_dir(folder.path()).unwrap().next().is_some();
        while !begun() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(begun(), "{name}: nothing was begun");
        run.kill().unwrap();
        run.wait().unwrap();
        drop(input);
        let left: Vec<String> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert!(left.iter().all(|file| file.ends_with(".tmp")), "{left:?}");
    }
}

/// Both programs' records of these reads are the same, and our BAM holds as many.
fn same_as_oracle(fastq: &str, at_least: usize) {
    let (genome, ..) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let reads = folder.path().join("reads");
    fs::write(&reads, fastq).unwrap();
    let ours = succeed(&mut align(&["-K", "100000", text(&genome), text(&reads)])).stdout;
    assert!(records(&ours).len() >= at_least);
    let bam = folder.path().join("out.bam");
    succeed(&mut align(&["-o", text(&bam), text(&genome), text(&reads)]));
    assert_eq!(records_of_bam(&bam), records(&ours).len());
    let Some(oracle) = oracle() else { return };
    let theirs = succeed(std::process::Command::new(oracle).arg("mem").args([text(&genome), text(&reads)])).stdout;
    assert_eq!(first_difference(&ours, &theirs), None);
}

fn records_of_bam(path: &Path) -> usize {
    let mut reader = noodles::bam::io::Reader::new(fs::File::open(path).unwrap());
    reader.read_header().unwrap();
    reader.records().inspect(|record| assert!(record.is_ok(), "{record:?}")).count()
}

#[test]
fn reads_without_bases_qualities_or_a_plain_name() {
    let bases = "ACGTTGCATTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTAAAA";
    let quality = "I".repeat(bases.len());
    same_as_oracle("@empty\n\n+\n\n@short\nA\n+\nI\n", 2);
    same_as_oracle(
        &format!("@with blanks and\ttabs\n{bases}\n+\n{quality}\n@crlf\r\n{bases}\r\n+\r\n{quality}\r\n"),
        2,
    );
    same_as_oracle(&format!(">fasta of two lines\n{bases}\n{bases}\n>no bases\n\n>last\n{bases}"), 3);
}

#[test]
fn identical_reads_of_one_repeat() {
    let unit = |unit: &str| unit.repeat(150 / unit.len());
    for bases in [unit("A"), unit("AC"), unit("N")] {
        let fastq: String =
            (0..150).map(|read| format!("@r{read}\n{bases}\n+\n{}\n", "I".repeat(bases.len()))).collect();
        same_as_oracle(&fastq, 150);
    }
}
