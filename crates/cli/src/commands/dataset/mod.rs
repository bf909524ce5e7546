//! `seedsieve dataset`

mod derive;

use std::path::PathBuf;

use clap::Subcommand;
use seedsieve_aligner::ReferenceIndex;
use seedsieve_compare::write_whole;
use seedsieve_dataset::{Dataset, Description, validate};
use seedsieve_extract::ReferenceCheck;

/// Arguments of `seedsieve dataset`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print counts: label policies, roles by seed length and by occurrences.
    Describe {
        /// Also write a page with plots: census, class balance, roles by length and occurrences.
        #[arg(long, value_name = "OUT.html")]
        report: Option<PathBuf>,
        /// Folder of the data set.
        directory: PathBuf,
    },
    /// Check a data set through: schema, checksums, ranges, counts; with a reference the windows too.
    Validate {
        /// Prefix of the index of the reference: each reference window must be what stands there.
        #[arg(long, value_name = "REF.fa")]
        reference: Option<PathBuf>,
        /// Folder of the data set.
        directory: PathBuf,
    },
    /// Divide a data set by position into train, validation and test, in folders `split=PART/sample=SAMPLE`.
    Split(derive::SplitArgs),
    /// Merge data sets with the same settings into one.
    Merge(derive::MergeArgs),
    /// Draw seeds, each class for itself, with weights: balanced, or as they come.
    Sample(derive::SampleArgs),
    /// Count seeds by the verdict of a label policy, or write the verdicts.
    Label(derive::LabelArgs),
}

/// Describes, checks, divides, merges, samples or labels data sets.
pub fn run(args: Args) -> anyhow::Result<()> {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    match args.command {
        Command::Describe { report, directory } => {
            let dataset = Dataset::open(&directory)?;
            let manifest = dataset.manifest();
            writeln!(
                output,
                "schema version {}, windows {}, T {}, {} {}, {} reads, {} parts",
                manifest.schema_version,
                manifest.window,
                manifest.reporting_threshold,
                manifest.producer.name,
                manifest.producer.version,
                manifest.counts.reads,
                manifest.parts.len()
            )?;
            let description = Description::of(&dataset)?;
            write!(output, "{description}")?;
            if let Some(path) = report {
                let name = directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy();
                write_whole(&path, description.html(&name, manifest).as_bytes())?;
            }
        }
        Command::Validate { reference, directory } => {
            let dataset = Dataset::open(&directory)?;
            match reference {
                Some(prefix) => {
                    let index = ReferenceIndex::load(&prefix)?;
                    let check = ReferenceCheck::new(&index);
                    validate(&dataset, |row| check.row(row))?;
                }
                None => validate(&dataset, |_| Ok(()))?,
            }
            let counts = dataset.manifest().counts;
            writeln!(output, "valid: {} seeds of {} reads", counts.seeds, counts.reads)?;
        }
        Command::Split(args) => derive::run_split(&args)?,
        Command::Merge(args) => derive::run_merge(&args)?,
        Command::Sample(args) => derive::run_sample(&args)?,
        Command::Label(args) => derive::run_label(&args)?,
    }
    Ok(())
}
