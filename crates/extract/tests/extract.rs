//! Small synthetic reads with known places, from BAM and FASTQ to the data set.

mod made_up;

use made_up::{MadeUp, rows};
use seedsieve_aligner::ReferenceIndex;
use seedsieve_dataset::{Counts, Dataset, Description, OwnExtensions, RowView, validate};
use seedsieve_extract::{ExtractError, ExtractOptions, Input, InputKind, Progress, ReferenceCheck, Subsample, Summary};
use std::fs;
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: &str) {}
    fn continued(&mut self, _: Counts) {}
    fn advanced(&mut self, _: Counts) {}
}

fn extract(options: &ExtractOptions) -> Result<Summary, ExtractError> {
    seedsieve_extract::extract(options, &mut Silent)
}

fn options(made_up: &MadeUp, input: Input, output: &str) -> ExtractOptions {
    let mut options = ExtractOptions::new(vec![input], made_up.reference.clone(), made_up.folder.path().join(output));
    options.sample = Some("s".into());
    options
}

/// The row as text without what only a BAM knows.
fn without_source(row: &str) -> &str {
    row.split(" | ").next().unwrap()
}

#[test]
fn bam_and_fastq_of_the_same_pairs_give_the_same_seeds() {
    let made_up = MadeUp::new(200);
    let (first, second) = made_up.write_fastq_pairs();
    let bam = made_up.write_bam("reads.bam", |_| true);
    let from_bam = extract(&options(&made_up, Input::Bam(bam), "bam")).unwrap();
    let from_fastq = extract(&options(&made_up, Input::Paired(first, second), "fastq")).unwrap();
    assert_eq!(from_bam.manifest.counts, from_fastq.manifest.counts);
    assert_eq!(from_bam.manifest.counts.reads, 400);
    let (bam_rows, fastq_rows) = (rows(&made_up.folder.path().join("bam")), rows(&made_up.folder.path().join("fastq")));
    assert!(bam_rows.len() >= 400, "{} seeds", bam_rows.len());
    for (number, (bam_row, fastq_row)) in bam_rows.iter().zip(&fastq_rows).enumerate() {
        assert_eq!(without_source(bam_row), without_source(fastq_row), "row {number}");
        assert!(fastq_row.ends_with("| None None None"), "FASTQ says nothing: {fastq_row}");
    }
}

#[test]
fn several_inputs_in_one_run_give_the_seeds_of_each_in_turn() {
    let made_up = MadeUp::new(150);
    let (first, second) = made_up.write_fastq_pairs();
    let bam = made_up.write_bam("reads.bam", |place| place.name != "pair9");
    let inputs = [Input::Bam(bam), Input::Paired(first.clone(), second), Input::Single(first)];
    // Which of two equally good regions comes first hangs on the read's number in the run, as in bwa.
    let seeds = |output: &str| -> Vec<String> {
        let rows = rows(&made_up.folder.path().join(output));
        rows.iter().map(|row| row.split(" region ").next().unwrap().to_owned()).collect()
    };
    let mut expected = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let output = format!("alone{number}");
        extract(&options(&made_up, input.clone(), &output)).unwrap();
        expected.extend(seeds(&output));
    }
    let mut together = options(&made_up, inputs[0].clone(), "together");
    together.inputs = inputs.to_vec();
    let summary = extract(&together).unwrap();
    assert_eq!(summary.manifest.counts.reads, 298 + 300 + 150);
    assert!(seeds("together") == expected, "{} seeds alone", expected.len());
    let kinds: Vec<&str> = summary.manifest.inputs.iter().map(|file| file.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "reads").count(), 4, "{kinds:?}");
}

#[test]
fn every_read_has_a_seed_on_the_path_of_its_true_alignment() {
    let made_up = MadeUp::new(200);
    let bam = made_up.write_bam("reads.bam", |_| true);
    let summary = extract(&options(&made_up, Input::Bam(bam), "out")).unwrap();
    assert_eq!(summary.source_covered, 400);
    assert_eq!(summary.source_found, 400);
    let on_path = rows(&made_up.folder.path().join("out")).iter().filter(|row| row.ends_with("Some(true)")).count();
    assert!(on_path >= 400, "{on_path}");
}

