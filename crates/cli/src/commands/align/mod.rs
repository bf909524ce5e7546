//! `seedsieve align`

mod args;
mod capped;
mod filter_args;
mod options;
mod reads;
mod report;

pub use args::Args;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::Context;
use seedsieve_aligner::{
    Aligner, AlignerError, ChunkOutput, ComputeContext, GateChoice, ProgramRecord, ReferenceIndex, Statistics,
    write_header,
};
use seedsieve_formats::{AlignmentWriter, Destination, FormatError, OutputFile};
use seedsieve_inference::{
    Model, NpuBackend, SeedFilterConfig, detect_npu_backend, detect_npu_backend_for_reference_model, set_ort_library,
};

use crate::progress::ReadProgress;
use capped::CappedReads;
use filter_args::{Filter, FilterChoice};
use reads::{Part, Reads, input_bytes};
use report::{FilterReport, Run};

/// Bases in a chunk for each thread where -K is not given: bwa's number.
const CHUNK_BASES_PER_THREAD: u64 = 10_000_000;

/// Aligns the reads.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let options = options::align_options(&args)?;
    let mut header = options::header_lines(&args.io)?;
    let bytes_read = Arc::default();
    let (source, read_groups) = Reads::open(&args, &bytes_read)?;
    header.0.extend(read_groups);
    let output = Destination::open(args.output.output.as_deref())?;
    let stats = args.output.stats.as_deref().map(OutputFile::create).transpose()?;
    let filter_stats = args.output.filter_stats.as_deref().map(OutputFile::create).transpose()?;
    let settings = options::writer_settings(&args, &output)?;
    let (context, filter) = compute_context(&args)?;
    let threads = usize::from(args.algorithm.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let pool = Arc::new(pool);
    // Loaded by the threads of -t, not by all that the machine has.
    let mut index = pool.install(|| ReferenceIndex::load(&args.index))?;
    if args.io.ignore_alt {
        index.ignore_alt();
    }
    let program = ProgramRecord {
        name: "seedsieve".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        command_line: std::env::args().collect::<Vec<_>>().join(" "),
        fields: filter.iter().map(FilterReport::header_field).collect(),
    };
    let mut header_text = Vec::new();
    write_header(&mut header_text, &index, &header, &program)?;

    let output = AlignmentWriter::new(output, header_text, &settings, Arc::clone(&pool))?;
    let chunk_bases = args.io.chunk_bases.unwrap_or(CHUNK_BASES_PER_THREAD * threads as u64);
    let aligner = Aligner::new(&index, &options, &context);
    let mut progress = ReadProgress::start("aligned");
    if let Some(bytes) = input_bytes(&args) {
        progress.expect(bytes, bytes_read);
    }
    let mut capped = CappedReads::new(options.max_seeds_per_read);
    let (statistics, pairs, output) = align_all(&aligner, &pool, source, chunk_bases, output, progress, &mut capped)?;
    output.finish()?;
    capped.finish();
    if statistics.reads == 0 {
        tracing::warn!("{}: no reads; the output holds nothing but its header", args.reads.display());
    }
    if let Some(file) = stats {
        let sample = Run::sample(args.io.read_group.as_deref(), &args.reads);
        report::write(file, &statistics, &Run { sample, threads, pairs, wall: start.elapsed() }, filter.as_ref())?;
    }
    if let Some(file) = filter_stats {
        report::write_filter(file, &statistics, filter.as_ref())?;
    }
    // Unmapping gigabytes takes seconds that nobody needs: the process ends here.
    std::mem::forget(index);
    Ok(())
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
    if mode == FilterChoice::Exact {
        let report = FilterReport::Exact;
        tracing::info!("{}", report.line());
        return Ok((ComputeContext::exact(), Some(report)));
    }
    if mode == FilterChoice::Cascade {
        let (gates, file) = (args.filter.gates(), args.filter.bands()?);
        let bands = file.bands;
        let (student, network) = (args.filter.student(&bands)?, args.filter.network(&bands)?);
        // The loss was measured with all gates and all tiers.
        let all_tiers = student.is_some() == bands.student.is_some() && network.is_some() == bands.network.is_some();
        let loss = file.loss.filter(|_| all_tiers && gates == GateChoice::default());
        let report = FilterReport::cascade(loss, network.as_ref());
        tracing::info!("{}", report.line());
        let (npu_backend, npu_referee) = network.map(|network| (network.backend, network.referee)).unzip();
        let npu_referee = npu_referee.flatten();
        let cascade = ComputeContext::cascade();
        let context = ComputeContext { gates, student, bands, npu_backend, npu_referee, ..cascade };
        return Ok((context, Some(report)));
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
    let context = ComputeContext { gates: args.filter.gates(), ..ComputeContext::filtered(backend, config) };
    Ok((context, Some(report)))
}

/// The model that the user names; else the built-in one, in the form that suits the backend.
fn load_model(filter: &Filter, prefer_quantized: bool) -> anyhow::Result<(Model, Arc<dyn NpuBackend>)> {
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
    source: Reads,
    chunk_bases: u64,
    output: AlignmentWriter,
    mut progress: ReadProgress,
    capped: &mut CappedReads,
) -> anyhow::Result<(Statistics, u64, AlignmentWriter)> {
    let mut statistics = Statistics::default();
    let mut pairs = 0;
    std::thread::scope(|scope| {
        let (to_align, parts) = sync_channel(1);
        let (to_write, written) = sync_channel(2);
        scope.spawn(move || read_parts(source, chunk_bases, &to_align));
        let writer = scope.spawn(move || write_chunks(output, &written));
        let mut first = 0;
        let mut failure = None;
        for part in &parts {
            let aligned = part.and_then(|part| {
                let output = pool.install(|| part.align(aligner, first))?;
                first += part.count();
                pairs += part.pairs();
                Ok(output)
            });
            match aligned {
                Ok(ChunkOutput { sam, statistics: part, capped: over }) => {
                    statistics.add(&part);
                    capped.name(&over);
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
        drop((parts, to_write));
        let output = writer.join().expect("the writer does not panic")?;
        if let Some(error) = failure {
            return Err(error.into());
        }
        progress.finish();
        Ok((statistics, pairs, output))
    })
}

fn read_parts(mut source: Reads, bases: u64, to_align: &SyncSender<Result<Part, AlignerError>>) {
    loop {
        let part = source.next_part(bases);
        let last = part.as_ref().map_or(true, Part::is_empty);
        let is_end = part.as_ref().is_ok_and(Part::is_empty);
        if !is_end && to_align.send(part).is_err() || last {
            return;
        }
    }
}

fn write_chunks(mut output: AlignmentWriter, chunks: &Receiver<Vec<Vec<u8>>>) -> Result<AlignmentWriter, FormatError> {
    for records in chunks {
        output.write(&records)?;
    }
    Ok(output)
}
