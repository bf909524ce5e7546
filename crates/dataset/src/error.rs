use std::path::PathBuf;

/// Why a data set could not be written or read.
///
/// The messages are whole: the reason stands within them, before what to do, and is not chained as a source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file or folder could not be created, read, written or renamed.
    #[error("{path}: cannot {action}: {reason}; check that the path exists, its permissions and the free space")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// The operating system's reason.
        reason: std::io::Error,
    },
    /// The output folder holds a finished data set, and overwriting was not asked for.
    #[error("{path}: already holds a finished data set; choose another folder, or pass --overwrite to replace it")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Another process writes to the same folder.
    #[error("{path}: another process is writing a data set there; wait for it or choose another folder")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds unfinished work that this is not the continuation of.
    #[error(
        "{path}: holds unfinished work that cannot be continued: {differences}; repeat the command that it is of, choose \
         another folder, or pass --overwrite to start anew"
    )]
    OtherWork {
        /// The folder, its journal, or a part of it.
        path: PathBuf,
        /// What differs, or is wrong with it.
        differences: String,
    },
    /// The folder has no `dataset.json`.
    #[error(
        "{path}: no dataset.json: not a data set, or one whose extraction did not finish; \
         run `seedsieve extract-seeds` again, or check the path"
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// `dataset.json` is not what this program writes.
    #[error("{path}: line {line}, column {column}: {reason}; restore the file or extract the data set again")]
    Manifest {
        /// `dataset.json`.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// 1-based column.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A schema version that this program does not know.
    #[error(
        "{path}: schema version {found}, but this program reads versions 1 to {supported}; \
         use the seedsieve version that wrote it ({written_by}), or a newer one"
    )]
    Version {
        /// `dataset.json`.
        path: PathBuf,
        /// The version that the file states.
        found: u64,
        /// The newest version that can be read.
        supported: u32,
        /// Program and version that wrote the data set.
        written_by: String,
    },
    /// The windows have another shape than this program's.
    #[error(
        "{path}: windows of {found} (size/upstream/downstream), but this program works with {expected}; \
         extract the data set again"
    )]
    Window {
        /// `dataset.json`.
        path: PathBuf,
        /// Shape that the file states.
        found: String,
        /// Shape that this program has.
        expected: String,
    },
    /// A Parquet file that `dataset.json` lists is not there.
    #[error("{path}: missing, but dataset.json lists it with {rows} rows; restore it or extract the data set again")]
    MissingPart {
        /// The Parquet file.
        path: PathBuf,
        /// Rows that it should hold.
        rows: u64,
    },
    /// A Parquet file has another size than `dataset.json` states.
    #[error(
        "{path}: {found} bytes, but dataset.json says {expected}: the file is truncated or was replaced; \
         copy it again or extract the data set again"
    )]
    PartSize {
        /// The Parquet file.
        path: PathBuf,
        /// Bytes found.
        found: u64,
        /// Bytes stated.
        expected: u64,
    },
    /// A Parquet file was altered after it was written.
    #[error(
        "{path}: SHA-256 is {found}, but dataset.json says {expected}: the file was altered; \
         copy it again or extract the data set again"
    )]
    Checksum {
        /// The Parquet file.
        path: PathBuf,
        /// Digest found, in hexadecimal.
        found: String,
        /// Digest stated, in hexadecimal.
        expected: String,
    },
    /// The Parquet decoder or encoder refused.
    #[error("{path}: row {row}: {reason}; check the file with `seedsieve dataset validate`")]
    Parquet {
        /// The Parquet file.
        path: PathBuf,
        /// 0-based row from which on reading or writing failed.
        row: u64,
        /// The decoder's reason.
        reason: parquet::errors::ParquetError,
    },
    /// A column is missing or has another type.
    #[error("{path}: column `{column}`: found {found}, expected {expected}; extract the data set again")]
    Schema {
        /// The Parquet file.
        path: PathBuf,
        /// Name of the column.
        column: String,
        /// Type found, or `nothing`.
        found: String,
        /// Type of the schema.
        expected: String,
    },
    /// A count differs from what `dataset.json` states.
    #[error("{path}: {what}: {found}, but dataset.json says {expected}; extract the data set again")]
    Count {
        /// The file or folder that was counted.
        path: PathBuf,
        /// What was counted.
        what: String,
        /// Count found.
        found: u64,
        /// Count stated.
        expected: u64,
    },
    /// Data sets that do not go together.
    #[error("{path}: cannot be merged: {problem}", path = path.display())]
    Merge {
        /// `dataset.json`, or the output where there is none.
        path: PathBuf,
        /// What is in the way.
        problem: String,
    },
    /// A data set that cannot be divided as was asked.
    #[error("{path}: cannot be divided: {problem}", path = path.display())]
    Split {
        /// `dataset.json`.
        path: PathBuf,
        /// What is in the way.
        problem: String,
    },
    /// A data set that cannot be sampled as was asked.
    #[error("{path}: cannot be sampled: {problem}", path = path.display())]
    Sample {
        /// `dataset.json`.
        path: PathBuf,
        /// What is in the way.
        problem: String,
    },
    /// A value lies outside its range.
    #[error("{path}: row {row}: {column} is {value}, valid is {valid}; extract the data set again")]
    Value {
        /// The Parquet file.
        path: PathBuf,
        /// 0-based row.
        row: u64,
        /// Name of the column.
        column: &'static str,
        /// The value.
        value: String,
        /// What would be valid.
        valid: String,
    },
}

impl DatasetError {
    pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Io { path, action, reason }
    }
}