#[test]
fn only_primary_records_are_used_and_lonely_mates_come_last() {
    let made_up = MadeUp::new(20);
    let bam = made_up.write_bam_with_others("reads.bam");
    let summary = extract(&options(&made_up, Input::Bam(bam), "out")).unwrap();
    // Of 20 pairs: one duplicate pair, one second mate missing, a secondary and a supplementary record.
    assert_eq!(summary.manifest.counts.reads, 20 * 2 - 2 - 1);
    assert_eq!(
        (summary.leftovers.not_primary, summary.leftovers.duplicates, summary.leftovers.without_mate),
        (2, 2, 1)
    );
    let rows = rows(&made_up.folder.path().join("out"));
    let lonely = format!("{:016x}/1 ", seedsieve_extract::read_hash(b"pair3"));
    let first = rows.iter().position(|row| row.starts_with(&lonely)).expect("the lonely mate's seeds");
    assert!(rows[first..].iter().all(|row| row.starts_with(&lonely)), "lonely mates come last");
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let made_up = MadeUp::new(300);
    let bam = made_up.write_bam("reads.bam", |_| true);
    let run = |threads: usize| {
        let mut options = options(&made_up, Input::Bam(bam.clone()), &format!("threads{threads}"));
        options.chunk_reads = 100;
        options.part_rows = 500;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| extract(&options).unwrap()).manifest
    };
    let (one, two) = (run(1), run(2));
    assert!(one.parts.len() > 1);
    assert_eq!(one, two);
}

#[test]
fn single_reads_do_not_depend_on_the_chunk_either() {
    let made_up = MadeUp::new(300);
    let (first, _) = made_up.write_fastq_pairs();
    let run = |chunk_reads: usize| {
        let mut options = options(&made_up, Input::Single(first.clone()), &format!("chunk{chunk_reads}"));
        options.chunk_reads = chunk_reads;
        extract(&options).unwrap().manifest.parts
    };
    assert_eq!(run(37), run(1000));
}

#[test]
fn a_subsample_is_a_part_of_the_whole_and_the_same_each_time() {
    let made_up = MadeUp::new(100);
    let bam = made_up.write_bam("reads.bam", |_| true);
    let run = |output: &str, subsample| {
        let mut options = options(&made_up, Input::Bam(bam.clone()), output);
        options.subsample = subsample;
        let summary = extract(&options).unwrap();
        (summary.manifest.counts.reads, rows(&made_up.folder.path().join(output)))
    };
    let (_, all) = run("all", None);
    let (reads, some) = run("some", Some(Subsample { pairs: 10, seed: 3 }));
    assert_eq!(reads, 20);
    assert_eq!(run("again", Some(Subsample { pairs: 10, seed: 3 })).1, some);
    assert_ne!(run("other", Some(Subsample { pairs: 10, seed: 4 })).1, some);
    let place = |row: &String| row.split(' ').take(6).collect::<Vec<_>>().join(" ");
    let all: std::collections::HashSet<String> = all.iter().map(place).collect();
    assert!(some.iter().all(|row| all.contains(&place(row))));
}

#[test]
fn windows_agree_with_the_reference_and_an_altered_one_is_found() {
    let made_up = MadeUp::new(100);
    let bam = made_up.write_bam("reads.bam", |_| true);
    extract(&options(&made_up, Input::Bam(bam), "out")).unwrap();
    let dataset = Dataset::open(&made_up.folder.path().join("out")).unwrap();
    let index = ReferenceIndex::load(&made_up.reference).unwrap();
    let check = ReferenceCheck::new(&index);
    validate(&dataset, |row| check.row(row)).unwrap();

    let batch = dataset.batches().next().unwrap().unwrap();
    let mut view = RowView::new(&batch);
    let row = view.row(0).unwrap();
    for byte in [64, 80, 100, 127] {
        let mut windows = *row.windows;
        windows[byte] ^= 0x11;
        let altered = seedsieve_dataset::SeedRow { windows: &windows, ..row };
        assert_eq!(check.row(&altered).unwrap_err().0, "reference_window", "byte {byte}");
    }
    let moved = seedsieve_dataset::SeedRow { position: row.position + 1, ..row };
    assert_eq!(check.row(&moved).unwrap_err().0, "reference_window");
    let turned = seedsieve_dataset::SeedRow { reverse: !row.reverse, ..row };
    assert_eq!(check.row(&turned).unwrap_err().0, "reference_window");
}

