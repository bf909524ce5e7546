//! `seedsieve dataset split`, `merge`, `sample`, `label`: data sets made of data sets.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use seedsieve_dataset::{
    Dataset, DeriveOptions, LabelPolicy, Manifest, Producer, SampleOptions, SplitOptions, SplitPart, Stratum, label,
    label_counts, merge, sample, split,
};

/// Where a new data set goes.
#[derive(clap::Args)]
pub struct Output {
    /// Folder of the new data set; it is made where it is not there.
    #[arg(short = 'o', long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    options: Options,
}

#[derive(clap::Args)]
struct Options {
    /// Most rows of a Parquet file.
    #[arg(long, value_name = "N", default_value_t = 1 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    part_rows: u64,
    /// Replace a finished data set in the output's folder.
    #[arg(long)]
    overwrite: bool,
}

impl Options {
    fn derive(&self) -> DeriveOptions {
        let producer = Producer { name: "seedsieve".into(), version: env!("CARGO_PKG_VERSION").into() };
        DeriveOptions { part_rows: self.part_rows, overwrite: self.overwrite, producer }
    }
}

/// Arguments of `seedsieve dataset split`.
#[derive(clap::Args)]
pub struct SplitArgs {
    /// Bases of the blocks that places are divided in.
    #[arg(long, value_name = "BASES", default_value_t = SplitOptions::default().block_bases)]
    block_bases: u64,
    /// Table of samples that belong to one part as a whole: tab-separated, with the columns `sample` and `split` (train,
    /// validation, test) named in its first line. Their seeds at places of other parts are left out.
    #[arg(long, value_name = "TSV")]
    samples: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    /// Folder of the data set.
    directory: PathBuf,
}

/// Arguments of `seedsieve dataset merge`.
#[derive(clap::Args)]
pub struct MergeArgs {
    /// The rows of each sample to a folder of their own, `data/sample=NAME` (a hive partition). One data set will do then.
    #[arg(long)]
    by_sample: bool,
    #[command(flatten)]
    output: Output,
    /// Folders of the data sets, in the order of the rows.
    #[arg(required = true, num_args = 1..)]
    directories: Vec<PathBuf>,
}

/// Arguments of `seedsieve dataset sample`.
#[derive(clap::Args)]
pub struct SampleArgs {
    /// Seeds wanted in all; fewer where a class has too few.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Share of viable seeds, 0 to 1 (0.5 for 50:50) [default: as they come].
    #[arg(long, value_name = "SHARE")]
    viable: Option<f64>,
    /// Of the hopeless seeds, the share that are near misses and repeats, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, requires = "viable")]
    hard: f64,
    /// Label policy that makes a seed viable: own-extension, near-best, contributed.
    #[arg(long, value_name = "NAME", default_value = LabelPolicy::OwnExtension.name())]
    policy: LabelPolicy,
    /// Another seed chooses other rows.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    output: Output,
    /// Folder of the data set.
    directory: PathBuf,
}

/// Arguments of `seedsieve dataset label`.
#[derive(clap::Args)]
pub struct LabelArgs {
    /// Label policy: own-extension, near-best, contributed.
    #[arg(long, value_name = "NAME")]
    policy: LabelPolicy,
    /// Also write the data set once more to this folder, with the verdicts in a column `viable`.
    #[arg(short = 'o', long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    /// Folder of the data set.
    directory: PathBuf,
}

pub fn run_split(args: &SplitArgs) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.directory)?;
    let samples = args.samples.as_deref().map(read_samples).transpose()?.unwrap_or_default();
    let options = SplitOptions { block_bases: args.block_bases, samples };
    let Output { output, options: derive } = &args.output;
    let (manifest, report) = split(&dataset, &options, output, &derive.derive())?;
    let mut out = stdout().lock();
    for (part, seeds) in SplitPart::ALL.into_iter().zip(report.seeds) {
        writeln!(out, "{part:<24}{seeds:>12}")?;
    }
    writeln!(out, "{:<24}{:>12}", "left out: margins", report.in_margins)?;
    writeln!(out, "{:<24}{:>12}", "left out: sample's part", report.of_other_samples)?;
    written(output, &manifest)
}

