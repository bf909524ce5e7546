//! `seedsieve evaluate`: figures of models on data sets that they were not trained on.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seedsieve_compare::WholeFile;
use seedsieve_dataset::{Dataset, LabelPolicy, file_sha256};
use seedsieve_evaluate::{Evaluation, Resampled, ScoredSeeds, collect, evaluate, html_report, text_table};
use seedsieve_inference::NpuBackend;
use serde::Serialize;

use super::scoring::{BackendArgs, LoadedModel};

/// Measure how well models tell viable from hopeless seeds on a data set, and whether one beats another.
///
/// Prints AUC, the share of hopeless seeds kept (FPR) where 95, 99 and 99.9 % of the viable ones are (TPR), and both at the
/// model's own threshold, beside two scorers that need no network: the ungapped score to both ends of the read, and the
/// seed's length. With two models, it says whether the second is better, on the same resamples. Seeds that a model
/// was trained on flatter it: it is warned of the very data set, but not of other seeds at the same places.
#[derive(clap::Args)]
pub struct Args {
    /// Model file (ONNX); twice to compare two models.
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    model: Vec<PathBuf>,
    /// Folder of a data set; more than once, the figures are those of all together.
    #[arg(long, value_name = "DIR", required = true, num_args = 1)]
    data: Vec<PathBuf>,
    /// Label policy: own-extension, near-best, contributed [default: what the models were trained on].
    #[arg(long, value_name = "NAME")]
    policy: Option<LabelPolicy>,
    /// Resamples that the intervals rest on.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    resamples: u32,
    /// What resamples count as a whole: places (a thousand bases of the reference, with all reads there) or pairs of reads.
    #[arg(long, value_name = "WHAT", default_value = "places")]
    resample: Resampled,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write one page of HTML with plots.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgs,
}

/// What the JSON file holds.
#[derive(Serialize)]
struct Report<'a> {
    version: &'a str,
    policy: &'a str,
    data: Vec<String>,
    models: Vec<String>,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    ensure!(
        args.model.len() <= 2,
        "{} models were given; one is measured, two are compared: leave out the others",
        args.model.len()
    );
    let pool = args.backend.set_up()?;
    let models = args.model.iter().map(|path| args.backend.load(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let policy = policy(&args, &models)?;
    let datasets = args.data.iter().map(|path| open(&args, path, &models)).collect::<anyhow::Result<Vec<_>>>()?;
    let json = args.json.as_deref().map(WholeFile::create).transpose()?;
    let report = args.report.as_deref().map(WholeFile::create).transpose()?;

    let backends: Vec<&dyn NpuBackend> = models.iter().map(|model| &*model.backend).collect();
    let mut seeds = ScoredSeeds { scores: vec![Vec::new(); models.len()], ..ScoredSeeds::default() };
    for (dataset, path) in datasets.iter().zip(&args.data) {
        let all = dataset.manifest().counts.seeds;
        let scored = pool.install(|| {
            collect(dataset, policy, &backends, |done| {
                tracing::debug!("{}: {done} of {all} seeds scored", path.display())
            })
        });
        seeds.append(scored.with_context(|| path.display().to_string())?);
    }
    let named: Vec<(String, f32)> =
        names(&models).into_iter().zip(models.iter().map(|m| m.metadata.threshold)).collect();
    let evaluation = pool.install(|| evaluate(&seeds, &named, args.resamples, args.resample))?;

    let shown = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let content = Report {
        version: env!("CARGO_PKG_VERSION"),
        policy: policy.name(),
        data: shown(&args.data),
        models: shown(&args.model),
        evaluation: &evaluation,
    };
    if let Some(file) = json {
        let mut text = serde_json::to_vec_pretty(&content)?;
        text.push(b'\n');
        file.finish(&text)?;
    }
    if let Some(file) = report {
        file.finish(html_report(&evaluation, policy.name(), &content.data).as_bytes())?;
    }
    let mut output = std::io::stdout().lock();
    writeln!(output, "label policy {policy}")?;
    Ok(output.write_all(text_table(&evaluation).as_bytes())?)
}

/// The policy that was asked for, or that all models were trained on.
fn policy(args: &Args, models: &[LoadedModel]) -> anyhow::Result<LabelPolicy> {
    if let Some(policy) = args.policy {
        return Ok(policy);
    }
    let policies = models.iter().map(LoadedModel::policy).collect::<anyhow::Result<Vec<_>>>()?;
    if let [first, second] = policies[..] {
        ensure!(
            first == second,
            "the first model was trained on the label policy {first}, the second on {second}; say with --policy which one \
             to measure both by"
        );
    }
    Ok(policies[0])
}

/// Opens a data set, and warns where a model was trained on it.
fn open(args: &Args, path: &Path, models: &[LoadedModel]) -> anyhow::Result<Dataset> {
    let dataset = Dataset::open(path)?;
    let (_, sha256) = file_sha256(&dataset.manifest_path())?;
    for model in models {
        if args.policy.is_none() {
            model.check(path, &dataset)?;
        }
        if model.metadata.dataset_sha256.contains(&sha256) {
            tracing::warn!(
                "{}: the model {} was trained on this data set; on other data its figures are worse",
                path.display(),
                model.metadata.name
            );
        }
    }
    Ok(dataset)
}

/// Names that tell the models apart.
fn names(models: &[LoadedModel]) -> Vec<String> {
    let names: Vec<String> = models.iter().map(LoadedModel::name).collect();
    match &names[..] {
        [first, second] if first == second => vec![format!("{first} (first)"), format!("{second} (second)")],
        _ => names,
    }
}
