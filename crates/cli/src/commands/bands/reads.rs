//! The reads that bands are learned from, all in memory: they are aligned again and again.

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use seedsieve_aligner::MateJoiner;
use seedsieve_aligner::fastq::ReadSource;
use seedsieve_formats::{KeptTags, ReadsFile};
use seedsieve_tuning::Part;

/// The reads of one file, or of two FASTQ files of mates with a comma between them, in chunks of so many bases.
pub fn parts(files: &str, reference: &Path, chunk_bases: u64) -> anyhow::Result<Vec<Part>> {
    let open = |file: &str| {
        let kept = KeptTags { tags: false, read_group: false };
        ReadsFile::open(Path::new(file), reference, kept, Arc::default())
    };
    let mates = files.split_once(',').filter(|_| !Path::new(files).exists());
    let mut source = match mates {
        None => match open(files)? {
            ReadsFile::Fastq(reads) => ReadSource::Single(reads),
            ReadsFile::Alignments { stream, .. } => return joined(MateJoiner::new(stream), chunk_bases),
        },
        Some((first, second)) => match (open(first)?, open(second)?) {
            (ReadsFile::Fastq(first), ReadsFile::Fastq(second)) => ReadSource::Paired(first, second),
            _ => bail!("{files}: only FASTQ files are given as R1,R2; BAM and CRAM hold both mates"),
        },
    };
    let mut parts = Vec::new();
    loop {
        let chunk = source.next_chunk(chunk_bases)?;
        if chunk.is_empty() {
            return Ok(parts);
        }
        parts.push(Part::Plain(chunk));
    }
}

fn joined(mut joiner: MateJoiner, chunk_bases: u64) -> anyhow::Result<Vec<Part>> {
    let mut parts = Vec::new();
    loop {
        let chunk = joiner.next_chunk(chunk_bases)?;
        if chunk.is_pair.is_empty() {
            return Ok(parts);
        }
        parts.push(Part::Mixed(chunk));
    }
}
