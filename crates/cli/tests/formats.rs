//! Every output format holds the records of the SAM; sorted ones are in samtools' order, and their index finds them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{peer, records, seedsieve, succeed, synthetic, synthetic_for_cram, text};

fn samtools(arguments: &[&str]) -> Vec<u8> {
    succeed(Command::new("samtools").args(arguments)).stdout
}

/// Aligns the synthetic pairs to `folder/name`.
fn align(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let (genome, reads, mates) = synthetic();
    let path = folder.join(name);
    let places = ["-o", text(&path), text(&genome), text(&reads), text(&mates)];
    succeed(seedsieve(&["--log", "error", "align", "-t", "2"]).args(options).args(places));
    path
}

/// The records with their tags in one order: CRAM keeps NM and MD as differences, and puts them last.
fn with_sorted_tags(sam: &[u8]) -> Vec<Vec<u8>> {
    records(sam)
        .iter()
        .map(|line| {
            let mut fields: Vec<&[u8]> = line.trim_ascii_end().split(|&byte| byte == b'\t').collect();
            fields[11..].sort_unstable();
            fields.join(&b'\t')
        })
        .collect()
}

#[test]
fn every_format_holds_the_records_of_the_sam() {
    if !peer("samtools") {
        return;
    }
    let genome = if cfg!(feature = "htslib") { synthetic_for_cram() } else { synthetic().0 };
    let folder = tempfile::tempdir().unwrap();
    for options in [&[][..], &["-a", "-Y"], &["-M", "-V", "-R", "@RG\\tID:x\\tSM:y"], &["-K", "100000", "-h", "100"]] {
        let sam = align(folder.path(), "out.sam", options);
        // Floating-point tags come out as samtools prints them, not as bwa does.
        let expected = samtools(&["view", "--no-PG", text(&sam)]);
        assert!(records(&expected).len() >= 10_000);
        for name in ["out.sam.gz", "out.bam"] {
            let path = align(folder.path(), name, options);
            samtools(&["quickcheck", "-v", text(&path)]);
            assert!(samtools(&["view", "--no-PG", text(&path)]) == expected, "{name} {options:?}");
            let header = |path| String::from_utf8(samtools(&["view", "-H", "--no-PG", path])).unwrap();
            assert_eq!(header(text(&path)).replace(name, "out.sam"), header(text(&sam)));
        }
        if cfg!(feature = "htslib") {
            let path = align(folder.path(), "out.cram", options);
            samtools(&["quickcheck", "-v", text(&path)]);
            let found = samtools(&["view", "--no-PG", "-T", text(&genome), text(&path)]);
            assert!(with_sorted_tags(&found) == with_sorted_tags(&expected), "CRAM {options:?}");
        }
    }
}

#[test]
fn sorted_output_is_in_samtools_order_and_its_index_finds_what_samtools_index_does() {
    if !peer("samtools") {
        return;
    }
    let genome = if cfg!(feature = "htslib") { synthetic_for_cram() } else { synthetic().0 };
    let folder = tempfile::tempdir().unwrap();
    let sam = align(folder.path(), "plain.sam", &[]);
    let reference = folder.path().join("reference.bam");
    samtools(&["sort", "--no-PG", "-o", text(&reference), text(&sam)]);
    samtools(&["index", text(&reference)]);
    let expected = samtools(&["view", "--no-PG", text(&reference)]);
    let header = String::from_utf8(samtools(&["view", "-H", text(&sam)])).unwrap();
    let contig = header.split("SN:").nth(1).and_then(|rest| rest.split('\t').next()).expect("a contig");
    let regions = [contig.to_owned(), format!("{contig}:50000-51000"), format!("{contig}:100000-103000")];
    let mut names = vec!["out.bam", "out.sam.gz"];
    if cfg!(feature = "htslib") {
        names.push("out.cram");
    }
    for name in names {
        // So little memory that runs go to disk.
        let path = align(folder.path(), name, &["--sort", "coordinate", "--sort-memory", "1M"]);
        samtools(&["quickcheck", "-v", text(&path)]);
        let view = |path: &Path, region: &[&str]| {
            let arguments = [&["view", "--no-PG", "-T", text(&genome), text(path)], region].concat();
            with_sorted_tags(&samtools(&arguments))
        };
        assert!(view(&path, &[]) == with_sorted_tags(&expected), "{name}: another order");
        let header = String::from_utf8(samtools(&["view", "-H", text(&path)])).unwrap();
        assert!(header.starts_with("@HD\tVN:1.6\tSO:coordinate\n"), "{header}");
        for region in &regions {
            let found = view(&path, &[region]);
            assert!(!found.is_empty() && found == view(&reference, &[region]), "{name} {region}: {}", found.len());
        }
        if name == "out.bam" {
            assert!(path.with_extension("bam.bai").exists());
            assert_eq!(samtools(&["idxstats", text(&path)]), samtools(&["idxstats", text(&reference)]));
        }
    }
}

#[test]
fn statistics_count_reads_and_pairs_and_have_the_keys_of_multiqc() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run_mqc.json");
    align(folder.path(), "out.bam", &["--stats", text(&path), "-R", "@RG\\tID:x\\tSM:NA7"]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((&report["reads"], &report["pairs"]), (&serde_json::json!(10_000), &serde_json::json!(5_000)));
    let stages = report["stages"].as_array().unwrap();
    assert!(stages.iter().any(|stage| stage["name"] == "seeding" && stage["cpu_seconds"].as_f64().unwrap() > 0.0));
    assert_eq!((report["id"].as_str(), report["plot_type"].as_str()), (Some("seedsieve_align"), Some("table")));
    let row = report["data"]["NA7"].as_object().unwrap();
    assert_eq!(row["reads"], 10_000);
    assert_eq!(row["seeds_kept"], row["seeds"], "no filter");
    assert!(row.values().all(serde_json::Value::is_number), "a table's cells");
}

#[test]
fn a_comment_that_is_no_tag_is_refused_by_name_where_the_format_has_no_room_for_it() {
    let (genome, ..) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let reads = folder.path().join("reads.fastq");
    let bases = "ACGTTGCA".repeat(10);
    let quality = "I".repeat(80);
    fs::write(&reads, format!("@fine BC:Z:AC\n{bases}\n+\n{quality}\n@odd 1:N:0:ACGT\n{bases}\n+\n{quality}\n"))
        .unwrap();
    for name in ["out.bam", "out.cram"].into_iter().take(if cfg!(feature = "htslib") { 2 } else { 1 }) {
        let path = folder.path().join(name);
        let mut command = seedsieve(&["align", "-C", "-o", text(&path), text(&genome), text(&reads)]);
        let message = common::fail(&mut command);
        assert!(message.contains("read odd") && message.contains("`1:N:0:ACGT` is no tag"), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{name}: something was left behind");
    }
}
