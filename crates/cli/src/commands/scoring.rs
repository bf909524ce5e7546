//! What `score` and `evaluate` share: a model on a backend, and what it calls viable.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use seedsieve_dataset::{Dataset, LabelPolicy};
use seedsieve_inference::{BackendChoice, Model, ModelMetadata, NpuBackend, detect_npu_backend, set_ort_library};

/// Where models run.
#[derive(clap::Args)]
pub struct BackendArgs {
    /// Inference backend: auto, native, ort, tract.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    npu_backend: BackendChoice,
    /// ONNX Runtime library to load [default: looked for in the places that `seedsieve backends` tells].
    #[arg(long, value_name = "FILE")]
    ort_library: Option<PathBuf>,
    /// Threads [default: all that the machine has].
    #[arg(short = 't', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl BackendArgs {
    /// Reads a model and loads it.
    pub fn load(&self, path: &Path) -> anyhow::Result<LoadedModel> {
        let model = Model::read(path)?;
        let backend = detect_npu_backend(&model, self.npu_backend)?;
        Ok(LoadedModel { metadata: model.metadata().clone(), quantized: model.graph().quantized, backend })
    }

    /// A pool of the threads that were asked for; takes note of the library that was. Before the first model is loaded.
    pub fn set_up(&self) -> anyhow::Result<rayon::ThreadPool> {
        if let Some(path) = &self.ort_library {
            set_ort_library(path)?;
        }
        let threads = self.threads.map_or(0, usize::from);
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")
    }
}

/// A model, ready to score.
pub struct LoadedModel {
    pub metadata: ModelMetadata,
    pub quantized: bool,
    pub backend: Arc<dyn NpuBackend>,
}

impl LoadedModel {
    /// Its name; with the form, as INT8 and floating-point models bear the same.
    pub fn name(&self) -> String {
        format!("{}{}", self.metadata.name, if self.quantized { " INT8" } else { "" })
    }

    /// The label policy that it was trained on.
    pub fn policy(&self) -> anyhow::Result<LabelPolicy> {
        self.metadata.label_policy.parse().map_err(|problem| {
            anyhow::anyhow!("the model {} was trained on {problem}; name one with --policy", self.metadata.name)
        })
    }

    /// That its labels rest on the same reporting threshold as the data set's.
    pub fn check(&self, path: &Path, dataset: &Dataset) -> anyhow::Result<()> {
        let (asked, there) = (self.metadata.label_threshold, dataset.manifest().reporting_threshold);
        ensure!(
            asked == there,
            "{}: its seeds were labelled with -T {there}, the model {} was trained for -T {asked}; extract the seeds again \
             with -T {asked}, or take a model that was trained for {there}",
            path.display(),
            self.metadata.name
        );
        Ok(())
    }
}
