//! Files of student networks, and files of which it is not known what they hold.

use std::path::Path;

use serde::Serialize;

use super::graph::{self, ModelGraph};
use super::metadata::Properties;
use super::{Model, check_size, checksum, read_file};
use crate::{NpuError, NpuResult};

/// What a student network says about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudentMetadata {
    /// Name of the model.
    pub name: String,
    /// Numbers of a seed that it takes.
    pub features: usize,
    /// Version of their layout: 2 has bounds with a gap where 1 has zeros, 3 a score with gaps where 2 has one.
    pub version: u8,
    /// Name of the label policy: what the network calls viable.
    pub label_policy: String,
    /// Decision threshold in [0, 1]: seeds that score below it are hopeless.
    pub threshold: f32,
    /// SHA-256 of the `dataset.json` that the network was trained on.
    pub dataset_sha256: String,
    /// Trained numbers of the network.
    pub parameters: usize,
}

/// A student network: an ONNX file that was checked for format, features, and input and output shapes. INT8 ones run in the
/// native kernel ([`native::StudentNetwork`](crate::native::StudentNetwork)); [`student_scores`](crate::student_scores) runs
/// any, to compare.
#[derive(Debug, Clone)]
pub struct StudentModel {
    bytes: Vec<u8>,
    source: String,
    graph: ModelGraph,
    metadata: StudentMetadata,
    has_checksum: bool,
}

impl StudentModel {
    /// Reads and checks a model file.
    ///
    /// # Errors
    /// [`NpuError::ModelLoadFailed`] if the file cannot be read, is empty or larger than 64 MiB; else as
    /// [`from_bytes`](Self::from_bytes).
    pub fn read(path: &Path) -> NpuResult<Self> {
        Self::from_bytes(read_file(path)?, path.display().to_string())
    }

    /// Checks a model that is already in memory; `source` names it in messages.
    ///
    /// # Errors
    /// [`NpuError::UnsupportedFormat`] if it is damaged, is no ONNX file, has no or other metadata, or another input or output;
    /// [`NpuError::UnsupportedBatchSize`] if its batch size is fixed. The messages name the source.
    pub fn from_bytes(bytes: Vec<u8>, source: impl Into<String>) -> NpuResult<Self> {
        let source = source.into();
        check_size(&bytes, &source)?;
        let (graph, metadata, has_checksum) = check(&bytes).map_err(|error| match error {
            NpuError::UnsupportedFormat(why) => NpuError::UnsupportedFormat(format!("{source}: {why}")),
            other => other,
        })?;
        Ok(Self { bytes, source, graph, metadata, has_checksum })
    }

    /// What the model says about itself.
    pub fn metadata(&self) -> &StudentMetadata {
        &self.metadata
    }

    /// What the file says about its network.
    pub fn graph(&self) -> &ModelGraph {
        &self.graph
    }

    /// The ONNX file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the model comes from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Checks a student's file for what can be known without reading its weights.
pub(crate) fn check(bytes: &[u8]) -> NpuResult<(ModelGraph, StudentMetadata, bool)> {
    let contents = graph::read_contents(bytes, &graph::FEATURES)?;
    let features = usize::try_from(contents.input_axes[0]).unwrap_or(usize::MAX);
    let metadata = read_metadata(&Properties(&contents.properties), features)?;
    Ok((contents.graph, metadata, checksum::check(bytes)?))
}

fn read_metadata(properties: &Properties, features: usize) -> NpuResult<StudentMetadata> {
    properties.check_format()?;
    let window = properties.text("window")?;
    let version = match window.strip_prefix(&format!("student/{features}")) {
        Some("") => 1,
        Some("/2") => 2,
        Some("/3") => 3,
        _ => {
            return Err(NpuError::UnsupportedFormat(format!(
                "its metadata `seedsieve.window` is `{window}`, expected is `student/{features}`, `student/{features}/2` or \
                 `student/{features}/3`, for it takes {features} features; export it with this project's training package"
            )));
        }
    };
    Ok(StudentMetadata {
        name: properties.text("name")?.to_owned(),
        features,
        version,
        label_policy: properties.text("label_policy")?.to_owned(),
        threshold: properties.threshold()?,
        dataset_sha256: properties.text("dataset_sha256")?.to_owned(),
        parameters: properties.number("parameters", "a whole number")?,
    })
}

/// A model of either kind.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// It sees windows.
    Windows(Model),
    /// It sees a row of small whole numbers.
    Student(StudentModel),
}

impl ModelFile {
    /// Reads and checks a file of either kind: one whose input is called `features` is a student's.
    ///
    /// # Errors
    /// As [`Model::read`] and [`StudentModel::read`].
    pub fn read(path: &Path) -> NpuResult<Self> {
        let (bytes, source) = (read_file(path)?, path.display().to_string());
        match graph::input_name(&bytes) {
            Some(name) if name == graph::FEATURES.input => StudentModel::from_bytes(bytes, source).map(Self::Student),
            _ => Model::from_bytes(bytes, source).map(Self::Windows),
        }
    }

    /// Where it comes from.
    pub fn source(&self) -> &str {
        match self {
            Self::Windows(model) => model.source(),
            Self::Student(model) => model.source(),
        }
    }

    /// Its name, as its metadata has it.
    pub fn name(&self) -> &str {
        match self {
            Self::Windows(model) => &model.metadata().name,
            Self::Student(model) => &model.metadata().name,
        }
    }

    /// What the file says about its network.
    pub fn graph(&self) -> &ModelGraph {
        match self {
            Self::Windows(model) => model.graph(),
            Self::Student(model) => model.graph(),
        }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Windows(model) => model.bytes(),
            Self::Student(model) => model.bytes(),
        }
    }

    /// Whether it carries a checksum of its content, which then was found right.
    pub fn has_checksum(&self) -> bool {
        match self {
            Self::Windows(model) => model.has_checksum(),
            Self::Student(model) => model.has_checksum,
        }
    }

    /// The file with a checksum of its content.
    pub fn sealed(&self) -> Vec<u8> {
        checksum::sealed(self.bytes()).expect("a file that was read before")
    }

    /// SHA-256 of the file in lower-case hexadecimal digits.
    pub fn sha256(&self) -> String {
        checksum::hexadecimal(self.bytes())
    }
}
