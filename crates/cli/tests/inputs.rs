//! The same reads give the same records from every container that they can come in.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{fail, peer, records, seedsieve, succeed, synthetic, synthetic_for_cram, text};
use seedsieve_formats::{AlignmentWriter, Destination, OutputFormat, WriterSettings};

/// Pairs of the synthetic reads that are enough for several chunks.
const PAIRS: usize = 600;

/// The fields of a FASTQ's records: name without mate number, bases, qualities.
fn fastq(path: &Path) -> Vec<[String; 3]> {
    let lines: Vec<String> = fs::read_to_string(path).unwrap().lines().take(4 * PAIRS).map(str::to_owned).collect();
    let name = |line: &str| line[1..].split(['/', ' ']).next().unwrap().to_owned();
    lines.chunks(4).map(|record| [name(&record[0]), record[1].clone(), record[3].clone()]).collect()
}

/// The first reads of the synthetic pairs.
fn pairs() -> Vec<[[String; 3]; 2]> {
    let (_, one, two) = synthetic();
    fastq(&one).into_iter().zip(fastq(&two)).map(<[_; 2]>::from).collect()
}

fn as_fastq<'a>(reads: impl Iterator<Item = &'a [String; 3]>) -> Vec<u8> {
    reads.map(|[name, bases, qualities]| format!("@{name}\n{bases}\n+\n{qualities}\n")).collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn bgzf(bytes: &[u8]) -> Vec<u8> {
    let mut packed = noodles::bgzf::io::Writer::new(Vec::new());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// SAM lines as a BAM or CRAM, by the path's suffix.
fn alignments(path: &Path, header: &str, lines: &[String]) {
    let genome = if cfg!(feature = "htslib") { synthetic_for_cram() } else { synthetic().0 };
    let settings = WriterSettings { format: OutputFormat::of_path(path), sort: None, reference: genome };
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    let destination = Destination::open(Some(path)).unwrap();
    let mut writer = AlignmentWriter::new(destination, header.as_bytes().to_vec(), &settings, pool).unwrap();
    writer.write(&[lines.concat().into_bytes()]).unwrap();
    writer.finish().unwrap();
}

/// An unaligned record.
fn unaligned(flags: u16, [name, bases, qualities]: &[String; 3], tags: &str) -> String {
    format!("{name}\t{flags}\t*\t0\t0\t*\t*\t0\t0\t{bases}\t{qualities}{tags}\n")
}

fn unaligned_pairs(pairs: &[[[String; 3]; 2]]) -> Vec<String> {
    pairs.iter().flat_map(|[one, two]| [unaligned(77, one, "\tBC:Z:AC"), unaligned(141, two, "\tBC:Z:AC")]).collect()
}

/// Suffixes of the formats that reads can be in beside FASTQ.
fn alignment_suffixes() -> &'static [&'static str] {
    if cfg!(feature = "htslib") { &["bam", "cram"] } else { &["bam"] }
}

/// The records that these arguments give, in small chunks.
fn aligned(arguments: &[&str], input: Option<&Path>) -> Vec<u8> {
    let (genome, ..) = synthetic();
    let options = ["--log", "error", "align", "-t", "2", "-K", "50000"];
    let mut command = seedsieve(&[&options[..], &[text(&genome)], arguments].concat());
    if let Some(path) = input {
        command.stdin(File::open(path).unwrap());
    }
    records(&succeed(&mut command).stdout).concat()
}

#[test]
fn single_reads_come_plain_packed_piped_and_as_alignments() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let reads: Vec<[String; 3]> = pairs().into_iter().map(|[one, _]| one).collect();
    let plain = as_fastq(reads.iter());
    let expected = aligned(&[text(&written(folder, "plain.fastq", &plain))], None);
    assert!(records(&expected).len() >= PAIRS);
    let gzipped = written(folder, "reads.fastq.gz", &gzip(&plain));
    let blocked = written(folder, "reads.fastq.bgz", &bgzf(&plain));
    let crlf = written(
        folder,
        "crlf.fastq",
        plain.iter().map(|&byte| byte as char).collect::<String>().replace('\n', "\r\n").as_bytes(),
    );
    for path in [&gzipped, &blocked, &crlf] {
        assert!(aligned(&[text(path)], None) == expected, "{}", path.display());
    }
    for path in [&folder.join("plain.fastq"), &gzipped, &blocked] {
        assert!(aligned(&["-"], Some(path)) == expected, "standard input from {}", path.display());
    }
    for suffix in alignment_suffixes() {
        let path = folder.join(format!("reads.{suffix}"));
        alignments(&path, "@HD\tVN:1.6\n", &reads.iter().map(|read| unaligned(4, read, "")).collect::<Vec<_>>());
        assert!(aligned(&[text(&path)], None) == expected, "{suffix}");
    }
    assert!(aligned(&["-"], Some(&folder.join("reads.bam"))) == expected, "BAM on standard input");
}

