//! Two files in, the right counts or the right message out.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use noodles::{bam, sam, sam::alignment::io::Write as _};
use seedsieve_compare::{
    AlignmentInput, Change, CompareError, CompareOptions, Comparison, MappingQualityBin, TruthSource, compare,
    compare_inputs, text_table, write_whole,
};

const HEADER: &str = "@HD\tVN:1.6\tSO:unsorted\n@SQ\tSN:chr1\tLN:10000\n@SQ\tSN:chr2\tLN:5000\n";
const BASES: &str = "ACGTACGTAC\tIIIIIIIIII";

/// A line of SAM for a read of 10 bases.
fn line(name: &str, flags: u16, contig: &str, position: u32, quality: u8, tags: &str) -> String {
    let cigar = if flags & 4 == 0 { "10M" } else { "*" };
    format!("{name}\t{flags}\t{contig}\t{position}\t{quality}\t{cigar}\t*\t0\t0\t{BASES}\t{tags}\n")
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn sam(lines: &[String]) -> String {
    format!("{HEADER}{}", lines.concat())
}

fn as_bam(sam_text: &str) -> Vec<u8> {
    let mut reader = sam::io::Reader::new(sam_text.as_bytes());
    let header = reader.read_header().unwrap();
    let mut writer = bam::io::Writer::new(Vec::new());
    writer.write_header(&header).unwrap();
    for record in reader.records() {
        writer.write_alignment_record(&header, &record.unwrap()).unwrap();
    }
    writer.try_finish().unwrap();
    writer.into_inner().into_inner()
}

fn options() -> CompareOptions {
    CompareOptions { label_a: "off".into(), label_b: "on".into(), ..CompareOptions::default() }
}

fn compared(a: &str, b: &str) -> Result<Comparison, CompareError> {
    let folder = tempfile::tempdir().unwrap();
    compare(&write(folder.path(), "a.sam", a), &write(folder.path(), "b.sam", b), &options())
}

fn message(a: &str, b: &str) -> String {
    compared(a, b).unwrap_err().to_string()
}

/// Five reads in two files: identical, MAPQ changed, moved, lost, gained; and one pair with extra records.
fn five_changes() -> (String, String) {
    let pair = [line("p", 0x43, "chr1", 500, 60, "NM:i:0"), line("p", 0x93, "chr1", 700, 60, "NM:i:0")];
    let extra = [line("p", 0x843, "chr2", 9, 3, "NM:i:1"), line("p", 0x193, "chr2", 50, 0, "NM:i:2")];
    let shared = line("same", 0, "chr1", 100, 60, "NM:i:0\tAS:i:10");
    let a = [
        shared.clone(),
        line("quality", 0, "chr1", 100, 60, "NM:i:0"),
        line("moved", 0, "chr1", 300, 25, "NM:i:0"),
        line("lost", 16, "chr2", 300, 0, "NM:i:0"),
        line("gained", 4, "*", 0, 0, "AS:i:0"),
        pair.concat(),
        extra.concat(),
    ];
    let b = [
        shared,
        line("quality", 0, "chr1", 100, 20, "NM:i:0"),
        line("moved", 0, "chr2", 300, 37, "NM:i:0"),
        line("lost", 4, "*", 0, 0, "AS:i:0"),
        line("gained", 0, "chr1", 7, 12, "NM:i:0"),
        pair.concat(),
    ];
    (sam(&a), sam(&b))
}

fn bin(comparison: &Comparison, bin: MappingQualityBin) -> [u64; 6] {
    Change::ALL.map(|change| comparison.changes[bin as usize].count(change))
}

fn assert_five_changes(comparison: &Comparison) {
    assert_eq!(comparison.reads, 7);
    // identical, place kept, realigned, moved, lost, gained
    assert_eq!(bin(comparison, MappingQualityBin::From60), [3, 1, 0, 0, 0, 0]);
    assert_eq!(bin(comparison, MappingQualityBin::From20), [0, 0, 0, 1, 0, 0]);
    assert_eq!(bin(comparison, MappingQualityBin::Zero), [0, 0, 0, 0, 1, 0]);
    assert_eq!(bin(comparison, MappingQualityBin::Unmapped), [0, 0, 0, 0, 0, 1]);
    assert_eq!(comparison.gained_by_mapq_of_b[MappingQualityBin::From10 as usize], 1);
    assert_eq!(comparison.gained_by_mapq_of_b.iter().sum::<u64>(), 1);
    assert_eq!((comparison.mapq_raised, comparison.mapq_lowered), (1, 1));
    let (a, b) = (&comparison.a, &comparison.b);
    assert_eq!((a.mapped, a.proper_pairs, a.secondary, a.supplementary), (6, 2, 1, 1));
    assert_eq!((b.mapped, b.proper_pairs, b.secondary, b.supplementary), (6, 2, 0, 0));
}

#[test]
fn every_change_is_counted_in_its_bin() {
    let (a, b) = five_changes();
    assert_five_changes(&compared(&a, &b).unwrap());
}

#[test]
fn sam_gzip_and_bam_give_the_same_counts_in_any_combination() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = five_changes();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let forms = |name: &str, text: &str| {
        [
            write(folder.path(), &format!("{name}.sam"), text),
            write(folder.path(), &format!("{name}.sam.gz"), gzip(text)),
            write(folder.path(), &format!("{name}.bam"), as_bam(text)),
        ]
    };
    for a in forms("a", &a) {
        for b in forms("b", &b) {
            assert_five_changes(&compare(&a, &b, &options()).unwrap());
        }
    }
}

