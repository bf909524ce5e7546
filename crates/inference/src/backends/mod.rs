//! The backends: each scores batches of two fixed sizes; cutting, padding and sharing between threads is common.

#[cfg(feature = "ort")]
pub(crate) mod onnx_runtime;
#[cfg(any(feature = "ort", feature = "tract"))]
mod scorer_pool;
#[cfg(feature = "tract")]
pub(crate) mod tract;