#[test]
fn a_wrong_count_is_found_and_the_description_has_the_right_ones() {
    let made_up = MadeUp::new(100);
    let bam = made_up.write_bam("reads.bam", |_| true);
    let counts = extract(&options(&made_up, Input::Bam(bam), "out")).unwrap().manifest.counts;
    let output = made_up.folder.path().join("out");
    let description = Description::of(&Dataset::open(&output).unwrap()).unwrap();
    assert_eq!((description.seeds, description.viable[0]), (counts.seeds, counts.viable));
    assert_eq!((description.reads, description.roles), (counts.reads, counts.roles));
    let (mut in_kept_chains, mut extended) = (0, 0);
    Dataset::open(&output)
        .unwrap()
        .for_each_row(|_, _, row| {
            in_kept_chains += u64::from(row.chain_kept);
            extended += u64::from(row.extended);
            Ok(())
        })
        .unwrap();
    assert_eq!((description.in_kept_chains, description.extended), (in_kept_chains, extended));
    assert!(0 < extended && extended <= in_kept_chains && in_kept_chains <= counts.seeds);
    for bins in [&description.lengths, &description.occurrences] {
        assert_eq!(bins.iter().map(|bin| bin.seeds).sum::<u64>(), counts.seeds);
        assert_eq!(bins.iter().map(|bin| bin.roles.primary).sum::<u64>(), counts.roles.primary);
    }

    let manifest = output.join("dataset.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let stated = format!("\"viable\": {}", counts.viable);
    assert!(text.contains(&stated), "{text}");
    fs::write(&manifest, text.replace(&stated, "\"viable\": 1")).unwrap();
    let error = validate(&Dataset::open(&output).unwrap(), |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains(&format!("viable seeds: {}, but dataset.json says 1", counts.viable)), "{error}");
}

fn refusal(made_up: &MadeUp, input: Input) -> String {
    let error = extract(&options(made_up, input, "refused")).expect_err("an input that is not whole").to_string();
    assert!(!made_up.folder.path().join("refused").exists(), "something was left behind");
    error
}

#[test]
fn a_truncated_bam_is_told_by_its_missing_end() {
    let made_up = MadeUp::new(50);
    let bam = made_up.write_bam("reads.bam", |_| true);
    let bytes = fs::read(&bam).unwrap();
    fs::write(&bam, &bytes[..bytes.len() - 100]).unwrap();
    let error = refusal(&made_up, Input::Bam(bam));
    assert!(error.contains("reads.bam") && error.contains("end-of-file block"), "{error}");
}

#[test]
fn a_corrupt_bam_is_told_by_file_and_record() {
    let made_up = MadeUp::new(2000);
    let bam = made_up.write_bam("reads.bam", |_| true);
    let mut bytes = fs::read(&bam).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&bam, bytes).unwrap();
    let error = refusal(&made_up, Input::Bam(bam));
    let record: u64 = error.split("record ").nth(1).expect(&error).split(':').next().unwrap().parse().unwrap();
    assert!(error.contains("reads.bam") && record > 1 && record < 4000, "{error}");
}

#[test]
fn a_record_that_contradicts_itself_is_told_by_its_number() {
    let made_up = MadeUp::new(10);
    let bam = made_up.write_bam_of("reads.bam", "@SQ\tSN:chrT\tLN:20000\n", &[made_up.place(0, 0)]);
    // The packed CIGAR follows the name: 100M becomes 99M.
    made_up::replace_in_bam(&bam, b"pair0\0\x40\x06\0\0", b"pair0\0\x30\x06\0\0");
    let error = refusal(&made_up, Input::Bam(bam));
    assert!(error.contains("record 1") && error.contains("99 bases") && error.contains("100"), "{error}");
}

