//! Real reads: what their BAM says of them, and what the aligner makes of them.

use flate2::read::MultiGzDecoder;
use seedsieve_aligner::{ReferenceIndex, build_index};
use seedsieve_dataset::{Counts, Dataset, validate};
use seedsieve_extract::{ExtractOptions, Input, Progress, ReferenceCheck, extract};
use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: &str) {}
    fn continued(&mut self, _: Counts) {}
    fn advanced(&mut self, _: Counts) {}
}

/// The folder of real data: SEEDSIEVE_DATA, else `../shared/data` beside the repository. `None` and a plain word where
/// there is none; under CI=true that is a failure.
fn data_folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("SEEDSIEVE_DATA").map_or(beside, PathBuf::from);
    if folder.join("kgp30x").is_dir() {
        return Some(folder);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no real data in {}", folder.display());
    eprintln!("SKIPPED: no real data in {}; set SEEDSIEVE_DATA", folder.display());
    None
}

#[test]
fn seeds_on_the_path_of_a_sure_alignment_extend_well() {
    let Some(data) = data_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let reference = folder.path().join("reference.fa");
    let compressed = File::open(data.join("kgp30x/GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz")).unwrap();
    std::io::copy(&mut MultiGzDecoder::new(compressed), &mut File::create(&reference).unwrap()).unwrap();
    build_index(&reference, &reference).unwrap();

    let bam = data.join("kgp30x/NA12878.chr21.16.60-16.80M.bam");
    let output = folder.path().join("out");
    let mut options = ExtractOptions::new(vec![Input::Bam(bam)], reference.clone(), output.clone());
    options.subsample = Some(seedsieve_extract::Subsample { pairs: 5000, seed: 1 });
    let summary = extract(&options, &mut Silent).unwrap();
    let dataset = Dataset::open(&output).unwrap();
    let index = ReferenceIndex::load(&reference).unwrap();
    let check = ReferenceCheck::new(&index);
    validate(&dataset, |row| check.row(row)).unwrap();

    // By read with MAPQ 60 there: seeds on the path, and those of them whose own extension reaches 30.
    let mut sure: HashMap<(u64, u8), (u32, u32)> = HashMap::new();
    dataset
        .for_each_row(|_, _, row| {
            assert_eq!(row.sample, "NA12878");
            if row.source_mapq == Some(60) && row.source_on_path == Some(true) {
                let counts = sure.entry((row.read_hash, row.mate)).or_default();
                counts.0 += 1;
                counts.1 += u32::from(row.own_score >= 30);
            }
            Ok(())
        })
        .unwrap();
    let weak: Vec<_> = sure.values().filter(|(on_path, good)| 2 * good <= *on_path).collect();
    assert!(weak.is_empty(), "{} of {} reads, as {:?}", weak.len(), sure.len(), weak.first());
    assert!(sure.len() > 7000, "only {} reads of 5000 pairs are sure and have a seed on their path", sure.len());
    let found = summary.source_found as f64 / summary.source_covered as f64;
    assert!(found > 0.98, "only {found:.3} of the source's alignments have a seed on their path");
    println!("{} sure reads, {found:.4} of all found", sure.len());
}

/// Score of the ungapped extension over a side's matches, outwards from the seed, that ends 20 below its best.
fn side_score(matches: &[u8; 32], bases: usize) -> i32 {
    let (mut sum, mut best) = (0, 0);
    for base in 0..bases.min(256) {
        sum += if matches[base / 8] >> (base % 8) & 1 == 1 { 1 } else { -4 };
        best = best.max(sum);
        if sum < best - 20 {
            break;
        }
    }
    best
}

#[test]
fn gap_bounds_lie_between_the_ungapped_extension_and_what_smith_waterman_can_find() {
    let Some(data) = data_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let reference = folder.path().join("reference.fa");
    let compressed = File::open(data.join("kgp30x/GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz")).unwrap();
    std::io::copy(&mut MultiGzDecoder::new(compressed), &mut File::create(&reference).unwrap()).unwrap();
    build_index(&reference, &reference).unwrap();
    let bam = data.join("kgp30x/NA12878.chr21.16.60-16.80M.bam");
    let mut options = ExtractOptions::new(vec![Input::Bam(bam)], reference, folder.path().join("out"));
    options.subsample = Some(seedsieve_extract::Subsample { pairs: 3000, seed: 1 });
    options.align.mem.min_seed_len = 14;
    extract(&options, &mut Silent).unwrap();

    let (mut seeds, mut gapped, mut above, mut gap_missed) = (0u64, 0u64, 0u64, 0u64);
    let (mut viable_by_gaps, mut gaps_missed) = (0u64, 0u64);
    Dataset::open(&options.output)
        .unwrap()
        .for_each_row(|_, _, row| {
            let bound = row.gap_bound.expect("of every seed");
            let behind = row.read_length - row.query_start - row.length;
            let ungapped = i32::from(row.length)
                + side_score(row.left_matches.unwrap(), row.query_start.into())
                + side_score(row.right_matches.unwrap(), behind.into());
            assert!(bound >= ungapped, "{bound} for {ungapped} ungapped");
            assert!(bound <= i32::from(row.read_length), "{bound} in a read of {}", row.read_length);
            seeds += 1;
            gapped += u64::from(bound > ungapped);
            above += u64::from(bound > row.own_score);
            gap_missed += u64::from(bound < 30 && row.own_score >= 30);
            let score = row.narrow_score.expect("of every seed");
            assert!(score >= i32::from(row.length), "{score} of a seed of {}", row.length);
            assert!(score <= row.own_score, "{score} where Smith-Waterman finds {}: {row:?}", row.own_score);
            viable_by_gaps += u64::from(ungapped < 30 && row.own_score >= 30);
            gaps_missed += u64::from(score < 30 && row.own_score >= 30);
            Ok(())
        })
        .unwrap();
    println!(
        "{seeds} seeds: {gapped} with a gap, {above} above their own extension, {gap_missed} reach 30 beyond the bound"
    );
    assert!(seeds > 50_000 && gapped > 300, "{gapped} of {seeds}");
    // What few gaps can reach is found whole.
    assert!(gaps_missed * 50 < viable_by_gaps, "{gaps_missed} of {viable_by_gaps} that reach 30 by gaps are missed");
    // Bases between two joined parts are free, which Smith-Waterman does not grant; and of what reaches T little is missed.
    assert!(above * 4 < seeds, "{above} of {seeds} above their own extension");
    assert!(gap_missed * 100 < seeds, "{gap_missed} of {seeds} reach 30 beyond the bound");
}
