use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::CompareError;

/// Statistics of one run of `seedsieve align --stats`, as far as a report shows them; other keys are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct RunStatistics {
    /// Threads of the run.
    #[serde(default)]
    pub threads: Option<u64>,
    /// Elapsed time.
    pub wall_seconds: f64,
    /// CPU time of each stage, in the order of the pipeline.
    pub stages: Vec<Stage>,
    /// How much of everything there was: seeds, chains, extensions and so on.
    #[serde(default)]
    pub counts: BTreeMap<String, serde_json::Value>,
    /// The filter, where one was on.
    #[serde(default)]
    pub filter: Option<FilterStatistics>,
}

/// CPU time of one stage.
#[derive(Clone, Debug, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Seconds over all threads.
    pub cpu_seconds: f64,
}

/// What the filter did.
#[derive(Clone, Debug, Deserialize)]
pub struct FilterStatistics {
    /// Name of the model.
    #[serde(default)]
    pub model: Option<String>,
    /// Backend that ran it.
    #[serde(default)]
    pub backend: Option<String>,
    /// Score below which a seed is dropped.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// Seeds that reached the filter.
    pub seeds_in: u64,
    /// Seeds that it dropped.
    pub dropped: u64,
    /// Seeds below the threshold that the guard rails kept.
    #[serde(default)]
    pub kept_by_guard_rails: Option<u64>,
    /// Seeds of chains that were not extended: their ungapped alignment stands in.
    #[serde(default)]
    pub stand_ins: u64,
    /// Seeds of chains whose extension was proven without Smith-Waterman.
    #[serde(default)]
    pub proven: u64,
    /// Seeds that the model scored.
    #[serde(default)]
    pub scored: Option<u64>,
    /// Its other entries: the reasons of decisions, the gates, the loss that is promised.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

impl FilterStatistics {
    /// Seeds by what became of them and why, as far as there are any: the reason, and how many.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        let counts = self.other.iter().filter(|(name, _)| name.starts_with("kept_") || name.starts_with("asked_"));
        let found = counts.filter_map(|(name, count)| Some((name.replace('_', " "), count.as_u64()?)));
        found.filter(|(_, count)| *count > 0)
    }

    /// CPU seconds of the tiers of the cascade, in their order, as far as they took any: name and seconds.
    pub(crate) fn tiers(&self) -> Vec<(&str, f64)> {
        let tiers = self.other.get("tiers").and_then(|tiers| tiers.as_array()).map_or(&[][..], Vec::as_slice);
        tiers
            .iter()
            .filter_map(|tier| Some((tier.get("name")?.as_str()?, tier.get("cpu_seconds")?.as_f64()?)))
            .filter(|(_, seconds)| *seconds > 0.0)
            .collect()
    }

    /// The largest share of reads that may be changed, and the confidence of that, where the filter promises one.
    pub(crate) fn promised_loss(&self) -> Option<(f64, f64)> {
        let loss = self.other.get("loss")?.get("by_rule")?;
        Some((loss.get("changed_reads_at_most")?.as_f64()?, loss.get("confidence")?.as_f64()?))
    }
}

impl RunStatistics {
    /// Reads the JSON that `seedsieve align --stats FILE` wrote.
    ///
    /// # Errors
    /// [`CompareError::Read`] and [`CompareError::Json`].
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        read_json(path, "the statistics of a run (seedsieve align --stats FILE)")
    }

    /// CPU seconds of all stages.
    pub fn cpu_seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.cpu_seconds).sum()
    }

    /// CPU seconds of the stage of this name; 0 where there is none.
    pub(crate) fn stage_seconds(&self, name: &str) -> f64 {
        self.stages.iter().filter(|stage| stage.name == name).map(|stage| stage.cpu_seconds).sum()
    }

    /// A count, where there is one and it is a whole number.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.counts.get(name)?.as_u64()
    }
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(
    path: &Path,
    expected: &'static str,
) -> Result<T, CompareError> {
    let text = std::fs::read(path).map_err(|source| CompareError::Read { path: path.to_owned(), record: 0, source })?;
    serde_json::from_slice(&text).map_err(|source| CompareError::Json { path: path.to_owned(), expected, source })
}
