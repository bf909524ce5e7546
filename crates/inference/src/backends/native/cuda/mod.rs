//! The native kernel on an NVIDIA GPU: the same integers, hence the same scores, as on a CPU.
//!
//! Nothing but the driver is needed, which is looked for when the program runs. `kernel.cu` has the kernels' source; the program
//! carries what the compiler made of it for all GPUs of compute capability 8.0 or newer (`kernel.ptx`).

mod driver;
mod layout;
mod memory;
mod module;
mod stream;

use std::sync::{Arc, Mutex, PoisonError};

use seedsieve_encoding::PACKED_SEED_BYTES;

use self::driver::Device;
use self::memory::{DeviceBuffer, HostBuffer};
use self::module::{Kernel, Module};
use self::stream::Stream;
use super::reader::read_network;
use super::shape::CHANNELS_3;
use crate::backend::{check_packed, check_scores};
use crate::batch::pack_one_hot;
use crate::{Model, NpuBackend, NpuCapabilities, NpuResult, Precision, SeedFilterBatch, example_windows};

/// Name of the backend.
pub(crate) const NAME: &str = "native-cuda";
/// What to do where it cannot be used.
pub(crate) const INSTALL: &str =
    "it needs an NVIDIA GPU of compute capability 8.0 or newer, and its driver (530 or newer)";

/// Whether NVIDIA's driver has a GPU, for other libraries that need one.
#[cfg(any(feature = "cuda", feature = "tensorrt"))]
pub(crate) fn gpu_is_there() -> Result<(), String> {
    Device::is_there()
}

/// Seeds that are copied and scored at once. While one batch is on the device the next is copied.
const BATCH: usize = 1 << 14;
/// Batches of a caller that are under way at the same time.
const BATCHES: usize = 3;
/// Seeds from which on a call keeps the device busy.
const FULL_RATE: usize = BATCHES * BATCH;
/// Bytes of the sums over positions between the two kernels.
const TOTAL_BYTES: usize = 2 * CHANNELS_3;
/// Threads of a block of each kernel, and what the first keeps in shared memory: see kernel.cu.
const CONVOLUTION_THREADS: usize = 256;
const HEAD_THREADS: usize = 128;
const SEEDS_A_BLOCK: usize = CONVOLUTION_THREADS / 32;
const PARAMETER_BYTES: usize = 25_856;
const SHARED_BYTES: usize = PARAMETER_BYTES + SEEDS_A_BLOCK * 4480;

/// The kernels for the driver, which compiles them for its device. A text that ends with 0.
const PTX: &str = concat!(include_str!("kernel.ptx"), "\0");

/// Runs INT8 models of the reference network's shape on an NVIDIA GPU, with the scores of
/// [`NativeBackend`](super::NativeBackend), bit for bit.
///
/// Each concurrent caller has a stream and buffers of its own.
pub struct NativeCudaBackend {
    network: Arc<DeviceNetwork>,
    idle: Mutex<Vec<Worker>>,
}

/// A network on the device.
struct DeviceNetwork {
    convolutions: Kernel,
    heads: Kernel,
    parameters: DeviceBuffer,
    head: DeviceBuffer,
    device: Arc<Device>,
}

/// A caller's batches.
struct Worker {
    batches: Vec<Batch>,
}

/// One batch and the memory that it needs. The stream comes first: what it does is waited for before the buffers go.
struct Batch {
    stream: Stream,
    packed: HostBuffer,
    scores: HostBuffer,
    device_packed: DeviceBuffer,
    totals: DeviceBuffer,
    device_scores: DeviceBuffer,
}

impl NativeCudaBackend {
    /// Loads a model onto the first GPU.
    ///
    /// # Errors
    /// [`BackendNotAvailable`](crate::NpuError::BackendNotAvailable) without a GPU or its driver,
    /// [`DeviceOutOfMemory`](crate::NpuError::DeviceOutOfMemory) where others fill its memory; for a model that the
    /// native kernel does not run as [`NativeBackend::new`](super::NativeBackend::new).
    pub fn new(model: &Model) -> NpuResult<Self> {
        let network = read_network(model)?;
        let device = Device::open()?;
        device.make_current()?;
        let ptx = std::ffi::CStr::from_bytes_with_nul(PTX.as_bytes()).expect("one 0, at its end");
        let module = Arc::new(Module::compile(&device, ptx)?);
        let stream = Stream::new(&device)?;
        let parameters = layout::parameters(&network);
        assert_eq!(parameters.len(), PARAMETER_BYTES);
        let network = DeviceNetwork {
            convolutions: module.kernel(c"convolutions", CONVOLUTION_THREADS, SHARED_BYTES)?,
            heads: module.kernel(c"heads", HEAD_THREADS, 0)?,
            parameters: DeviceBuffer::with_content(&device, &stream, &parameters)?,
            head: DeviceBuffer::with_content(&device, &stream, &layout::head(&network.head))?,
            device,
        };
        let backend = Self { network: Arc::new(network), idle: Mutex::default() };
        backend.put_back(Worker::new(&backend.network)?);
        Ok(backend)
    }

    /// The name of the GPU that would be used.
    ///
    /// # Errors
    /// Why none can be, in words.
    pub(crate) fn device() -> Result<String, String> {
        Device::find().map_err(|why| format!("{why}; {INSTALL}"))
    }

