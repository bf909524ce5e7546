//! With the filter off, `seedsieve align` writes the records of bwa-mem4 (which are those of bwa-mem2), byte for byte.

mod common;

use std::path::Path;
use std::process::Command;

use common::{data, first_difference, human_index, oracle, records, seedsieve, succeed, synthetic, text};

/// Aligns with both programs and the same arguments; returns the difference, and how many records were compared.
fn compare(oracle: &Path, arguments: &[&str]) -> (Option<String>, usize) {
    let ours = succeed(seedsieve(&["--log", "error", "align"]).args(arguments)).stdout;
    let theirs = succeed(Command::new(oracle).arg("mem").args(arguments)).stdout;
    (first_difference(&ours, &theirs), records(&ours).len())
}

/// Single and paired reads, one and two threads, and two sizes of chunks (bwa's own, and one that cuts the reads into
/// several chunks).
fn assert_same_records(oracle: &Path, index: &Path, reads: &Path, mates: &Path, at_least: usize) {
    for files in [&[text(reads)][..], &[text(reads), text(mates)][..]] {
        for threads in ["1", "2"] {
            for chunk in [&[][..], &["-K", "700000"][..]] {
                let arguments = [&["-t", threads], chunk, &[text(index)], files].concat();
                let (difference, compared) = compare(oracle, &arguments);
                assert_eq!(difference, None, "{arguments:?}");
                assert!(compared >= at_least * files.len(), "{arguments:?}: only {compared} records");
            }
        }
    }
}

#[test]
fn real_reads_against_human_sequence() {
    let (Some(data), Some(oracle)) = (data(), oracle()) else { return };
    let index = human_index(&data);
    let reads = |mate| data.join(format!("kgp30x/NA19401.40kb_R{mate}.fastq.gz"));
    assert_same_records(&oracle, &index, &reads(1), &reads(2), 9_324);
    for sample in ["NA12878.chr21", "NA12878.chr22"] {
        let reads = |mate| data.join(format!("kgp30x/{sample}_R{mate}.fastq.gz"));
        let (one, two) = (reads(1), reads(2));
        let (difference, compared) = compare(&oracle, &["-t", "2", text(&index), text(&one), text(&two)]);
        assert_eq!(difference, None, "{sample}");
        assert!(compared > 47_000, "{sample}: only {compared} records");
    }
}

#[test]
fn foreign_reads_with_sensitive_seeds() {
    let (Some(data), Some(oracle)) = (data(), oracle()) else { return };
    let index = human_index(&data);
    let reads = |mate| data.join(format!("human_reads/genomewide/hiseq_TESTX_L001_R{mate}.fastq.gz"));
    let (one, two) = (reads(1), reads(2));
    let (difference, _) = compare(&oracle, &["-t", "2", "-k", "15", text(&index), text(&one), text(&two)]);
    assert_eq!(difference, None);
}

#[test]
fn synthetic_reads_and_their_index() {
    let Some(oracle) = oracle() else { return };
    let (genome, reads, mates) = synthetic();
    let theirs = common::prepared("synthetic_theirs", |folder| {
        let copy = folder.join("genome.fa");
        std::fs::copy(&genome, &copy).expect("the target folder is writable");
        succeed(Command::new(&oracle).arg("index").arg(copy));
    });
    for suffix in ["amb", "ann", "pac", "0123", "bwt.2bit.64"] {
        let bytes = |path: &Path| std::fs::read(format!("{}.{suffix}", path.display())).expect("an index file");
        assert!(bytes(&genome) == bytes(&theirs.join("genome.fa")), "the index file .{suffix} differs");
    }
    assert_same_records(&oracle, &genome, &reads, &mates, 5_000);
}

#[test]
fn output_options() {
    let Some(oracle) = oracle() else { return };
    let (genome, reads, mates) = synthetic();
    let single = ["-a", "-M -Y", "-5", "-h 50 -T 20", "-C -V", "-R @RG\\tID:x\\tSM:y"];
    let paired =
        ["-S", "-P", "-I 400,60", "-A 2 -U 9", "-k 12 -c 50 -D 0.3", "-w 3 -L 2,9 -O 5,8 -E 2", "-q -j -m 2 -W 40"];
    let (one_file, two_files) = ([text(&reads)], [text(&reads), text(&mates)]);
    let runs = single.iter().map(|options| (options, &one_file[..]));
    for (options, files) in runs.chain(paired.iter().map(|options| (options, &two_files[..]))) {
        let arguments: Vec<&str> = options.split(' ').chain([text(&genome)]).chain(files.iter().copied()).collect();
        assert_eq!(compare(&oracle, &arguments).0, None, "{options}");
    }
}

#[test]
fn the_comparison_sees_one_changed_score() {
    let Some(oracle) = oracle() else { return };
    let (genome, reads, _) = synthetic();
    let theirs = succeed(Command::new(&oracle).arg("mem").args([text(&genome), text(&reads)])).stdout;
    let ours = succeed(seedsieve(&["--log", "error", "align", "-B", "5"]).args([text(&genome), text(&reads)])).stdout;
    let difference = first_difference(&ours, &theirs).expect("another mismatch penalty gives other scores");
    assert!(difference.contains("AS:i:"), "{difference}");

    let mut changed = theirs.clone();
    let last_score = changed.windows(5).rposition(|bytes| bytes == b"AS:i:").expect("a score") + 5;
    changed[last_score] ^= 1;
    assert!(first_difference(&changed, &theirs).is_some());
    assert_eq!(first_difference(&theirs, &theirs), None);
}
