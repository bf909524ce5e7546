//! `seedsieve align`

mod args;
mod options;
mod report;

pub use args::Args;

use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::Context;
use seedsieve_aligner::fastq::{Chunk, FastqReader, ReadSource};
use seedsieve_aligner::{
    Aligner, AlignerError, ChunkOutput, ComputeContext, NoObserver, ProgramRecord, ReferenceIndex, Statistics,
    write_header,
};
use seedsieve_inference::{
    Model, NpuBackend, SeedFilterConfig, detect_npu_backend, detect_npu_backend_for_reference_model, set_ort_library,
};

use crate::output::OutputFile;
use crate::progress::ReadProgress;
use args::FilterChoice;
use report::FilterReport;

/// Bases in a chunk for each thread where -K is not given: bwa's number.
const CHUNK_BASES_PER_THREAD: u64 = 10_000_000;

/// Aligns the reads.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let options = options::align_options(&args)?;
    let header = options::header_lines(&args.io)?;
    let source = open_reads(&args)?;
    let (context, filter) = compute_context(&args)?;
    let mut index = ReferenceIndex::load(&args.index)?;
    if args.io.ignore_alt {
        index.ignore_alt();
    }
    let mut output = Output::open(&args)?;
    let stats = args.io.stats.as_deref().map(OutputFile::create).transpose()?;
    let program = ProgramRecord {
        name: "seedsieve".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        command_line: std::env::args().collect::<Vec<_>>().join(" "),
        fields: filter.iter().map(FilterReport::header_field).collect(),
    };
    write_header(&mut output, &index, &header, &program)?;

    let threads = usize::from(args.algorithm.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let chunk_bases = args.io.chunk_bases.unwrap_or(CHUNK_BASES_PER_THREAD * threads as u64);
    let aligner = Aligner::new(&index, &options, &context);
    let (statistics, output) = align_all(&aligner, &pool, source, chunk_bases, output)?;
    output.finish()?;
    if statistics.reads == 0 {
        tracing::warn!("{}: no reads; the output holds nothing but its header", args.reads.display());
    }
    if let Some(file) = stats {
        report::write(file, &statistics, threads, paired(&args), start.elapsed(), filter.as_ref())?;
    }
    // Unmapping gigabytes takes seconds that nobody needs: the process ends here.
    std::mem::forget(index);
    Ok(())
}

fn paired(args: &Args) -> bool {
    args.mates.is_some() || args.io.interleaved
}

fn open_reads(args: &Args) -> Result<ReadSource, AlignerError> {
    let first = FastqReader::open(&args.reads)?;
    Ok(match &args.mates {
        Some(mates) => ReadSource::Paired(first, FastqReader::open(mates)?),
        None if args.io.interleaved => ReadSource::Interleaved(first),
        None => ReadSource::Single(first),
    })
}

/// The filter's model and backend, where it is on.
fn compute_context(args: &Args) -> anyhow::Result<(ComputeContext, Option<FilterReport>)> {
    let mode = args.filter.mode()?;
    if mode == FilterChoice::Off {
        return Ok((ComputeContext::unfiltered(), None));
    }
    if args.io.all {
        tracing::warn!("-a asks for all alignments: the seed filter is off");
        return Ok((ComputeContext::unfiltered(), None));
    }
    if mode == FilterChoice::Cascade {
        let report = FilterReport::cascade();
        tracing::info!("{}", report.line());
        return Ok((ComputeContext::cascade(), Some(report)));
    }
    if let Some(library) = &args.filter.ort_library {
        set_ort_library(library)?;
    }
    let defaults = SeedFilterConfig::default();
    let (model, backend) = load_model(&args.filter, defaults.prefer_quantized)?;
    let config = SeedFilterConfig {
        threshold: args.filter.npu_threshold.unwrap_or(model.metadata().threshold),
        min_batch_size: args.filter.npu_min_batch.unwrap_or(defaults.min_batch_size),
        ..defaults
    };
    let report = FilterReport::network(&model, backend.name(), config.threshold);
    tracing::info!("{}", report.line());
    Ok((ComputeContext::filtered(backend, config), Some(report)))
}

