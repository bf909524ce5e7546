//! Where the reads come from, and how a chunk of them is aligned.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::bail;
use seedsieve_aligner::fastq::{Chunk, ReadSource};
use seedsieve_aligner::{Aligner, AlignerError, ChunkOutput, MateJoiner, MixedChunk, NoObserver};
use seedsieve_formats::{KeptTags, ReadsFile};

use super::args::Args;

/// Reads of all inputs.
pub enum Reads {
    /// One file of single reads, or two of mates.
    Files(ReadSource),
    /// One file whose reads are joined to pairs: by name (-p), or by their flags (BAM and CRAM).
    Joined(MateJoiner),
}

/// Some of the reads.
pub enum Part {
    Files(Chunk),
    Joined(MixedChunk),
}

impl Reads {
    /// Opens the inputs; `count` grows with the bytes read. Also returns the read groups of a BAM or CRAM whose reads keep
    /// theirs.
    pub fn open(args: &Args, count: &Arc<AtomicU64>) -> anyhow::Result<(Self, Vec<String>)> {
        let kept = KeptTags { tags: args.io.comment, read_group: args.io.read_group.is_none() };
        let reference = args.output.reference.as_deref().unwrap_or(&args.index);
        if args.mates.as_deref().is_some_and(|mates| mates == args.reads) && args.reads.as_os_str() == "-" {
            bail!("both files of reads are standard input; pipe interleaved reads and give -p");
        }
        let first = ReadsFile::open(&args.reads, reference, kept, Arc::clone(count))?;
        let second = args
            .mates
            .as_deref()
            .map(|mates| ReadsFile::open(mates, reference, kept, Arc::clone(count)))
            .transpose()?;
        Ok(match (first, second) {
            (ReadsFile::Fastq(first), None) if args.io.interleaved => {
                (Self::Joined(MateJoiner::new(Box::new(first))), Vec::new())
            }
            (ReadsFile::Fastq(first), None) => (Self::Files(ReadSource::Single(first)), Vec::new()),
            (ReadsFile::Fastq(first), Some(ReadsFile::Fastq(second))) => {
                (Self::Files(ReadSource::Paired(first, second)), Vec::new())
            }
            (ReadsFile::Alignments { stream, read_groups }, None) => {
                let read_groups = if kept.tags && kept.read_group { read_groups } else { Vec::new() };
                (Self::Joined(MateJoiner::new(stream)), read_groups)
            }
            (_, Some(_)) => bail!("BAM and CRAM hold both mates of a pair; give one file of them, or two of FASTQ"),
        })
    }

    /// The next reads, until they have at least `bases` bases together; an empty part at the end.
    pub fn next_part(&mut self, bases: u64) -> Result<Part, AlignerError> {
        match self {
            Self::Files(source) => source.next_chunk(bases).map(Part::Files),
            Self::Joined(joiner) => joiner.next_chunk(bases).map(Part::Joined),
        }
    }
}

/// Bytes of all inputs, where each is a regular file whose bytes are counted as they are read.
pub fn input_bytes(args: &Args) -> Option<u64> {
    let size = |path: &Path| {
        let status = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let is_cram = path.extension().is_some_and(|suffix| suffix == "cram");
        (!is_cram).then_some(status.len())
    };
    let mates = args.mates.as_deref().map_or(Some(0), size)?;
    Some(size(&args.reads)? + mates)
}

impl Part {
    /// Whether there are no reads.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Files(chunk) => chunk.is_empty(),
            Self::Joined(chunk) => chunk.is_pair.is_empty(),
        }
    }

    /// Pairs.
    pub fn pairs(&self) -> u64 {
        match self {
            Self::Files(Chunk::Single(_)) => 0,
            Self::Files(Chunk::Pairs(pairs)) => pairs.len() as u64,
            Self::Joined(chunk) => chunk.pairs.len() as u64,
        }
    }

    /// What the number of the run's next part grows by.
    pub fn count(&self) -> u64 {
        match self {
            Self::Files(chunk) => chunk.len() as u64,
            Self::Joined(chunk) => chunk.reads(),
        }
    }

    /// Aligns the reads; `first` is the sum of the counts of all parts before.
    pub fn align(&self, aligner: &Aligner<'_>, first: u64) -> Result<ChunkOutput, AlignerError> {
        match self {
            Self::Files(Chunk::Single(reads)) => aligner.align_single(reads, first, &NoObserver),
            Self::Files(Chunk::Pairs(pairs)) => aligner.align_pairs(pairs, first, &NoObserver),
            Self::Joined(chunk) => aligner.align_mixed(chunk, first, &NoObserver),
        }
    }
}
