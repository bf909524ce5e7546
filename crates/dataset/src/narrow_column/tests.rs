//! Beside the Parquet crate's own writer: what is read back, and the statistics, are the same.

use crate::part_writer::PartWriter;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::file::metadata::ParquetMetaData;
use std::fs;
use std::sync::Arc;

/// Rows of a batch, the batches of the file, and rows of a row group.
const ROWS: usize = 7_001;
const BATCHES: usize = 13;
const GROUP: usize = 1 << 16;

/// Columns whose values repeat in one of the ways in which a data set's do; of each two, one with nulls.
fn batch(number: usize) -> RecordBatch {
    let mixed = |row: usize| (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let rows = || (0..ROWS).map(move |row| number * ROWS + row);
    let read = |row: usize| row / 17;
    let is_there = |row: usize| !mixed(row).is_multiple_of(3);
    let some = move |row: usize| is_there(row).then_some(row);
    let names = ["chr1", "chr2", "a contig with a name", "HLA-A*01:01"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("small", Arc::new(UInt8Array::from_iter_values(rows().map(|row| mixed(row) as u8 % 42)))),
        ("of_read", Arc::new(UInt16Array::from_iter_values(rows().map(|row| read(row) as u16 % 150)))),
        ("many", Arc::new(UInt16Array::from_iter_values(rows().map(|row| mixed(row) as u16 % 3_000)))),
        ("far", Arc::new(UInt32Array::from_iter_values(rows().map(|row| mixed(row) as u32)))),
        ("far_runs", Arc::new(rows().map(|row| some(row).map(|row| mixed(read(row)) as u32)).collect::<UInt32Array>())),
        (
            "signed",
            Arc::new(rows().map(|row| some(row).map(|row| mixed(row) as i32 % 90 - 45)).collect::<Int32Array>()),
        ),
        ("signed_far", Arc::new(Int32Array::from_iter_values(rows().map(|row| mixed(row) as i32)))),
        ("one", Arc::new(Int32Array::from_iter_values(rows().map(|_| -7)))),
        ("hash", Arc::new(UInt64Array::from_iter_values(rows().map(|row| mixed(read(row)) << 24 | 1 << 63)))),
        ("hashes", Arc::new(rows().map(|row| some(row).map(|row| mixed(row) << 23)).collect::<UInt64Array>())),
        ("weight", Arc::new(rows().map(|row| some(row).map(|row| mixed(row) as f64 / 7.0)).collect::<Float64Array>())),
        ("none", Arc::new(Float64Array::new_null(ROWS))),
        ("bits", Arc::new(rows().map(|row| Some(mixed(row) % 5 == 0)).collect::<BooleanArray>())),
        ("some_bits", Arc::new(rows().map(|row| some(row).map(|row| row % 2 == 0)).collect::<BooleanArray>())),
        ("text", Arc::new(StringArray::from_iter_values(rows().map(|row| names[mixed(row) as usize % 4])))),
        ("texts", Arc::new(rows().map(|row| some(row).map(|row| format!("t{}", read(row)))).collect::<StringArray>())),
        ("no_text", Arc::new(StringArray::new_null(ROWS))),
    ];
    let nullable = |name: &str, array: &ArrayRef| {
        let may_be_null =
            ["far_runs", "signed", "hashes", "weight", "none", "some_bits", "texts", "no_text"].contains(&name);
        Field::new(name, array.data_type().clone(), may_be_null)
    };
    let fields: Vec<Field> = columns.iter().map(|(name, array)| nullable(name, array)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn written(batches: &[RecordBatch], schema: &SchemaRef) -> Bytes {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.parquet");
    let mut writer = PartWriter::create(path.clone(), "part.parquet".into(), schema.clone()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    fs::read(path).unwrap().into()
}

fn read(bytes: &Bytes) -> (Vec<RecordBatch>, Arc<ParquetMetaData>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap().with_batch_size(ROWS);
    let metadata = builder.metadata().clone();
    (builder.build().unwrap().map(Result::unwrap).collect(), metadata)
}

#[test]
fn columns_come_back_as_from_the_crates_own_writer() {
    let batches: Vec<RecordBatch> = (0..BATCHES).map(batch).collect();
    let schema = batches[0].schema();
    let (ours, metadata) = read(&written(&batches, &schema));
    assert_eq!(ours, batches);

    let mut theirs = Vec::new();
    let properties = parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(GROUP));
    let mut writer = ArrowWriter::try_new(&mut theirs, schema.clone(), Some(properties.build())).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    let (_, expected) = read(&theirs.into());
    assert_eq!(metadata.num_row_groups(), 2);
    for (ours, theirs) in metadata.row_groups().iter().zip(expected.row_groups()) {
        for (ours, theirs) in ours.columns().iter().zip(theirs.columns()) {
            let (name, found, expected) =
                (ours.column_path(), ours.statistics().unwrap(), theirs.statistics().unwrap());
            assert_eq!(found.null_count_opt(), expected.null_count_opt(), "{name}");
            if !["weight", "none"].contains(&name.string().as_str()) {
                assert_eq!(found.min_bytes_opt(), expected.min_bytes_opt(), "{name}");
                assert_eq!(found.max_bytes_opt(), expected.max_bytes_opt(), "{name}");
            }
        }
    }
}

#[test]
fn values_that_repeat_have_a_dictionary() {
    let batches: Vec<RecordBatch> = (0..BATCHES).map(batch).collect();
    let (_, metadata) = read(&written(&batches, &batches[0].schema()));
    let without: Vec<String> = metadata.row_groups()[0]
        .columns()
        .iter()
        .filter(|column| !column.encodings().any(|encoding| encoding == Encoding::RLE_DICTIONARY))
        .map(|column| column.column_path().string())
        .collect();
    let expected = ["far", "signed_far", "hashes", "weight", "none", "bits", "some_bits", "no_text"];
    assert_eq!(without, expected);
}

#[test]
fn columns_of_few_rows_are_written() {
    for rows in [1, 2, 9] {
        let batch = batch(0).slice(3, rows);
        assert_eq!(read(&written(std::slice::from_ref(&batch), &batch.schema())).0, [batch]);
    }
}

#[test]
fn a_type_that_no_data_set_has_is_refused() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("a", DataType::Int8, false)]));
    let folder = tempfile::tempdir().unwrap();
    let error = PartWriter::create(folder.path().join("a"), "a".into(), schema).err().expect("a refusal");
    assert!(error.to_string().contains("Int8"), "{error}");
}
