//! The run's times and counts as JSON.

use std::io::Write;
use std::time::Duration;

use seedsieve_aligner::{FilterStatistics, Stage, Statistics};
use seedsieve_inference::Model;
use serde_json::json;

use crate::output::OutputFile;

/// Which filter was on.
pub enum FilterReport {
    Cascade,
    Network { model: String, sha256: String, backend: String, threshold: f32 },
}

impl FilterReport {
    pub fn cascade() -> Self {
        Self::Cascade
    }

    pub fn network(model: &Model, backend: &str, threshold: f32) -> Self {
        Self::Network {
            model: model.metadata().name.clone(),
            sha256: model.sha256(),
            backend: backend.into(),
            threshold,
        }
    }

    /// One line for the log.
    pub fn line(&self) -> String {
        match self {
            Self::Cascade => "seed filter: cascade".into(),
            Self::Network { model, sha256, backend, threshold } => {
                format!("seed filter: {model} (sha256 {}), threshold {threshold}, backend {backend}", &sha256[..12])
            }
        }
    }

    /// The description in the header's @PG line.
    pub fn header_field(&self) -> String {
        match self {
            Self::Cascade => "DS:seed filter cascade".into(),
            Self::Network { model, sha256, backend, threshold } => {
                format!("DS:seed filter {model} sha256={sha256} backend={backend} threshold={threshold}")
            }
        }
    }

    fn json(&self, counts: &FilterStatistics) -> serde_json::Value {
        let mut value = serde_json::to_value(counts).expect("plain numbers");
        match self {
            Self::Cascade => value["mode"] = json!("cascade"),
            Self::Network { model, sha256, backend, threshold } => {
                value["mode"] = json!("cnn");
                value["model"] = json!(model);
                value["sha256"] = json!(sha256);
                value["backend"] = json!(backend);
                value["threshold"] = json!(threshold);
            }
        }
        value
    }
}

/// Writes the statistics of a run.
pub fn write(
    mut file: OutputFile,
    statistics: &Statistics,
    threads: usize,
    paired: bool,
    wall: Duration,
    filter: Option<&FilterReport>,
) -> anyhow::Result<()> {
    let stages: Vec<_> = Stage::ALL
        .iter()
        .map(|&stage| json!({"name": stage.name(), "cpu_seconds": statistics.cpu_time(stage).as_secs_f64()}))
        .collect();
    let filter = filter.map(|report| report.json(&statistics.filter));
    let report = json!({
        "command": "align",
        "version": env!("CARGO_PKG_VERSION"),
        "reads": statistics.reads,
        "pairs": if paired { statistics.reads / 2 } else { 0 },
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
    file.finish()
}
