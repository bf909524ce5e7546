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
use self::scorer::{OrtScorer, SessionInput};
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
        provider.check_built()?;
        let library = loaded_library()?;
        provider.check(library)?;
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
    /// As [`new`](Self::new), without a model: that the device is there shows when one is loaded.
    pub fn availability(provider: Provider) -> NpuResult<String> {
        provider.check_built()?;
        let library = loaded_library()?;
        provider.check(library)?;
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
            estimated_tops: 0.0,
            supports_dynamic_shapes: !provider.requires_fixed_batch(),
        }
    }
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
    ScorerPool::new(provider.name(), provider.batch_sizes(), move || {
        OrtScorer::load(library, provider, &file, &source, quantized)
    })
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
    use crate::example_windows;

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
}
