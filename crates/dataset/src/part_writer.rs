use crate::narrow_column::NarrowColumnWriter;
use crate::wide_column::WideColumnWriter;
use crate::{DATA_FOLDER, DatasetError, Part, file_sha256};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use std::fs::{self, File};
use std::path::PathBuf;

/// Rows of a Parquet row group: what a reader holds in memory at a time, some 10 MB.
const ROW_GROUP_ROWS: usize = 1 << 16;

/// Rows that are collected before their columns are encoded, in parallel on rayon's current thread pool.
const BATCH_ROWS: usize = 1 << 13;

/// Writes one column, row group by row group.
enum Column {
    Narrow(Box<NarrowColumnWriter>),
    Wide(Box<WideColumnWriter>),
}

impl Column {
    fn write(&mut self, array: &dyn Array) -> Result<(), ParquetError> {
        match self {
            Self::Wide(writer) => writer.write(array.as_fixed_size_binary()),
            Self::Narrow(writer) => {
                writer.write(array);
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        match self {
            Self::Narrow(writer) => writer.finish(),
            Self::Wide(writer) => writer.finish(),
        }
    }
}

/// Writes one Parquet file of a data set. The same batches give the same bytes for any number of threads.
pub(crate) struct PartWriter {
    writer: SerializedFileWriter<File>,
    columns: Vec<Column>,
    /// Rows of the row group that is under way, those that wait included.
    group_rows: usize,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    path: PathBuf,
    file: String,
    rows: u64,
}

impl PartWriter {
    /// Creates the file at `path`; `file` is its name in `dataset.json`.
    pub(crate) fn create(path: PathBuf, file: String, schema: SchemaRef) -> Result<Self, DatasetError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(DatasetError::io(folder, "create"))?;
        }
        let target = File::create(&path).map_err(DatasetError::io(&path, "create"))?;
        let (writer, columns) =
            open(target, &schema).map_err(|reason| DatasetError::Parquet { path: path.clone(), row: 0, reason })?;
        Ok(Self { writer, columns, group_rows: 0, waiting: Vec::new(), waiting_rows: 0, path, file, rows: 0 })
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), DatasetError> {
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = (batch.num_rows() - start).min(ROW_GROUP_ROWS - self.group_rows);
            self.waiting.push(batch.slice(start, rows));
            self.waiting_rows += rows;
            self.group_rows += rows;
            self.rows += rows as u64;
            start += rows;
            let written = match self.group_rows {
                ROW_GROUP_ROWS => self.end_group(),
                _ if self.waiting_rows >= BATCH_ROWS => self.encode(),
                _ => Ok(()),
            };
            written.map_err(|reason| self.error(reason))?;
        }
        Ok(())
    }

    /// Hands the rows that wait to their columns.
    fn encode(&mut self) -> Result<(), ParquetError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_rows = 0;
        self.columns
            .par_iter_mut()
            .enumerate()
            .try_for_each(|(number, column)| waiting.iter().try_for_each(|batch| column.write(batch.column(number))))
    }

    /// Writes the row group that is under way.
    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        self.encode()?;
        self.group_rows = 0;
        let chunks: Vec<_> = self.columns.par_iter_mut().map(Column::finish).collect::<Result<_, _>>()?;
        let mut group = self.writer.next_row_group()?;
        for (bytes, close) in chunks {
            group.append_column(&bytes, close)?;
        }
        group.close()?;
        Ok(())
    }

    /// Completes the file: once this returns, it survives a power failure.
    pub(crate) fn close(mut self) -> Result<Part, DatasetError> {
        self.end_group().map_err(|reason| self.error(reason))?;
        let Self { writer, path, file, rows, .. } = self;
        let written =
            writer.into_inner().map_err(|reason| DatasetError::Parquet { path: path.clone(), row: rows, reason })?;
        written.sync_all().map_err(DatasetError::io(&path, "flush"))?;
        path.parent().map_or(Ok(()), crate::files::sync_folder)?;
        let (size, sha256) = file_sha256(&path)?;
        Ok(Part { file, rows, size, sha256 })
    }

    pub(crate) fn error(&self, reason: ParquetError) -> DatasetError {
        DatasetError::Parquet { path: self.path.clone(), row: self.rows, reason }
    }
}

/// Name of part `number` in the folder `partition` below the data folder; without one, in that folder itself.
pub(crate) fn part_name(partition: &str, number: usize) -> String {
    let separator = if partition.is_empty() { "" } else { "/" };
    format!("{DATA_FOLDER}/{partition}{separator}part-{number:05}.parquet")
}

/// Names that are the same on and on, or of no use to a reader that looks for row groups.
const WITHOUT_STATISTICS: [&str; 2] = ["sample", "role"];

/// A file for rows of this schema, which it states as Arrow has it, and writers for its columns.
fn open(target: File, schema: &SchemaRef) -> Result<(SerializedFileWriter<File>, Vec<Column>), ParquetError> {
    let (writer, _) = ArrowWriter::try_new(target, schema.clone(), None)?.into_serialized_writer()?;
    let described = writer.schema_descr();
    let columns = schema.fields().iter().enumerate().map(|(number, field)| {
        let column = described.column(number);
        Ok(match field.data_type() {
            DataType::FixedSizeBinary(_) => Column::Wide(Box::new(WideColumnWriter::new(column))),
            narrow => {
                let has_statistics = !WITHOUT_STATISTICS.contains(&field.name().as_str());
                Column::Narrow(Box::new(NarrowColumnWriter::new(column, narrow, has_statistics)?))
            }
        })
    });
    let columns = columns.collect::<Result<_, ParquetError>>()?;
    Ok((writer, columns))
}
