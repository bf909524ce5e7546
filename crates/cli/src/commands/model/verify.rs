//! `seedsieve model verify`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{
    Model, ModelFile, NpuCapabilities, Precision, StudentModel, detect_npu_backend, example_windows,
    list_available_backends, set_ort_library, student_scores,
};

use super::agreement::{Scores, report};

/// Arguments of `seedsieve model verify`.
#[derive(clap::Args)]
pub struct Args {
    /// Model file (ONNX).
    file: PathBuf,
    /// Packed windows to score, 128 bytes a seed, or a student network's features, one byte each; made-up ones where not
    /// given.
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

/// Where scores that are given come from.
const PYTORCH: &str = "PyTorch";

/// Loads a model into every backend and compares their scores.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(path) = &args.ort_library {
        set_ort_library(path)?;
    }
    let mut output = std::io::stdout().lock();
    let (all, threshold) = match ModelFile::read(&args.file)? {
        ModelFile::Windows(model) => (scores_of_windows(args, &model, &mut output)?, model.metadata().threshold),
        ModelFile::Student(model) => (scores_of_student(args, &model, &mut output)?, model.metadata().threshold),
    };
    let computed = all.iter().filter(|scores| scores.source != PYTORCH).count();
    ensure!(computed > 0, "no backend is available here, so nothing was verified");
    report(&mut output, &all, threshold)
}

fn scores_of_windows(args: &Args, model: &Model, output: &mut impl Write) -> anyhow::Result<Vec<Scores>> {
    let windows = match &args.windows {
        Some(path) => read_seeds(path, PACKED_SEED_BYTES)?,
        None => example_windows(EXAMPLE_SEEDS, 1),
    };
    let seeds = windows.len() / PACKED_SEED_BYTES;
    writeln!(output, "{}: {seeds} seeds", model.source())?;
    let mut all = given_scores(args, seeds)?;
    for status in list_available_backends() {
        if !status.available {
            writeln!(output, "{:<8} not available: {}", status.name, status.why)?;
            continue;
        }
        let capabilities = status.capabilities.as_ref();
        if let Some(other) = capabilities.and_then(|capabilities| runs_only(capabilities, model)) {
            writeln!(output, "{:<8} does not run it: it takes {other} models only", status.name)?;
            continue;
        }
        let backend = detect_npu_backend(model, status.name.parse()?)?;
        let mut values = vec![0.0; seeds];
        backend.predict_packed(&windows, &mut values)?;
        let precision = if model.graph().quantized { Precision::Int8 } else { backend.capabilities().precision };
        all.push(Scores { source: status.name.to_owned(), precision, values });
    }
    Ok(all)
}

/// What models a backend runs that does not run this one.
fn runs_only(capabilities: &NpuCapabilities, model: &Model) -> Option<&'static str> {
    match model.graph().quantized {
        true if !capabilities.supports_int8 => Some("floating-point"),
        false if !capabilities.supports_fp32 => Some("INT8"),
        _ => None,
    }
}

fn scores_of_student(args: &Args, model: &StudentModel, output: &mut impl Write) -> anyhow::Result<Vec<Scores>> {
    let width = model.metadata().features;
    let features = match &args.windows {
        Some(path) => read_seeds(path, width)?,
        None => example_features(EXAMPLE_SEEDS, width),
    };
    let seeds = features.len() / width;
    writeln!(output, "{}: {seeds} seeds of {width} features", model.source())?;
    let mut all = given_scores(args, seeds)?;
    let precision = if model.graph().quantized { Precision::Int8 } else { Precision::Fp32 };
    for (source, scores) in student_scores(model, &features)? {
        match scores {
            Ok(values) => all.push(Scores { source, precision, values }),
            // A file that a backend cannot run is no good; a library that is not there is no fault of it.
            Err(error @ seedsieve_inference::NpuError::BackendNotAvailable { .. }) => {
                writeln!(output, "{source:<8} not available: {error}")?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

/// Features at random: rows of flags, as masks of matches are, with some small numbers at the end, as facts are.
fn example_features(seeds: usize, width: usize) -> Vec<u8> {
    const FACTS: usize = 32;
    let mut state = 1u64;
    let mut next = |limit: u64| {
        // A linear congruential generator (Knuth, MMIX), of which the high bits are used.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % limit) as u8
    };
    (0..seeds * width).map(|at| if at % width + FACTS < width { next(2) } else { next(64) }).collect()
}

fn given_scores(args: &Args, seeds: usize) -> anyhow::Result<Vec<Scores>> {
    let read = |path: &PathBuf| -> anyhow::Result<Scores> {
        Ok(Scores { source: PYTORCH.to_owned(), precision: Precision::Fp32, values: read_scores(path, seeds)? })
    };
    args.scores.iter().map(read).collect()
}

fn read_seeds(path: &Path, seed_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        !bytes.is_empty() && bytes.len().is_multiple_of(seed_bytes),
        "{}: {} bytes are not whole seeds of {seed_bytes} bytes; give packed windows, read and reference, or a student's \
         features, of one seed or more",
        path.display(),
        bytes.len()
    );
    Ok(bytes)
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

    #[test]
    fn files_of_other_lengths_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.bin");
        for length in [0, 127, 129] {
            std::fs::write(&path, vec![0; length]).unwrap();
            let error = read_seeds(&path, PACKED_SEED_BYTES).unwrap_err().to_string();
            assert!(error.contains(&format!("{length} bytes")), "{error}");
        }
        let error = read_scores(&path, 33).unwrap_err().to_string();
        assert!(error.contains("129 bytes, expected are 132"), "{error}");
    }
}
