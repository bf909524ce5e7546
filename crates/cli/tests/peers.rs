//! Programs of others, where they are installed (in CI they have to be): the primary records of Debian's bwa, and reads of other simulators.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{data, first_difference, oracle, peer, prepared, records, seedsieve, succeed, synthetic, text};

/// At most one read of so many may differ from bwa's.
const MOST_DIFFERING: u64 = 10_000;

/// What `compare` counts.
fn compared(folder: &Path, a: &Path, b: &Path, options: &[&str]) -> serde_json::Value {
    let json = folder.join("comparison.json");
    let arguments = ["compare", text(a), text(b), "--json", text(&json)];
    succeed(seedsieve(&arguments).args(options));
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

fn total(comparison: &serde_json::Value, change: &str) -> u64 {
    comparison["changes"].as_array().unwrap().iter().map(|bin| bin[change].as_u64().unwrap()).sum()
}

/// The window of the human genome that the 30x reads come from, plain, with both programs' indexes.
fn window(data: &Path) -> PathBuf {
    let folder = prepared("window_of_both", |folder| {
        let source = data.join("kgp30x/GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz");
        let plain = folder.join("window.fa");
        let mut reader = flate2::read::MultiGzDecoder::new(std::fs::File::open(source).expect("data"));
        std::io::copy(&mut reader, &mut std::fs::File::create(&plain).expect("a writable folder")).expect("gzip");
        succeed(Command::new("bwa").args(["index", text(&plain)]));
        succeed(&mut seedsieve(&["index", text(&plain)]));
    });
    folder.join("window.fa")
}

#[test]
fn primary_records_are_those_of_bwa() {
    let Some(data) = data() else { return };
    if !peer("bwa") {
        return;
    }
    let index = window(&data);
    let reads = |mate| data.join(format!("kgp30x/NA19401.40kb_R{mate}.fastq.gz"));
    let (one, two) = (reads(1), reads(2));
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs.sam"), folder.path().join("ours.sam"));
    let arguments = ["-K", "10000000", text(&index), text(&one), text(&two)];
    succeed(Command::new("bwa").args(["mem", "-o", text(&theirs)]).args(arguments));
    succeed(seedsieve(&["align", "-o", text(&ours)]).args(arguments));
    let comparison = compared(folder.path(), &theirs, &ours, &[]);
    assert_eq!(comparison["reads"], 2 * 9_324);
    // docs/same-answers.md: none does beside bwa 0.7.17. Later versions write a tag MQ besides.
    let places = ["realigned", "moved", "lost", "gained"].map(|change| total(&comparison, change));
    let same_place = &comparison["same_place"];
    let counts = |list: &str, keys: &[&str]| -> u64 {
        let entries = same_place[list].as_array().unwrap().iter().filter(|entry| entry["tag"] != "MQ");
        entries.flat_map(|entry| keys.iter().map(|&key| entry[key].as_u64().unwrap())).sum()
    };
    let fields = counts("fields", &["differs"]) + counts("tags", &["differs", "only_a", "only_b"]);
    let differing = places.iter().sum::<u64>() + fields;
    assert!(differing <= 2 * 9_324 / MOST_DIFFERING, "{differing} differences: {comparison:#}");
    let further = |change: &str| -> u64 {
        let kinds = comparison["by_kind"].as_array().unwrap().iter();
        let kinds = kinds.filter(|kind| kind["kind"] == "secondary" || kind["kind"] == "supplementary");
        kinds.map(|kind| kind[change].as_u64().unwrap()).sum()
    };
    assert!(further("identical") + further("place_kept") >= 5, "split alignments are among them: {comparison:#}");
    assert_eq!((further("lost"), further("gained")), (0, 0), "{comparison:#}");
}

/// bwa-mem4 writes the index of bwa-mem2, byte for byte.
#[test]
fn either_program_reads_the_index_of_the_other() {
    let (Some(data), Some(oracle)) = (data(), oracle()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = data.join("kgp30x/GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz");
    let [ours, theirs] = ["ours.fa", "theirs.fa"].map(|name| {
        let plain = folder.path().join(name);
        let mut reader = flate2::read::MultiGzDecoder::new(std::fs::File::open(&source).expect("data"));
        std::io::copy(&mut reader, &mut std::fs::File::create(&plain).expect("a writable folder")).expect("gzip");
        plain
    });
    succeed(&mut seedsieve(&["index", text(&ours)]));
    succeed(Command::new(&oracle).arg("index").arg(&theirs));
    for suffix in ["amb", "ann", "pac", "0123", "bwt.2bit.64"] {
        let bytes = |path: &Path| std::fs::read(format!("{}.{suffix}", path.display())).expect("an index file");
        assert!(bytes(&ours) == bytes(&theirs), "the index file .{suffix} differs");
    }
    let reads = data.join("kgp30x/NA19401.40kb_R1.fastq.gz");
    let of_ours = succeed(Command::new(&oracle).args(["mem", text(&ours), text(&reads)])).stdout;
    let of_theirs = succeed(&mut seedsieve(&["align", text(&theirs), text(&reads)])).stdout;
    assert_eq!(first_difference(&of_theirs, &of_ours), None);
    assert!(records(&of_ours).len() >= 9_324);
}

/// Simulates 2,000 pairs with another program, aligns them, and asserts that most lie right.
fn assert_truth(simulate: &mut Command, reads: [&Path; 2], options: &[&str], foreign: u64) {
    let (genome, ..) = synthetic();
    succeed(simulate.stdout(Stdio::null()).stderr(Stdio::null()));
    let folder = tempfile::tempdir().unwrap();
    let sam = folder.path().join("out.sam");
    let reads = reads.map(text);
    succeed(seedsieve(&["align", "-o", text(&sam)]).args(options).args([text(&genome), reads[0], reads[1]]));
    let comparison = compared(folder.path(), &sam, &sam, &["--truth", "names"]);
    let accuracy = &comparison["a"]["accuracy"];
    assert_eq!(accuracy["foreign_reads"], foreign, "{accuracy:#}");
    let of_reference = accuracy["reads_of_reference"].as_u64().unwrap();
    assert_eq!(of_reference + foreign, 4_000);
    let by_mapq = accuracy["by_mapq"].as_array().unwrap();
    let best = &by_mapq[0];
    assert!(best["mapq"] == 60 && best["precision"].as_f64().unwrap() > 0.995, "{accuracy:#}");
    assert!(by_mapq.last().unwrap()["recall"].as_f64().unwrap() > 0.9, "{accuracy:#}");
}

#[test]
fn the_names_of_dwgsim_tell_the_truth() {
    if !peer("dwgsim") {
        return;
    }
    let (genome, ..) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("reads");
    let reads = [1, 2].map(|mate| folder.path().join(format!("reads.bwa.read{mate}.fastq.gz")));
    let mut simulate = Command::new("dwgsim");
    simulate.args([
        "-z",
        "7",
        "-N",
        "2000",
        "-1",
        "100",
        "-2",
        "100",
        "-y",
        "0",
        "-o",
        "1",
        text(&genome),
        text(&prefix),
    ]);
    assert_truth(&mut simulate, [&reads[0], &reads[1]], &[], 0);
}

#[test]
fn the_names_of_wgsim_tell_the_truth() {
    if !peer("wgsim") {
        return;
    }
    let (genome, ..) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let reads = [1, 2].map(|mate| folder.path().join(format!("{mate}.fastq")));
    let mut simulate = Command::new("wgsim");
    simulate.args(["-S", "7", "-N", "2000", "-1", "100", "-2", "100", text(&genome), text(&reads[0]), text(&reads[1])]);
    assert_truth(&mut simulate, [&reads[0], &reads[1]], &[], 0);
}
