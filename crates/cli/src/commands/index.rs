//! `seedsieve index`

use std::path::PathBuf;
use std::time::Instant;

use seedsieve_aligner::{INDEX_SUFFIXES, MAPPED_INDEX_SUFFIX, build_index, build_mapped_index};

use super::addresses;

/// Arguments of `seedsieve index`.
#[derive(clap::Args)]
pub struct Args {
    /// Prefix of the index files; the reference's own name where not given.
    #[arg(short = 'p', long)]
    prefix: Option<PathBuf>,
    /// Also write PREFIX.seedsieve.fm (2 bytes a base), which `align` then maps: it starts at once, and several processes on one
    /// machine share the memory.
    #[arg(long)]
    map: bool,
    /// Write only that file, for an index that is there, also one of bwa-mem2.
    #[arg(long, conflicts_with = "map")]
    map_only: bool,
    #[command(flatten)]
    addresses: addresses::Args,
    /// Reference FASTA, plain or gzip, or its address (https, http, ftp): then it is fetched, and indexed in the cache.
    reference: PathBuf,
}

/// Indexes the reference.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut written = Vec::new();
    let prefix = if args.map_only {
        args.prefix.unwrap_or(args.reference)
    } else {
        let reference = addresses::Inputs::new(&args.addresses)?.file(&args.reference)?;
        let prefix = args.prefix.unwrap_or_else(|| reference.clone());
        tracing::info!("indexing {}", reference.display());
        build_index(&reference, &prefix)?;
        written.extend(INDEX_SUFFIXES);
        prefix
    };
    if args.map || args.map_only {
        build_mapped_index(&prefix)?;
        written.push(MAPPED_INDEX_SUFFIX);
    }
    let seconds = start.elapsed().as_secs_f64();
    tracing::info!("wrote {}.{{{}}} in {seconds:.1} s", prefix.display(), written.join(","));
    Ok(())
}
