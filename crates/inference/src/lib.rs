//! Seed-viability networks behind one trait.
//!
//! A [`Model`] is a checked ONNX file; [`detect_npu_backend`] loads it into the best [`NpuBackend`] that works here.
//!
//! ```no_run
//! use seedsieve_inference::{BackendChoice, Model, detect_npu_backend, example_windows};
//!
//! # fn main() -> seedsieve_inference::NpuResult<()> {
//! let model = Model::embedded();
//! let backend = detect_npu_backend(&model, BackendChoice::Auto)?;
//! let packed = example_windows(1000, 42);
//! let mut scores = vec![0.0; 1000];
//! backend.predict_packed(&packed, &mut scores)?;
//! let hopeless = scores.iter().filter(|&&score| score < model.metadata().threshold).count();
//! # Ok(())
//! # }
//! ```
//!
//! | backend | feature | what it is |
//! |---|---|---|
//! | `native` | `native` | our own integer kernel for INT8 models of the reference network's shape: see [`native`] |
//! | `native-cuda` | `native-cuda` | the same kernel on an NVIDIA GPU: see [`native::NativeCudaBackend`] |
//! | `ort` | `ort` | ONNX Runtime, a library that is looked for and loaded at run time: see [`set_ort_library`] |
//! | `openvino`, `coreml`, `cuda`, `tensorrt`, `qnn`, `vitis` | of the same name | ONNX Runtime on other hardware, where asked for |
//! | `tract` | `tract` | pure Rust, part of the program |
//!
//! All run the same files. Scores of different backends differ by rounding; scores of one backend are the same for
//! any number of threads, order of seeds and size of batches.

mod backend;
mod backends;
mod batch;
mod config;
mod error;
mod examples;
mod fastest;
mod hostile;
mod model;
mod selection;

pub use backend::{NpuBackend, NpuCapabilities, Precision};
#[cfg(feature = "native")]
pub use backends::native;
#[cfg(feature = "ort")]
pub use backends::onnx_runtime::{probe_library, set_library_probe};
pub use batch::SeedFilterBatch;
pub use config::SeedFilterConfig;
pub use error::{NpuError, NpuResult};
pub use examples::example_windows;
pub use hostile::load_and_score;
pub use model::{Model, ModelFile, ModelGraph, ModelMetadata, StudentMetadata, StudentModel};
pub use selection::{
    BackendChoice, BackendStatus, detect_npu_backend, detect_npu_backend_for_reference_model, list_available_backends,
    set_ort_library, student_scores,
};
