//! Data sets made of data sets: every row is where it belongs, once, and unchanged.

mod common;

use arrow_array::cast::AsArray;
use common::{ROWS, producer, row};
use seedsieve_dataset::{
    Dataset, DatasetWriter, DeriveOptions, Description, InputFile, LabelPolicy, OwnExtensions, SampleOptions, SeedRow,
    SplitOptions, SplitPart, WriterOptions, label, label_counts, merge, sample, split,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn options() -> DeriveOptions {
    DeriveOptions { part_rows: 300, overwrite: false, producer: producer() }
}

/// A data set of the rows `numbers`, whose reads are said to be of a file of this name.
fn write(directory: &Path, numbers: std::ops::Range<u64>, reads: &str, k: i32) -> Dataset {
    write_with(directory, numbers, reads, k, OwnExtensions::ALL)
}

/// The same, as if own extensions had been computed of these seeds.
fn write_with(directory: &Path, numbers: std::ops::Range<u64>, reads: &str, k: i32, own: OwnExtensions) -> Dataset {
    let options = WriterOptions { part_rows: 300, ..WriterOptions::default() };
    let mut writer = DatasetWriter::create(directory, options).unwrap();
    writer.count_reads(numbers.end - numbers.start);
    for number in numbers {
        writer.push(&placed(number, &mut [0; 128])).unwrap();
    }
    let input = InputFile { kind: "reads".into(), name: reads.into(), size: 5, sha256: reads.into() };
    let mut settings = serde_json::Map::from_iter([("min_seed_length".to_owned(), k.into())]);
    own.state_in(&mut settings);
    writer.finish(producer(), settings, vec![input]).unwrap();
    Dataset::open(directory).unwrap()
}

/// Rows whose places are far apart, so that all parts get some.
fn placed(number: u64, windows: &mut [u8; 128]) -> SeedRow<'_> {
    let row = row(number, windows);
    SeedRow { locus_position: row.locus_position.map(|_| number as u32 * 5_001), ..row }
}

/// Every row as text, by its read hash, which is different for each.
fn rows(dataset: &Dataset) -> BTreeMap<u64, String> {
    let mut rows = BTreeMap::new();
    dataset
        .for_each_row(|_, _, row| {
            let row = SeedRow { weight: None, ..*row };
            assert!(rows.insert(row.read_hash, format!("{row:?}")).is_none(), "twice");
            Ok(())
        })
        .unwrap();
    rows
}

#[test]
fn a_merged_data_set_has_all_rows_in_order_and_one_thing_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (one, two) = (write(&path("one"), 0..400, "a", 19), write(&path("two"), 400..ROWS, "b", 19));
    let manifest = merge(&[one.clone(), two.clone()], false, &path("both"), &options()).unwrap();
    let both = Dataset::open(&path("both")).unwrap();
    let mut number = 0;
    both.for_each_row(|_, _, row| {
        assert_eq!(*row, placed(number, &mut [0; 128]));
        number += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!((number, manifest.counts.seeds, manifest.counts.reads), (ROWS, ROWS, ROWS));
    assert_eq!(manifest.counts.viable, one.manifest().counts.viable + two.manifest().counts.viable);
    assert_eq!(manifest.inputs.len(), 2);

    let other_k = write(&path("k14"), 0..10, "c", 14);
    let refusal = |datasets: &[Dataset]| merge(datasets, false, &path("refused"), &options()).unwrap_err().to_string();
    assert!(refusal(&[one.clone(), other_k]).contains("min_seed_length is 19 and 14"));
    assert!(refusal(&[one.clone(), both]).contains("reads of a"));
    assert!(refusal(&[one]).contains("no second data set"));
    assert!(!path("refused").exists());
}

#[test]
fn merged_by_sample_each_sample_has_a_folder_with_all_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (one, two) = (write(&path("one"), 0..400, "a", 19), write(&path("two"), 400..ROWS, "b", 19));
    let mut expected = rows(&one);
    expected.extend(rows(&two));
    let manifest = merge(&[one.clone(), two], true, &path("both"), &options()).unwrap();
    assert_eq!(manifest.counts.seeds, ROWS);
    let both = Dataset::open(&path("both")).unwrap();
    assert_eq!(rows(&both), expected);
    both.for_each_row(|path, _, row| {
        assert!(path.parent().unwrap().ends_with(format!("data/sample={}", row.sample)), "{}", path.display());
        Ok(())
    })
    .unwrap();
    // One data set alone can be divided like this, too.
    merge(std::slice::from_ref(&one), true, &path("alone"), &options()).unwrap();
    assert_eq!(rows(&Dataset::open(&path("alone")).unwrap()), rows(&one));
}

