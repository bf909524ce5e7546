//! Model files: what they are checked for before a backend sees them.

#[cfg(feature = "tract")]
mod batch_as_height;
mod checksum;
mod graph;
mod metadata;
#[cfg(any(feature = "native", feature = "tract"))]
#[cfg_attr(not(feature = "native"), allow(dead_code, reason = "the native backend reads more of a graph"))]
mod operators;
#[cfg(feature = "ort")]
mod packed_half;
#[cfg_attr(not(feature = "native"), allow(dead_code, reason = "the native backend reads more of a file"))]
mod protobuf;
#[cfg(any(feature = "ort", feature = "tract"))]
mod protobuf_writer;
mod schema;
mod student;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

#[cfg(feature = "tract")]
pub(crate) use self::batch_as_height::batch_as_height;
#[cfg(feature = "tensorrt")]
pub(crate) use self::checksum::hexadecimal;
pub use self::graph::ModelGraph;
pub use self::metadata::ModelMetadata;
#[cfg(feature = "native")]
pub(crate) use self::operators::{Attribute, Constant, Element, Node, Operators, read_operators};
#[cfg(feature = "ort")]
pub(crate) use self::packed_half::packed_half;
#[cfg(feature = "native")]
pub(crate) use self::student::check as check_student;
pub use self::student::{ModelFile, StudentMetadata, StudentModel};
use crate::{NpuError, NpuResult};

/// Larger than any seed-viability network by two orders of magnitude; keeps a wrong path from filling the memory.
const MAX_MODEL_BYTES: u64 = 64 << 20;

/// A seed-viability network: an ONNX file that was checked for format, window, and input and output shapes.
#[derive(Debug, Clone)]
pub struct Model {
    bytes: Cow<'static, [u8]>,
    source: String,
    graph: ModelGraph,
    metadata: ModelMetadata,
    has_checksum: bool,
}

impl Model {
    /// The reference model in 32-bit floating point.
    pub fn embedded() -> Model {
        Self::embedded_as(include_bytes!("../../../../models/seed_filter_v1.onnx"), "embedded seed_filter_v1")
    }

    /// The reference model with INT8 convolutions.
    pub fn embedded_int8() -> Model {
        Self::embedded_as(include_bytes!("../../../../models/seed_filter_v1_int8.onnx"), "embedded seed_filter_v1_int8")
    }

    /// Reads and checks a model file.
    ///
    /// # Errors
    /// [`NpuError::ModelLoadFailed`] if the file cannot be read, is empty or larger than 64 MiB;
    /// [`NpuError::UnsupportedFormat`] if it is damaged, is no ONNX file, has no or other metadata, was trained on other
    /// windows or has another input or output; [`NpuError::UnsupportedBatchSize`] if its batch size is fixed.
    /// The messages name the path.
    pub fn read(path: &Path) -> NpuResult<Model> {
        let source = path.display().to_string();
        let bytes = read_file(path)?;
        Self::check(bytes.into(), source)
    }

    /// Checks a model that is already in memory; `source` names it in messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: Vec<u8>, source: impl Into<String>) -> NpuResult<Model> {
        Self::check(bytes.into(), source.into())
    }

    fn embedded_as(bytes: &'static [u8], source: &str) -> Model {
        Self::check(bytes.into(), source.into()).expect("the embedded models are checked by this crate's tests")
    }

    fn check(bytes: Cow<'static, [u8]>, source: String) -> NpuResult<Model> {
        check_size(&bytes, &source)?;
        let checked = graph::read_contents(&bytes, &graph::WINDOWS).and_then(|contents| {
            let metadata = ModelMetadata::from_properties(&contents.properties)?;
            Ok((contents.graph, metadata, checksum::check(&bytes)?))
        });
        match checked {
            Ok((graph, metadata, has_checksum)) => Ok(Model { bytes, source, graph, metadata, has_checksum }),
            Err(NpuError::UnsupportedFormat(why)) => Err(NpuError::UnsupportedFormat(format!("{source}: {why}"))),
            Err(error) => Err(error),
        }
    }

    /// What the model says about itself.
    pub fn metadata(&self) -> &ModelMetadata {
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

    /// Where the model comes from: a path, or the name of an embedded model.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the file carries a checksum of its content, which then was found right when it was loaded.
    pub fn has_checksum(&self) -> bool {
        self.has_checksum
    }

    /// The file with a checksum of its content, which loading it checks from then on.
    pub fn sealed(&self) -> Vec<u8> {
        checksum::sealed(&self.bytes).expect("a file that was read before")
    }

    /// SHA-256 of the file in lower-case hexadecimal digits, as `sha256sum` prints it.
    pub fn sha256(&self) -> String {
        checksum::hexadecimal(&self.bytes)
    }
}

/// The bytes of a model file, one more than a model may have if there are too many.
pub(crate) fn read_file(path: &Path) -> NpuResult<Vec<u8>> {
    let unreadable = |why: String| NpuError::ModelLoadFailed(format!("{}: {why}", path.display()));
    // Asked before opening: opening a named pipe waits for its writer.
    let status = std::fs::metadata(path).map_err(|error| unreadable(format!("{error}; check the path")))?;
    if !status.is_file() {
        return Err(unreadable("not a regular file; give the path of an ONNX file".into()));
    }
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_MODEL_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    Ok(bytes)
}

pub(crate) fn check_size(bytes: &[u8], source: &str) -> NpuResult<()> {
    let size = bytes.len() as u64;
    if size > 0 && size <= MAX_MODEL_BYTES {
        return Ok(());
    }
    Err(NpuError::ModelLoadFailed(format!(
        "{source}: {}; a model has from 1 byte to {} MiB: check the path, or export it again",
        if size == 0 { "the file is empty" } else { "the file is too large" },
        MAX_MODEL_BYTES >> 20
    )))
}
