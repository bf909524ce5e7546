//! `seedsieve model`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{
    Model, ModelGraph, ModelMetadata, detect_npu_backend, example_windows, list_available_backends, set_ort_library,
};
use serde::Serialize;

/// Arguments of `seedsieve model`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print what a model file says about itself, as JSON.
    Inspect {
        /// Model file (ONNX).
        file: PathBuf,
    },
    /// Load a model into every backend and compare their scores; exit code 1 if they differ.
    Verify(VerifyArgs),
    /// Learn the bands of the cascade (`align --filter cascade`) from reads, with a stated loss.
    Bands(super::bands::Args),
    /// Check a model file, give it a checksum of its content, and put it into a folder under its name.
    Install(InstallArgs),
}

#[derive(clap::Args)]
struct InstallArgs {
    /// Model file (ONNX).
    file: PathBuf,
    /// Folder to put it into.
    folder: PathBuf,
}

#[derive(clap::Args)]
struct VerifyArgs {
    /// Model file (ONNX).
    file: PathBuf,
    /// Packed windows to score, 128 bytes a seed; made-up ones where not given.
    #[arg(long, value_name = "FILE.bin")]
    windows: Option<PathBuf>,
    /// PyTorch's scores of these windows, one little-endian 32-bit float a seed.
    #[arg(long, value_name = "FILE.f32", requires = "windows")]
    scores: Option<PathBuf>,
    /// ONNX Runtime library to load; looked for where not given.
    #[arg(long, value_name = "FILE")]
    ort_library: Option<PathBuf>,
}

/// Made-up seeds to compare on where no windows are given.
const EXAMPLE_SEEDS: usize = 10_000;
/// Rounding of 32-bit sums in another order.
const ALLOWED_FP32: f32 = 1e-5;
/// INT8: values that lie between two integers, and quantization itself where PyTorch's fp32 scores are compared with.
const ALLOWED_INT8: f32 = 0.05;

/// Largest part of the decisions at the model's threshold that may differ.
const ALLOWED_PART: f64 = 1e-3;

/// Looks into a model file or checks it.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Inspect { file } => inspect(&file),
        Command::Verify(args) => verify(&args),
        Command::Install(args) => install(&args),
        Command::Bands(args) => super::bands::run(&args),
    }
}

#[derive(Serialize)]
struct Description<'a> {
    file: &'a str,
    bytes: usize,
    sha256: String,
    /// It carries a checksum of its content, which is right.
    checksum: bool,
    metadata: &'a ModelMetadata,
    network: &'a ModelGraph,
}

fn inspect(file: &Path) -> anyhow::Result<()> {
    let model = Model::read(file)?;
    let description = Description {
        file: model.source(),
        bytes: model.bytes().len(),
        sha256: model.sha256(),
        checksum: model.has_checksum(),
        metadata: model.metadata(),
        network: model.graph(),
    };
    let mut output = std::io::stdout().lock();
    Ok(writeln!(output, "{}", serde_json::to_string_pretty(&description)?)?)
}

/// A model that no backend runs is not installed.
fn install(args: &InstallArgs) -> anyhow::Result<()> {
    let model = Model::read(&args.file)?;
    let backend = detect_npu_backend(&model, seedsieve_inference::BackendChoice::Auto)?;
    ensure!(args.folder.is_dir(), "{} is no folder; make it first", args.folder.display());
    let name = &model.metadata().name;
    ensure!(
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            && !name.starts_with('.'),
        "{}: its name `{name}` cannot be a file's; letters, digits, `_`, `-` and `.` can",
        model.source()
    );
    let form = if model.graph().quantized { "_int8" } else { "" };
    let path = args.folder.join(format!("{name}{form}.onnx"));
    // The file gets its name when it is whole.
    let part = path.with_extension("onnx.part");
    let written = std::fs::write(&part, model.sealed()).and_then(|()| std::fs::rename(&part, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written.with_context(|| format!("cannot write {}", path.display()))?;
    let installed = Model::read(&path)?;
    let mut output = std::io::stdout().lock();
    Ok(writeln!(output, "{}: runs on {}, SHA-256 {}", path.display(), backend.name(), installed.sha256())?)
}

/// Where scores that are given come from.
const PYTORCH: &str = "PyTorch";

/// Scores of the same windows from one source.
struct Scores {
    source: &'static str,
    values: Vec<f32>,
}

fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.ort_library {
        set_ort_library(path)?;
    }
    let model = Model::read(&args.file)?;
    let quantized = model.graph().quantized;
    let allowed = if quantized { ALLOWED_INT8 } else { ALLOWED_FP32 };
    let limits = Limits { difference: allowed, threshold: model.metadata().threshold };
    let windows = match &args.windows {
        Some(path) => read_windows(path)?,
        None => example_windows(EXAMPLE_SEEDS, 1),
    };
    let seeds = windows.len() / PACKED_SEED_BYTES;
    let mut all = Vec::new();
    if let Some(path) = &args.scores {
        all.push(Scores { source: PYTORCH, values: read_scores(path, seeds)? });
    }
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}: {seeds} seeds, differences up to {allowed:e} allowed", model.source())?;
    let mut backends = 0;
    for status in list_available_backends() {
        if !status.available {
            writeln!(output, "{:<8} not available: {}", status.name, status.why)?;
            continue;
        }
        let (runs, other) = match &status.capabilities {
            Some(capabilities) if quantized => (capabilities.supports_int8, "floating-point"),
            Some(capabilities) => (capabilities.supports_fp32, "INT8"),
            None => (true, ""),
        };
        if !runs {
            writeln!(output, "{:<8} does not run it: it takes {other} models only", status.name)?;
            continue;
        }
        let backend = detect_npu_backend(&model, status.name.parse()?)?;
        let mut values = vec![0.0; seeds];
        backend.predict_packed(&windows, &mut values)?;
        backends += 1;
        all.push(Scores { source: status.name, values });
    }
    ensure!(backends > 0, "no backend is available here, so nothing was verified");
    report(&mut output, &all, &limits)
}

