//! One run of one filter: this program as a child of itself, so that time and memory are its own.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use seedsieve_aligner::fastq::{Chunk, FastqReader, ReadSource};
use seedsieve_aligner::{AlignOptions, Aligner, NoObserver, ReferenceIndex};

use crate::competitors::Competitor;
use crate::{WORKS, Work, common};

/// The first argument of the child; `NAME WORK PAIRS INDEX OUTPUT` follow.
pub const CHILD: &str = "run";
/// Bases in a chunk: bwa's, with one thread.
const CHUNK_BASES: u64 = 10_000_000;

/// Aligns the reads of a work, and writes its records without a header.
pub fn child(arguments: &[String]) -> Result<(), String> {
    let [name, work, pairs, index, output] = arguments else { return Err("run NAME WORK PAIRS INDEX OUTPUT".into()) };
    let work = WORKS.iter().find(|known| known.name == work).ok_or(format!("no reads {work:?}"))?;
    let mut left: u64 = pairs.parse().map_err(|error| format!("{pairs}: {error}"))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| error.to_string())?;
    let index = ReferenceIndex::load(Path::new(index)).map_err(|error| error.to_string())?;
    let mut options = AlignOptions::default();
    options.mem.min_seed_len = work.min_seed_length;
    let gates = Competitor::named(name)?.gates(&index, &options)?;
    let aligner = Aligner::with_gates(&index, &options, gates);
    let mut source = reads(work)?;
    let mut records = BufWriter::new(File::create(output).map_err(|error| format!("{output}: {error}"))?);
    let mut first = 0;
    loop {
        let chunk = source.next_chunk(CHUNK_BASES).map_err(|error| error.to_string())?;
        let Chunk::Pairs(mut pairs) = chunk else { return Err("pairs are asked for".into()) };
        pairs.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        if pairs.is_empty() {
            return records.flush().map_err(|error| format!("{output}: {error}"));
        }
        left -= pairs.len() as u64;
        let aligned = pool.install(|| aligner.align_pairs(&pairs, first, &NoObserver));
        for record in aligned.map_err(|error| error.to_string())?.sam {
            records.write_all(&record).map_err(|error| format!("{output}: {error}"))?;
        }
        first += pairs.len() as u64;
    }
}

fn reads(work: &Work) -> Result<ReadSource, String> {
    let [one, two] = work.reads.map(|files| {
        let end_to_end =
            files.iter().try_fold(Box::new(std::io::empty()) as Box<dyn BufRead + Send>, |before, file| {
                let path = common::data().join(file);
                let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let content = std::io::BufReader::new(MultiGzDecoder::new(std::io::BufReader::new(file)));
                Ok::<_, String>(Box::new(std::io::Read::chain(before, content)) as _)
            })?;
        FastqReader::from_input(Path::new(files[0]), end_to_end).map_err(|error| error.to_string())
    });
    Ok(ReadSource::Paired(one?, two?))
}