#[test]
fn another_reference_is_told_by_length_and_by_md5() {
    let made_up = MadeUp::new(10);
    let of_header = |header: &str| made_up.write_bam_of("reads.bam", header, &[made_up.place(0, 0)]);
    let error = refusal(&made_up, Input::Bam(of_header("@SQ\tSN:chrT\tLN:30000\n")));
    assert!(error.contains("30000") && error.contains("20000") && error.contains("not the BAM's"), "{error}");
    let md5 = "0123456789abcdef0123456789abcdef";
    let error = refusal(&made_up, Input::Bam(of_header(&format!("@SQ\tSN:chrT\tLN:20000\tM5:{md5}\n"))));
    assert!(error.contains(md5) && error.contains(&made_up.md5_of_first_contig()), "{error}");
    let own = made_up.md5_of_first_contig();
    let bam = of_header(&format!("@SQ\tSN:chrT\tLN:20000\tM5:{own}\n"));
    extract(&options(&made_up, Input::Bam(bam), "accepted")).unwrap();
}

#[test]
fn fastq_files_that_are_no_mates_are_refused() {
    let made_up = MadeUp::new(10);
    let (first, second) = made_up.write_fastq_pairs();
    let text = fs::read_to_string(&second).unwrap();
    let short: String = text.lines().take(4 * 9).map(|line| format!("{line}\n")).collect();
    fs::write(&second, short).unwrap();
    let error = refusal(&made_up, Input::Paired(first, second));
    assert!(error.contains("_2.fq") && error.contains("not mates"), "{error}");
}

#[test]
fn the_kind_is_told_by_the_content() {
    let made_up = MadeUp::new(5);
    let (first, _) = made_up.write_fastq_pairs();
    let bam = made_up.write_bam("reads.fastq", |_| true);
    assert_eq!(InputKind::of(&bam).unwrap(), InputKind::Bam);
    assert_eq!(InputKind::of(&first).unwrap(), InputKind::Fastq);
    let other = |name: &str, content: &[u8]| {
        let path = made_up.folder.path().join(name);
        fs::write(&path, content).unwrap();
        InputKind::of(&path).unwrap_err().to_string()
    };
    assert!(other("a.bam", b"@SQ\tSN:chrT\n").contains("a SAM header"));
    assert!(other("b.bam", b"").contains("empty"));
    assert!(other("c.bam", b"PK\x03\x04").contains("PK"));
    assert_eq!(InputKind::of(Path::new("absent.bam")).unwrap_err().to_string().split(':').next(), Some("absent.bam"));
}

#[test]
fn match_masks_go_beyond_the_windows_and_an_altered_one_is_found() {
    let made_up = MadeUp::new(100);
    let bam = made_up.write_bam("reads.bam", |_| true);
    extract(&options(&made_up, Input::Bam(bam), "out")).unwrap();
    let directory = made_up.folder.path().join("out");
    let dataset = Dataset::open(&directory).unwrap();
    let index = ReferenceIndex::load(&made_up.reference).unwrap();
    let mut beyond = 0;
    dataset
        .for_each_row(|_, _, row| {
            // Each read has one mismatch: a seed on its path has it as the only one, the read's end apart.
            let matches = |mask: Option<&[u8; 32]>| mask.unwrap().iter().map(|byte| byte.count_ones()).sum::<u32>();
            let (left, right) = (matches(row.left_matches), matches(row.right_matches));
            let flanks = u32::from(row.read_length - row.length);
            if row.source_on_path == Some(true) {
                assert_eq!(left + right, flanks - 1, "{row:?}");
            }
            assert!(left <= u32::from(row.query_start) && left + right <= flanks, "{row:?}");
            beyond += u32::from(left > 32 || right > 32);
            Ok(())
        })
        .unwrap();
    assert!(beyond > 100, "{beyond} seeds with matches beyond the windows");
    let check = ReferenceCheck::new(&index);
    let mut altered = 0;
    dataset
        .for_each_row(|_, _, row| {
            check.row(row).unwrap();
            let mut mask = *row.left_matches.unwrap();
            mask[0] ^= 1;
            let row = seedsieve_dataset::SeedRow { left_matches: Some(&mask), ..*row };
            let (column, found, valid) = seedsieve_dataset::check_row(&row).unwrap_err();
            assert_eq!(column, "left_matches", "{found} {valid}");
            altered += 1;
            Ok(())
        })
        .unwrap();
    assert!(altered > 100, "{altered} rows");
}