#[test]
fn the_table_shows_the_counts() {
    let (a, b) = five_changes();
    let table = text_table(&compared(&a, &b).unwrap());
    let row = |start: &str| {
        table.lines().find(|line| line.starts_with(start)).unwrap().split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("60"), ["60", "3", "1", "0", "0", "0", "0", "4"]);
    assert_eq!(row("all"), ["all", "3", "1", "0", "1", "1", "1", "7"]);
    assert_eq!(row("secondary records"), ["secondary", "records", "1", "0"]);
    assert_eq!(row("% in proper pairs"), ["%", "in", "proper", "pairs", "100.000", "100.000"]);
    assert!(table.starts_with("A: off (a.sam)\nB: on (b.sam)\n"), "{table}");
}

#[test]
fn files_of_other_reads_are_refused_with_the_first_difference() {
    let read = |name: &str| line(name, 0, "chr1", 100, 60, "NM:i:0");
    let error = message(&sam(&[read("x"), read("y")]), &sam(&[read("x"), read("z")]));
    assert!(
        error.contains("the unpaired read y at record 2") && error.contains("the unpaired read z at record 2"),
        "{error}"
    );
    let error = message(&sam(&[read("x"), read("y")]), &sam(&[read("x")]));
    assert!(error.contains("read y at record 2") && error.contains("b.sam has ended"), "{error}");
    let error = message(&sam(&[read("x")]), &sam(&[read("x"), read("y")]));
    assert!(error.contains("a.sam has ended"), "{error}");
    let pair = [line("x", 0x41, "chr1", 1, 9, ""), line("x", 0x81, "chr1", 1, 9, "")];
    let error = message(&sam(&[read("x")]), &sam(&pair));
    assert!(error.contains("the unpaired read x") && error.contains("the paired read x"), "{error}");
}

#[test]
fn two_reads_of_one_name_are_two_reads() {
    let read = |position| line("x", 0, "chr1", position, 60, "NM:i:0");
    let comparison = compared(&sam(&[read(1), read(2)]), &sam(&[read(1), read(500)])).unwrap();
    assert_eq!((comparison.reads, comparison.total(Change::Moved)), (2, 1));
}

#[test]
fn other_references_and_sorted_files_are_refused() {
    let read = line("x", 0, "chr1", 100, 60, "NM:i:0");
    let other = HEADER.replace("LN:5000", "LN:5001");
    let error = message(&format!("{HEADER}{read}"), &format!("{other}{read}"));
    assert!(
        error.contains("as contig 2 ") && error.contains("chr2 (5000 bases)") && error.contains("chr2 (5001 bases)"),
        "{error}"
    );
    let lone = sam(&[line("x", 0x41, "chr1", 1, 9, ""), line("y", 0x41, "chr1", 2, 9, "")]);
    let error = message(&lone, &lone);
    assert!(error.contains("record 1 (x): the second mate is not next to the first"), "{error}");
    let error = message(&sam(&[line("x", 0x141, "chr1", 1, 9, "")]), &lone);
    assert!(error.contains("it has no primary record here"), "{error}");
}

#[test]
fn malformed_lines_are_named_by_file_and_line() {
    let good = sam(&[line("x", 0, "chr1", 100, 60, "NM:i:0")]);
    let error = message(&good, &format!("{HEADER}x\t0\tchr1\t100\t60\n"));
    assert!(error.contains("b.sam, line 4: 5 tab-separated fields; a record has at least 11"), "{error}");
    let error = message(&format!("{good}y\t0\tchr1\tfar\t60\t10M\t*\t0\t0\t{BASES}\n"), &good);
    assert!(error.contains("a.sam, line 5: POS is \"far\""), "{error}");
    let error = message(&good, good.trim_end());
    assert!(error.contains("b.sam is truncated: line 4, the last one, has no line end"), "{error}");
}