/// The model that the user names; else the built-in one, in the form that suits the backend.
fn load_model(filter: &args::Filter, prefer_quantized: bool) -> anyhow::Result<(Model, Arc<dyn NpuBackend>)> {
    let choice = filter.npu_backend.unwrap_or_default();
    if let Some(path) = &filter.model {
        let model = Model::read(path)?;
        let backend = detect_npu_backend(&model, choice)?;
        return Ok((model, backend));
    }
    Ok(detect_npu_backend_for_reference_model(choice, prefer_quantized)?)
}

/// Reads, aligns and writes at the same time: the next chunk is read and the last one written while one is aligned.
fn align_all(
    aligner: &Aligner<'_>,
    pool: &rayon::ThreadPool,
    source: ReadSource,
    chunk_bases: u64,
    output: Output,
) -> anyhow::Result<(Statistics, Output)> {
    let mut statistics = Statistics::default();
    let mut progress = ReadProgress::start("aligned");
    std::thread::scope(|scope| {
        let (to_align, chunks) = sync_channel(1);
        let (to_write, written) = sync_channel(2);
        scope.spawn(move || read_chunks(source, chunk_bases, &to_align));
        let writer = scope.spawn(move || write_chunks(output, &written));
        let mut first = 0;
        let mut failure = None;
        for chunk in &chunks {
            let aligned = chunk.map_err(anyhow::Error::from).and_then(|chunk| {
                let number = chunk.len() as u64;
                let output = pool.install(|| align_chunk(aligner, &chunk, first))?;
                first += number;
                Ok(output)
            });
            match aligned {
                Ok(ChunkOutput { sam, statistics: part }) => {
                    statistics.add(&part);
                    progress.add(part.reads);
                    if to_write.send(sam).is_err() {
                        break; // the writer failed and says why below
                    }
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        drop((chunks, to_write));
        let output = writer.join().expect("the writer does not panic")?;
        if let Some(error) = failure {
            return Err(error);
        }
        progress.finish();
        Ok((statistics, output))
    })
}

fn align_chunk(aligner: &Aligner<'_>, chunk: &Chunk, first: u64) -> Result<ChunkOutput, AlignerError> {
    match chunk {
        Chunk::Single(reads) => aligner.align_single(reads, first, &NoObserver),
        Chunk::Pairs(pairs) => aligner.align_pairs(pairs, first, &NoObserver),
    }
}

fn read_chunks(mut source: ReadSource, bases: u64, to_align: &SyncSender<Result<Chunk, AlignerError>>) {
    loop {
        let chunk = source.next_chunk(bases);
        let last = chunk.as_ref().map_or(true, Chunk::is_empty);
        let is_end = chunk.as_ref().is_ok_and(Chunk::is_empty);
        if !is_end && to_align.send(chunk).is_err() || last {
            return;
        }
    }
}

fn write_chunks(mut output: Output, chunks: &Receiver<Vec<Vec<u8>>>) -> anyhow::Result<Output> {
    for chunk in chunks {
        for records in chunk {
            output.write_all(&records).context("cannot write the alignments")?;
        }
    }
    Ok(output)
}

/// Standard output, or a file that gets its name when it is complete.
enum Output {
    Standard(BufWriter<std::io::Stdout>),
    File(OutputFile),
}

impl Output {
    fn open(args: &Args) -> anyhow::Result<Self> {
        Ok(match &args.io.output {
            Some(path) => Self::File(OutputFile::create(path)?),
            None => Self::Standard(BufWriter::with_capacity(1 << 20, std::io::stdout())),
        })
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Standard(mut output) => Ok(output.flush()?),
            Self::File(output) => output.finish(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Standard(output) => output.write(bytes),
            Self::File(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Standard(output) => output.flush(),
            Self::File(output) => output.flush(),
        }
    }
}
