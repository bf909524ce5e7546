use super::{Input, OpenOptions, SourceRead, Unit, file_stem};
use crate::ExtractError;
use crate::sampling::Sampler;
use seedsieve_aligner::Read;
use seedsieve_aligner::fastq::{Chunk, FastqReader, ReadSource};
use std::path::Path;
use std::sync::Arc;

/// Bases that are read ahead.
const READ_AHEAD: u64 = 1 << 20;

/// Reads of one FASTQ file, or of two with mates.
pub(crate) struct FastqUnits {
    reads: ReadSource,
    ahead: std::vec::IntoIter<Unit>,
    path: Arc<Path>,
    sample: Arc<str>,
    sampler: Option<Arc<Sampler>>,
}

fn open_reads(input: &Input) -> Result<ReadSource, ExtractError> {
    Ok(match input {
        Input::Paired(first, second) => ReadSource::Paired(FastqReader::open(first)?, FastqReader::open(second)?),
        Input::Bam(path) | Input::Cram(path) | Input::Single(path) => ReadSource::Single(FastqReader::open(path)?),
    })
}

pub(super) fn show_names(input: &Input, sampler: &mut Sampler) -> Result<(), ExtractError> {
    let mut reads = open_reads(input)?;
    loop {
        let chunk = reads.next_chunk(READ_AHEAD)?;
        if chunk.is_empty() {
            return Ok(());
        }
        match chunk {
            Chunk::Single(reads) => reads.iter().for_each(|read| sampler.see(read.name.as_bytes())),
            Chunk::Pairs(pairs) => pairs.iter().for_each(|[read, _]| sampler.see(read.name.as_bytes())),
        }
    }
}

impl FastqUnits {
    pub(super) fn open(input: &Input, options: &OpenOptions<'_>) -> Result<Self, ExtractError> {
        let path: Arc<Path> = input.files()[0].into();
        Ok(Self {
            reads: open_reads(input)?,
            ahead: Vec::new().into_iter(),
            sample: options.sample.map_or_else(|| file_stem(&path), Arc::from),
            path,
            sampler: options.sampler.clone(),
        })
    }

    pub(super) fn next_unit(&mut self) -> Result<Option<Unit>, ExtractError> {
        loop {
            if let Some(unit) = self.ahead.next() {
                return Ok(Some(unit));
            }
            let chunk = self.reads.next_chunk(READ_AHEAD)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let kept = |read: &Read| self.sampler.as_ref().is_none_or(|sampler| sampler.keeps(read.name.as_bytes()));
            let units: Vec<Unit> = match chunk {
                Chunk::Single(reads) => reads
                    .into_iter()
                    .filter(kept)
                    .map(|read| Unit::Single(Box::new(self.source_read(read, 0))))
                    .collect(),
                Chunk::Pairs(pairs) => pairs
                    .into_iter()
                    .filter(|[first, _]| kept(first))
                    .map(|[first, second]| {
                        Unit::Pair(Box::new([self.source_read(first, 1), self.source_read(second, 2)]))
                    })
                    .collect(),
            };
            self.ahead = units.into_iter();
        }
    }

    fn source_read(&self, read: Read, mate: u8) -> SourceRead {
        SourceRead { read, mate, sample: Arc::clone(&self.sample), path: Arc::clone(&self.path), alignment: None }
    }
}
