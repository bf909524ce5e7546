//! `seedsieve compare`: what changed between two alignments of the same reads.

use std::io::Write as _;
use std::path::PathBuf;

use seedsieve_compare::{
    CompareOptions, ModelMetrics, ReportInput, RunStatistics, WholeFile, compare, cost_table, html_report, text_table,
};

/// Compare two alignments of the same reads.
///
/// Reads SAM (plain or gzip) or BAM, in the order in which an aligner writes it or sorted by name, and prints what became
/// of the reads by mapping quality: the same record, the same place, realigned, moved, lost or gained.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First alignment: the one to compare with.
    a: PathBuf,
    /// Second alignment of the same reads.
    b: PathBuf,
    /// Where the truth is known: `names`, for reads of `seedsieve simulate`.
    #[arg(long, value_enum, value_name = "WHERE")]
    truth: Option<Truth>,
    /// Write the counts as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write one page of HTML with figures.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Metrics of the filter's model (NAME.metrics.json), for the report.
    #[arg(long, value_name = "FILE", requires = "report")]
    metrics: Option<PathBuf>,
    /// Statistics of the run that made A (align --stats): adds times and dropped seeds.
    #[arg(long, value_name = "FILE")]
    stats_a: Option<PathBuf>,
    /// Statistics of the run that made B.
    #[arg(long, value_name = "FILE")]
    stats_b: Option<PathBuf>,
    /// Name of A in tables and legends.
    #[arg(long, value_name = "TEXT", default_value = "A")]
    label_a: String,
    /// Name of B in tables and legends.
    #[arg(long, value_name = "TEXT", default_value = "B")]
    label_b: String,
}

/// Where the true positions stand.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Truth {
    /// In the names of the reads, as `seedsieve simulate` writes them.
    Names,
}

/// Runs the command.
///
/// # Errors
/// Input that cannot be read or compared, and output that cannot be written; then neither JSON nor report is left.
pub fn run(args: Args) -> anyhow::Result<()> {
    // Everything that can be wrong with the arguments shows before the alignments are read.
    let statistics_a = args.stats_a.as_deref().map(RunStatistics::read).transpose()?;
    let statistics_b = args.stats_b.as_deref().map(RunStatistics::read).transpose()?;
    let metrics = args.metrics.as_deref().map(ModelMetrics::read).transpose()?;
    let json = args.json.as_deref().map(WholeFile::create).transpose()?;
    let report = args.report.as_deref().map(WholeFile::create).transpose()?;

    let options = CompareOptions {
        label_a: args.label_a,
        label_b: args.label_b,
        truth_in_names: matches!(args.truth, Some(Truth::Names)),
    };
    let comparison = compare(&args.a, &args.b, &options)?;
    if let Some(file) = json {
        let mut text = serde_json::to_vec_pretty(&comparison)?;
        text.push(b'\n');
        file.finish(&text)?;
    }
    if let Some(file) = report {
        let input = ReportInput {
            comparison: &comparison,
            statistics_a: statistics_a.as_ref(),
            statistics_b: statistics_b.as_ref(),
            metrics: metrics.as_ref(),
        };
        file.finish(html_report(&input).as_bytes())?;
    }
    let cost = cost_table(statistics_a.as_ref(), statistics_b.as_ref());
    let mut output = std::io::stdout().lock();
    output.write_all(text_table(&comparison).as_bytes())?;
    output.write_all(cost.as_bytes())?;
    Ok(())
}
