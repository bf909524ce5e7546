use crate::{DATA_FOLDER, DatasetError, LabelPolicy, MANIFEST_NAME, OwnExtensions, Role, SCHEMA_VERSION};
use seedsieve_encoding::{DOWNSTREAM, UPSTREAM, WINDOW_SIZE};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// The content of `dataset.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the columns, [`SCHEMA_VERSION`] when written by this crate.
    pub schema_version: u32,
    /// Program that wrote the data set.
    pub producer: Producer,
    /// Shape of the context windows.
    pub window: WindowSpec,
    /// The aligner's reporting threshold T.
    pub reporting_threshold: i32,
    /// The aligner's and the extraction's settings, as the caller states them.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Files that the reads and the reference came from.
    pub inputs: Vec<InputFile>,
    /// SHA-256 of the plan of the work that wrote it ([`crate::DatasetWriter::start`]), by which the same command knows that
    /// it has been done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_sha256: Option<String>,
    /// What was done with it after the extraction, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derivation>,
    /// Names of the label policies that its columns are enough for.
    #[serde(default)]
    pub label_policies: Vec<String>,
    /// Totals over all parts.
    pub counts: Counts,
    /// The Parquet files in the order of the reads.
    pub parts: Vec<Part>,
}

/// One step from other data sets to this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derivation {
    /// `split`, `merge`, `sample` or `label`.
    pub command: String,
    /// SHA-256 of the `dataset.json` of each data set that went in.
    pub from: Vec<String>,
    /// How it was done.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// Program and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Producer {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Shape of a context window, in positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSpec {
    /// Positions in all.
    pub size: usize,
    /// Positions before the seed.
    pub upstream: usize,
    /// Positions after the seed.
    pub downstream: usize,
}

impl WindowSpec {
    /// The shape that this program works with.
    pub const CURRENT: Self = Self { size: WINDOW_SIZE, upstream: UPSTREAM, downstream: DOWNSTREAM };
}

impl fmt::Display for WindowSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.size, self.upstream, self.downstream)
    }
}

/// A file that went in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// What it was used as: `reads` or `reference`.
    pub kind: String,
    /// Name without folders.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Totals of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Reads that were aligned, with or without seeds; of a part of a data set, the reads that the whole came from.
    pub reads: u64,
    /// Rows.
    pub seeds: u64,
    /// Seeds whose own extension reaches the reporting threshold.
    pub viable: u64,
    /// Seeds by the role of their region.
    pub roles: RoleCounts,
}

/// Seeds by the role of their region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RoleCounts {
    /// In no final region.
    pub none: u64,
    /// In a region below the reporting threshold.
    pub below_threshold: u64,
    /// In a secondary region.
    pub secondary: u64,
    /// In a supplementary region.
    pub supplementary: u64,
    /// In the primary region.
    pub primary: u64,
}

impl RoleCounts {
    /// The count of one role.
    #[must_use]
    pub fn of(mut self, role: Role) -> u64 {
        *self.of_mut(role)
    }

    /// The count of one role, to change it.
    pub fn of_mut(&mut self, role: Role) -> &mut u64 {
        match role {
            Role::None => &mut self.none,
            Role::BelowThreshold => &mut self.below_threshold,
            Role::Secondary => &mut self.secondary,
            Role::Supplementary => &mut self.supplementary,
            Role::Primary => &mut self.primary,
        }
    }
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Path relative to the data set's folder, with `/`.
    pub file: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Part {
    /// The folders between the data folder and the file, such as `split=train/sample=NA12878`; empty without.
    #[must_use]
    pub fn partition(&self) -> &str {
        let below = self.file.strip_prefix(DATA_FOLDER).unwrap_or(&self.file).trim_start_matches('/');
        below.rsplit_once('/').map_or("", |(folders, _)| folders)
    }
}

impl Manifest {
    /// The content for a data set with the columns and windows of this program.
    pub(crate) fn new(
        producer: Producer,
        reporting_threshold: i32,
        settings: serde_json::Map<String, serde_json::Value>,
        inputs: Vec<InputFile>,
        counts: Counts,
        parts: Vec<Part>,
    ) -> Self {
        let (schema_version, window) = (SCHEMA_VERSION, WindowSpec::CURRENT);
        let label_policies = LabelPolicy::ALL.map(|policy| policy.name().to_owned()).to_vec();
        Self {
            schema_version,
            producer,
            window,
            reporting_threshold,
            settings,
            inputs,
            plan_sha256: None,
            derived: Vec::new(),
            label_policies,
            counts,
            parts,
        }
    }

    /// The text of the file at `path`.
    pub(crate) fn to_json(&self, path: &Path) -> Result<Vec<u8>, DatasetError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| DatasetError::Manifest {
            path: path.into(),
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads `DIR/dataset.json` and checks version and window.
    ///
    /// # Errors
    /// [`DatasetError::Unfinished`] without the file, [`DatasetError::Manifest`] when it is not what this program
    /// writes, [`DatasetError::Version`] and [`DatasetError::Window`] when it is another version's.
    pub fn read(directory: &Path) -> Result<Self, DatasetError> {
        /// Read before the rest, so that a newer version is told as such whatever else it changed.
        #[derive(Deserialize)]
        struct Head {
            schema_version: u64,
            #[serde(default)]
            producer: Option<Producer>,
        }
        let path = directory.join(MANIFEST_NAME);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DatasetError::Unfinished { path: directory.into() });
            }
            Err(error) => return Err(DatasetError::io(path, "read")(error)),
        };
        let malformed = |error: serde_json::Error| DatasetError::Manifest {
            path: path.clone(),
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        };
        let head: Head = serde_json::from_slice(&text).map_err(malformed)?;
        if head.schema_version == 0 || head.schema_version > u64::from(SCHEMA_VERSION) {
            let written_by = head
                .producer
                .map_or_else(|| "unknown".to_owned(), |producer| format!("{} {}", producer.name, producer.version));
            return Err(DatasetError::Version {
                path,
                found: head.schema_version,
                supported: SCHEMA_VERSION,
                written_by,
            });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(malformed)?;
        if manifest.window != WindowSpec::CURRENT {
            return Err(DatasetError::Window {
                path,
                found: manifest.window.to_string(),
                expected: WindowSpec::CURRENT.to_string(),
            });
        }
        OwnExtensions::stated_in(&manifest.settings).map_err(|reason| DatasetError::Manifest {
            path,
            line: 0,
            column: 0,
            reason,
        })?;
        Ok(manifest)
    }

    /// Of which seeds the own extension is known for certain.
    #[must_use]
    pub fn own_extensions(&self) -> OwnExtensions {
        // Settings that were read have been checked; of others nothing is certain.
        OwnExtensions::stated_in(&self.settings).unwrap_or(OwnExtensions::OF_NONE)
    }
}
