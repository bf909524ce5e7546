//! The run's times and counts as JSON.

use std::io::Write;
use std::time::Duration;

use seedsieve_aligner::{Stage, Statistics};
use seedsieve_formats::OutputFile;
use seedsieve_inference::Model;
use serde_json::json;

/// Which filter was on.
pub struct FilterReport {
    model: String,
    sha256: String,
    backend: String,
    threshold: f32,
}

impl FilterReport {
    pub fn new(model: &Model, backend: &str, threshold: f32) -> Self {
        Self { model: model.metadata().name.clone(), sha256: model.sha256(), backend: backend.into(), threshold }
    }

    /// One line for the log.
    pub fn line(&self) -> String {
        let Self { model, sha256, backend, threshold } = self;
        format!("seed filter: {model} (sha256 {}), threshold {threshold}, backend {backend}", &sha256[..12])
    }

    /// The description in the header's @PG line.
    pub fn header_field(&self) -> String {
        let Self { model, sha256, backend, threshold } = self;
        format!("DS:seed filter {model} sha256={sha256} backend={backend} threshold={threshold}")
    }
}

/// Writes the statistics of a run.
pub fn write(
    mut file: OutputFile,
    statistics: &Statistics,
    threads: usize,
    pairs: u64,
    wall: Duration,
    filter: Option<&FilterReport>,
) -> anyhow::Result<()> {
    let stages: Vec<_> = Stage::ALL
        .iter()
        .map(|&stage| json!({"name": stage.name(), "cpu_seconds": statistics.cpu_time(stage).as_secs_f64()}))
        .collect();
    let filter = filter.map(|report| {
        let mut value = serde_json::to_value(statistics.filter).expect("plain numbers");
        value["model"] = json!(report.model);
        value["sha256"] = json!(report.sha256);
        value["backend"] = json!(report.backend);
        value["threshold"] = json!(report.threshold);
        value
    });
    let report = json!({
        "command": "align",
        "version": env!("CARGO_PKG_VERSION"),
        "reads": statistics.reads,
        "pairs": pairs,
        "threads": threads,
        "wall_seconds": wall.as_secs_f64(),
        "stages": stages,
        "counts": {
            "seeds": statistics.seeds,
            "seeds_kept": statistics.seeds_kept,
            "chains": statistics.chains,
            "extensions": statistics.extensions,
            "regions": statistics.regions,
        },
        "filter": filter,
    });
    writeln!(file, "{report:#}")?;
    Ok(file.finish()?)
}
