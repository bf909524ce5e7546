//! Sessions, and how batches go through them.

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{PrimitiveTensorElementType, Tensor, TensorRef};

use super::library::LoadedLibrary;
use super::providers::Provider;
use crate::backends::scorer_pool::{BatchScorer, InputForm, one_hot_shape};
use crate::{NpuError, NpuResult, Precision};

/// What a session can take.
pub(super) trait SessionInput: InputForm + PrimitiveTensorElementType + std::fmt::Debug {
    /// The shape of a batch.
    fn shape(seeds: usize) -> Vec<i64>;
}

impl SessionInput for f32 {
    fn shape(seeds: usize) -> Vec<i64> {
        one_hot_shape(seeds).map(|axis| axis as i64).to_vec()
    }
}

impl SessionInput for u8 {
    fn shape(seeds: usize) -> Vec<i64> {
        vec![seeds as i64, Self::VALUES as i64]
    }
}

/// One session for all sizes of batches, or one for each.
pub(super) struct OrtScorer<I: SessionInput> {
    provider: Provider,
    input: Memory<I>,
    sessions: Vec<Session>,
}

/// Where the input of the largest batch lies.
enum Memory<I: SessionInput> {
    Ordinary(Vec<I>),
    /// A GPU reads it by itself, without a copy by the driver; the one size of batches that such a provider runs.
    PageLocked(Tensor<I>),
}

impl<I: SessionInput> Memory<I> {
    fn new(provider: Provider, session: &Session) -> Self {
        let seeds = provider.batch_sizes()[provider.batch_sizes().len() - 1];
        let page_locked = || -> ort::Result<Tensor<I>> {
            let kind = (AllocationDevice::CUDA_PINNED, 0, AllocatorType::Device, MemoryType::CPUInput);
            let allocator = Allocator::new(session, MemoryInfo::new(kind.0, kind.1, kind.2, kind.3)?)?;
            let mut tensor = Tensor::new(&allocator, I::shape(seeds))?;
            tensor.try_extract_tensor_mut()?.1.fill(I::default());
            Ok(tensor)
        };
        if provider.reads_page_locked_memory() {
            match page_locked() {
                Ok(tensor) => return Self::PageLocked(tensor),
                Err(error) => tracing::debug!(backend = provider.name(), "no page-locked memory: {error}"),
            }
        }
        Self::Ordinary(vec![I::default(); seeds * I::VALUES])
    }

    fn values(&mut self) -> &mut [I] {
        match self {
            Self::Ordinary(values) => values,
            Self::PageLocked(tensor) => tensor.extract_tensor_mut().1,
        }
    }

    /// The batch of so many seeds at its start.
    fn batch(&self, seeds: usize) -> ort::Result<SessionInputValue<'_>> {
        Ok(match self {
            Self::Ordinary(values) => {
                TensorRef::from_array_view((I::shape(seeds), &values[..seeds * I::VALUES]))?.into()
            }
            Self::PageLocked(tensor) => tensor.into(),
        })
    }
}

impl<I: SessionInput> OrtScorer<I> {
    /// `source` names the model in messages; `quantized`: it computes in integers.
    pub fn load(
        library: &LoadedLibrary,
        provider: Provider,
        file: &[u8],
        source: &str,
        quantized: bool,
    ) -> NpuResult<Self> {
        let half_precision = provider.description().precision != Precision::Fp32 && !quantized;
        let load = |batch_size: usize| -> ort::Result<Session> {
            let builder = Session::builder(&library.environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .with_log_level(ort::logging::LogLevel::Fatal)?;
            provider.apply(library, builder, half_precision, batch_size, file)?.commit_from_memory(file)
        };
        let sizes = provider.batch_sizes();
        let sizes = if provider.requires_fixed_batch() { sizes } else { &sizes[..1] };
        let sessions: ort::Result<Vec<Session>> = sizes.iter().map(|&size| load(size)).collect();
        let sessions = sessions.map_err(|error| load_failed(provider, source, &error.to_string()))?;
        Ok(Self { provider, input: Memory::new(provider, &sessions[0]), sessions })
    }
}

impl<I: SessionInput> BatchScorer for OrtScorer<I> {
    type Input = I;

    fn input(&mut self) -> &mut [I] {
        self.input.values()
    }

