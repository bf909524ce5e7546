//! The backends. Those of libraries score batches of two fixed sizes; cutting, padding and sharing between threads is
//! common to them.

#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "ort")]
pub(crate) mod onnx_runtime;
#[cfg(any(feature = "ort", feature = "tract"))]
mod scorer_pool;
#[cfg(feature = "tract")]
pub(crate) mod tract;