    pub(crate) fn static_capabilities() -> NpuCapabilities {
        NpuCapabilities {
            name: "native (integer kernel, NVIDIA GPU)",
            supports_fp32: false,
            supports_int8: true,
            supports_fp16: false,
            precision: Precision::Int8,
            requires_fixed_batch: false,
            max_batch_size: BATCH,
            estimated_tops: None,
            supports_dynamic_shapes: true,
        }
    }

    fn take(&self) -> NpuResult<Worker> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Worker::new(&self.network), Ok)
    }

    fn put_back(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }
}

impl Worker {
    fn new(network: &DeviceNetwork) -> NpuResult<Self> {
        let batches: NpuResult<_> = (0..BATCHES).map(|_| Batch::new(&network.device)).collect();
        Ok(Self { batches: batches? })
    }

    fn score(&mut self, network: &DeviceNetwork, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        let pieces = packed.chunks(BATCH * PACKED_SEED_BYTES).zip(scores.chunks_mut(BATCH));
        let mut under_way: [Option<&mut [f32]>; BATCHES] = Default::default();
        for (number, (packed, scores)) in pieces.enumerate() {
            let (batch, place) = (&mut self.batches[number % BATCHES], &mut under_way[number % BATCHES]);
            if let Some(scores) = place.take() {
                batch.finish(scores)?;
            }
            batch.start(network, packed, scores.len())?;
            *place = Some(scores);
        }
        for (batch, scores) in self.batches.iter().zip(under_way) {
            if let Some(scores) = scores {
                batch.finish(scores)?;
            }
        }
        Ok(())
    }
}

impl Batch {
    fn new(device: &Arc<Device>) -> NpuResult<Self> {
        Ok(Self {
            stream: Stream::new(device)?,
            packed: HostBuffer::new(device, BATCH * PACKED_SEED_BYTES)?,
            scores: HostBuffer::new(device, BATCH * size_of::<f32>())?,
            device_packed: DeviceBuffer::new(device, BATCH * PACKED_SEED_BYTES)?,
            totals: DeviceBuffer::new(device, BATCH * TOTAL_BYTES)?,
            device_scores: DeviceBuffer::new(device, BATCH * size_of::<f32>())?,
        })
    }

    /// `seeds`: at most [`BATCH`], as many as `packed` has.
    fn start(&mut self, network: &DeviceNetwork, packed: &[u8], seeds: usize) -> NpuResult<()> {
        assert!(seeds <= BATCH && packed.len() == seeds * PACKED_SEED_BYTES);
        self.packed.bytes_mut()[..packed.len()].copy_from_slice(packed);
        self.stream.copy_to_device(&self.packed, &self.device_packed, packed.len())?;
        let blocks = seeds.div_ceil(SEEDS_A_BLOCK).min(network.convolutions.resident_blocks);
        let buffers = [&network.parameters, &self.device_packed, &self.totals];
        // SAFETY: `convolutions` of kernel.cu has these arguments; the buffers have room for BATCH seeds and are dropped
        // after the stream, which waits.
        unsafe { self.stream.launch(&network.convolutions, blocks, buffers, seeds as u32)? };
        let buffers = [&network.head, &self.totals, &self.device_scores];
        // SAFETY: as above, for `heads`.
        unsafe { self.stream.launch(&network.heads, seeds.div_ceil(HEAD_THREADS), buffers, seeds as u32)? };
        self.stream.copy_to_host(&self.device_scores, &self.scores, seeds * size_of::<f32>())
    }

    /// Waits for what was started; `scores` has as many places as it had seeds.
    fn finish(&self, scores: &mut [f32]) -> NpuResult<()> {
        self.stream.wait()?;
        for (score, bytes) in scores.iter_mut().zip(self.scores.bytes().as_chunks().0) {
            *score = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }
}

impl NpuBackend for NativeCudaBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_available() -> bool {
        Self::device().is_ok()
    }

    fn capabilities(&self) -> NpuCapabilities {
        Self::static_capabilities()
    }

    fn predict_seed_viability(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        let packed = pack_one_hot(batch.one_hot()?)?;
        let mut scores = vec![0.0; batch.batch_size];
        self.predict_packed(&packed, &mut scores)?;
        Ok(scores)
    }

    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        check_packed(packed, scores)?;
        self.network.device.make_current()?;
        let mut worker = self.take()?;
        // After a failure the worker is dropped, which waits for its streams.
        worker.score(&self.network, packed, scores)?;
        self.put_back(worker);
        check_scores(NAME, scores)
    }

    fn optimal_batch_size(&self) -> usize {
        FULL_RATE
    }

    fn supported_batch_sizes(&self) -> &[usize] {
        &[1]
    }

    fn warmup(&self) -> NpuResult<()> {
        let seeds = 64;
        self.predict_packed(&example_windows(seeds, 1), &mut vec![0.0; seeds])
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_compiled_kernel_is_that_of_the_source() {
        let hash: String =
            Sha256::digest(include_bytes!("kernel.cu")).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            PTX.starts_with(&format!("// SHA-256 of kernel.cu: {hash}\n")),
            "kernel.cu has changed: python scripts/compile_cuda_kernel.py"
        );
        for name in [".entry convolutions(", ".entry heads("] {
            assert!(PTX.contains(name), "{name}");
        }
        assert_eq!(PTX.matches('\0').count(), 1);
    }
}
