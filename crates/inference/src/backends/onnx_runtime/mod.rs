//! ONNX Runtime, loaded at run time.

mod checksum;
mod elf;
mod library;
mod probe;
mod providers;
#[cfg(feature = "qnn")]
mod qnn;
mod scorer;
mod student;

pub(crate) use self::library::{LoadedLibrary, loaded_library, request_library};
pub use self::probe::{probe_library, set_library_probe};
pub(crate) use self::providers::Provider;
use self::scorer::{OrtScorer, SessionInput, check_starts};
pub(crate) use self::student::student_scores;
use super::scorer_pool::{BatchScorer, ScorerPool};
use crate::model::packed_half;
use crate::{Model, NpuBackend, NpuCapabilities, NpuResult, Precision, SeedFilterBatch};

/// Name of the library's own backend, which runs on the CPU.
pub(crate) const NAME: &str = "ort";

/// Runs a model with one of ONNX Runtime's providers, one session for each concurrent caller, of one thread where it runs on
/// the CPU: callers are the aligner's threads, which divide the seeds between them better than a session can. On other devices
/// as many batches are in flight as there are callers.
pub(crate) struct OrtBackend {
    provider: Provider,
    pool: Pool,
}

enum Pool {
    OneHot(ScorerPool<OrtScorer<f32>>),
    /// Packed windows, expanded on the device.
    Packed(ScorerPool<OrtScorer<u8>>),
}

impl OrtBackend {
    /// Loads the library where this has not happened yet, and the model.
    ///
    /// # Errors
    /// [`BackendNotAvailable`](crate::NpuError::BackendNotAvailable) without the library, the provider or its device;
    /// [`ModelLoadFailed`](crate::NpuError::ModelLoadFailed) if the provider does not run the whole model.
    pub fn new(model: &Model, provider: Provider) -> NpuResult<Self> {
        let library = library_with(provider)?;
        let pool = if provider.takes_packed_windows() && !model.graph().quantized {
            Pool::Packed(pool(library, provider, model, packed_half(model.bytes())?)?)
        } else {
            Pool::OneHot(pool(library, provider, model, model.bytes().to_vec())?)
        };
        Ok(Self { provider, pool })
    }

    /// Why the provider can be used here: the library's path and how it was found.
    ///
    /// # Errors
    /// As [`new`](Self::new), without a model: that the provider runs a network as a whole shows when one is loaded.
    pub fn availability(provider: Provider) -> NpuResult<String> {
        let library = library_with(provider)?;
        Ok(format!("{}, {}", library.path.display(), library.found))
    }

    pub fn static_capabilities(provider: Provider) -> NpuCapabilities {
        let description = provider.description();
        NpuCapabilities {
            name: description.title,
            supports_fp32: true,
            supports_int8: provider.runs_int8(),
            supports_fp16: description.precision == Precision::Fp16,
            precision: description.precision,
            requires_fixed_batch: provider.requires_fixed_batch(),
            max_batch_size: provider.batch_sizes().iter().copied().max().unwrap_or(1),
            estimated_tops: None,
            supports_dynamic_shapes: !provider.requires_fixed_batch(),
        }
    }
}

/// The library of this process, if this provider starts with it.
fn library_with(provider: Provider) -> NpuResult<&'static LoadedLibrary> {
    provider.check_built()?;
    let library = loaded_library()?;
    provider.check(library)?;
    check_starts(library, provider)?;
    Ok(library)
}

/// Scorers of a file that is the model, or was made of it.
fn pool<I: SessionInput>(
    library: &'static LoadedLibrary,
    provider: Provider,
    model: &Model,
    file: Vec<u8>,
) -> NpuResult<ScorerPool<OrtScorer<I>>>
where
    OrtScorer<I>: BatchScorer,
{
    let (source, quantized) = (model.source().to_owned(), model.graph().quantized);
    let pool = ScorerPool::new(provider.name(), provider.batch_sizes(), move || {
        OrtScorer::load(library, provider, &file, &source, quantized)
    })?;
    Ok(pool.with_in_flight(provider.batches_in_flight()))
}

impl NpuBackend for OrtBackend {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn is_available() -> bool {
        loaded_library().is_ok()
    }

    fn capabilities(&self) -> NpuCapabilities {
        Self::static_capabilities(self.provider)
    }

