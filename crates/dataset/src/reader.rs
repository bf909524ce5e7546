use crate::{DatasetError, MANIFEST_NAME, Manifest, Part, Role, SeedRow, file_sha256, schema};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A finished data set, opened for reading.
#[derive(Debug, Clone)]
pub struct Dataset {
    directory: PathBuf,
    manifest: Manifest,
}

impl Dataset {
    /// Opens the data set in `directory`: reads `dataset.json` and checks its version and window, and that each part
    /// is there with the stated size.
    ///
    /// # Errors
    /// Those of [`Manifest::read`]; [`DatasetError::MissingPart`] and [`DatasetError::PartSize`].
    pub fn open(directory: &Path) -> Result<Self, DatasetError> {
        let manifest = Manifest::read(directory)?;
        let dataset = Self { directory: directory.into(), manifest };
        for part in &dataset.manifest.parts {
            let path = dataset.part_path(part);
            let found = match std::fs::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(DatasetError::MissingPart { path, rows: part.rows });
                }
                Err(error) => return Err(DatasetError::io(path, "read")(error)),
            };
            if found != part.size {
                return Err(DatasetError::PartSize { path, found, expected: part.size });
            }
        }
        Ok(dataset)
    }

    /// The content of `dataset.json`.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where `dataset.json` lies.
    #[must_use]
    pub fn manifest_path(&self) -> PathBuf {
        self.directory.join(MANIFEST_NAME)
    }

    /// Where a part lies.
    #[must_use]
    pub fn part_path(&self, part: &Part) -> PathBuf {
        self.directory.join(&part.file)
    }

    /// Compares the SHA-256 of every part with `dataset.json`.
    ///
    /// # Errors
    /// [`DatasetError::Checksum`] at the first part that differs.
    pub fn verify_checksums(&self) -> Result<(), DatasetError> {
        for part in &self.manifest.parts {
            let path = self.part_path(part);
            let (_, found) = file_sha256(&path)?;
            if found != part.sha256 {
                return Err(DatasetError::Checksum { path, found, expected: part.sha256.clone() });
            }
        }
        Ok(())
    }

    /// The rows of one part as record batches.
    ///
    /// # Errors
    /// [`DatasetError::Parquet`] when it is no Parquet file, [`DatasetError::Schema`] when its columns differ.
    pub fn part_batches(&self, part: &Part) -> Result<PartBatches, DatasetError> {
        let path = self.part_path(part);
        let file = File::open(&path).map_err(DatasetError::io(&path, "open"))?;
        let parquet = |reason| DatasetError::Parquet { path: path.clone(), row: 0, reason };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
        for expected in schema().fields() {
            let found = builder.schema().field_with_name(expected.name()).ok().map(|field| field.data_type().clone());
            if found.as_ref() != Some(expected.data_type()) {
                return Err(DatasetError::Schema {
                    path,
                    column: expected.name().clone(),
                    found: found.map_or_else(|| "nothing".to_owned(), |data_type| data_type.to_string()),
                    expected: expected.data_type().to_string(),
                });
            }
        }
        let batches = builder.with_batch_size(8192).build().map_err(parquet)?;
        Ok(PartBatches { batches, path, row: 0, expected: part.rows })
    }

    /// The rows of all parts as record batches, in order.
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch, DatasetError>> + '_ {
        self.manifest.parts.iter().flat_map(|part| {
            let (batches, error) = match self.part_batches(part) {
                Ok(batches) => (Some(batches), None),
                Err(error) => (None, Some(Err(error))),
            };
            error.into_iter().chain(batches.into_iter().flatten())
        })
    }
}

impl Dataset {
    /// Calls `see` with each row, in order: its file, its 0-based number there, the row.
    ///
    /// # Errors
    /// Those of [`Dataset::part_batches`], a role that does not exist, and whatever `see` returns.
    pub fn for_each_row(
        &self,
        mut see: impl FnMut(&Path, u64, &SeedRow<'_>) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        for part in &self.manifest.parts {
            let path = self.part_path(part);
            let mut number = 0;
            for batch in self.part_batches(part)? {
                let batch = batch?;
                let mut view = RowView::new(&batch);
                for index in 0..batch.num_rows() {
                    let row = view.row(index).map_err(|value| DatasetError::Value {
                        path: path.clone(),
                        row: number,
                        column: "role",
                        value,
                        valid: Role::ALL.map(Role::name).join(", "),
                    })?;
                    see(&path, number, &row)?;
                    number += 1;
                }
            }
        }
        Ok(())
    }
}

