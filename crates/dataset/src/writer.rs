use crate::{
    ColumnBuilder, Counts, DATA_FOLDER, DatasetError, InputFile, LabelPolicy, MANIFEST_NAME, Manifest, Part, Producer,
    SCHEMA_VERSION, SeedRow, WindowSpec, file_sha256, schema,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Rows of a Parquet row group: what a reader holds in memory at a time, some 10 MB.
const ROW_GROUP_ROWS: usize = 1 << 16;
/// Rows that are collected before they are handed to the Parquet encoder.
const BATCH_ROWS: usize = 1 << 13;
/// Folder within the data set's folder where parts lie until all are complete.
const STAGING_FOLDER: &str = ".unfinished";
/// File in it that the running writer holds a lock on.
const LOCK_NAME: &str = "lock";

/// How a data set is written.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// Rows of a part, at least 1; the last part may have fewer.
    pub part_rows: u64,
    /// Replace a finished data set in the same folder.
    pub overwrite: bool,
    /// The aligner's reporting threshold T.
    pub reporting_threshold: i32,
}

impl Default for WriterOptions {
    /// Parts of 2^20 rows, no overwriting, T = 30.
    fn default() -> Self {
        Self { part_rows: 1 << 20, overwrite: false, reporting_threshold: 30 }
    }
}

/// Writes a data set. Nothing is visible in its final place before [`DatasetWriter::finish`]; a writer that is dropped
/// earlier removes what it wrote, and a data set that it was to replace stays as it was.
pub struct DatasetWriter {
    directory: PathBuf,
    /// The folders that this writer made, outermost last.
    made: Vec<PathBuf>,
    staging: PathBuf,
    lock: Option<File>,
    options: WriterOptions,
    columns: ColumnBuilder,
    part: Option<OpenPart>,
    parts: Vec<Part>,
    counts: Counts,
    finished: bool,
}

struct OpenPart {
    writer: ArrowWriter<File>,
    path: PathBuf,
    rows: u64,
}

impl DatasetWriter {
    /// Prepares `directory`, making it and its parents where needed.
    ///
    /// # Errors
    /// [`DatasetError::Occupied`] when it holds a finished data set and `options.overwrite` is off,
    /// [`DatasetError::Busy`] when another process writes there, [`DatasetError::Io`] when it cannot be written to.
    pub fn create(directory: &Path, options: WriterOptions) -> Result<Self, DatasetError> {
        if directory.join(MANIFEST_NAME).exists() && !options.overwrite {
            return Err(DatasetError::Occupied { path: directory.into() });
        }
        let made = directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let mut writer = Self {
            directory: directory.into(),
            made: made.map(Path::to_path_buf).collect(),
            staging: directory.join(STAGING_FOLDER),
            lock: None,
            options: WriterOptions { part_rows: options.part_rows.max(1), ..options },
            columns: ColumnBuilder::default(),
            part: None,
            parts: Vec::new(),
            counts: Counts::default(),
            finished: false,
        };
        fs::create_dir_all(&writer.staging).map_err(DatasetError::io(&writer.staging, "create"))?;
        let lock_path = writer.staging.join(LOCK_NAME);
        let lock = File::create(&lock_path).map_err(DatasetError::io(&lock_path, "create"))?;
        if lock.try_lock().is_err() {
            return Err(DatasetError::Busy { path: directory.into() });
        }
        writer.lock = Some(lock);
        for left_behind in parquet_files(&writer.staging)? {
            fs::remove_file(&left_behind).map_err(DatasetError::io(&left_behind, "remove"))?;
        }
        Ok(writer)
    }

    /// Adds to the number of reads that were aligned, with or without seeds.
    pub fn count_reads(&mut self, reads: u64) {
        self.counts.reads += reads;
    }

