//! `cargo xtask bench answers --windows FILE.bin --scores FILE.f32`: how far the scores of every backend, and of every level of
//! the native kernel, lie from those that PyTorch gave to the same windows, as a table for docs/backends.md.
//!
//! `--windows`: packed windows, 128 bytes a seed; `--scores`: one little-endian 32-bit float a seed; `--model` and `--int8`: the
//! files (the embedded ones). `scripts/answers_reference.py` writes windows and scores of a data set.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::native::{Level, NativeBackend};
use seedsieve_inference::{BackendChoice, Model, NpuBackend, NpuResult, Precision, detect_npu_backend};

/// Largest part of the decisions that may change.
const CHANGED: f64 = 1e-3;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

struct Settings {
    windows: Vec<u8>,
    scores: Vec<f32>,
    model: Model,
    int8: Model,
}

fn settings() -> Result<Settings, String> {
    let (mut windows, mut scores) = (None, None);
    let (mut model, mut int8) = (Model::embedded(), Model::embedded_int8());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--bench" {
            continue; // cargo adds it
        }
        let path = PathBuf::from(arguments.next().ok_or(format!("{argument} needs a file"))?);
        let bytes = || std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
        let read = || Model::read(&path).map_err(|error| error.to_string());
        match argument.as_str() {
            "--windows" => windows = Some(bytes()?),
            "--scores" => {
                scores = Some(bytes()?.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect())
            }
            "--model" => model = read()?,
            "--int8" => int8 = read()?,
            other => return Err(format!("unknown argument {other}; valid: --windows, --scores, --model, --int8")),
        }
    }
    let (Some(windows), Some(scores)) = (windows, scores) else {
        return Err("give --windows and --scores: scripts/answers_reference.py writes both".into());
    };
    let scores: Vec<f32> = scores;
    if windows.is_empty() || windows.len() != scores.len() * PACKED_SEED_BYTES {
        return Err(format!("{} bytes of windows for {} scores", windows.len(), scores.len()));
    }
    Ok(Settings { windows, scores, model, int8 })
}

fn run() -> Result<bool, String> {
    let Settings { windows, scores, model, int8 } = settings()?;
    println!(
        "{} windows, decisions at {}\n\n| backend | form | largest difference | allowed | decisions changed |\n|---|---|---|---|---|",
        scores.len(),
        model.metadata().threshold
    );
    let mut sound = true;
    let mut row = |name: &str, form: &str, model: &Model, backend: NpuResult<Arc<dyn NpuBackend>>| {
        let quantized = model.graph().quantized;
        let precision = |backend: &dyn NpuBackend| match quantized {
            true => Precision::Int8,
            false => backend.capabilities().precision,
        };
        let mut allowed = 0.0;
        let mut given = vec![f32::NAN; scores.len()];
        let scored = backend.and_then(|backend| {
            allowed = precision(&*backend).largest_difference();
            backend.predict_packed(&windows, &mut given)
        });
        if let Err(error) = scored {
            eprintln!("{name}, {form} is left out: {error}");
            return;
        }
        let threshold = model.metadata().threshold;
        let pairs = || scores.iter().zip(&given);
        let largest = pairs().map(|(right, given)| (right - given).abs()).fold(0.0, f32::max);
        let changed = pairs().filter(|(right, given)| (**right < threshold) != (**given < threshold)).count();
        sound &= largest <= allowed && changed as f64 <= CHANGED * scores.len() as f64;
        println!("| `{name}` | {form} | {largest:.1e} | {allowed:.1e} | {changed} |");
    };
    for level in Level::supported() {
        let backend = NativeBackend::with_level(&int8, level).map(|native| Arc::new(native) as Arc<dyn NpuBackend>);
        row(&format!("native {level}"), "INT8", &int8, backend);
    }
    for (choice, form, model) in [
        (BackendChoice::NativeCuda, "INT8", &int8),
        (BackendChoice::Ort, "INT8", &int8),
        (BackendChoice::OpenVino, "INT8", &int8),
        (BackendChoice::Tract, "INT8", &int8),
        (BackendChoice::Ort, "fp32", &model),
        (BackendChoice::Tract, "fp32", &model),
        (BackendChoice::Cuda, "fp16", &model),
        (BackendChoice::TensorRt, "fp16", &model),
        (BackendChoice::OpenVino, "bf16, or fp32 without it", &model),
    ] {
        row(&choice.to_string(), form, model, detect_npu_backend(model, choice));
    }
    Ok(sound)
}