/// The record batches of one part. Ends with an error when the part holds another number of rows than `dataset.json`
/// states.
pub struct PartBatches {
    batches: ParquetRecordBatchReader,
    path: PathBuf,
    row: u64,
    expected: u64,
}

impl Iterator for PartBatches {
    type Item = Result<RecordBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.batches.next() {
            Some(Ok(batch)) => {
                self.row += batch.num_rows() as u64;
                Some(Ok(batch))
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

/// Reads single rows of a record batch that has the columns of [`schema`].
#[derive(Debug)]
pub struct RowView<'a> {
    batch: &'a RecordBatch,
    windows: [u8; PACKED_SEED_BYTES],
}

impl<'a> RowView<'a> {
    /// A view of a batch of [`Dataset::batches`].
    #[must_use]
    pub fn new(batch: &'a RecordBatch) -> Self {
        Self { batch, windows: [0; PACKED_SEED_BYTES] }
    }

    fn column(&self, name: &str) -> &'a ArrayRef {
        self.batch.column_by_name(name).expect("part_batches has checked the columns")
    }

    fn number<T: ArrowPrimitiveType>(&self, name: &str, row: usize) -> T::Native {
        self.column(name).as_primitive::<T>().value(row)
    }

    fn optional<T: ArrowPrimitiveType>(&self, name: &str, row: usize) -> Option<T::Native> {
        let column = self.column(name).as_primitive::<T>();
        column.is_valid(row).then(|| column.value(row))
    }

    fn flag(&self, name: &str, row: usize) -> bool {
        self.column(name).as_boolean().value(row)
    }

    fn optional_flag(&self, name: &str, row: usize) -> Option<bool> {
        let column = self.column(name).as_boolean();
        column.is_valid(row).then(|| column.value(row))
    }

    fn text(&self, name: &str, row: usize) -> &'a str {
        self.column(name).as_string::<i32>().value(row)
    }

    /// Row `row` (0-based) of the batch; the error says what is wrong with a role that has no known name.
    ///
    /// # Panics
    /// If the batch has not the columns of [`schema`], or not so many rows.
    ///
    /// # Errors
    /// The name of a role that does not exist.
    pub fn row(&mut self, row: usize) -> Result<SeedRow<'_>, String> {
        let role: Role = self.text("role", row).parse()?;
        for (name, half) in ["query_window", "reference_window"].iter().zip(0..) {
            let window = self.column(name).as_fixed_size_binary().value(row);
            self.windows[half * PACKED_WINDOW_BYTES..][..PACKED_WINDOW_BYTES].copy_from_slice(window);
        }
        let locus_contig = self.column("locus_contig").is_valid(row).then(|| self.text("locus_contig", row));
        Ok(SeedRow {
            sample: self.text("sample", row),
            read_hash: self.number::<UInt64Type>("read_hash", row),
            mate: self.number::<UInt8Type>("mate", row),
            read_length: self.number::<UInt16Type>("read_length", row),
            query_start: self.number::<UInt16Type>("query_start", row),
            length: self.number::<UInt16Type>("length", row),
            contig: self.text("contig", row),
            position: self.number::<UInt32Type>("position", row),
            reverse: self.flag("reverse", row),
            occurrences: self.number::<UInt32Type>("occurrences", row),
            chain: self.optional::<Int32Type>("chain", row),
            chain_weight: self.optional::<Int32Type>("chain_weight", row),
            chain_kept: self.flag("chain_kept", row),
            extended: self.flag("extended", row),
            ungapped_score: self.number::<Int32Type>("ungapped_score", row),
            own_score: self.number::<Int32Type>("own_score", row),
            own_query_start: self.number::<UInt16Type>("own_query_start", row),
            own_query_end: self.number::<UInt16Type>("own_query_end", row),
            region_score: self.optional::<Int32Type>("region_score", row),
            region_distance: self.optional::<Int32Type>("region_distance", row),
            role,
            read_best: self.number::<Int32Type>("read_best", row),
            read_second: self.number::<Int32Type>("read_second", row),
            locus_contig,
            locus_position: self.optional::<UInt32Type>("locus_position", row),
            source_mapped: self.optional_flag("source_mapped", row),
            source_mapq: self.optional::<UInt8Type>("source_mapq", row),
            source_on_path: self.optional_flag("source_on_path", row),
            windows: &self.windows,
        })
    }
}