#[test]
fn no_place_is_in_two_parts_and_no_person_where_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let whole = write(&folder.path().join("whole"), 0..ROWS, "a", 19);
    let by_place = SplitOptions::default();
    let samples = BTreeMap::from([("NA12878".to_owned(), SplitPart::Train), ("NA19401".to_owned(), SplitPart::Test)]);
    for (name, rule) in [("place", by_place.clone()), ("person", SplitOptions { samples: samples.clone(), ..by_place })]
    {
        let output = folder.path().join(name);
        let (manifest, report) = split(&whole, &rule, &output, &options()).unwrap();
        let divided = Dataset::open(&output).unwrap();
        let all = rows(&whole);
        assert!(rows(&divided).iter().all(|(hash, row)| all.get(hash) == Some(row)), "rows were altered");
        let left_out = report.in_margins + report.of_other_samples;
        assert_eq!(report.seeds.iter().sum::<u64>() + left_out, ROWS);
        assert_eq!(manifest.counts.seeds, report.seeds.iter().sum::<u64>());

        let mut blocks: BTreeMap<(String, u32), BTreeSet<String>> = BTreeMap::new();
        let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        divided
            .for_each_row(|path, _, row| {
                let path = path.to_string_lossy();
                let part = path.split('/').find_map(|folder| folder.strip_prefix("split=")).unwrap();
                assert!(path.contains(&format!("/sample={}/", row.sample)), "{path}");
                people.entry(row.sample.into()).or_default().insert(part.into());
                if let (Some(contig), Some(position)) = (row.locus_contig, row.locus_position) {
                    blocks.entry((contig.into(), position / 20_000)).or_default().insert(part.into());
                }
                Ok(())
            })
            .unwrap();
        assert!(blocks.len() > 100 && blocks.values().all(|parts| parts.len() == 1));
        if name == "person" {
            assert!(report.of_other_samples > 0);
            assert_eq!(people["NA12878"], BTreeSet::from(["train".to_owned()]));
            assert_eq!(people["NA19401"], BTreeSet::from(["test".to_owned()]));
        } else {
            assert!(report.seeds.iter().all(|&seeds| seeds > 30), "{report:?}");
        }
    }
    let unknown = SplitOptions { samples: BTreeMap::from([("X".into(), SplitPart::Test)]), ..SplitOptions::default() };
    let error = split(&whole, &unknown, &folder.path().join("refused"), &options()).unwrap_err().to_string();
    assert!(error.contains("sample `X`") && error.contains("NA12878"), "{error}");
}

