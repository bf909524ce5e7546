//! The run's times and counts as JSON.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use seedsieve_aligner::{Gate, Stage, Statistics};
use seedsieve_formats::OutputFile;
use seedsieve_inference::Model;
use serde_json::json;

use crate::commands::cascade_network::CascadeNetwork;

/// The tiers of the cascade, in their order.
const TIERS: [&str; 3] = ["integers", "student", "network"];

/// Which filter was on.
pub enum FilterReport {
    Exact,
    Cascade { loss: Option<seedsieve_filter::Loss>, network: Option<ThirdTier> },
    Network { model: String, sha256: String, backend: String, threshold: f32, loss: Option<Loss> },
}

/// The network that the cascade asks.
pub struct ThirdTier {
    model: String,
    sha256: String,
    backend: String,
    has_referee: bool,
}

/// What a model promises at the threshold in force: the part of viable seeds lost, at most, with this confidence, on data
/// like those that its threshold was chosen on.
pub struct Loss {
    miss_rate: f32,
    confidence: f32,
    label_policy: String,
}

impl FilterReport {
    /// `loss` is what the bands were learned for, if they were.
    pub fn cascade(loss: Option<seedsieve_filter::Loss>, network: Option<&CascadeNetwork>) -> Self {
        let network = network.map(|network| ThirdTier {
            model: network.model.metadata().name.clone(),
            sha256: network.model.sha256(),
            backend: network.backend.name().into(),
            has_referee: network.referee.is_some(),
        });
        Self::Cascade { loss, network }
    }

    pub fn network(model: &Model, backend: &str, threshold: f32) -> Self {
        let metadata = model.metadata();
        // A threshold of the user's own comes with no promise; a lower one keeps the model's.
        let promised = metadata.miss_rate.zip(metadata.confidence).filter(|_| threshold <= metadata.threshold);
        let loss = promised.map(|(miss_rate, confidence)| Loss {
            miss_rate,
            confidence,
            label_policy: metadata.label_policy.clone(),
        });
        Self::Network { loss, model: metadata.name.clone(), sha256: model.sha256(), backend: backend.into(), threshold }
    }

    /// One line for the log.
    pub fn line(&self) -> String {
        match self {
            Self::Exact => "seed filter: exact".into(),
            Self::Cascade { network: None, .. } => "seed filter: cascade".into(),
            Self::Cascade { network: Some(ThirdTier { model, sha256, backend, .. }), .. } => {
                format!("seed filter: cascade, third tier {model} (sha256 {}), backend {backend}", &sha256[..12])
            }
            Self::Network { model, sha256, backend, threshold, .. } => {
                format!("seed filter: {model} (sha256 {}), threshold {threshold}, backend {backend}", &sha256[..12])
            }
        }
    }

    /// The description in the header's @PG line.
    pub fn header_field(&self) -> String {
        match self {
            Self::Exact => "DS:seed filter exact".into(),
            Self::Cascade { network: None, .. } => "DS:seed filter cascade".into(),
            Self::Cascade { network: Some(ThirdTier { model, sha256, .. }), .. } => {
                format!("DS:seed filter cascade with {model} sha256={sha256}")
            }
            Self::Network { model, sha256, backend, threshold, .. } => {
                format!("DS:seed filter {model} sha256={sha256} backend={backend} threshold={threshold}")
            }
        }
    }

