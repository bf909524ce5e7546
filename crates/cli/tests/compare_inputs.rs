//! `seedsieve compare` on all formats that `align` writes, and on standard input.

mod common;

use std::process::Stdio;

use common::{fail, seedsieve, succeed, synthetic, synthetic_for_cram, text};

#[test]
fn every_format_of_align_holds_the_same_alignments() {
    let genome = synthetic_for_cram();
    let (_, reads, mates) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.sam", "a.sam.gz", "a.bam", "a.cram"].map(|name| folder.path().join(name));
    for file in &files {
        let arguments = ["align", "-K", "200000", "-o", text(file), text(&genome), text(&reads), text(&mates)];
        succeed(&mut seedsieve(&arguments));
    }
    let json = folder.path().join("out.json");
    for other in &files[1..] {
        let arguments = ["compare", text(&files[0]), text(other), "--reference", text(&genome), "--json", text(&json)];
        succeed(&mut seedsieve(&arguments));
        let counts: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        assert_eq!(counts["reads"], 10_000);
        for kind in counts["by_kind"].as_array().unwrap() {
            for change in ["place_kept", "realigned", "moved", "lost", "gained"] {
                assert_eq!(kind[change], 0, "{}: {kind} {:#}", other.display(), counts["same_place"]);
            }
        }
    }
    let message = fail(&mut seedsieve(&["compare", text(&files[0]), text(&files[3])]));
    assert!(message.contains("a.cram") && message.contains("--reference"), "{message}");
}

#[test]
fn one_of_the_files_may_be_standard_input() {
    let (genome, reads, mates) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let bam = folder.path().join("a.bam");
    let align = ["align", "-o", text(&bam), text(&genome), text(&reads), text(&mates)];
    succeed(&mut seedsieve(&align));
    for [a, b] in [["-", text(&bam)], [text(&bam), "-"]] {
        let mut command = seedsieve(&["compare", a, b]);
        let output = succeed(command.stdin(Stdio::from(std::fs::File::open(&bam).unwrap())));
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.lines().any(|line| line.starts_with("%  ") && line.contains("100.000")), "{table}");
        assert!(table.contains("(standard input)"), "{table}");
    }
    let message = fail(&mut seedsieve(&["compare", "-", "-"]));
    assert!(message.contains("both files are standard input"), "{message}");
}
