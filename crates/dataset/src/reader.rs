use crate::part_batches::PartBatches;
use crate::{
    DatasetError, LABEL_COLUMN, LABEL_COMMAND, MANIFEST_NAME, Manifest, Part, Role, RowView, SeedRow, file_sha256,
    schema,
};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

    /// The rows of one part as record batches: the columns of [`schema`] in its order, those that data sets of its
    /// version lack filled with nulls, then those of [`Dataset::extra_columns`].
    ///
    /// # Errors
    /// [`DatasetError::Parquet`] when it is no Parquet file, [`DatasetError::Schema`] when its columns differ.
    pub fn part_batches(&self, part: &Part) -> Result<PartBatches, DatasetError> {
        PartBatches::open(self, part, &self.schema())
    }

    /// Columns that this data set has beside those of [`schema`].
    #[must_use]
    pub fn extra_columns(&self) -> Vec<Field> {
        let labelled = self.manifest.derived.iter().any(|step| step.command == LABEL_COMMAND);
        labelled.then(|| Field::new(LABEL_COLUMN, DataType::Boolean, true)).into_iter().collect()
    }

    /// The columns of [`Dataset::batches`].
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let mut fields: Vec<FieldRef> = schema().fields().iter().cloned().collect();
        fields.extend(self.extra_columns().into_iter().map(Arc::new));
        Arc::new(Schema::new(fields))
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