    /// What the filter did, with the time of each gate. `loss` says what is known of what it costs in records.
    fn json(&self, statistics: &Statistics) -> serde_json::Value {
        let counts = &statistics.filter;
        let mut value = serde_json::to_value(counts).expect("plain numbers");
        let gates = Gate::ALL.map(|gate| {
            let seconds = statistics.gate_time(gate).as_secs_f64();
            json!({"name": gate.name(), "cpu_seconds": seconds})
        });
        value["gates"] = json!(gates);
        value["decisions"] = json!({"proven": counts.decisions_proven(), "by_rule": counts.decisions_by_rule()});
        // Bands set by hand promise nothing.
        value["loss"] = json!({"proven": 0, "by_rule": null});
        match self {
            Self::Exact => {
                // No gate sees the seeds; all of them pass.
                value["mode"] = json!("exact");
                value["seeds_in"] = json!(statistics.seeds);
            }
            Self::Cascade { loss, network } => {
                value["mode"] = json!("cascade");
                let tiers = TIERS.iter().zip(statistics.tier_times()).zip(1..);
                let tier = |((name, time), tier): ((&&str, Duration), u8)| json!({"tier": tier, "name": name, "cpu_seconds": time.as_secs_f64()});
                value["tiers"] = tiers.map(tier).collect();
                if let Some(ThirdTier { model, sha256, backend, has_referee }) = network {
                    value["model"] = json!(model);
                    value["sha256"] = json!(sha256);
                    value["backend"] = json!(backend);
                    value["same_on_every_backend"] = json!(has_referee);
                }
                if let Some(loss) = loss {
                    value["loss"]["by_rule"] = json!({
                        "changed_reads_at_most": loss.stated,
                        "confidence": loss.confidence,
                        "measured": loss.measured,
                        "measured_upper_bound": loss.measured_upper_bound,
                        "reads": loss.reads,
                        "changed": "AS reaches -T without a filter; gone, or at another place or strand, with it",
                    });
                }
            }
            Self::Network { model, sha256, backend, threshold, loss } => {
                if let Some(Loss { miss_rate, confidence, label_policy }) = loss {
                    value["loss"]["by_rule"] = json!({
                        "viable_seeds_at_most": decimal(*miss_rate),
                        "confidence": decimal(*confidence),
                        "viable": label_policy,
                    });
                }
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

/// The number as it was written: 0.001 instead of 0.0010000000474974513.
fn decimal(number: f32) -> f64 {
    number.to_string().parse().expect("a number")
}

/// The run that statistics are of.
pub struct Run {
    /// What the run is called beside others: the sample of the read group, else the reads' file.
    pub sample: String,
    pub threads: usize,
    pub pairs: u64,
    pub wall: Duration,
}

impl Run {
    /// The name of a run with this `@RG` line and this file of reads.
    pub fn sample(read_group: Option<&str>, reads: &Path) -> String {
        let of_group = read_group.and_then(|line| {
            line.split("\\t").flat_map(|field| field.split('\t')).find_map(|field| field.strip_prefix("SM:"))
        });
        let of_file =
            || reads.file_name().map(|name| name.to_string_lossy().split('.').next().unwrap_or_default().to_owned());
        of_group.map(str::to_owned).or_else(of_file).unwrap_or_default()
    }
}

/// Writes what the filter did, alone: the object that [`write()`] has under `filter`. Where it was off, `mode` says so.
pub fn write_filter(
    mut file: OutputFile,
    statistics: &Statistics,
    filter: Option<&FilterReport>,
) -> anyhow::Result<()> {
    let report = filter.map_or_else(|| json!({"mode": "off"}), |filter| filter.json(statistics));
    writeln!(file, "{report:#}")?;
    Ok(file.finish()?)
}

/// Writes the statistics of a run. Beside what scripts read, the object has the keys of MultiQC's custom content, so that
/// MultiQC shows a file whose name ends with `_mqc.json` as a table, and several of them as one.
pub fn write(
    mut file: OutputFile,
    statistics: &Statistics,
    run: &Run,
    filter: Option<&FilterReport>,
) -> anyhow::Result<()> {
    let Run { sample, threads, pairs, wall } = run;
    let mut row = serde_json::Map::new();
    let mut column = |name: &str, value: serde_json::Value| row.insert(name.to_owned(), value);
    column("reads", json!(statistics.reads));
    column("wall_seconds", json!(wall.as_secs_f64()));
    for stage in Stage::ALL {
        column(&format!("{}_cpu_seconds", stage.name()), json!(statistics.cpu_time(stage).as_secs_f64()));
    }
    column("reads_capped", json!(statistics.reads_capped));
    column("seeds", json!(statistics.seeds));
    column("seeds_kept", json!(statistics.seeds_kept));
    column("extensions", json!(statistics.extensions));
    if let Some(FilterReport::Cascade { .. }) = filter {
        for (name, time) in TIERS.iter().zip(statistics.tier_times()) {
            column(&format!("tier_{name}_cpu_seconds"), json!(time.as_secs_f64()));
        }
    }
    if filter.is_some() {
        for gate in Gate::ALL {
            column(&format!("gate_{}_cpu_seconds", gate.name()), json!(statistics.gate_time(gate).as_secs_f64()));
        }
        column("filter_proven", json!(statistics.filter.decisions_proven()));
        column("filter_by_rule", json!(statistics.filter.decisions_by_rule()));
        column("stand_ins", json!(statistics.filter.stand_ins));
        column("asked_of_student", json!(statistics.filter.asked_of_student));
        column("kept_by_student", json!(statistics.filter.kept_by_student));
        column("asked_of_network", json!(statistics.filter.asked_of_network));
        column("kept_by_network", json!(statistics.filter.kept_by_network));
    }
    let stages: Vec<_> = Stage::ALL
        .iter()
        .map(|&stage| json!({"name": stage.name(), "cpu_seconds": statistics.cpu_time(stage).as_secs_f64()}))
        .collect();
    let filter = filter.map(|report| report.json(statistics));
    let report = json!({
        "id": "seedsieve_align",
        "section_name": "seedsieve align",
        "description": "reads, and what each stage of their alignment did and cost (CPU seconds, all threads)",
        "plot_type": "table",
        "pconfig": {"id": "seedsieve_align_table", "title": "seedsieve align"},
        "data": {sample.as_str(): row},
        "command": "align",
        "version": env!("CARGO_PKG_VERSION"),
        "reads": statistics.reads,
        "pairs": pairs,
        "threads": threads,
        "wall_seconds": wall.as_secs_f64(),
        "stages": stages,
        "counts": {
            "reads_capped": statistics.reads_capped,
            "reads_repeated": statistics.reads_repeated,
            "seeds": statistics.seeds,
            "seeds_kept": statistics.seeds_kept,
            "chains": statistics.chains,
            "extensions": statistics.extensions,
            "proven_extensions": statistics.proven_extensions,
            "regions": statistics.regions,
        },
        "filter": filter,
    });
    writeln!(file, "{report:#}")?;
    Ok(file.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_named_by_its_sample_or_its_file() {
        let reads = Path::new("folder/run7.R1.fastq.gz");
        assert_eq!(Run::sample(Some("@RG\\tID:1\\tSM:NA12878"), reads), "NA12878");
        assert_eq!(Run::sample(Some("@RG\tID:1\tSM:NA 1"), reads), "NA 1");
        assert_eq!(Run::sample(None, reads), "run7");
    }
}
