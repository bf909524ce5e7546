use thiserror::Error;

/// Result of every operation of a backend.
pub type NpuResult<T> = Result<T, NpuError>;

/// Why a model could not be loaded or run.
///
/// Beside the five general variants there are precise ones for what users meet: a backend that is missing for a stated
/// reason, an unknown backend name, input of the wrong length, and a score that is no probability. Every message says
/// what to do next.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum NpuError {
    /// This build has no inference backend at all.
    #[error(
        "this program was built without an inference backend; build it with the feature `native`, `ort` or `tract`"
    )]
    NotAvailable,
    /// One backend cannot be used here.
    #[error("the backend `{backend}` is not available: {why}")]
    BackendNotAvailable {
        /// Name of the backend, as `NpuBackend::name` gives it.
        backend: &'static str,
        /// The reason and the next step.
        why: String,
    },
    /// A backend was asked for by a name that none has.
    #[error(
        "unknown backend `{0}`: choose one of auto, native, native-cuda, ort, tract, fastest, openvino, coreml, cuda, tensorrt, qnn, vitis"
    )]
    UnknownBackend(String),
    /// The device's memory does not hold what the backend needs.
    #[error(
        "the backend `{backend}` found too little memory on its device: {why}; end other programs that use the device, take fewer \
         threads, or choose another backend"
    )]
    DeviceOutOfMemory {
        /// Name of the backend.
        backend: &'static str,
        /// What was asked for, and the device's answer.
        why: String,
    },
    /// The model file cannot be read, or a backend cannot build the network.
    #[error("cannot load the model: {0}")]
    ModelLoadFailed(String),
    /// The backend failed while scoring.
    #[error("inference failed: {0}")]
    InferenceFailed(String),
    /// The model accepts only batches of this many seeds.
    #[error(
        "the model accepts only batches of exactly {0} seeds, but batches of any size are needed; export it with a \
         dynamic first axis"
    )]
    UnsupportedBatchSize(usize),
    /// The file is not a model of this program's format.
    #[error("unsupported model: {0}")]
    UnsupportedFormat(String),
    /// The input's length does not belong to the number of seeds.
    #[error("invalid batch: {0}")]
    InvalidBatch(String),
    /// The network gave something else than a probability.
    #[error(
        "the backend `{backend}` scored seed {seed} (0-based) of the batch with {score}, outside [0, 1]; the model file \
         is probably damaged: compare its SHA-256, or export it again"
    )]
    InvalidScore {
        /// Name of the backend.
        backend: &'static str,
        /// 0-based number of the seed in the batch.
        seed: usize,
        /// The score.
        score: f32,
    },
}
