use crate::wide_column::WideColumnWriter;
use crate::{DATA_FOLDER, DatasetError, Part, file_sha256};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use std::fs::{self, File};
use std::path::PathBuf;

/// Rows of a Parquet row group: what a reader holds in memory at a time, some 10 MB.
const ROW_GROUP_ROWS: usize = 1 << 16;

/// Rows that are collected before their columns are encoded, in parallel on rayon's current thread pool.
const BATCH_ROWS: usize = 1 << 13;

/// Writes one column of a row group.
enum Column {
    Narrow(Box<ArrowColumnWriter>),
    Wide(WideColumnWriter),
}

/// What it has written.
enum Chunk {
    Narrow(Box<ArrowColumnChunk>),
    Wide(Bytes, Box<ColumnCloseResult>),
}

impl Column {
    fn close(self) -> Result<Chunk, ParquetError> {
        Ok(match self {
            Self::Narrow(writer) => Chunk::Narrow(Box::new(writer.close()?)),
            Self::Wide(writer) => {
                let (bytes, close) = writer.close()?;
                Chunk::Wide(bytes, Box::new(close))
            }
        })
    }
}

/// Writes one Parquet file of a data set. The same batches give the same bytes for any number of threads.
pub(crate) struct PartWriter {
    writer: SerializedFileWriter<File>,
    columns: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    /// Columns of the row group that is under way, and its rows, those that wait included.
    group: Vec<Column>,
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
        let (writer, columns) = ArrowWriter::try_new(target, schema.clone(), Some(properties()))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|reason| DatasetError::Parquet { path: path.clone(), row: 0, reason })?;
        let (group, waiting) = (Vec::new(), Vec::new());
        Ok(Self { writer, columns, schema, group, group_rows: 0, waiting, waiting_rows: 0, path, file, rows: 0 })
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

    /// Encodes the rows that wait.
    fn encode(&mut self) -> Result<(), ParquetError> {
        if self.group.is_empty() {
            self.group = self.new_group()?;
        }
        let (waiting, schema) = (std::mem::take(&mut self.waiting), &self.schema);
        self.waiting_rows = 0;
        self.group.par_iter_mut().enumerate().try_for_each(|(number, writer)| {
            for batch in &waiting {
                match writer {
                    Column::Wide(writer) => writer.write(batch.column(number).as_fixed_size_binary())?,
                    Column::Narrow(writer) => {
                        for leaf in compute_leaves(schema.field(number), batch.column(number))? {
                            writer.write(&leaf)?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// Writers for the columns of the next row group.
    fn new_group(&self) -> Result<Vec<Column>, ParquetError> {
        let narrow = self.columns.create_column_writers(self.writer.flushed_row_groups().len())?;
        let described = self.writer.schema_descr();
        narrow
            .into_iter()
            .enumerate()
            .map(|(number, narrow)| {
                let column = described.column(number);
                if WIDE.contains(&column.name()) {
                    let level = ZstdLevel::default().compression_level();
                    Ok(Column::Wide(WideColumnWriter::new(column, Compression::ZSTD(ZstdLevel::default()), level)?))
                } else {
                    Ok(Column::Narrow(Box::new(narrow)))
                }
            })
            .collect()
    }

    /// Writes the row group that is under way.
    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        self.encode()?;
        self.group_rows = 0;
        // Closing compresses what is left of a column.
        let chunks: Vec<_> =
            std::mem::take(&mut self.group).into_par_iter().map(Column::close).collect::<Result<_, _>>()?;
        let mut group = self.writer.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Chunk::Narrow(chunk) => chunk.append_to_row_group(&mut group)?,
                Chunk::Wide(bytes, close) => group.append_column(&bytes, *close)?,
            }
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

/// Columns without a dictionary: numbers that stay the same from row to row, or are different in each, are smaller or no
/// larger without, and written faster; the others are written so much faster that their half a byte a row is worth it.
const WITHOUT_DICTIONARY: [&str; 18] = [
    "read_hash",
    "mate",
    "read_length",
    "query_start",
    "length",
    "position",
    "occurrences",
    "own_query_end",
    "region_score",
    "region_distance",
    "read_best",
    "read_second",
    "locus_position",
    "source_mapq",
    "own_band",
    "seed_quality",
    "flank_quality",
    "seeding_round",
];
/// Names that are the same on and on, or of no use to a reader that looks for row groups.
const WITHOUT_STATISTICS: [&str; 2] = ["sample", "role"];
/// Columns that [`WideColumnWriter`] writes: of fixed-size binary. They hardly repeat, and have no useful order.
const WIDE: [&str; 4] = ["query_window", "reference_window", "left_matches", "right_matches"];

/// ZSTD; dictionaries and statistics but for the columns above; pages as long as a row group, or 1 MiB.
fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(ROW_GROUP_ROWS)
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for column in WITHOUT_DICTIONARY {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    for column in WITHOUT_STATISTICS {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::None);
    }
    properties.build()
}