#[test]
fn anchors_and_rounds_are_those_of_the_aligner() {
    let made_up = MadeUp::new(200);
    let (first, second) = made_up.write_fastq_pairs();
    extract(&options(&made_up, Input::Paired(first.clone(), second), "pairs")).unwrap();
    extract(&options(&made_up, Input::Single(first), "single")).unwrap();
    let mut of_round = [0; 4];
    let (mut anchors, mut others) = (0, 0);
    Dataset::open(&made_up.folder.path().join("pairs"))
        .unwrap()
        .for_each_row(|_, _, row| {
            of_round[usize::from(row.seeding_round.unwrap())] += 1;
            let in_best = row.region_score == Some(row.read_best) && row.region_distance == Some(0);
            match row.rescue_anchor.unwrap() {
                true => anchors += 1,
                false => others += 1,
            }
            // The best region of a read of a pair is always an anchor.
            assert!(!in_best || row.rescue_anchor == Some(true), "{row:?}");
            Ok(())
        })
        .unwrap();
    assert!(anchors > 400 && others > 0, "{anchors} in anchors, {others} not");
    assert!(of_round[1] >= 400 && of_round[3] > 100, "{of_round:?}");
    Dataset::open(&made_up.folder.path().join("single"))
        .unwrap()
        .for_each_row(|_, _, row| {
            assert_eq!(row.rescue_anchor, None, "nothing is rescued");
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_region_gives_the_reads_that_lie_in_it_with_an_index_or_without() {
    let made_up = MadeUp::new(300);
    // Sorted by position, and with an index of its own making.
    let mut records: Vec<made_up::Place> =
        (0..300).flat_map(|pair| [made_up.place(pair, 0), made_up.place(pair, 1)]).collect();
    records.sort_by_key(|place| place.position);
    let header = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chrT\tLN:20000\n@SQ\tSN:chrU\tLN:5003\n";
    let bam = made_up.write_bam_of("sorted.bam", header, &records);
    // 1-based 4,001 to 6,000 and 9,001: with a base in it, of 100.
    let inside = |place: &&made_up::Place| {
        (place.position + 100 > 4_000 && place.position < 6_000)
            || (place.position < 9_001 && place.position + 100 > 9_000)
    };
    let expected: std::collections::BTreeSet<String> = records
        .iter()
        .filter(inside)
        .map(|place| {
            let mate = if place.flags & 0x80 == 0 { 1 } else { 2 };
            format!("{:016x}/{mate}", seedsieve_extract::read_hash(place.name.as_bytes()))
        })
        .collect();
    assert!((50..250).contains(&expected.len()), "{}", expected.len());
    let run = |output: &str| {
        let mut options = options(&made_up, Input::Bam(bam.clone()), output);
        options.regions.add_text("chrT:4,001-6000");
        options.regions.add_text("chrT:9001-9001");
        let summary = extract(&options).unwrap();
        assert_eq!(summary.manifest.counts.reads, expected.len() as u64);
        assert!(summary.leftovers.without_mate > 0, "mates outside");
        rows(&made_up.folder.path().join(output))
    };
    let through = run("through");
    let found: std::collections::BTreeSet<String> =
        through.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(found, expected);
    let noodles::bam::Index::Bai(index) = noodles::bam::fs::index(&bam).unwrap() else { panic!("small contigs") };
    noodles::bam::bai::fs::write(bam.with_added_extension("bai"), &index).unwrap();
    assert_eq!(run("indexed"), through);

    fs::write(bam.with_added_extension("bai"), b"BAI\x01\xff").unwrap();
    let mut options = options(&made_up, Input::Bam(bam), "broken");
    options.regions.add_text("chrT:4001-6000");
    let error = extract(&options).unwrap_err().to_string();
    assert!(error.contains("sorted.bam.bai") && error.contains("samtools index"), "{error}");
    assert!(!made_up.folder.path().join("broken").exists());
    let (first, _) = made_up.write_fastq_pairs();
    let mut options = self::options(&made_up, Input::Single(first), "fastq");
    options.regions.add_text("chrT:1-9");
    assert!(extract(&options).unwrap_err().to_string().contains("no positions"));
}

#[test]
fn own_extensions_of_a_share_of_the_reads_are_those_of_all() {
    let made_up = MadeUp::new(300);
    let (first, second) = made_up.write_fastq_pairs();
    let run = |output: &str, own_extensions: OwnExtensions| {
        let mut options = options(&made_up, Input::Paired(first.clone(), second.clone()), output);
        options.own_extensions = own_extensions;
        extract(&options).unwrap();
        let mut rows = Vec::new();
        Dataset::open(&made_up.folder.path().join(output))
            .unwrap()
            .for_each_row(|_, _, row| {
                rows.push((
                    row.read_hash,
                    row.own_computed.unwrap(),
                    row.own_score,
                    row.own_query_start,
                    row.own_query_end,
                    row.chain_kept,
                ));
                Ok(())
            })
            .unwrap();
        rows
    };
    let share = |part: f64| OwnExtensions::of_part(part).unwrap();
    let all = run("all", OwnExtensions::ALL);
    assert!(all.iter().all(|row| row.1));
    let (some, none) = (run("some", share(0.3)), run("none", share(0.0)));
    let mut not_computed = 0;
    for ((all, some), none) in all.iter().zip(&some).zip(&none) {
        for part in [some, none] {
            assert!(if part.1 { part == all } else { part.2 <= all.2 && part.0 == all.0 }, "{part:?} {all:?}");
        }
        not_computed += usize::from(!none.1);
    }
    let kept = run("kept", OwnExtensions::OF_KEPT_CHAINS);
    assert!(kept.iter().zip(&all).all(|(kept, all)| if kept.5 { kept == all } else { kept.2 <= all.2 }));
    assert!(kept.iter().any(|row| row.5 && row.1) && kept.iter().any(|row| !row.5 && !row.1));
    let own = OwnExtensions::of_sample(0.3).unwrap();
    let sampled = run("sampled", own);
    let stated = Dataset::open(&made_up.folder.path().join("sampled")).unwrap().manifest().own_extensions();
    assert_eq!(stated, own);
    let exact = |row: &(u64, bool, i32, u16, u16, bool)| own.includes(row.0, row.5);
    assert!(sampled.iter().zip(&all).all(|(row, all)| if exact(row) { row == all } else { row.2 <= all.2 }));
    assert!(sampled.iter().any(|row| exact(row) && !row.5) && sampled.iter().any(|row| !exact(row) && !row.1));
    let computed = |rows: &[(u64, bool, i32, u16, u16, bool)]| rows.iter().filter(|row| row.1).count();
    assert!(computed(&none) < computed(&some) && computed(&some) < all.len(), "{not_computed} not computed");
}

#[test]
fn an_unaligned_bam_gives_the_seeds_of_the_fastq() {
    let made_up = MadeUp::new(100);
    let (first, second) = made_up.write_fastq_pairs();
    let records: Vec<made_up::Place> =
        (0..100).flat_map(|pair| [made_up.place(pair, 0).unaligned(), made_up.place(pair, 1).unaligned()]).collect();
    let bam = made_up.write_bam_of("unaligned.bam", "@HD\tVN:1.6\tSO:queryname\n", &records);
    extract(&options(&made_up, Input::Bam(bam.clone()), "bam")).unwrap();
    extract(&options(&made_up, Input::Paired(first, second), "fastq")).unwrap();
    let (bam_rows, fastq_rows) = (rows(&made_up.folder.path().join("bam")), rows(&made_up.folder.path().join("fastq")));
    assert!(bam_rows.len() >= 200, "{} seeds", bam_rows.len());
    assert_eq!(bam_rows.len(), fastq_rows.len());
    for (bam_row, fastq_row) in bam_rows.iter().zip(&fastq_rows) {
        assert_eq!(without_source(bam_row), without_source(fastq_row));
        assert!(bam_row.contains(" | Some(false) "), "{bam_row}");
    }
    let mut options = options(&made_up, Input::Bam(bam), "region");
    options.regions.add_text("chrT");
    assert!(extract(&options).unwrap_err().to_string().contains("the file is not aligned"));
}