    fn score(&mut self, scores: &mut [f32]) -> NpuResult<()> {
        let sizes = self.provider.batch_sizes();
        let place = sizes.iter().position(|&size| size == scores.len()).expect("one of the batch sizes");
        let place = place.min(self.sessions.len() - 1);
        let mut run = || -> ort::Result<()> {
            let outputs = self.sessions[place].run(ort::inputs![self.input.batch(scores.len())?])?;
            let (_, values) = outputs[0].try_extract_tensor::<f32>()?;
            if values.len() != scores.len() {
                return Err(ort::Error::new(format!("{} scores for {} seeds", values.len(), scores.len())));
            }
            scores.copy_from_slice(values);
            Ok(())
        };
        run().map_err(|error| run_failed(self.provider, &error.to_string()))
    }
}

/// Starts a provider without a network: what it needs of this machine, its own libraries, a driver, a device, shows here, where
/// [`Provider::check`] only asks the library for a name.
pub(super) fn check_starts(library: &LoadedLibrary, provider: Provider) -> NpuResult<()> {
    let start = || -> ort::Result<()> {
        let builder = Session::builder(&library.environment)?.with_log_level(ort::logging::LogLevel::Fatal)?;
        provider.apply(library, builder, false, provider.batch_sizes()[0], &[])?;
        provider.check_device()
    };
    start().map_err(|error| NpuError::BackendNotAvailable {
        backend: provider.name(),
        why: format!(
            "{} has the provider, which does not start here: {}; {}",
            library.path.display(),
            error.to_string().trim(),
            provider.description().install
        ),
    })
}

fn load_failed(provider: Provider, source: &str, error: &str) -> NpuError {
    match provider {
        Provider::Cpu => {
            NpuError::ModelLoadFailed(format!("{source}: ONNX Runtime cannot run it: {error}; export it again"))
        }
        _ if is_out_of_memory(error) => out_of_memory(provider, error),
        _ => NpuError::BackendNotAvailable {
            backend: provider.name(),
            why: format!(
                "{source}: the provider does not run the whole model on its device: {}; {}",
                error.trim(),
                provider.description().install
            ),
        },
    }
}

fn run_failed(provider: Provider, error: &str) -> NpuError {
    match provider {
        Provider::Cpu => NpuError::InferenceFailed(format!("ONNX Runtime: {error}")),
        _ if is_out_of_memory(error) => out_of_memory(provider, error),
        _ => NpuError::InferenceFailed(format!("ONNX Runtime, {}: {error}", provider.name())),
    }
}

fn out_of_memory(provider: Provider, error: &str) -> NpuError {
    NpuError::DeviceOutOfMemory { backend: provider.name(), why: error.to_owned() }
}

/// The library has no code of its own for it: its arena, CUDA, cuDNN and cuBLAS say it in these words.
fn is_out_of_memory(error: &str) -> bool {
    let error = error.to_lowercase();
    let words = ["failed to allocate memory", "out of memory", "cuda failure 2:", "alloc_failed", "not enough memory"];
    words.iter().any(|words| error.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of onnxruntime-gpu 1.31.1 on a GPU whose memory others had taken.
    #[test]
    fn a_device_without_memory_is_told_from_other_failures() {
        for message in [
            "Non-zero status code returned while running Conv node. Name:'convolution1' Status Message: bfc_arena.cc:360 \
             Failed to allocate memory for requested buffer of size 69954710272",
            "CUDA failure 2: out of memory ; GPU=0 ; hostname=vm ; expr=cudaMalloc((void**)&p, size);",
            "CUDNN failure 4000: CUDNN_STATUS_ALLOC_FAILED ; GPU=0",
        ] {
            let error = run_failed(Provider::Cuda, message);
            assert!(matches!(error, NpuError::DeviceOutOfMemory { backend: "cuda", .. }), "{error}");
            assert!(error.to_string().contains("end other programs"), "{error}");
            let error = load_failed(Provider::Cuda, "some.onnx", message);
            assert!(matches!(error, NpuError::DeviceOutOfMemory { .. }), "{error}");
        }
        let error = run_failed(Provider::Cuda, "CUDA failure 700: an illegal memory access was encountered");
        assert!(matches!(error, NpuError::InferenceFailed(_)), "{error}");
    }
}
