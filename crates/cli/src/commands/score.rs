//! `seedsieve score`: a model's scores of the seeds of a data set, as a table.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use rayon::prelude::*;
use seedsieve_compare::WholeFile;
use seedsieve_dataset::Dataset;
use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::NpuBackend;

use super::scoring::{BackendArgs, LoadedModel};

/// Score the seeds of a data set with a model.
///
/// Writes a table with tabs: sample, hash of the read's name, mate, start of the seed in the read (0-based), its length,
/// contig, leftmost position (0-based), strand, whether the model's label policy calls it viable (1 or 0), and the score.
#[derive(clap::Args)]
pub struct Args {
    /// Model file (ONNX).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Folder of the data set.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to write [default: standard output].
    #[arg(short = 'o', long, value_name = "FILE.tsv")]
    output: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgs,
}

/// Seeds that are scored at once.
const SEEDS_AT_ONCE: usize = 1 << 15;

const HEADING: &str = "sample\tread_hash\tmate\tquery_start\tlength\tcontig\tposition\tstrand\tviable\tscore\n";

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    let pool = args.backend.set_up()?;
    let model = args.backend.load(&args.model)?;
    let dataset = Dataset::open(&args.data)?;
    model.check(&args.data, &dataset)?;
    match &args.output {
        // The table of a large data set does not fit into memory: it goes to the file piece by piece.
        Some(path) => {
            let mut file = BufWriter::new(WholeFile::create(path)?);
            write_table(&pool, &model, &dataset, &mut file)?;
            Ok(file.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish(&[])?)
        }
        None => {
            let mut output = BufWriter::new(std::io::stdout().lock());
            write_table(&pool, &model, &dataset, &mut output)?;
            Ok(output.flush()?)
        }
    }
}

/// Writes a line for each seed, in the order of the data set.
fn write_table(
    pool: &rayon::ThreadPool,
    model: &LoadedModel,
    dataset: &Dataset,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let policy = model.policy()?;
    let (threshold, own) = (dataset.manifest().reporting_threshold, dataset.manifest().own_extensions());
    output.write_all(HEADING.as_bytes())?;
    let (mut lines, mut windows): (Vec<String>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut problem = None;
    dataset.for_each_row(|_, _, row| {
        if problem.is_some() {
            return Ok(());
        }
        let viable = match own.tell(policy, row.read_hash, row.chain_kept) {
            true if policy.viable(threshold, row.own_score, row.read_best, row.region_score, row.role) => '1',
            true => '0',
            false => '.',
        };
        lines.push(format!(
            "{}\t{:016x}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            row.sample,
            row.read_hash,
            row.mate,
            row.query_start,
            row.length,
            row.contig,
            row.position,
            if row.reverse { '-' } else { '+' },
            viable,
        ));
        windows.extend_from_slice(row.windows);
        if lines.len() == SEEDS_AT_ONCE {
            problem = write_scored(pool, &*model.backend, &mut lines, &mut windows, output).err();
        }
        Ok(())
    })?;
    match problem {
        Some(problem) => Err(problem),
        None => write_scored(pool, &*model.backend, &mut lines, &mut windows, output),
    }
}

/// Completes the lines with their scores, writes and empties them.
fn write_scored(
    pool: &rayon::ThreadPool,
    backend: &dyn NpuBackend,
    lines: &mut Vec<String>,
    windows: &mut Vec<u8>,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let mut scores = vec![0.0; lines.len()];
    let piece = backend.optimal_batch_size().clamp(64, 1 << 14);
    pool.install(|| {
        scores
            .par_chunks_mut(piece)
            .zip(windows.par_chunks(piece * PACKED_SEED_BYTES))
            .try_for_each(|(scores, windows)| backend.predict_packed(windows, scores))
    })?;
    for (line, score) in lines.drain(..).zip(scores) {
        writeln!(output, "{line}\t{score}")?;
    }
    windows.clear();
    Ok(())
}
