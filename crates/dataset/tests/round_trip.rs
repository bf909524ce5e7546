//! What is written comes back, and a data set that is not whole is refused with a reason.

mod common;

use common::{ROWS, producer, row};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use seedsieve_dataset::{Dataset, DatasetError, DatasetWriter, InputFile, Manifest, Role, RowView, WriterOptions};
use std::fs;
use std::path::Path;

fn write(directory: &Path, options: WriterOptions) -> Result<Manifest, DatasetError> {
    let mut writer = DatasetWriter::create(directory, options)?;
    writer.count_reads(77);
    for number in 0..ROWS {
        writer.push(&row(number, &mut [0; 128]))?;
    }
    let settings = serde_json::Map::from_iter([("min_seed_length".to_owned(), 19.into())]);
    let input = InputFile { kind: "reads".into(), name: "a.bam".into(), size: 5, sha256: "00".into() };
    writer.finish(producer(), settings, vec![input])
}

fn small_parts() -> WriterOptions {
    WriterOptions { part_rows: 300, ..WriterOptions::default() }
}

fn refusal(directory: &Path) -> String {
    Dataset::open(directory).expect_err("a data set that is not whole").to_string()
}

fn edit_manifest(directory: &Path, from: &str, to: &str) {
    let path = directory.join("dataset.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn every_column_of_every_row_comes_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = write(folder.path(), small_parts()).unwrap();
    assert_eq!(manifest.parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [300, 300, 300, 100]);

    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(dataset.manifest(), &manifest);
    dataset.verify_checksums().unwrap();
    let mut number = 0;
    for batch in dataset.batches() {
        let batch = batch.unwrap();
        let mut view = RowView::new(&batch);
        for index in 0..batch.num_rows() {
            assert_eq!(view.row(index).unwrap(), row(number, &mut [0; 128]), "row {number}");
            number += 1;
        }
    }
    assert_eq!(number, ROWS);
}

#[test]
fn counts_are_those_of_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let counts = write(folder.path(), small_parts()).unwrap().counts;
    assert_eq!(counts.reads, 77);
    assert_eq!(counts.seeds, ROWS);
    assert_eq!(counts.viable, (0..ROWS).filter(|row| row % 97 >= 30).count() as u64);
    for role in Role::ALL {
        assert_eq!(counts.roles.of(role), ROWS / 5, "{role}");
    }
}

#[test]
fn row_groups_hold_65536_rows() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::create(folder.path(), WriterOptions::default()).unwrap();
    for number in 0..70_000 {
        writer.push(&row(number % ROWS, &mut [0; 128])).unwrap();
    }
    let manifest = writer.finish(producer(), serde_json::Map::new(), Vec::new()).unwrap();
    let path = folder.path().join(&manifest.parts[0].file);
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let groups: Vec<_> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [65_536, 4_464]);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let manifests = folders.each_ref().map(|folder| write(folder.path(), small_parts()).unwrap());
    assert_eq!(manifests[0], manifests[1]);
}

#[test]
fn a_finished_data_set_is_replaced_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    let error = write(folder.path(), small_parts()).unwrap_err();
    assert!(error.to_string().contains("--overwrite"), "{error}");

    write(folder.path(), WriterOptions { overwrite: true, ..WriterOptions::default() }).unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(dataset.manifest().parts.len(), 1);
    assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1, "parts of the replaced data set");
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("a/b");
    let mut writer = DatasetWriter::create(&output, WriterOptions { part_rows: 3, ..small_parts() }).unwrap();
    for number in 0..10 {
        writer.push(&row(number, &mut [0; 128])).unwrap();
    }
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_failed_replacement_keeps_the_old_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = write(folder.path(), small_parts()).unwrap();
    let mut writer = DatasetWriter::create(folder.path(), WriterOptions { overwrite: true, ..small_parts() }).unwrap();
    writer.push(&row(0, &mut [0; 128])).unwrap();
    drop(writer);
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(dataset.manifest(), &manifest);
    dataset.verify_checksums().unwrap();
}

#[test]
fn two_writers_of_one_folder_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let first = DatasetWriter::create(folder.path(), small_parts()).unwrap();
    let error = DatasetWriter::create(folder.path(), small_parts()).err().expect("a busy folder");
    assert!(error.to_string().contains("another process"), "{error}");
    drop(first);
    write(folder.path(), small_parts()).unwrap();
}

#[test]
fn an_unfinished_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    fs::remove_file(folder.path().join("dataset.json")).unwrap();
    assert!(refusal(folder.path()).contains("no dataset.json"));
}

#[test]
fn a_missing_part_is_named_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    fs::remove_file(folder.path().join("data/part-00001.parquet")).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("part-00001.parquet") && error.contains("300 rows"), "{error}");
}

#[test]
fn a_truncated_part_is_named_with_both_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let size = write(folder.path(), small_parts()).unwrap().parts[2].size;
    let path = folder.path().join("data/part-00002.parquet");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(size - 10).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains(&format!("{} bytes", size - 10)) && error.contains(&size.to_string()), "{error}");
}

#[test]
fn an_altered_part_fails_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    let path = folder.path().join("data/part-00000.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = Dataset::open(folder.path()).unwrap().verify_checksums().unwrap_err().to_string();
    assert!(error.contains("part-00000.parquet") && error.contains("SHA-256"), "{error}");
}

#[test]
fn a_part_with_other_rows_than_stated_ends_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    edit_manifest(folder.path(), "\"rows\": 300", "\"rows\": 301");
    let error = Dataset::open(folder.path()).unwrap().batches().find_map(Result::err).expect("a wrong count");
    assert!(error.to_string().contains("rows: 300, but dataset.json says 301"), "{error}");
}

#[test]
fn a_newer_version_is_told_with_the_program_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    edit_manifest(folder.path(), "\"schema_version\": 5", "\"schema_version\": 6");
    edit_manifest(folder.path(), "\"version\": \"0.1.0\"", "\"version\": \"0.9.0\"");
    edit_manifest(folder.path(), "\"counts\"", "\"counts_of_a_later_version\"");
    let error = refusal(folder.path());
    assert!(error.contains("schema version 6") && error.contains("seedsieve 0.9.0"), "{error}");
}

#[test]
fn another_window_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    edit_manifest(folder.path(), "\"upstream\": 32", "\"upstream\": 16");
    assert!(refusal(folder.path()).contains("128/16/32"));
}

#[test]
fn a_manifest_that_is_cut_is_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), small_parts()).unwrap();
    let path = folder.path().join("dataset.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("dataset.json") && error.contains("line "), "{error}");
}