/// How far the scores of a model may differ.
struct Limits {
    difference: f32,
    /// Score at which the model decides.
    threshold: f32,
}

/// Prints the largest difference of each pair and the decisions that differ; an error if more than is allowed.
fn report(output: &mut impl Write, all: &[Scores], limits: &Limits) -> anyhow::Result<()> {
    let Limits { difference: allowed, threshold, .. } = *limits;
    let mut refused = Vec::new();
    for (number, right) in all.iter().enumerate() {
        for left in &all[..number] {
            let names = format!("{:<8} - {}", right.source, left.source);
            let (seed, difference) = largest_difference(&left.values, &right.values);
            let count = |differs: fn(f32, f32, f32) -> bool, limit| {
                left.values.iter().zip(&right.values).filter(|(left, right)| differs(**left, **right, limit)).count()
            };
            let beyond = count(|left, right, allowed| (left - right).abs() > allowed, allowed);
            let changed = count(|left, right, threshold| (left < threshold) != (right < threshold), threshold);
            writeln!(
                output,
                "{names}: largest difference {difference:.2e} (seed {seed}), {beyond} above {allowed:e}; {changed} decisions \
                 at {threshold} differ"
            )?;
            let part = ALLOWED_PART * right.values.len() as f64;
            if beyond > 0 || difference.is_infinite() {
                refused.push(format!("{} and {} by {difference:.2e} at seed {seed}", right.source, left.source));
            }
            if changed as f64 > part {
                refused.push(format!("{} and {} in {changed} decisions at {threshold}", right.source, left.source));
            }
        }
        let above = right.values.iter().filter(|&&score| score >= 0.5).count();
        writeln!(output, "{:<8} runs; {above} of {} seeds score 0.5 or more", right.source, right.values.len())?;
    }
    if !refused.is_empty() {
        bail!(
            "scores differ by more than {allowed:e}, or decisions by more than one in a thousand: {}; export the model again",
            refused.join(", ")
        );
    }
    Ok(())
}

/// 0-based seed and size of the largest difference. Scores that are not numbers differ by infinity.
fn largest_difference(left: &[f32], right: &[f32]) -> (usize, f32) {
    let differences = left.iter().zip(right).map(|(left, right)| {
        let difference = (left - right).abs();
        if difference.is_nan() { f32::INFINITY } else { difference }
    });
    differences.enumerate().max_by(|left, right| left.1.total_cmp(&right.1)).unwrap_or((0, 0.0))
}

fn read_windows(path: &Path) -> anyhow::Result<Vec<u8>> {
    let windows = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        !windows.is_empty() && windows.len() % PACKED_SEED_BYTES == 0,
        "{}: {} bytes are not whole seeds of {PACKED_SEED_BYTES} bytes; give packed windows, read and reference, of one seed or more",
        path.display(),
        windows.len()
    );
    Ok(windows)
}

fn read_scores(path: &Path, seeds: usize) -> anyhow::Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        bytes.len() == seeds * 4,
        "{}: {} bytes, expected are {} for {seeds} seeds (32-bit floats); give the scores of the same windows",
        path.display(),
        bytes.len(),
        seeds * 4
    );
    Ok(bytes.chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().expect("four bytes"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(source: &'static str, values: &[f32]) -> Scores {
        Scores { source, values: values.to_vec() }
    }

    fn limits(difference: f32) -> Limits {
        Limits { difference, threshold: 0.5 }
    }

    #[test]
    fn differences_above_the_allowed_are_errors_that_name_the_seed() {
        let mut output = Vec::new();
        let all = [scores("PyTorch", &[0.1, 0.2, 0.3]), scores("ort", &[0.1, 0.2002, 0.3])];
        report(&mut output, &all, &limits(1e-3)).unwrap();
        let error = report(&mut output, &all, &limits(1e-4)).unwrap_err().to_string();
        assert!(error.contains("ort and PyTorch") && error.contains("seed 1"), "{error}");
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains("2.00e-4"), "{output}");
    }

    #[test]
    fn one_decision_in_a_thousand_may_differ_and_no_score_by_more_than_the_limit() {
        let compare = |other: f32, differing: usize| {
            let mut right = vec![0.48; 2000];
            right[..differing].fill(other);
            let all = [scores("PyTorch", &[0.48; 2000]), scores("native", &right)];
            report(&mut Vec::new(), &all, &limits(0.05))
        };
        compare(0.52, 2).unwrap();
        let error = compare(0.52, 3).unwrap_err().to_string();
        assert!(error.contains("3 decisions at 0.5"), "{error}");
        assert!(compare(0.42, 1).is_err());
    }

    #[test]
    fn scores_that_are_not_numbers_never_agree() {
        let all = [scores("PyTorch", &[f32::NAN]), scores("ort", &[0.5])];
        assert!(report(&mut Vec::new(), &all, &limits(1.0)).is_err());
    }

    #[test]
    fn files_of_other_lengths_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.bin");
        for length in [0, 127, 129] {
            std::fs::write(&path, vec![0; length]).unwrap();
            let error = read_windows(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("{length} bytes")), "{error}");
        }
        let error = read_scores(&path, 33).unwrap_err().to_string();
        assert!(error.contains("129 bytes, expected are 132"), "{error}");
    }
}