#[test]
fn pairs_come_in_two_files_interleaved_and_as_alignments() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pairs = pairs();
    let one = written(folder, "one.fastq", &as_fastq(pairs.iter().map(|[one, _]| one)));
    let two = written(folder, "two.fastq.gz", &gzip(&as_fastq(pairs.iter().map(|[_, two]| two))));
    let both = written(folder, "both.fastq", &as_fastq(pairs.iter().flatten()));
    let expected = aligned(&[text(&one), text(&two)], None);
    assert!(records(&expected).len() >= 2 * PAIRS);
    assert!(aligned(&["-p", text(&both)], None) == expected, "interleaved");
    assert!(aligned(&["-p", "-"], Some(&both)) == expected, "interleaved on standard input");
    for suffix in alignment_suffixes() {
        let path = folder.join(format!("pairs.{suffix}"));
        alignments(&path, "@HD\tVN:1.6\n", &unaligned_pairs(&pairs));
        assert!(aligned(&[text(&path)], None) == expected, "{suffix}");
    }
}

#[test]
fn names_that_no_sam_can_hold_are_refused_in_alignments_too() {
    let folder = tempfile::tempdir().unwrap();
    let (genome, ..) = synthetic();
    for suffix in alignment_suffixes() {
        for (name, parts) in [("@x", ["`@x`", "take the second @ away"]), ("*", ["name the reads", "SAM"])] {
            let path = folder.path().join(format!("reads.{suffix}"));
            let lines = ["r", name].map(|name| unaligned(4, &[name, "ACGT", "IIII"].map(str::to_owned), ""));
            alignments(&path, "@HD\tVN:1.6\n", &lines);
            let message = fail(&mut seedsieve(&["align", text(&genome), text(&path)]));
            let parts = [&["record 2", text(&path)], &parts[..]].concat();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}

#[cfg(unix)]
#[test]
fn mates_come_through_named_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pairs = pairs();
    let files =
        [0, 1].map(|mate| written(folder, &format!("{mate}.fastq"), &as_fastq(pairs.iter().map(|pair| &pair[mate]))));
    let expected = aligned(&[text(&files[0]), text(&files[1])], None);
    let pipes = [0, 1].map(|mate| folder.join(format!("pipe{mate}")));
    succeed(Command::new("mkfifo").args(&pipes));
    let feeders = [0, 1].map(|mate| {
        let shell = format!("cat '{}' > '{}'", text(&files[mate]), text(&pipes[mate]));
        Command::new("sh").args(["-c", &shell]).stdout(Stdio::null()).spawn().unwrap()
    });
    let found = aligned(&[text(&pipes[0]), text(&pipes[1])], None);
    for mut feeder in feeders {
        assert!(feeder.wait().unwrap().success());
    }
    assert!(found == expected);
}

#[test]
fn an_aligned_bam_gives_back_its_reads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pairs = pairs();
    let (genome, ..) = synthetic();
    let files =
        [0, 1].map(|mate| written(folder, &format!("{mate}.fastq"), &as_fastq(pairs.iter().map(|pair| &pair[mate]))));
    let expected = aligned(&[text(&files[0]), text(&files[1])], None);
    let bam = folder.join("aligned.bam");
    let arguments = ["--log", "error", "align", "-o", text(&bam), text(&genome), text(&files[0]), text(&files[1])];
    succeed(&mut seedsieve(&arguments));
    assert!(aligned(&[text(&bam)], None) == expected);
    // Tags of the old alignment do not come with the reads.
    let again = String::from_utf8(aligned(&["-C", text(&bam)], None)).unwrap();
    assert!(again.lines().all(|line| line.matches("\tAS:i:").count() <= 1 && line.matches("\tMC:Z:").count() <= 1));
}

