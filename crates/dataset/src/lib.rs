//! The data set of seeds: one row a seed, facts about what became of it, its two context windows.
//!
//! ```text
//! DIR/dataset.json                  what made it: schema version, window, aligner settings, inputs, counts, checksums
//! DIR/data/part-00000.parquet ...   one row a seed, ZSTD, in the order of the reads
//! ```
//!
//! [`DatasetWriter`] makes such a folder, [`Dataset`] reads one. `dataset.json` is written last and lists every part
//! with its rows and SHA-256: a folder without it is unfinished, a part that it does not know is ignored.
//!
//! A data set holds facts, no verdicts: a [`LabelPolicy`] turns them into viable or not.

mod checksum;
mod column_chunk;
mod column_values;
mod columns;
mod derive;
mod describe;
mod describe_report;
mod error;
mod files;
mod journal;
mod label;
mod manifest;
mod narrow_column;
mod own_extensions;
mod part_batches;
mod part_writer;
mod reader;
mod row;
mod row_view;
mod schema;
mod staging;
mod validate;
mod wide_column;
mod writer;

pub use checksum::{file_sha256, hexadecimal};
pub use columns::ColumnBuilder;
pub use derive::{
    DeriveOptions, LabelCounts, SampleOptions, SampleReport, SplitOptions, SplitPart, SplitReport, Stratum, label,
    label_counts, merge, sample, split,
};
pub use describe::{Bin, Description};
pub use error::DatasetError;
pub use label::LabelPolicy;
pub use manifest::{Counts, Derivation, InputFile, Manifest, Part, Producer, RoleCounts, WindowSpec};
pub use own_extensions::OwnExtensions;
pub use part_batches::PartBatches;
pub use reader::Dataset;
pub use row::{Role, SeedRow};
pub use row_view::RowView;
pub use schema::{MATCH_MASK_BYTES, SCHEMA_VERSION, schema};
pub use validate::{check_row, validate};
pub use writer::{DatasetWriter, Start, WriterOptions};

/// Name of the file that completes a data set.
pub const MANIFEST_NAME: &str = "dataset.json";
/// Name of the folder of the Parquet files within a data set.
pub const DATA_FOLDER: &str = "data";
/// Column of the labels in a data set that [`label`] wrote.
pub const LABEL_COLUMN: &str = "viable";
/// Name of that step in [`Derivation::command`].
const LABEL_COMMAND: &str = "label";
