//! Execution providers of ONNX Runtime: the hardware that a session runs on. Each is a feature of this crate and a backend
//! of its own name.
//!
//! A provider that the library lacks, or that finds no device, is an error, and so is a network of which it leaves a part to
//! the CPU: ONNX Runtime by itself would run on the CPU and say nothing.

#[allow(unused_imports, reason = "without any provider nothing asks for one")]
use ort::ep::{ExecutionProvider, ExecutionProviderDispatch};
use ort::session::builder::SessionBuilder;

use super::library::LoadedLibrary;
use crate::backends::scorer_pool::BATCH_SIZES;
use crate::{NpuError, NpuResult, Precision};

/// What a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Cpu,
    OpenVino,
    CoreMl,
    Cuda,
    TensorRt,
    Qnn,
    Vitis,
}

/// What is known of a provider without asking a library.
pub(crate) struct Description {
    /// Name of the backend, and of the feature.
    pub name: &'static str,
    /// Name for humans.
    pub title: &'static str,
    /// Where a library with this provider comes from, and what device it needs.
    pub install: &'static str,
    /// This program was built with it.
    pub built: bool,
    /// What the provider multiplies in where the model is in 32 bits.
    pub precision: Precision,
}

/// Name of the free first axis of this project's models.
const BATCH_AXIS: &str = "batch";

impl Provider {
    pub fn description(self) -> Description {
        let (name, title, built, precision, install) = match self {
            Self::Cpu => ("ort", "ONNX Runtime (CPU)", true, Precision::Fp32, super::library::INSTALL_HINT),
            Self::OpenVino => (
                "openvino",
                "ONNX Runtime, OpenVINO (CPU device)",
                cfg!(feature = "openvino"),
                Precision::Bf16,
                "install it with `pip install onnxruntime-openvino` into .venv, for x86-64",
            ),
            Self::CoreMl => (
                "coreml",
                "ONNX Runtime, Core ML (Apple Neural Engine)",
                cfg!(feature = "coreml"),
                Precision::Fp16,
                "it needs macOS 12 or newer on an Apple processor, and `pip install onnxruntime` there",
            ),
            Self::Cuda => (
                "cuda",
                "ONNX Runtime, CUDA (NVIDIA GPU)",
                cfg!(feature = "cuda"),
                Precision::Fp16,
                "it needs an NVIDIA GPU with its driver, CUDA and cuDNN, and `pip install onnxruntime-gpu`",
            ),
            Self::TensorRt => (
                "tensorrt",
                "ONNX Runtime, TensorRT (NVIDIA GPU)",
                cfg!(feature = "tensorrt"),
                Precision::Fp16,
                "it needs an NVIDIA GPU with its driver, CUDA and TensorRT, and `pip install onnxruntime-gpu`",
            ),
            Self::Qnn => (
                "qnn",
                "ONNX Runtime, QNN (Qualcomm Hexagon)",
                cfg!(feature = "qnn"),
                Precision::Fp16,
                "it needs a Qualcomm processor with a Hexagon NPU, and `pip install onnxruntime onnxruntime-qnn` into .venv",
            ),
            Self::Vitis => (
                "vitis",
                "ONNX Runtime, Vitis AI (AMD Ryzen AI)",
                cfg!(feature = "vitis"),
                Precision::Fp32,
                "it needs an AMD processor with an NPU and the ONNX Runtime of AMD's Ryzen AI software",
            ),
        };
        Description { name, title, install, built, precision }
    }

