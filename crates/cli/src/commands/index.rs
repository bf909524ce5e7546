//! `seedsieve index`

use std::path::PathBuf;
use std::time::Instant;

use seedsieve_aligner::{INDEX_SUFFIXES, build_index};

use super::addresses;

/// Arguments of `seedsieve index`.
#[derive(clap::Args)]
pub struct Args {
    /// Prefix of the index files; the reference's own name where not given.
    #[arg(short = 'p', long)]
    prefix: Option<PathBuf>,
    #[command(flatten)]
    addresses: addresses::Args,
    /// Reference FASTA, plain or gzip, or its address (https, http, ftp): then it is fetched, and indexed in the cache.
    reference: PathBuf,
}

/// Indexes the reference.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let reference = addresses::Inputs::new(&args.addresses)?.file(&args.reference)?;
    let prefix = args.prefix.unwrap_or_else(|| reference.clone());
    tracing::info!("indexing {}", reference.display());
    build_index(&reference, &prefix)?;
    let seconds = start.elapsed().as_secs_f64();
    tracing::info!("wrote {}.{{{}}} in {seconds:.1} s", prefix.display(), INDEX_SUFFIXES.join(","));
    Ok(())
}