#[test]
fn a_sample_has_the_shares_asked_for_and_its_weights_give_the_population_back() {
    let folder = tempfile::tempdir().unwrap();
    let whole = write(&folder.path().join("whole"), 0..ROWS, "a", 19);
    let all = rows(&whole);
    let mut chosen = Vec::new();
    for (number, (viable, seed)) in [(Some(0.5), 1), (Some(0.6), 1), (None, 1), (Some(0.5), 2)].into_iter().enumerate()
    {
        let output = folder.path().join(format!("sample{number}"));
        let wanted = SampleOptions { seeds: 200, viable, hard: 0.5, policy: LabelPolicy::OwnExtension, seed };
        let (manifest, report) = sample(&whole, &wanted, &output, &options()).unwrap();
        let drawn = Dataset::open(&output).unwrap();
        assert_eq!(manifest.counts.seeds, 200);
        if let Some(viable) = viable {
            assert_eq!(manifest.counts.viable, (200.0 * viable) as u64);
            assert!(report.sampled[1] >= 20 && report.sampled[2] >= 20, "near misses and repeats: {report:?}");
        }
        let mut weight = 0.0;
        drawn
            .for_each_row(|_, _, row| {
                weight += row.weight.expect("a weight") / placed_weight(row);
                Ok(())
            })
            .unwrap();
        let seeds: f64 = ROWS as f64;
        assert!((weight - seeds).abs() < 1e-6 * seeds, "{weight} of {seeds}");
        assert!(
            drawn
                .for_each_row(|_, _, row| {
                    assert!(row.weight.is_some());
                    Ok(())
                })
                .is_ok()
        );
        assert!(rows(&drawn).iter().all(|(hash, row)| all.get(hash) == Some(row)));
        chosen.push(rows(&drawn).into_keys().collect::<BTreeSet<_>>());
    }
    assert_ne!(chosen[0], chosen[3], "another seed chooses other rows");
    let none = SampleOptions { seeds: 10, viable: Some(1.5), hard: 0.5, policy: LabelPolicy::NearBest, seed: 1 };
    let error = sample(&whole, &none, &folder.path().join("refused"), &options()).unwrap_err().to_string();
    assert!(error.contains("1.5") && error.contains("0 to 1"), "{error}");
}

/// The weight that the row had in the whole: what `common::row` gives some, 1 for all others.
fn placed_weight(row: &SeedRow<'_>) -> f64 {
    let number = u64::from(row.position - 4_000_000_000);
    placed(number, &mut [0; 128]).weight.unwrap_or(1.0)
}

#[test]
fn labels_are_those_of_the_policy_and_stay_with_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let whole = write(&folder.path().join("whole"), 0..ROWS, "a", 19);
    for policy in LabelPolicy::ALL {
        let output = folder.path().join(policy.name());
        let (_, counts) = label(&whole, policy, &output, &options()).unwrap();
        assert_eq!(counts, label_counts(&whole, policy).unwrap());
        let labelled = Dataset::open(&output).unwrap();
        assert_eq!(rows(&labelled), rows(&whole));
        let mut labels = Vec::new();
        for batch in labelled.batches() {
            let batch = batch.unwrap();
            let column = batch.column_by_name("viable").unwrap();
            let column = column.as_any().downcast_ref::<arrow_array::BooleanArray>().unwrap();
            labels.extend(column.iter().map(Option::unwrap));
        }
        let expected: Vec<bool> = (0..ROWS)
            .map(|number| {
                let mut windows = [0; 128];
                let row = placed(number, &mut windows);
                policy.viable(30, row.own_score, row.read_best, row.region_score, row.role)
            })
            .collect();
        assert_eq!(labels, expected, "{policy}");
        assert_eq!(counts.viable, expected.iter().filter(|viable| **viable).count() as u64);
    }
}

