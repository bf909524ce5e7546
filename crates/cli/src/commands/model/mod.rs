//! `seedsieve model`

mod agreement;
mod verify;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seedsieve_inference::{
    BackendChoice, ModelFile, ModelGraph, ModelMetadata, StudentMetadata, StudentModel, detect_npu_backend,
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
    Verify(verify::Args),
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

/// Looks into a model file or checks it.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Inspect { file } => inspect(&file),
        Command::Verify(args) => verify::run(&args),
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
    metadata: Metadata<'a>,
    network: &'a ModelGraph,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Metadata<'a> {
    Windows(&'a ModelMetadata),
    Student(&'a StudentMetadata),
}

fn inspect(file: &Path) -> anyhow::Result<()> {
    let model = ModelFile::read(file)?;
    let description = Description {
        file: model.source(),
        bytes: model.bytes().len(),
        sha256: model.sha256(),
        checksum: model.has_checksum(),
        metadata: match &model {
            ModelFile::Windows(model) => Metadata::Windows(model.metadata()),
            ModelFile::Student(model) => Metadata::Student(model.metadata()),
        },
        network: model.graph(),
    };
    let mut output = std::io::stdout().lock();
    Ok(writeln!(output, "{}", serde_json::to_string_pretty(&description)?)?)
}

/// A model that no backend runs is not installed.
fn install(args: &InstallArgs) -> anyhow::Result<()> {
    let model = ModelFile::read(&args.file)?;
    let backend = match &model {
        ModelFile::Windows(model) => detect_npu_backend(model, BackendChoice::Auto)?.name(),
        ModelFile::Student(model) => student_backend(model)?,
    };
    ensure!(args.folder.is_dir(), "{} is no folder; make it first", args.folder.display());
    let name = model.name();
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
    let installed = ModelFile::read(&path)?;
    let mut output = std::io::stdout().lock();
    Ok(writeln!(output, "{}: runs on {backend}, SHA-256 {}", path.display(), installed.sha256())?)
}

/// The backend that runs a student network: the native kernel.
#[cfg(feature = "native")]
fn student_backend(model: &StudentModel) -> anyhow::Result<&'static str> {
    seedsieve_inference::native::StudentNetwork::from_bytes(model.bytes(), model.source())?;
    Ok("native")
}

#[cfg(not(feature = "native"))]
fn student_backend(model: &StudentModel) -> anyhow::Result<&'static str> {
    anyhow::bail!("{}: this build has no native kernel (feature `native`), which student networks need", model.source())
}
