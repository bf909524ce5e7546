use std::sync::Arc;

use seedsieve_filter::{Bands, SeedScorer};
use seedsieve_inference::{NpuBackend, SeedFilterConfig};

use crate::GateChoice;

/// Where Smith-Waterman runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ComputeBackend {
    /// The widest vector unit of the CPU, found at run time.
    #[default]
    CpuSimd,
}

/// How seeds are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilterMode {
    /// Integer arithmetic on whole diagonals and the competition of a read's seeds; networks for seeds in doubt, where the bands
    /// have them.
    #[default]
    Cascade,
    /// Proofs only: Smith-Waterman is left out where its result is known. The output is bwa-mem2's.
    Exact,
    /// Every seed that the guard rails do not keep goes through the network.
    Network,
}

/// What a run computes with: the alignment backend, and the seed filter where there is one.
///
/// The names are those of the original brief. `gpu_batch_threshold` is absent: no stage of ours runs on a GPU but the
/// network, and that is the `npu_backend`'s own affair.
#[derive(Clone)]
pub struct ComputeContext {
    /// Backend of the extension stage.
    pub backend: ComputeBackend,
    /// Backend of the seed filter's network; the cascade asks it about seeds in doubt, where its bands say so.
    pub npu_backend: Option<Arc<dyn NpuBackend>>,
    /// The same network in exact arithmetic, which decides for the cascade where rounding could.
    pub npu_referee: Option<Arc<dyn NpuBackend>>,
    /// Threshold, batch size and window of the filter.
    pub seed_filter_config: SeedFilterConfig,
    /// Whether seeds are filtered at all. Off, the output is bwa-mem2's.
    pub npu_filter_enabled: bool,
    /// How they are.
    pub filter_mode: FilterMode,
    /// The bands of the cascade.
    pub bands: Bands,
    /// The student network that the cascade asks about seeds in doubt, where its bands say so.
    pub student: Option<Arc<dyn SeedScorer>>,
    /// At which of its gates the filter decides.
    pub gates: GateChoice,
}

impl Default for ComputeContext {
    /// No filter; the bands that are built in, were it turned on.
    fn default() -> Self {
        Self {
            backend: ComputeBackend::default(),
            npu_backend: None,
            npu_referee: None,
            seed_filter_config: SeedFilterConfig::default(),
            npu_filter_enabled: false,
            filter_mode: FilterMode::default(),
            bands: Bands::built_in(),
            student: None,
            gates: GateChoice::default(),
        }
    }
}

impl ComputeContext {
    /// A context without a filter.
    pub fn unfiltered() -> Self {
        Self::default()
    }

    /// A context that filters seeds by the cascade as `seedsieve align --filter cascade` does: with the bands and the student
    /// network that are built in. Without the feature `native` no student is asked, and the cascade ends with its first tier.
    pub fn cascade() -> Self {
        Self { npu_filter_enabled: true, student: built_in_student(), ..Self::default() }
    }

    /// A context in which only what is proven is left out.
    pub fn exact() -> Self {
        Self { filter_mode: FilterMode::Exact, npu_filter_enabled: true, ..Self::default() }
    }

    /// A context that sends every seed through the network of `backend`.
    pub fn filtered(backend: Arc<dyn NpuBackend>, config: SeedFilterConfig) -> Self {
        Self {
            npu_backend: Some(backend),
            seed_filter_config: config,
            npu_filter_enabled: true,
            filter_mode: FilterMode::Network,
            ..Self::default()
        }
    }
}

#[cfg(feature = "native")]
fn built_in_student() -> Option<Arc<dyn SeedScorer>> {
    Some(Arc::new(seedsieve_filter::NativeStudent::built_in()))
}

#[cfg(not(feature = "native"))]
fn built_in_student() -> Option<Arc<dyn SeedScorer>> {
    None
}
