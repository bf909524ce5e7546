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
fn reads_of_1_to_10_000_bases_and_letters_beyond_acgt() {
    let fasta = fs::read_to_string(synthetic().0).unwrap();
    let contig = fasta.split('>').nth(1).unwrap();
    let sequence: String = contig.lines().skip(1).collect();
    let from = |start: usize, length: usize| &sequence[start..start + length];
    let lengths = [1, 2, 10, 18, 19, 20, 30, 31, 100, 500, 1_000, 2_000, 5_000, 10_000];
    let record = |name: &str, bases: &str| format!("@{name}\n{bases}\n+\n{}\n", "I".repeat(bases.len()));
    let mut fastq: String =
        lengths.iter().map(|&length| record(&format!("of{length}"), from(200_000, length))).collect();
    let mixed = format!("{}RYSWKMBDHVN-.{}", from(200_500, 60).to_lowercase(), from(200_573, 80));
    fastq += &record("iupac", &mixed);
    same_as_oracle(&fastq, lengths.len() + 1);
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

/// Ordinary reads, and behind them some of a repeat that is everywhere, each with two errors of its own: reads that are the
/// same are worked on once.
fn with_repeats(ordinary: usize, repeats: usize) -> String {
    let (_, reads, _) = synthetic();
    let mut fastq: String = fs::read_to_string(reads).unwrap().split_inclusive('\n').take(4 * ordinary).collect();
    for read in 0..repeats {
        let mut bases = [b'A'; 150];
        bases[read % 150] = b"CGT"[read / 150 % 3];
        bases[(read + 1 + read / 450) % 150] = b'C';
        let bases = String::from_utf8_lossy(&bases);
        fastq += &format!("@repeat{read}\n{bases}\n+\n{}\n", "I".repeat(150));
    }
    fastq
}

#[test]
fn reads_over_the_limit_of_seeds_are_named_and_counted_and_others_stay() {
    let (genome, ..) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let (reads, stats) = (folder.path().join("reads.fastq"), folder.path().join("stats.json"));
    fs::write(&reads, with_repeats(1_000, 200)).unwrap();
    let run = |options: &[&str]| {
        let arguments = [&["--log", "warn", "align"], options, &[text(&genome), text(&reads)]].concat();
        succeed(&mut seedsieve(&arguments))
    };
    let plain = run(&[]).stdout;
    let capped = run(&["--max-read-seeds", "300", "--stats", text(&stats)]);
    for options in [&["-t", "4"][..], &["-t", "2", "-K", "30000"], &["-K", "1"]] {
        let again = run(&[options, &["--max-read-seeds", "300"]].concat()).stdout;
        assert_eq!(first_difference(&again, &capped.stdout), None, "{options:?}");
    }
    let log = String::from_utf8(capped.stderr).unwrap();
    let counted: serde_json::Value = serde_json::from_slice(&fs::read(&stats).unwrap()).unwrap();
    let over = counted["counts"]["reads_capped"].as_u64().unwrap();
    assert!((120..400).contains(&over), "{over} reads over the limit");
    assert_eq!(log.matches("of which the rarest 300 are looked at").count(), 100, "{log}");
    assert!(log.contains(&format!("{over} reads have more than 300 seeds")), "{log}");
    // The log names the first hundred; the repeats come last.
    let named = |record: &&[u8]| {
        let name = String::from_utf8_lossy(record.split(|byte| *byte == b'\t').next().unwrap()).into_owned();
        name.starts_with("repeat") || log.contains(&format!("{name}: "))
    };
    let of_others = |sam: &[u8]| records(sam).into_iter().filter(|record| !named(record)).collect::<Vec<_>>().concat();
    assert!(records(&of_others(&plain)).len() > 700);
    assert!(of_others(&plain) == of_others(&capped.stdout), "a read below the limit has another record");
}

/// The peak of a run's memory, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory(arguments: &[&str]) -> u64 {
    let mut run = align(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = mark.unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(run.wait().unwrap().success());
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_reads_of_a_repeat() {
    let (genome, ..) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let peak = |reads: usize| {
        let path = folder.path().join(format!("{reads}.fastq"));
        fs::write(&path, with_repeats(0, reads)).unwrap();
        peak_memory(&[text(&genome), text(&path)])
    };
    let (some, many) = (peak(600), peak(3_600));
    assert!(many < some + some / 2, "{some} KiB for 600 reads, {many} KiB for 3,600");
}