    /// The totals so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Appends one row.
    ///
    /// # Errors
    /// [`DatasetError::Io`] or [`DatasetError::Parquet`] when a part cannot be written.
    pub fn push(&mut self, row: &SeedRow<'_>) -> Result<(), DatasetError> {
        self.columns.push(row);
        self.counts.seeds += 1;
        *self.counts.roles.of_mut(row.role) += 1;
        let threshold = self.options.reporting_threshold;
        let viable =
            LabelPolicy::OwnExtension.viable(threshold, row.own_score, row.read_best, row.region_score, row.role);
        self.counts.viable += u64::from(viable);
        let in_part = self.part.as_ref().map_or(0, |part| part.rows) + self.columns.len() as u64;
        if self.columns.len() == BATCH_ROWS || in_part == self.options.part_rows {
            self.write_batch()?;
            if in_part == self.options.part_rows {
                self.close_part()?;
            }
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Result<(), DatasetError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        if self.part.is_none() {
            self.part = Some(OpenPart::create(&self.staging, self.parts.len())?);
        }
        let part = self.part.as_mut().expect("a part was opened above");
        let batch = self.columns.finish().map_err(|error| part.error(error.into()))?;
        part.writer.write(&batch).map_err(|reason| part.error(reason))?;
        part.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close_part(&mut self) -> Result<(), DatasetError> {
        let Some(part) = self.part.take() else { return Ok(()) };
        let OpenPart { writer, path, rows } = part;
        let file =
            writer.into_inner().map_err(|reason| DatasetError::Parquet { path: path.clone(), row: rows, reason })?;
        file.sync_all().map_err(DatasetError::io(&path, "flush"))?;
        let (size, sha256) = file_sha256(&path)?;
        let name = path.file_name().expect("a part has a name").to_string_lossy();
        self.parts.push(Part { file: format!("{DATA_FOLDER}/{name}"), rows, size, sha256 });
        Ok(())
    }

    /// Completes the data set: the last part, then the renames into place, then `dataset.json`. Returns its content.
    ///
    /// `settings` are the aligner's and the extraction's; `producer` names the program.
    ///
    /// # Errors
    /// [`DatasetError::Io`] or [`DatasetError::Parquet`] when a file cannot be written or renamed.
    pub fn finish(
        mut self,
        producer: Producer,
        settings: serde_json::Map<String, serde_json::Value>,
        inputs: Vec<InputFile>,
    ) -> Result<Manifest, DatasetError> {
        self.write_batch()?;
        self.close_part()?;
        let manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            producer,
            window: WindowSpec::CURRENT,
            reporting_threshold: self.options.reporting_threshold,
            settings,
            inputs,
            counts: self.counts,
            parts: std::mem::take(&mut self.parts),
        };
        let staged_manifest = self.staging.join(MANIFEST_NAME);
        write_manifest(&staged_manifest, &manifest)?;

        // From here on the folder is unfinished until the new dataset.json is in place.
        let manifest_path = self.directory.join(MANIFEST_NAME);
        remove_if_there(&manifest_path)?;
        let data = self.directory.join(DATA_FOLDER);
        fs::create_dir_all(&data).map_err(DatasetError::io(&data, "create"))?;
        for replaced in parquet_files(&data)? {
            fs::remove_file(&replaced).map_err(DatasetError::io(&replaced, "remove"))?;
        }
        for part in &manifest.parts {
            let target = self.directory.join(&part.file);
            let name = target.file_name().expect("a part has a name");
            fs::rename(self.staging.join(name), &target).map_err(DatasetError::io(&target, "rename into place"))?;
        }
        sync_folder(&data)?;
        fs::rename(&staged_manifest, &manifest_path).map_err(DatasetError::io(&manifest_path, "rename into place"))?;
        sync_folder(&self.directory)?;
        self.finished = true;
        Ok(manifest)
    }
}

impl Drop for DatasetWriter {
    fn drop(&mut self) {
        if self.lock.is_none() {
            return; // another process's staging folder, or none
        }
        self.part = None;
        // Nothing can be reported from here, and what stays is in a folder that the next run clears.
        let _ = fs::remove_dir_all(&self.staging);
        if !self.finished {
            for folder in &self.made {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

impl OpenPart {
    fn create(staging: &Path, number: usize) -> Result<Self, DatasetError> {
        let path = staging.join(format!("part-{number:05}.parquet"));
        let file = File::create(&path).map_err(DatasetError::io(&path, "create"))?;
        let writer = ArrowWriter::try_new(file, schema(), Some(properties()))
            .map_err(|reason| DatasetError::Parquet { path: path.clone(), row: 0, reason })?;
        Ok(Self { writer, path, rows: 0 })
    }

    fn error(&self, reason: ParquetError) -> DatasetError {
        DatasetError::Parquet { path: self.path.clone(), row: self.rows, reason }
    }
}

/// ZSTD; dictionaries and statistics for all columns but the windows, which hardly repeat and have no useful order.
fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for column in ["query_window", "reference_window"] {
        let column = ColumnPath::from(column);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    properties.build()
}

fn write_manifest(path: &Path, manifest: &Manifest) -> Result<(), DatasetError> {
    let mut text = serde_json::to_string_pretty(manifest).map_err(|error| DatasetError::Manifest {
        path: path.into(),
        line: error.line(),
        column: error.column(),
        reason: error.to_string(),
    })?;
    text.push('\n');
    let mut file = File::create(path).map_err(DatasetError::io(path, "create"))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(DatasetError::io(path, "write"))
}

fn remove_if_there(path: &Path) -> Result<(), DatasetError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(DatasetError::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// The files `part-*.parquet` of a folder.
fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let entries = fs::read_dir(folder).map_err(DatasetError::io(folder, "list"))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(DatasetError::io(folder, "list"))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("part-") && name.ends_with(".parquet") {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Makes renames within `folder` durable. Only Unix can open a folder as a file.
fn sync_folder(folder: &Path) -> Result<(), DatasetError> {
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).map_err(DatasetError::io(folder, "flush"))?;
    }
    Ok(())
}
