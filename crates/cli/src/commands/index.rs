//! `seedsieve index`

use std::path::PathBuf;
use std::time::Instant;

use seedsieve_aligner::{INDEX_SUFFIXES, build_index};

/// Arguments of `seedsieve index`.
#[derive(clap::Args)]
pub struct Args {
    /// Prefix of the index files; the reference's own name where not given.
    #[arg(short = 'p', long)]
    prefix: Option<PathBuf>,
    /// Reference FASTA, plain or gzip.
    reference: PathBuf,
}

/// Indexes the reference.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let prefix = args.prefix.unwrap_or_else(|| args.reference.clone());
    tracing::info!("indexing {}", args.reference.display());
    build_index(&args.reference, &prefix)?;
    let seconds = start.elapsed().as_secs_f64();
    tracing::info!("wrote {}.{{{}}} in {seconds:.1} s", prefix.display(), INDEX_SUFFIXES.join(","));
    Ok(())
}