    pub fn name(self) -> &'static str {
        self.description().name
    }

    /// The provider compiles a network for one size of batches.
    pub fn requires_fixed_batch(self) -> bool {
        matches!(self, Self::CoreMl | Self::TensorRt | Self::Qnn | Self::Vitis)
    }

    /// It gets packed windows and computes in half precision: its device expands them faster than the host can copy them.
    pub fn takes_packed_windows(self) -> bool {
        matches!(self, Self::Cuda | Self::TensorRt)
    }

    /// Its device reads memory that the operating system keeps in place faster than other memory. (CUDA's provider is bound by
    /// its computations.)
    pub fn reads_page_locked_memory(self) -> bool {
        self == Self::TensorRt
    }

    /// Batches that keep its device busy.
    pub fn batches_in_flight(self) -> usize {
        match self {
            Self::TensorRt => 4,
            _ => 1,
        }
    }

    /// The sizes of batches that it runs, ascending.
    pub fn batch_sizes(self) -> &'static [usize] {
        match self {
            // One size, as kernels for other sizes may round otherwise; measured to give 0.8 of the rate of any larger one.
            Self::Cuda | Self::TensorRt => &[4096],
            _ => &BATCH_SIZES,
        }
    }

    /// Whether this program was built with it: asked before a library is looked for.
    ///
    /// # Errors
    /// [`NpuError::BackendNotAvailable`] with the feature to build with.
    pub fn check_built(self) -> NpuResult<()> {
        let Description { name, built, .. } = self.description();
        if built {
            return Ok(());
        }
        let why = format!("this program was built without it; build it with the feature `{name}`");
        Err(NpuError::BackendNotAvailable { backend: name, why })
    }

    /// Whether it runs INT8 models as a whole: CUDA's leaves their quantised operators to the CPU.
    pub fn runs_int8(self) -> bool {
        self != Self::Cuda
    }

    /// Whether a loaded library has this provider; that it finds its device shows when it is started.
    ///
    /// # Errors
    /// [`NpuError::BackendNotAvailable`] with what to install.
    pub fn check(self, library: &LoadedLibrary) -> NpuResult<()> {
        let Description { name, install, .. } = self.description();
        let refuse = |why: String| Err(NpuError::BackendNotAvailable { backend: name, why });
        let found: ort::Result<bool> = match self {
            Self::Cpu => Ok(true),
            #[cfg(feature = "openvino")]
            Self::OpenVino => ort::ep::OpenVINO::is_available(),
            #[cfg(feature = "coreml")]
            Self::CoreMl => ort::ep::CoreML::is_available(),
            #[cfg(feature = "cuda")]
            Self::Cuda => ort::ep::CUDA::is_available(),
            #[cfg(feature = "tensorrt")]
            Self::TensorRt => ort::ep::TensorRT::is_available(),
            #[cfg(feature = "qnn")]
            Self::Qnn => super::qnn::is_available(library),
            #[cfg(feature = "vitis")]
            Self::Vitis => ort::ep::Vitis::is_available(),
            #[allow(unreachable_patterns, reason = "reached where a feature is off")]
            _ => unreachable!("`check_built` refuses what was not built"),
        };
        match found {
            Ok(true) => Ok(()),
            Ok(false) => refuse(format!("{} has no such provider; {install}", library.path.display())),
            Err(error) => refuse(format!("{} does not say what it has: {error}; {install}", library.path.display())),
        }
    }

    /// Whether NVIDIA's driver has a device, for providers that it runs on. Older libraries start them without one.
    pub fn check_device(self) -> ort::Result<()> {
        #[cfg(all(feature = "native-cuda", any(feature = "cuda", feature = "tensorrt")))]
        if matches!(self, Self::Cuda | Self::TensorRt) {
            return crate::backends::native::gpu_is_there().map_err(ort::Error::new);
        }
        Ok(())
    }

    /// Makes a session of the model `file` run on this provider, and on nothing else; for batches of one size where it needs that.
    pub fn apply(
        self,
        library: &LoadedLibrary,
        builder: SessionBuilder,
        half_precision: bool,
        batch_size: usize,
        file: &[u8],
    ) -> ort::Result<SessionBuilder> {
        if self == Self::Cpu {
            // Asked for by name: of sessions that ask for nothing the bindings let a plug-in take whatever device it has, once
            // another backend has registered it.
            let mut devices = library.environment.devices();
            let cpu = devices.find(|device| device.ep().is_ok_and(|name| name == "CPUExecutionProvider"));
            return Ok(match cpu {
                Some(cpu) => builder.with_devices([cpu], None)?,
                None => builder,
            });
        }
        let builder = match self.requires_fixed_batch() {
            true => builder.with_dimension_override(BATCH_AXIS, batch_size as i64)?,
            false => builder,
        };
        #[cfg(feature = "qnn")]
        if self == Self::Qnn {
            return Ok(super::qnn::apply(library, builder, half_precision)?.with_disable_cpu_fallback()?);
        }
        let Some(provider) = self.dispatch(half_precision, batch_size, file) else { return Ok(builder) };
        Ok(builder.with_execution_providers([provider.error_on_failure()])?.with_disable_cpu_fallback()?)
    }

    /// The provider with this program's options; `None` for the CPU's, which every session has.
    fn dispatch(self, half_precision: bool, batch_size: usize, file: &[u8]) -> Option<ExecutionProviderDispatch> {
        let _ = (half_precision, batch_size, file);
        match self {
            Self::Cpu => None,
            #[cfg(feature = "openvino")]
            Self::OpenVino => {
                // In bfloat16 where the processor has it. One thread a session, as the aligner's threads divide the seeds; not pinned, or two sessions share a core.
                let precision = if half_precision { "bf16" } else { "f32" };
                let config = format!(
                    r#"{{"CPU":{{"ENABLE_CPU_PINNING":"NO","INFERENCE_NUM_THREADS":"1","NUM_STREAMS":"1","INFERENCE_PRECISION_HINT":"{precision}"}}}}"#
                );
                let provider = ort::ep::OpenVINO::default().with_device_type("CPU");
                use ort::ep::ArbitrarilyConfigurableExecutionProvider;
                Some(provider.with_arbitrary_config("load_config", config).build())
            }
            #[cfg(feature = "coreml")]
            Self::CoreMl => {
                use ort::ep::coreml::{ComputeUnits, ModelFormat, SpecializationStrategy};
                let provider = ort::ep::CoreML::default()
                    .with_model_format(ModelFormat::MLProgram)
                    .with_compute_units(ComputeUnits::CPUAndNeuralEngine)
                    .with_static_input_shapes(true)
                    .with_specialization_strategy(SpecializationStrategy::FastPrediction);
                Some(provider.build())
            }
            #[cfg(feature = "cuda")]
            Self::Cuda => {
                use ort::ep::{ArenaExtendStrategy, cuda::ConvAlgorithmSearch};
                let provider = ort::ep::CUDA::default()
                    // Scores must not depend on what else ran: no search for an algorithm that is timed anew.
                    .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
                    .with_tf32(false)
                    // The order of axes that tensor cores read.
                    .with_prefer_nhwc(true)
                    // Each caller's session takes what it needs, not twice as much.
                    .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested);
                Some(provider.build())
            }
            #[cfg(feature = "tensorrt")]
            Self::TensorRt => {
                // Without a model it is only tried whether the provider starts.
                let cache = crate::fastest::cache_folder().filter(|_| !file.is_empty());
                let folder = cache.map(|cache| engine_folder(&cache, batch_size, file));
                Some(tensorrt(half_precision, folder).build())
            }
            #[cfg(feature = "vitis")]
            Self::Vitis => Some(ort::ep::Vitis::default().build()),
            #[allow(unreachable_patterns, reason = "reached where a feature is off")]
            _ => unreachable!("`check_built` refuses what was not built"),
        }
    }
}

