//! What the tests of the binary share: its runs, the real data, the oracle.
#![allow(dead_code)] // each test binary uses a part

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/cli lies two levels down").to_path_buf()
}

/// Says that a test is skipped for lack of `what`. In CI nothing may be lacking.
pub fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI has to have {what}");
    eprintln!("SKIPPED: {what} is not there");
}

/// The folder of real data: SEEDSIEVE_DATA, or ../shared/data beside the repository.
pub fn data() -> Option<PathBuf> {
    let folder = match std::env::var_os("SEEDSIEVE_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => repository().join("../shared/data"),
    };
    if folder.join("kgp30x").is_dir() {
        return Some(folder);
    }
    skip("real data (SEEDSIEVE_DATA or ../shared/data)");
    None
}

/// The published bwa-mem4, which `cargo xtask test` installs.
pub fn oracle() -> Option<PathBuf> {
    let binary = repository().join("target/oracle/bin/bwa-mem4");
    if binary.is_file() {
        return Some(binary);
    }
    skip("target/oracle/bin/bwa-mem4 (`cargo xtask setup` installs it)");
    None
}

/// Whether a program of others is there. In CI it has to be: `.ci/run` installs those that the tests ask for.
pub fn peer(program: &str) -> bool {
    // These print their usage and fail when called without arguments.
    let mut called = Command::new(program);
    let found = called.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(program);
    }
    found
}

/// `seedsieve` with these arguments, run in the repository's root.
pub fn seedsieve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedsieve"));
    command.current_dir(repository()).args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command that has to succeed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs a command that has to fail with exit code 1, and returns what it says.
pub fn fail(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{command:?} should fail cleanly, and says:\n{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// Path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// Makes `name` below the tests' own folder once, whichever test comes first, and returns it.
pub fn prepared(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(root).expect("the target folder is writable");
    let place = root.join(name);
    let lock = File::create(root.join(format!("{name}.lock"))).expect("the target folder is writable");
    lock.lock().expect("file locks work");
    if !place.join("complete").is_file() {
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).expect("the target folder is writable");
        make(&place);
        fs::write(place.join("complete"), "").expect("the target folder is writable");
    }
    place
}

/// The index of real human sequence, 24 Mb; its prefix.
pub fn human_index(data: &Path) -> PathBuf {
    let reference = data.join("human_ref/human_mix.fa.gz");
    let folder = prepared("human_mix", |folder| {
        let prefix = folder.join("human_mix.fa");
        succeed(&mut seedsieve(&["index", "--prefix", text(&prefix), text(&reference)]));
    });
    folder.join("human_mix.fa")
}

/// A synthetic genome with its index, and reads: prefix, first and second file.
pub fn synthetic() -> (PathBuf, PathBuf, PathBuf) {
    let folder = prepared("synthetic", |folder| {
        let arguments = [
            "--output",
            text(folder),
            "--genome-size",
            "1500000",
            "--read-pairs",
            "5000",
            "--seed",
            "7",
            "--foreign",
            "0.1",
        ];
        succeed(seedsieve(&["simulate"]).args(arguments));
        succeed(&mut seedsieve(&["index", text(&folder.join("genome.fa"))]));
    });
    (folder.join("genome.fa"), folder.join("reads_1.fastq"), folder.join("reads_2.fastq"))
}

/// The synthetic genome with its FASTA index, which runs that write CRAM at the same time would otherwise all make.
pub fn synthetic_for_cram() -> PathBuf {
    let (genome, ..) = synthetic();
    prepared("synthetic_for_cram", |folder| {
        let (reads, cram) = (folder.join("one.fastq"), folder.join("one.cram"));
        fs::write(&reads, "@r\nACGT\n+\nIIII\n").expect("the target folder is writable");
        succeed(&mut seedsieve(&["align", "-o", text(&cram), text(&genome), text(&reads)]));
    });
    genome
}

/// The first `records` records of a gzip FASTQ, as a file in `folder`.
pub fn head_of_fastq(source: &Path, records: usize, folder: &Path) -> PathBuf {
    use std::io::{BufRead, BufReader, Write};
    let file = BufReader::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(File::open(source).expect("data"))));
    let path = folder.join(source.file_stem().expect("a name"));
    let mut head = File::create(&path).expect("a writable folder");
    for line in file.lines().take(4 * records) {
        writeln!(head, "{}", line.expect("text")).expect("a writable folder");
    }
    path
}

/// The records of SAM text: everything but the header.
pub fn records(sam: &[u8]) -> Vec<&[u8]> {
    sam.split_inclusive(|&byte| byte == b'\n').filter(|line| line.first() != Some(&b'@')).collect()
}

/// The first place where two SAM texts differ in their records, in words; `None` where they are the same bytes.
pub fn first_difference(ours: &[u8], theirs: &[u8]) -> Option<String> {
    let (ours, theirs) = (records(ours), records(theirs));
    let show =
        |record: Option<&&[u8]>| record.map_or("nothing".into(), |line| String::from_utf8_lossy(line).into_owned());
    let number = ours.iter().zip(&theirs).position(|(one, other)| one != other);
    let number = number.or_else(|| (ours.len() != theirs.len()).then(|| ours.len().min(theirs.len())))?;
    let (one, other) = (show(ours.get(number)), show(theirs.get(number)));
    Some(format!("record {}:\n  ours   {one}  theirs {other}", number + 1))
}