#[test]
fn tags_are_kept_with_minus_c_and_read_groups_with_them_unless_there_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = &pairs()[..20];
    let tags = "\tRG:Z:old\tBC:Z:AC-GT\tRX:Z:ACGT\tXN:i:-70000\tML:B:C,1,255\tzf:f:0.25\tNM:i:99";
    let lines: Vec<String> =
        pairs.iter().flat_map(|[one, two]| [unaligned(77, one, tags), unaligned(141, two, tags)]).collect();
    let (genome, ..) = synthetic();
    for suffix in alignment_suffixes() {
        let path = folder.path().join(format!("tagged.{suffix}"));
        alignments(&path, "@RG\tID:old\tSM:sample\n", &lines);
        let sam = |options: &[&str]| {
            let options = [&["--log", "error", "align"][..], options, &[text(&genome), text(&path)]].concat();
            String::from_utf8(succeed(&mut seedsieve(&options)).stdout).unwrap()
        };
        let has = |line: &str, tag: &str| line.split('\t').any(|field| field == tag);
        let kept = ["BC:Z:AC-GT", "RX:Z:ACGT", "XN:i:-70000", "ML:B:C,1,255", "zf:f:0.25"];

        let plain = sam(&[]);
        assert!(!plain.contains("BC:Z") && !plain.contains("@RG"), "{suffix}");
        let with_tags = sam(&["-C"]);
        assert!(with_tags.contains("@RG\tID:old\tSM:sample\n"), "{suffix}");
        let mut lines = with_tags.lines().filter(|line| !line.starts_with('@'));
        assert!(lines.all(|line| kept.iter().chain(&["RG:Z:old"]).all(|tag| has(line, tag)) && !has(line, "NM:i:99")));
        let regrouped = sam(&["-C", "-R", "@RG\\tID:new\\tSM:s"]);
        assert!(!regrouped.contains("ID:old") && regrouped.contains("@RG\tID:new\tSM:s\n"), "{suffix}");
        let mut lines = regrouped.lines().filter(|line| !line.starts_with('@'));
        assert!(lines.all(|line| has(line, "RG:Z:new") && !has(line, "RG:Z:old") && has(line, "BC:Z:AC-GT")));
    }
}

#[test]
fn interleaved_reads_without_a_mate_are_aligned_as_bwa_aligns_them() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = pairs();
    let mixed = pairs.iter().enumerate().flat_map(|(number, [one, two])| match number % 3 {
        0 => vec![one],
        1 => vec![one, two],
        _ => vec![two],
    });
    let mixed = written(folder.path(), "mixed.fastq", &as_fastq(mixed));
    let (genome, ..) = synthetic();
    let ours = succeed(&mut seedsieve(&["--log", "error", "align", "-p", text(&genome), text(&mixed)])).stdout;
    let ours = String::from_utf8(ours).unwrap();
    let flags = |sam: &str| -> Vec<String> {
        let records = sam.lines().filter(|line| !line.starts_with('@'));
        records.map(|line| line.split('\t').take(6).collect::<Vec<_>>().join(" ")).collect()
    };
    let primary =
        flags(&ours).iter().filter(|line| line.split(' ').nth(1).unwrap().parse::<u16>().unwrap() & 0x900 == 0).count();
    assert_eq!(primary, 2 * PAIRS / 3 + 2 * PAIRS / 3);
    if !peer("bwa") {
        return;
    }
    let copy = folder.path().join("genome.fa");
    fs::copy(&genome, &copy).unwrap();
    succeed(Command::new("bwa").arg("index").arg(&copy));
    let theirs = succeed(Command::new("bwa").args(["mem", "-p", text(&copy), text(&mixed)])).stdout;
    assert_eq!(flags(&ours), flags(&String::from_utf8(theirs).unwrap()));
}

#[test]
fn alignments_that_are_no_reads_of_a_run_are_refused_by_record() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (genome, ..) = synthetic();
    let pairs = &pairs()[..100];
    let refused = |path: &Path, parts: &[&str]| {
        let output = folder.join("out.sam");
        let message = fail(&mut seedsieve(&["align", "-o", text(&output), text(&genome), text(path)]));
        assert!(!output.exists());
        for part in parts.iter().chain(&[text(path)]) {
            assert!(message.contains(part), "{message}\nlacks {part}");
        }
    };
    for suffix in alignment_suffixes() {
        let apart = folder.join(format!("apart.{suffix}"));
        let mut lines = unaligned_pairs(pairs);
        lines.swap(3, 4);
        alignments(&apart, "@HD\tVN:1.6\n", &lines);
        refused(&apart, &["record 4", "flagged as one of a pair", "samtools collate"]);

        let whole = folder.join(format!("whole.{suffix}"));
        alignments(&whole, "@HD\tVN:1.6\n", &unaligned_pairs(pairs));
        let bytes = fs::read(&whole).unwrap();
        refused(&written(folder, &format!("cut.{suffix}"), &bytes[..bytes.len() - 20]), &["truncated"]);
    }
    // The size of the first record, behind a header of 8 + 11 + 4 bytes.
    let whole = fs::read(folder.join("whole.bam")).unwrap();
    let mut inflated = Vec::new();
    std::io::Read::read_to_end(&mut noodles::bgzf::io::Reader::new(whole.as_slice()), &mut inflated).unwrap();
    inflated[23..27].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&written(folder, "size.bam", &bgzf(&inflated)), &["record 1", "4294967295 bytes", "copy it again"]);
    let message = fail(&mut seedsieve(&[
        "align",
        text(&genome),
        text(&folder.join("whole.bam")),
        text(&folder.join("whole.bam")),
    ]));
    assert!(message.contains("give one file of them"), "{message}");
}
