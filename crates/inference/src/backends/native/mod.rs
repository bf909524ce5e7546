//! Our own kernel: the network in integers, on the vector instructions that this processor has.

#[cfg(feature = "native-cuda")]
mod cuda;
mod first_block;
mod head;
mod kernels;
mod level;
mod network;
mod reader;
mod shape;
mod student;
#[cfg(test)]
mod tests;
mod windows;

use seedsieve_encoding::PACKED_SEED_BYTES;

#[cfg(feature = "native-cuda")]
pub use self::cuda::NativeCudaBackend;
#[cfg(all(feature = "native-cuda", feature = "ort", any(feature = "cuda", feature = "tensorrt")))]
pub(crate) use self::cuda::gpu_is_there;
use self::kernels::Kernel;
#[doc(hidden)]
pub use self::kernels::Stage;
pub use self::level::Level;
use self::network::Network;
use self::reader::read_network;
pub use self::student::{STUDENT_FEATURES, StudentNetwork};
use crate::backend::{check_packed, check_scores};
use crate::batch::pack_one_hot;
use crate::{Model, NpuBackend, NpuCapabilities, NpuResult, Precision, SeedFilterBatch, example_windows};

/// Name of the backend.
pub(crate) const NAME: &str = "native";

/// Seeds that warming up runs.
const WARM_UP: usize = 32;

/// Multiplications of one seed as the network is defined. What the kernel computes is less: the first convolution is a
/// table, positions that a pool drops are left out, and stretches of empty positions are not computed anew
/// ([`Level::products`]).
pub const PRODUCTS_A_SEED: usize = shape::PRODUCTS;

/// Runs INT8 models of the reference network's shape on the CPU, without any library.
///
/// Scores are the same, bit for bit, on every [`Level`], for any number of threads, order of seeds and size of batches.
/// Callers do not share anything that changes; each computes on its own thread, seed by seed, in some kilobytes of its
/// stack.
pub struct NativeBackend {
    kernel: Box<dyn Kernel>,
    level: Level,
}

impl NativeBackend {
    /// The backend on the fastest level of this processor.
    ///
    /// # Errors
    /// [`UnsupportedFormat`](crate::NpuError::UnsupportedFormat) if the model computes in floating point or its network has
    /// another shape; the message names the layer.
    pub fn new(model: &Model) -> NpuResult<Self> {
        Self::with_level(model, Level::best())
    }

    /// The backend on a given level.
    ///
    /// # Errors
    /// [`BackendNotAvailable`](crate::NpuError::BackendNotAvailable) if this processor lacks the level's instructions; else as
    /// [`new`](Self::new).
    pub fn with_level(model: &Model, level: Level) -> NpuResult<Self> {
        Self::of_network(&read_network(model)?, level)
    }

    fn of_network(network: &Network, level: Level) -> NpuResult<Self> {
        level.check_supported()?;
        let entry = level.entry().expect("a level that is supported has a row");
        Ok(Self { kernel: (entry.prepare)(network), level })
    }

    /// What scoring some packed windows consists of, for benchmarks: names, and work that can be done any number of times. Each
    /// stage goes through all the windows. Empty where a level has no stages.
    #[doc(hidden)]
    pub fn stages<'a>(&'a self, packed: &'a [u8]) -> Vec<Stage<'a>> {
        self.kernel.stages(packed.as_chunks().0)
    }

    /// The level in use.
    pub fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn static_capabilities(level: Level) -> NpuCapabilities {
        NpuCapabilities {
            name: "native (integer kernel, CPU)",
            supports_fp32: false,
            supports_int8: true,
            supports_fp16: false,
            precision: Precision::Int8,
            requires_fixed_batch: false,
            max_batch_size: usize::MAX / PACKED_SEED_BYTES,
            estimated_tops: level.estimated_tops(),
            supports_dynamic_shapes: true,
        }
    }
}

impl NpuBackend for NativeBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_available() -> bool {
        true
    }

    fn capabilities(&self) -> NpuCapabilities {
        Self::static_capabilities(self.level)
    }

    fn predict_seed_viability(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        let packed = pack_one_hot(batch.one_hot()?)?;
        let mut scores = vec![0.0; batch.batch_size];
        self.predict_packed(&packed, &mut scores)?;
        Ok(scores)
    }

    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        check_packed(packed, scores)?;
        self.kernel.score(packed.as_chunks().0, scores);
        check_scores(NAME, scores)
    }

    fn optimal_batch_size(&self) -> usize {
        WARM_UP
    }

    fn supported_batch_sizes(&self) -> &[usize] {
        &[1]
    }

    fn warmup(&self) -> NpuResult<()> {
        self.predict_packed(&example_windows(WARM_UP, 1), &mut [0.0; WARM_UP])
    }
}