#[test]
fn truncated_and_corrupt_bam_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    // Enough records for several blocks of BGZF, with bases that do not compress.
    let mut state = 1u32;
    let reads: Vec<String> = (0..3_000)
        .map(|number| {
            let bases: String = (0..100)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from(b"ACGT"[(state >> 30) as usize])
                })
                .collect();
            format!("read{number}\t0\tchr1\t{}\t60\t100M\t*\t0\t0\t{bases}\t*\n", number + 1)
        })
        .collect();
    let whole = as_bam(&sam(&reads));
    let good = write(folder.path(), "good.bam", &whole);
    assert_eq!(compare(&good, &good, &options()).unwrap().total(Change::Identical), 3_000);

    let cut_in_block = write(folder.path(), "cut.bam", &whole[..whole.len() / 2]);
    let error = compare(&good, &cut_in_block, &options()).unwrap_err().to_string();
    assert!(error.contains("cut.bam is truncated") && error.contains("end-of-file marker"), "{error}");

    // The marker is there, but a block before it is not whole: as when a middle part of a copy is missing.
    let mut hollow = whole[..whole.len() / 2].to_vec();
    hollow.extend(&whole[whole.len() - 28..]);
    let hollow = write(folder.path(), "hollow.bam", hollow);
    let error = compare(&good, &hollow, &options()).unwrap_err();
    let record = match &error {
        CompareError::Read { record, .. } => *record > 1,
        CompareError::Truncated { why, .. } => why.contains("record"),
        _ => false,
    };
    assert!(record && error.to_string().contains("hollow.bam"), "{error}");
}

#[test]
fn files_of_other_formats_and_missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "good.sam", sam(&[line("x", 0, "chr1", 1, 60, "")]));
    let cram = write(folder.path(), "x.cram", "CRAM\x03\x00");
    let error = compare(&good, &cram, &options()).unwrap_err().to_string();
    assert!(error.contains("x.cram") && error.contains("name its FASTA with --reference"), "{error}");
    let reference = CompareOptions { reference: Some("nowhere.fa".into()), ..options() };
    let error = compare(&good, &cram, &reference).unwrap_err().to_string();
    assert!(error.contains("x.cram is truncated: it lacks the container that ends a CRAM 3"), "{error}");
    for (name, content, found) in [("empty.sam", "", "is empty"), ("x.fa", ">chr1\nACGT\n", "is FASTA")] {
        let error = compare(&good, &write(folder.path(), name, content), &options()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(found) && error.contains("expected SAM"), "{error}");
    }
    let error = compare(&folder.path().join("nowhere.sam"), &good, &options()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("nowhere.sam"), "{error}");
}

#[test]
fn truth_comes_from_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let options = CompareOptions { truth: TruthSource::Names, ..options() };
    let (here, foreign) = ("sim:chr1:1000:+:1300:-:1", "sim:*:0:*:0:*:2");
    let a = sam(&[line(here, 0, "chr1", 1_000, 60, ""), line(foreign, 0, "chr1", 5, 0, "")]);
    let b = sam(&[line(here, 0, "chr1", 2_000, 7, ""), line(foreign, 4, "*", 0, 0, "")]);
    let (a, b) = (write(folder.path(), "a.sam", a), write(folder.path(), "b.sam", b));
    let comparison = compare(&a, &b, &options).unwrap();
    let counts = |truth: &Option<Vec<seedsieve_compare::TruthCounts>>, bin: MappingQualityBin| {
        let counts = &truth.as_ref().unwrap()[bin as usize];
        (counts.right, counts.wrong, counts.foreign, counts.share_right())
    };
    assert_eq!(counts(&comparison.a.truth, MappingQualityBin::From60), (1, 0, 0, Some(1.0)));
    assert_eq!(counts(&comparison.a.truth, MappingQualityBin::Zero), (0, 0, 1, Some(0.0)));
    assert_eq!(counts(&comparison.b.truth, MappingQualityBin::From1), (0, 1, 0, Some(0.0)));
    assert_eq!(counts(&comparison.b.truth, MappingQualityBin::Unmapped), (0, 0, 1, None));
    assert!(text_table(&comparison).contains("100.000"));

    let real = write(folder.path(), "real.sam", sam(&[line("HSQ:1:2", 0, "chr1", 1, 60, "")]));
    let error = compare(&real, &real, &options).unwrap_err().to_string();
    assert!(error.contains("record 1: the name HSQ:1:2 does not tell"), "{error}");
}

