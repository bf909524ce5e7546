//! `seedsieve backends`

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use seedsieve_inference::{
    BackendStatus, Model, NpuBackend, SeedFilterConfig, detect_npu_backend, detect_npu_backend_for_reference_model,
    example_windows, list_available_backends, set_ort_library,
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
    /// Model to measure with; where not given, the embedded one in the form that `align` gives to each backend.
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
    /// Where the model that was measured with comes from.
    model: String,
    /// Median of the calls of [`SEEDS`] seeds, in milliseconds.
    ms_per_512: f64,
    seeds_per_s: f64,
}

/// Lists the backends.
pub fn run(args: Args) -> anyhow::Result<()> {
    if let Some(path) = &args.ort_library {
        set_ort_library(path)?;
    }
    let model = args.model.as_deref().map(Model::read).transpose()?;
    let entry = |status| match args.bench {
        true => measured(status, model.as_ref()),
        false => Ok(Entry { status, speed: None }),
    };
    let backends = list_available_backends().into_iter().map(entry).collect::<Result<_, _>>()?;
    let report = Report { backends };
    let mut output = std::io::stdout().lock();
    if args.json {
        return Ok(writeln!(output, "{}", serde_json::to_string_pretty(&report)?)?);
    }
    print_table(&mut output, &report).context("cannot write the list")
}

fn measured(mut status: BackendStatus, model: Option<&Model>) -> anyhow::Result<Entry> {
    if !status.available {
        return Ok(Entry { status, speed: None });
    }
    let choice = status.name.parse()?;
    let loaded = match model {
        Some(model) => detect_npu_backend(model, choice).map(|backend| (model.clone(), backend)),
        None => detect_npu_backend_for_reference_model(choice, SeedFilterConfig::default().prefer_quantized),
    };
    match loaded {
        Ok((model, backend)) => Ok(Entry { status, speed: Some(measure(&model, &*backend)?) }),
        Err(error) => {
            status.available = false;
            status.why = error.to_string();
            Ok(Entry { status, speed: None })
        }
    }
}

fn measure(model: &Model, backend: &dyn NpuBackend) -> anyhow::Result<Speed> {
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
    let model = model.source().to_owned();
    Ok(Speed { model, ms_per_512: median * 1e3, seeds_per_s: SEEDS as f64 / median })
}

fn print_table(output: &mut impl Write, report: &Report) -> std::io::Result<()> {
    for Entry { status, speed } in &report.backends {
        let available = if status.available { "available" } else { "not available" };
        writeln!(output, "{:<11} {available}: {}", status.name, status.why)?;
        if let Some(capabilities) = &status.capabilities {
            let forms = [("fp32", capabilities.supports_fp32), ("INT8", capabilities.supports_int8)];
            let forms: Vec<&str> = forms.iter().filter(|(_, runs)| *runs).map(|(form, _)| *form).collect();
            let tops = capabilities.estimated_tops;
            let tops = tops.map_or_else(String::new, |tops| format!(", {tops:.2} TOPS a thread"));
            writeln!(output, "            {}, {} models{tops}", capabilities.name, forms.join(" and "))?;
        }
        if let Some(speed) = speed {
            let Speed { model, ms_per_512, seeds_per_s } = speed;
            writeln!(
                output,
                "            {ms_per_512:.2} ms per {SEEDS} seeds, {seeds_per_s:.0} seeds/s: one thread, {model}"
            )?;
        }
    }
    Ok(())
}