/// Where the engines of a model for batches of one size are kept. The name that ONNX Runtime gives to an engine is made of the
/// names in the graph, the device and versions: neither of the weights nor of the shapes, so that another model's engine, or
/// one for other batches, would be taken for it.
#[cfg(feature = "tensorrt")]
fn engine_folder(cache: &std::path::Path, batch_size: usize, file: &[u8]) -> std::path::PathBuf {
    let model = crate::model::hexadecimal(file);
    cache.join("tensorrt").join(format!("{}-{batch_size}", &model[..16]))
}

/// TensorRT's options. An engine takes it ten seconds to compile: it is kept in `folder`, where that can be made.
#[cfg(feature = "tensorrt")]
fn tensorrt(half_precision: bool, folder: Option<std::path::PathBuf>) -> ort::ep::TensorRT {
    let provider = ort::ep::TensorRT::default().with_fp16(half_precision);
    match folder.filter(|folder| std::fs::create_dir_all(folder).is_ok()) {
        Some(folder) => {
            let folder = folder.display().to_string();
            let provider = provider.with_engine_cache(true).with_engine_cache_path(&folder);
            provider.with_timing_cache(true).with_timing_cache_path(&folder)
        }
        // A timing cache without a folder would lie in the one that the program was started in.
        None => provider,
    }
}

#[cfg(all(test, feature = "tensorrt"))]
mod tests {
    use super::*;

    #[test]
    fn tensorrt_keeps_engines_of_each_model_and_batch_size_apart() {
        let cache = tempfile::tempdir().unwrap();
        let folders = [(512, &b"one"[..]), (2_048, b"one"), (512, b"another")]
            .map(|(batch_size, file)| engine_folder(cache.path(), batch_size, file));
        assert!(folders[0] != folders[1] && folders[0] != folders[2], "{folders:?}");
        assert_eq!(folders[0], engine_folder(cache.path(), 512, b"one"));
        assert!(folders.iter().all(|folder| folder.starts_with(cache.path().join("tensorrt"))));
        let options = format!("{:?}", tensorrt(true, Some(folders[0].clone())));
        let folder = folders[0].display().to_string();
        for expected in ["trt_fp16_enable", "trt_engine_cache_enable", "trt_engine_cache_path", &folder] {
            assert!(options.contains(expected), "{options} lacks {expected}");
        }
        let options = format!("{:?}", tensorrt(true, None));
        assert!(!options.contains("trt_engine_cache") && !options.contains("trt_timing_cache"), "{options}");
    }
}
