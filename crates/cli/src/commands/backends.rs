//! `seedsieve backends`

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use seedsieve_inference::{
    BackendStatus, Model, NpuBackend, detect_npu_backend, example_windows, list_available_backends, set_ort_library,
};
use serde::Serialize;

/// Arguments of `seedsieve backends`.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Load the model into each backend and measure its speed on one thread.
    #[arg(long)]
    bench: bool,
    /// Model to measure with; the embedded one where not given.
    #[arg(long, value_name = "FILE", requires = "bench")]
    model: Option<PathBuf>,
    /// ONNX Runtime library to load; looked for where not given.
    #[arg(long, value_name = "FILE")]
    ort_library: Option<PathBuf>,
}

/// Seeds a call, as the speeds are stated.
const SEEDS: usize = 512;
/// Batches of different windows, so that no call repeats the one before.
const BATCHES: usize = 8;
const MEASURED_TIME: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    backends: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    status: BackendStatus,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    speed: Option<Speed>,
}

#[derive(Serialize)]
struct Speed {
    /// Median of the calls of [`SEEDS`] seeds, in milliseconds.
    ms_per_512: f64,
    seeds_per_s: f64,
}

/// Lists the backends.
pub fn run(args: Args) -> anyhow::Result<()> {
    if let Some(path) = &args.ort_library {
        set_ort_library(path)?;
    }
    let model = match &args.model {
        _ if !args.bench => None,
        Some(path) => Some(Model::read(path)?),
        None => Some(Model::embedded()),
    };
    let backends = list_available_backends()
        .into_iter()
        .map(|status| measured(status, model.as_ref()))
        .collect::<Result<_, _>>()?;
    let report = Report { model: model.map(|model| model.source().to_owned()), backends };
    let mut output = std::io::stdout().lock();
    if args.json {
        return Ok(writeln!(output, "{}", serde_json::to_string_pretty(&report)?)?);
    }
    print_table(&mut output, &report).context("cannot write the list")
}

fn measured(mut status: BackendStatus, model: Option<&Model>) -> anyhow::Result<Entry> {
    let (Some(model), true) = (model, status.available) else { return Ok(Entry { status, speed: None }) };
    match detect_npu_backend(model, status.name.parse()?) {
        Ok(backend) => Ok(Entry { status, speed: Some(measure(&*backend)?) }),
        Err(error) => {
            status.available = false;
            status.why = error.to_string();
            Ok(Entry { status, speed: None })
        }
    }
}

fn measure(backend: &dyn NpuBackend) -> anyhow::Result<Speed> {
    let windows = example_windows(SEEDS * BATCHES, 1);
    let batch_bytes = windows.len() / BATCHES;
    let mut scores = vec![0.0; SEEDS];
    let mut call_seconds = Vec::new();
    let start = Instant::now();
    while start.elapsed() < MEASURED_TIME || call_seconds.len() < BATCHES {
        for batch in windows.chunks(batch_bytes) {
            let call = Instant::now();
            backend.predict_packed(batch, &mut scores)?;
            call_seconds.push(call.elapsed().as_secs_f64());
        }
    }
    call_seconds.sort_by(f64::total_cmp);
    let median = call_seconds[call_seconds.len() / 2];
    Ok(Speed { ms_per_512: median * 1e3, seeds_per_s: SEEDS as f64 / median })
}

fn print_table(output: &mut impl Write, report: &Report) -> std::io::Result<()> {
    if let Some(model) = &report.model {
        writeln!(output, "model: {model}; speed on one thread, median of calls of {SEEDS} seeds")?;
    }
    for Entry { status, speed } in &report.backends {
        let available = if status.available { "available" } else { "not available" };
        writeln!(output, "{:<6} {available}: {}", status.name, status.why)?;
        if let Some(capabilities) = &status.capabilities {
            let int8 = if capabilities.supports_int8 { "fp32 and INT8 models" } else { "fp32 models" };
            let batch = capabilities.max_batch_size;
            writeln!(output, "       {}, {int8}, {batch} seeds at once", capabilities.name)?;
        }
        if let Some(speed) = speed {
            let (ms, rate) = (speed.ms_per_512, speed.seeds_per_s);
            writeln!(output, "       {ms:.2} ms per {SEEDS} seeds, {rate:.0} seeds/s")?;
        }
    }
    Ok(())
}
