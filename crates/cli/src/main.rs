//! `seedsieve`: find out which seeds of a short read are worth aligning, and align.

mod commands;
mod memory;
mod progress;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Learned seed filtering for short-read alignment, from training data to the aligner that uses it.
#[derive(Parser)]
#[command(name = "seedsieve", version, max_term_width = 120)]
struct Cli {
    /// How much to say on standard error [default: info].
    #[arg(long, global = true, value_enum)]
    log: Option<LogLevel>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Subcommand)]
enum Command {
    /// Index a reference: the five files that bwa-mem2 index writes.
    Index(commands::index::Args),
    /// Align short reads; options and output are bwa-mem2's.
    Align(Box<commands::align::Args>),
    /// Write every seed of some reads, with its windows and its fate, to a data set.
    ExtractSeeds(commands::extract_seeds::Args),
    /// Describe, check, split, merge, sample and label data sets.
    Dataset(commands::dataset::Args),
    /// Score the seeds of a data set with a model.
    Score(commands::score::Args),
    /// Measure how well models tell viable from hopeless seeds on a data set, and whether one beats another.
    Evaluate(commands::evaluate::Args),
    /// Compare two alignments of the same reads.
    Compare(commands::compare::Args),
    /// Make a synthetic genome and reads with known positions.
    Simulate(commands::simulate::Args),
    /// List the inference backends of this machine.
    Backends(commands::backends::Args),
    /// Look into model files and check them.
    Model(commands::model::Args),
    /// Load a library as ONNX Runtime and end: what other processes of this program do first with one that they do not know.
    #[cfg(feature = "ort")]
    #[command(hide = true)]
    ProbeLibrary {
        /// Library.
        path: std::path::PathBuf,
    },
    /// Print the completions of a shell: `seedsieve completions bash > FILE`.
    Completions(commands::completions::CompletionsArgs),
    /// Write manual pages.
    Man(commands::completions::ManArgs),
}

impl Command {
    /// How much bwa's -v asks to be told.
    fn log_level(&self) -> Option<LogLevel> {
        let Self::Align(args) = self else { return None };
        args.io.verbosity.map(|level| match level {
            0 | 1 => LogLevel::Error,
            2 => LogLevel::Warn,
            3 => LogLevel::Info,
            _ => LogLevel::Debug,
        })
    }
}

fn main() -> ExitCode {
    memory::keep_freed();
    let cli = Cli::parse();
    init_logging(cli.log.or_else(|| cli.command.log_level()).unwrap_or(LogLevel::Info));
    #[cfg(feature = "ort")]
    seedsieve_inference::set_library_probe(|library| {
        let mut command = std::process::Command::new(std::env::current_exe().ok()?);
        command.arg("probe-library").arg(library);
        Some(command)
    });
    let result = match cli.command {
        Command::Index(args) => commands::index::run(args),
        Command::Align(args) => commands::align::run(*args),
        Command::ExtractSeeds(args) => commands::extract_seeds::run(args),
        Command::Dataset(args) => commands::dataset::run(args),
        Command::Score(args) => commands::score::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Compare(args) => commands::compare::run(args),
        Command::Simulate(args) => commands::simulate::run(args),
        Command::Backends(args) => commands::backends::run(args),
        Command::Model(args) => commands::model::run(args),
        #[cfg(feature = "ort")]
        Command::ProbeLibrary { path } => {
            println!("{}", seedsieve_inference::probe_library(&path));
            Ok(())
        }
        Command::Completions(args) => commands::completions::completions(&args, Cli::command()),
        Command::Man(args) => commands::completions::man(&args, Cli::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of our output went away, as `head` does: no failure of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

fn init_logging(level: LogLevel) {
    let (ours, others) = match level {
        LogLevel::Error => ("error", "error"),
        LogLevel::Warn => ("warn", "error"),
        LogLevel::Info => ("info", "error"),
        LogLevel::Debug => ("debug", "warn"),
    };
    let crates = ["seedsieve", "seedsieve_aligner", "seedsieve_extract", "seedsieve_inference"];
    let directives: Vec<String> =
        std::iter::once(others.to_owned()).chain(crates.map(|name| format!("{name}={ours}"))).collect();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(directives.join(",")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
}