    fn predict_seed_viability(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        match &self.pool {
            Pool::OneHot(pool) => pool.score_batch(batch),
            Pool::Packed(pool) => pool.score_batch(batch),
        }
    }

    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        match &self.pool {
            Pool::OneHot(pool) => pool.score_packed(packed, scores),
            Pool::Packed(pool) => pool.score_packed(packed, scores),
        }
    }

    fn optimal_batch_size(&self) -> usize {
        Self::static_capabilities(self.provider).max_batch_size
    }

    fn supported_batch_sizes(&self) -> &[usize] {
        self.provider.batch_sizes()
    }

    fn warmup(&self) -> NpuResult<()> {
        match &self.pool {
            Pool::OneHot(pool) => pool.warmup(),
            Pool::Packed(pool) => pool.warmup(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NpuError, example_windows};

    /// What GPUs get, on the CPU, which takes it, too.
    #[test]
    fn the_form_for_gpus_scores_as_the_model_that_it_was_made_of() {
        let library = match loaded_library() {
            Ok(library) => library,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{error}");
                eprintln!("SKIPPED the form for GPUs: {error}");
                return;
            }
        };
        let (model, packed) = (Model::embedded(), example_windows(2000, 5));
        let (mut expected, mut given) = (vec![0.0; 2000], vec![0.0; 2000]);
        OrtBackend::new(&model, Provider::Cpu).unwrap().predict_packed(&packed, &mut expected).unwrap();
        let half: ScorerPool<OrtScorer<u8>> =
            pool(library, Provider::Cpu, &model, packed_half(model.bytes()).unwrap()).unwrap();
        half.score_packed(&packed, &mut given).unwrap();
        let differences = expected.iter().zip(&given).map(|(expected, given)| (expected - given).abs());
        let largest = differences.fold(0.0, f32::max);
        assert!(largest > 0.0 && largest <= 2e-3, "{largest}");
        let batch = SeedFilterBatch::from_packed(&packed[..300 * 128]);
        assert_eq!(half.score_batch(&batch).unwrap(), given[..300]);
    }
    const PROVIDERS: [Provider; 6] =
        [Provider::OpenVino, Provider::CoreMl, Provider::Cuda, Provider::TensorRt, Provider::Qnn, Provider::Vitis];

    /// The library, or word of what is skipped.
    fn library(what: &str) -> Option<&'static LoadedLibrary> {
        let library = loaded_library();
        if let Err(error) = &library {
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{error}");
            eprintln!("SKIPPED {what}: {error}");
        }
        library.ok()
    }

    /// On Linux each provider is a file of its own.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_library_has_the_providers_that_lie_beside_it() {
        let Some(library) = library("providers of the library") else { return };
        let folder = library.path.parent().unwrap();
        let beside = |name: &str| folder.join(format!("libonnxruntime_providers_{name}.so")).is_file();
        for provider in PROVIDERS.into_iter().filter(|provider| provider.check_built().is_ok()) {
            let expected = match provider {
                Provider::Vitis => beside("vitisai"),
                Provider::Qnn => folder.ancestors().nth(2).unwrap().join("onnxruntime_qnn").is_dir(),
                _ => beside(provider.name()),
            };
            let found = provider.check(library);
            assert_eq!(found.is_ok(), expected, "{}: {found:?}", provider.name());
            if let Err(error) = found {
                assert!(error.to_string().contains("has no such provider"), "{error}");
            }
        }
    }

    /// What `check` says goes by a name that the library states. Where that were wrong, ONNX Runtime would run on the CPU.
    #[test]
    fn a_provider_that_cannot_be_used_never_becomes_the_cpu() {
        let Some(library) = library("providers that cannot be used") else { return };
        let model = Model::embedded();
        for provider in PROVIDERS.into_iter().filter(|provider| provider.check_built().is_ok()) {
            if library_with(provider).is_ok() {
                eprintln!("SKIPPED {}: it can be used", provider.name());
                continue;
            }
            let error = check_starts(library, provider).err().unwrap_or_else(|| panic!("{} starts", provider.name()));
            assert!(matches!(error, NpuError::BackendNotAvailable { .. }), "{error}");
            assert!(error.to_string().contains(provider.description().install), "{error}");
            let session = OrtScorer::<f32>::load(library, provider, model.bytes(), "some.onnx", false);
            let error = session.err().unwrap_or_else(|| panic!("{} runs on the CPU", provider.name()));
            assert!(matches!(error, NpuError::BackendNotAvailable { .. }), "{error}");
        }
    }
}
