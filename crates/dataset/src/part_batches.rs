use crate::schema::absent_in;
use crate::{Dataset, DatasetError, Part};
use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::PathBuf;

/// Rows of a batch at the most.
const BATCH_ROWS: usize = 8192;

/// The record batches of one part. Ends with an error when the part holds another number of rows than `dataset.json`
/// states.
pub struct PartBatches {
    batches: ParquetRecordBatchReader,
    schema: SchemaRef,
    path: PathBuf,
    row: u64,
    expected: u64,
}

impl PartBatches {
    /// The columns `schema` of a part; those that its version lacks are null.
    pub(crate) fn open(dataset: &Dataset, part: &Part, schema: &SchemaRef) -> Result<Self, DatasetError> {
        let path = dataset.part_path(part);
        let file = File::open(&path).map_err(DatasetError::io(&path, "open"))?;
        let parquet = |reason| DatasetError::Parquet { path: path.clone(), row: 0, reason };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
        let absent: Vec<&str> = absent_in(dataset.manifest().schema_version).collect();
        let mut present = Vec::with_capacity(schema.fields().len());
        for expected in schema.fields().iter().filter(|field| !absent.contains(&field.name().as_str())) {
            let found = builder.schema().column_with_name(expected.name());
            match found {
                Some((number, field)) if field.data_type() == expected.data_type() => present.push(number),
                _ => {
                    return Err(DatasetError::Schema {
                        path,
                        column: expected.name().clone(),
                        found: found.map_or_else(|| "nothing".to_owned(), |(_, field)| field.data_type().to_string()),
                        expected: expected.data_type().to_string(),
                    });
                }
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), present);
        let batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(parquet)?;
        Ok(Self { batches, schema: schema.clone(), path, row: 0, expected: part.rows })
    }

    fn arranged(&self, batch: &RecordBatch) -> Result<RecordBatch, DatasetError> {
        let column = |name: &str| batch.column_by_name(name).cloned();
        let columns: Vec<ArrayRef> = self
            .schema
            .fields()
            .iter()
            .map(|field| column(field.name()).unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows())))
            .collect();
        RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| DatasetError::Parquet {
            path: self.path.clone(),
            row: self.row,
            reason: error.into(),
        })
    }
}

impl Iterator for PartBatches {
    type Item = Result<RecordBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.batches.next() {
            Some(Ok(batch)) => {
                let arranged = self.arranged(&batch);
                self.row += batch.num_rows() as u64;
                Some(arranged)
            }
            Some(Err(error)) => {
                Some(Err(DatasetError::Parquet { path: self.path.clone(), row: self.row, reason: error.into() }))
            }
            None if self.row != self.expected => {
                let found = std::mem::replace(&mut self.row, self.expected);
                Some(Err(DatasetError::Count {
                    path: self.path.clone(),
                    what: "rows".into(),
                    found,
                    expected: self.expected,
                }))
            }
            None => None,
        }
    }
}