#[test]
fn truth_comes_from_a_bed() {
    let folder = tempfile::tempdir().unwrap();
    let bed = "chr1\t999\t1009\tx/1\t60\t+\nchr1\t1290\t1300\tx/2\t60\t-\n.\t-1\t-1\ty\t0\t.\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bed.as_bytes()).unwrap();
    let beds =
        [write(folder.path(), "truth.bed", bed), write(folder.path(), "truth.bed.gz", encoder.finish().unwrap())];
    let reads = |mate: u32| {
        [
            line("x", 0x43, "chr1", 1_000, 60, "") + &line("x", 0x93, "chr1", mate, 60, ""),
            line("y", 0, "chr1", 5, 3, ""),
        ]
    };
    let a = write(folder.path(), "a.sam", sam(&reads(1_291)));
    let b = write(folder.path(), "b.sam", sam(&reads(1_391)));
    for bed in beds {
        let options = CompareOptions { truth: TruthSource::Bed(bed), ..options() };
        let comparison = compare(&a, &b, &options).unwrap();
        let shown = |accuracy: &Option<seedsieve_compare::Accuracy>| {
            let accuracy = accuracy.as_ref().unwrap();
            let by_mapq = accuracy.by_mapq.iter().map(|from| (from.mapq, from.right, from.wrong, from.foreign));
            (accuracy.reads_of_reference, accuracy.foreign_reads, by_mapq.collect::<Vec<_>>())
        };
        assert_eq!(shown(&comparison.a.accuracy), (2, 1, vec![(60, 2, 0, 0), (3, 0, 0, 1)]));
        assert_eq!(shown(&comparison.b.accuracy), (2, 1, vec![(60, 1, 1, 0), (3, 0, 0, 1)]));
        let changes = comparison.truth_changes.unwrap();
        assert_eq!((changes.right_in_both, changes.right_in_a_only), (1, 1));
        let table = text_table(&comparison);
        let row = |start: &str| {
            let line = table.lines().rfind(|line| line.starts_with(start)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row("60 "), ["60", "100.000", "100.000", "50.000", "50.000"]);
        assert_eq!(row("0 "), ["0", "66.667", "100.000", "33.333", "50.000"]);
    }
    let options = CompareOptions { truth: TruthSource::Bed(folder.path().join("no.bed")), ..options() };
    let error = compare(&a, &b, &options).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("no.bed"), "{error}");
}

#[test]
fn bam_and_sam_of_the_same_alignments_are_identical() {
    let folder = tempfile::tempdir().unwrap();
    let tags =
        "NM:i:0\tXA:Z:chr1,+1,4M,0;\tpa:f:0.990\tXB:B:c,-1,2\tXF:B:f,0.5,1.25\tXC:A:q\tXU:i:4000000000\tXN:i:-70000";
    let text = sam(&[
        line("p", 0x63, "chr1", 500, 60, tags).replace("*\t0\t0", "=\t700\t210"),
        line("p", 0x93, "chr1", 700, 60, "AS:i:10").replace("*\t0\t0", "chr2\t5\t0"),
        line("u", 4, "*", 0, 0, "AS:i:0").replace("IIIIIIIIII", "*"),
        line("r", 16, "chr2", 5, 255, "NM:i:3").replace("10M", "3S2M1D2I3M"),
    ]);
    let (a, b) = (write(folder.path(), "a.sam", &text), write(folder.path(), "b.bam", as_bam(&text)));
    let comparison = compare(&a, &b, &options()).unwrap();
    assert_eq!((comparison.reads, comparison.total(Change::Identical)), (4, 4), "{:#?}", comparison.same_place);
}