#[test]
fn what_a_data_set_cannot_tell_is_neither_viable_nor_hopeless() {
    let folder = tempfile::tempdir().unwrap();
    let own = OwnExtensions::of_sample(0.25).unwrap();
    let whole = write_with(&folder.path().join("whole"), 0..ROWS, "a", 19, own);
    let told = |number: u64| {
        let mut windows = [0; 128];
        let row = placed(number, &mut windows);
        own.includes(row.read_hash, row.chain_kept)
            .then(|| LabelPolicy::OwnExtension.viable(30, row.own_score, row.read_best, row.region_score, row.role))
    };
    let expected: Vec<Option<bool>> = (0..ROWS).map(told).collect();
    let of = |label: Option<bool>| expected.iter().filter(|one| **one == label).count() as u64;
    assert!(of(None) > 300 && of(Some(true)) > 100 && of(Some(false)) > 50);

    let output = folder.path().join("labelled");
    let (_, counts) = label(&whole, LabelPolicy::OwnExtension, &output, &options()).unwrap();
    assert_eq!([counts.viable, counts.hopeless, counts.unknown], [of(Some(true)), of(Some(false)), of(None)]);
    let labelled = Dataset::open(&output).unwrap();
    let labels: Vec<Option<bool>> = labelled
        .batches()
        .flat_map(|batch| {
            let batch = batch.unwrap();
            batch.column_by_name("viable").unwrap().as_boolean().iter().collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(labels, expected);
    let contributed = label_counts(&whole, LabelPolicy::Contributed).unwrap();
    assert_eq!(contributed.unknown, 0);

    let wanted = SampleOptions {
        seeds: 2 * ROWS,
        viable: Some(of(Some(true)) as f64 / (of(Some(true)) + of(Some(false))) as f64),
        hard: 0.0,
        policy: LabelPolicy::OwnExtension,
        seed: 1,
    };
    let (manifest, report) = sample(&whole, &wanted, &folder.path().join("sampled"), &options()).unwrap();
    assert_eq!(report.population.iter().sum::<u64>(), ROWS - of(None));
    assert_eq!(manifest.counts.seeds, ROWS - of(None), "all that can be told, and nothing else");

    let description = Description::of(&whole).unwrap();
    assert_eq!((description.viable[0], description.labelled[0]), (of(Some(true)), ROWS - of(None)));
    assert_eq!(description.labelled[2], ROWS);
    assert!(description.to_string().contains("seeds of which it is known"));
}

#[test]
fn an_altered_part_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let whole = write(&folder.path().join("whole"), 0..ROWS, "a", 19);
    let part = folder.path().join("whole/data/part-00001.parquet");
    let mut bytes = std::fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let output = folder.path().join("out");
    let error = split(&whole, &SplitOptions::default(), &output, &options()).unwrap_err().to_string();
    assert!(error.contains("part-00001.parquet") && error.contains("SHA-256") && !output.exists(), "{error}");
}

/// A data set without the columns `absent`, as `version` has them.
fn older(directory: &Path, version: u32, absent: std::ops::Range<usize>) -> Dataset {
    let whole = write(directory, 0..100, "a", 19);
    let part = &whole.manifest().parts[0];
    let batch = whole.part_batches(part).unwrap().next().unwrap().unwrap();
    let kept: Vec<usize> = (0..batch.num_columns()).filter(|column| !absent.contains(column)).collect();
    let old = batch.project(&kept).unwrap();
    let path = whole.part_path(part);
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), old.schema(), None).unwrap();
    writer.write(&old).unwrap();
    writer.close().unwrap();
    let manifest = whole.manifest_path();
    let (size, sha256) = seedsieve_dataset::file_sha256(&path).unwrap();
    let text = std::fs::read_to_string(&manifest)
        .unwrap()
        .replace("\"schema_version\": 5", &format!("\"schema_version\": {version}"))
        .replace(&part.sha256, &sha256)
        .replace(&format!("\"size\": {}", part.size), &format!("\"size\": {size}"));
    std::fs::write(&manifest, text).unwrap();
    let old = Dataset::open(directory).unwrap();
    assert_eq!(old.manifest().schema_version, version);
    old
}

#[test]
fn data_sets_of_older_versions_read_with_nulls_for_what_they_lack() {
    let folder = tempfile::tempdir().unwrap();
    for (version, absent) in [(1, 28..46), (2, 39..46), (3, 44..46), (4, 45..46)] {
        let old = older(&folder.path().join(version.to_string()), version, absent);
        let mut number = 0;
        old.for_each_row(|_, _, row| {
            let mut windows = [0; 128];
            let new = placed(number, &mut windows);
            let mut expected = SeedRow { narrow_score: None, ..new };
            if version <= 3 {
                expected.gap_bound = None;
            }
            if version <= 2 {
                let (left_matches, right_matches, seeding_round, rescue_anchor, own_computed) = Default::default();
                expected =
                    SeedRow { left_matches, right_matches, seeding_round, rescue_anchor, own_computed, ..expected };
            }
            if version == 1 {
                expected = SeedRow {
                    own_left_score: None,
                    own_band: None,
                    own_reference_before: None,
                    own_reference_after: None,
                    seed_quality: None,
                    flank_quality: None,
                    true_contig: None,
                    true_position: None,
                    true_reverse: None,
                    true_on_path: None,
                    weight: None,
                    ..expected
                };
            }
            assert_eq!(*row, expected, "version {version}, row {number}");
            number += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(number, 100);
    }
}
