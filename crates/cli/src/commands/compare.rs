//! `seedsieve compare`: what changed between two alignments of the same reads.

use std::io::Write as _;
use std::path::PathBuf;

use seedsieve_compare::{
    CompareOptions, ModelMetrics, ReportInput, RunStatistics, TruthSource, WholeFile, compare, cost_table, html_report,
    text_table,
};

/// Compare two alignments of the same reads.
///
/// Reads SAM (plain, gzip or BGZF), BAM or CRAM, in the order in which an aligner writes it or sorted by name, and prints
/// what became of the reads: the same record, the same place, realigned, moved, lost or gained, by mapping quality, by
/// kind of record and by mappability; which fields and tags differ; and, for simulated reads, which lie right. Memory does
/// not grow with the files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First alignment: the one to compare with; `-` is standard input.
    a: PathBuf,
    /// Second alignment of the same reads; `-` is standard input.
    b: PathBuf,
    /// Where the true places of simulated reads stand: `names` (of `seedsieve simulate`, dwgsim, wgsim, or mason aligned
    /// with -C), or a BED file with the read's name in column 4 and the strand in column 6.
    #[arg(long, value_name = "names|BED", value_parser = truth_source)]
    truth: Option<TruthSource>,
    /// FASTA of the reference, with which CRAM is decoded.
    #[arg(long, value_name = "FASTA")]
    reference: Option<PathBuf>,
    /// Reads to name for each change in the JSON and the report.
    #[arg(long, value_name = "N", default_value_t = 5)]
    examples: usize,
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

/// The word `names`, or a path; a file called `names` is given as `./names`.
fn truth_source(text: &str) -> Result<TruthSource, String> {
    Ok(if text == "names" { TruthSource::Names } else { TruthSource::Bed(text.into()) })
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
        truth: args.truth.unwrap_or_default(),
        reference: args.reference,
        examples: args.examples,
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