pub fn run_merge(args: &MergeArgs) -> anyhow::Result<()> {
    let datasets = args.directories.iter().map(|path| Dataset::open(path)).collect::<Result<Vec<_>, _>>()?;
    let Output { output, options } = &args.output;
    let manifest = merge(&datasets, args.by_sample, output, &options.derive())?;
    written(output, &manifest)
}

pub fn run_sample(args: &SampleArgs) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.directory)?;
    let SampleArgs { seeds, viable, hard, policy, seed, .. } = *args;
    let options = SampleOptions { seeds, viable, hard, policy, seed };
    let Output { output, options: derive } = &args.output;
    let (manifest, report) = sample(&dataset, &options, output, &derive.derive())?;
    let mut out = stdout().lock();
    writeln!(out, "{:<20}{:>14}{:>12}{:>12}", "class", "population", "sampled", "weight")?;
    for (stratum, (population, sampled)) in
        Stratum::ALL.into_iter().zip(report.population.into_iter().zip(report.sampled))
    {
        if population == 0 {
            continue;
        }
        let name = if viable.is_some() { stratum.name() } else { "all" };
        let weight = if sampled == 0 { 0.0 } else { population as f64 / sampled as f64 };
        writeln!(out, "{name:<20}{population:>14}{sampled:>12}{weight:>12.3}")?;
    }
    if manifest.counts.seeds < seeds {
        tracing::warn!("{} seeds of the {seeds} wanted: a class has no more", manifest.counts.seeds);
    }
    written(output, &manifest)
}

pub fn run_label(args: &LabelArgs) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.directory)?;
    let (manifest, counts) = match &args.output {
        Some(output) => {
            let (manifest, counts) = label(&dataset, args.policy, output, &args.options.derive())?;
            (Some((output, manifest)), counts)
        }
        None => (None, label_counts(&dataset, args.policy)?),
    };
    let seeds = (counts.viable + counts.hopeless).max(1);
    let mut out = stdout().lock();
    writeln!(out, "{}, T {}", args.policy, dataset.manifest().reporting_threshold)?;
    for (name, count) in [("viable", counts.viable), ("hopeless", counts.hopeless)] {
        writeln!(out, "{name:<12}{count:>12} {:>6.2} %", 100.0 * count as f64 / seeds as f64)?;
    }
    if counts.unknown > 0 {
        writeln!(out, "{:<12}{:>12} (--own-extensions of extract-seeds)", "not known", counts.unknown)?;
    }
    manifest.map_or(Ok(()), |(output, manifest)| written(output, &manifest))
}

fn written(output: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let counts = manifest.counts;
    tracing::info!("{}: {} seeds in {} files", output.display(), counts.seeds, manifest.parts.len());
    Ok(())
}

/// The table of `--samples`.
fn read_samples(path: &Path) -> anyhow::Result<BTreeMap<String, SplitPart>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: cannot be read; check the path and that it is text", path.display()))?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    let heads: Vec<&str> = lines.next().map(|(_, line)| line.split('\t').collect()).unwrap_or_default();
    let column = |name: &str| heads.iter().position(|head| *head == name);
    let (Some(sample), Some(part)) = (column("sample"), column("split")) else {
        bail!("{}: line 1: the columns are {heads:?}, among them must be `sample` and `split`", path.display());
    };
    let mut samples = BTreeMap::new();
    for (number, line) in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let place = format!("{}: line {}", path.display(), number + 1);
        let (Some(sample), Some(part)) = (fields.get(sample), fields.get(part)) else {
            bail!("{place}: {} columns, but line 1 has {}", fields.len(), heads.len());
        };
        let part: SplitPart = part.parse().map_err(|problem| anyhow::anyhow!("{place}: {problem}"))?;
        if samples.insert((*sample).to_owned(), part).is_some_and(|before| before != part) {
            bail!("{place}: sample `{sample}` has another split above");
        }
    }
    Ok(samples)
}