#[test]
fn fields_tags_flags_and_kinds_are_counted() {
    let (a, b) = five_changes();
    let comparison = compared(&a, &b).unwrap();
    let flag = |name: &str| comparison.flags.iter().find(|flag| flag.flag == name).unwrap();
    let counts = |flag: &seedsieve_compare::FlagCounts| (flag.a, flag.b, flag.only_a, flag.only_b);
    assert_eq!(counts(flag("unmapped")), (1, 1, 1, 1));
    assert_eq!(counts(flag("proper_pair")), (2, 2, 0, 0));
    assert_eq!(counts(flag("reverse")), (2, 1, 1, 0));
    let fields: Vec<_> = comparison.same_place.fields.iter().filter(|field| field.differs > 0).collect();
    assert_eq!((comparison.same_place.reads, fields.len(), fields[0].field), (4, 1, "MAPQ"));
    assert!(comparison.same_place.tags.is_empty());
    let kinds: Vec<_> =
        comparison.by_kind.iter().map(|kind| Change::ALL.map(|change| kind.tally.count(change))).collect();
    assert_eq!(kinds[0], [2, 0, 0, 0, 0, 0], "proper pairs");
    assert_eq!(kinds[2], [1, 1, 0, 1, 1, 0], "unpaired");
    assert_eq!(kinds[3], [0, 0, 0, 0, 0, 1], "unmapped");
    assert_eq!([kinds[4], kinds[5]], [[0, 0, 0, 0, 1, 0]; 2], "secondary, supplementary");
    assert_eq!((comparison.cigars.same, comparison.scores[1].unknown), (4, 1));
    assert_eq!((comparison.a.paired, comparison.a.proper_pair_rate), (2, Some(1.0)));
    let differences: Vec<_> = comparison.mapq_shift.differences.iter().map(|one| (one.difference, one.reads)).collect();
    assert_eq!(differences, [(-40, 1), (0, 3), (12, 1)]);
    let named: Vec<_> = comparison.examples.iter().map(|example| example.read.as_str()).collect();
    assert_eq!(named, ["quality", "moved", "lost", "gained"]);
}

#[test]
fn streams_are_read_and_their_end_is_checked() {
    let (text, _) = five_changes();
    let input =
        |content: Vec<u8>| AlignmentInput::from_reader(Path::new("pipe"), Box::new(std::io::Cursor::new(content)));
    let bam = as_bam(&text);
    for content in [text.clone().into_bytes(), bam.clone()] {
        let comparison = compare_inputs(input(content).unwrap(), input(bam.clone()).unwrap(), &options()).unwrap();
        assert_eq!(comparison.total(Change::Identical), 7);
    }
    // Without the marker the file was cut between two blocks, which nothing else tells.
    let cut = input(bam[..bam.len() - 28].to_vec()).unwrap();
    let error = compare_inputs(input(bam).unwrap(), cut, &options()).unwrap_err().to_string();
    assert!(error.contains("pipe is truncated") && error.contains("end-of-file marker"), "{error}");
    let error = input(b"CRAM\x03\x00".to_vec()).err().unwrap().to_string();
    assert!(error.contains("is CRAM from a pipe"), "{error}");
    let error = compare(Path::new("-"), Path::new("-"), &options()).unwrap_err().to_string();
    assert!(error.contains("both files are standard input"), "{error}");
}

#[test]
fn every_key_of_the_json_is_documented() {
    fn keys(value: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(object) => {
                for (key, value) in object {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "sim:chr1:1000:+:1300:-:1";
    let a = write(folder.path(), "a.sam", sam(&[line(name, 0, "chr1", 1_000, 60, "NM:i:0")]));
    let b = write(folder.path(), "b.sam", sam(&[line(name, 0, "chr1", 1_000, 60, "NM:i:1")]));
    let options = CompareOptions { truth: TruthSource::Names, ..options() };
    let mut found = std::collections::BTreeSet::new();
    keys(&serde_json::to_value(compare(&a, &b, &options).unwrap()).unwrap(), &mut found);
    assert!(found.len() > 60, "{found:?}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compare.md");
    let page = std::fs::read_to_string(page).unwrap();
    let missing: Vec<_> = found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/compare.md does not name {missing:?}");
}

#[test]
fn json_has_what_scripts_read() {
    let (a, b) = five_changes();
    let json = serde_json::to_value(compared(&a, &b).unwrap()).unwrap();
    assert_eq!(json["command"], "compare");
    assert_eq!(json["reads"], 7);
    assert_eq!(json["a"]["label"], "off");
    assert_eq!(json["changes"][6]["mapq_of_a"], "60");
    assert_eq!(json["changes"][6]["place_kept"], 1);
    assert!(json["a"]["truth"].is_null());
}

#[test]
fn an_unwritable_output_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = write_whole(&folder.path().join("no/such/report.html"), b"x").unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("report.html"), "{error}");
    std::fs::create_dir(folder.path().join("taken")).unwrap();
    assert!(write_whole(&folder.path().join("taken"), b"x").is_err());
    drop(seedsieve_compare::WholeFile::create(&folder.path().join("given-up")).unwrap());
    write_whole(&folder.path().join("whole"), b"x").unwrap();
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["taken", "whole"]);
}
