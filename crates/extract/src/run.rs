use crate::recorder::Recorder;
use crate::reference_md5::contig_md5;
use crate::rows::complete;
use crate::sampling::Sampler;
use crate::source::{Leftovers, OpenOptions, SourceRead, Unit, UnitSource, show_names};
use crate::{ContigMap, ExtractError, Input, SourceHeader, Subsample};
use rayon::prelude::*;
use seedsieve_aligner::{AlignOptions, Aligner, ComputeContext, Read, ReferenceIndex};
use seedsieve_dataset::{Counts, DatasetWriter, InputFile, Manifest, Producer, WriterOptions, file_sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads whose rows are completed by one thread at a time.
const READS_PER_TASK: usize = 128;
/// Reads whose rows are in memory at a time.
const READS_PER_WRITE: usize = 4096;

/// What to extract, from where, to where.
#[derive(Debug, Clone)]
pub struct ExtractOptions {
    /// Files of reads, used one after the other.
    pub inputs: Vec<Input>,
    /// The reference FASTA, which is also the prefix of its index.
    pub reference: PathBuf,
    /// Folder of the data set.
    pub output: PathBuf,
    /// Name of the sample; `None`: SM of the read's group, else the file's name up to the first dot.
    pub sample: Option<String>,
    /// Options of the aligner; `mem.t` is the reporting threshold T.
    pub align: AlignOptions,
    /// Reads aligned together (pairs count twice). Part of the result: the insert size is measured on each chunk.
    pub chunk_reads: usize,
    /// Reads that may wait for their mates, some 700 bytes each at 150 bases.
    pub waiting_mates: usize,
    /// Keep only so many pairs or single reads.
    pub subsample: Option<Subsample>,
    /// Rows of a Parquet file.
    pub part_rows: u64,
    /// Replace a finished data set.
    pub overwrite: bool,
}

impl ExtractOptions {
    /// Options with bwa-mem2's defaults, chunks of 32,768 reads, at most two million reads waiting for their mates.
    #[must_use]
    pub fn new(inputs: Vec<Input>, reference: PathBuf, output: PathBuf) -> Self {
        Self {
            inputs,
            reference,
            output,
            sample: None,
            align: AlignOptions::default(),
            chunk_reads: 1 << 15,
            waiting_mates: 2_000_000,
            subsample: None,
            part_rows: WriterOptions::default().part_rows,
            overwrite: false,
        }
    }
}

/// Is told how far the extraction is.
pub trait Progress {
    /// A new step has begun.
    fn step(&mut self, description: &str);
    /// So many reads and seeds are done in all.
    fn advanced(&mut self, counts: Counts);
}

/// What came of an extraction.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The content of `dataset.json`.
    pub manifest: Manifest,
    /// Records that were not used, and reads without their mate.
    pub leftovers: Leftovers,
    /// Seeds across the end of a contig or strand; they are not in the data set.
    pub bridging_seeds: u64,
    /// Reads that the source has mapped to a place that the index has.
    pub source_covered: u64,
    /// Those of them with a seed on the path of the source's alignment.
    pub source_found: u64,
}

/// Extracts the seeds of all inputs into a data set. Runs on rayon's current thread pool.
///
/// # Errors
/// See [`ExtractError`]. After an error the output folder is as it was before.
pub fn extract(options: &ExtractOptions, progress: &mut dyn Progress) -> Result<Summary, ExtractError> {
    if options.inputs.is_empty() {
        return Err(ExtractError::NoInput);
    }
    let writer = DatasetWriter::create(
        &options.output,
        WriterOptions {
            part_rows: options.part_rows,
            overwrite: options.overwrite,
            reporting_threshold: options.align.mem.t,
        },
    )?;
    progress.step("loading the index");
    let index = ReferenceIndex::load(&options.reference)?;
    let sampler = choose_reads(options, progress)?;
    progress.step("extracting");
    let context = ComputeContext::unfiltered();
    let aligner = Aligner::new(&index, &options.align, &context);
    let mut run = Run {
        index: &index,
        aligner,
        writer,
        progress,
        chunk_reads: options.chunk_reads.max(2),
        pairs: Vec::new(),
        singles: Vec::new(),
        pairs_done: 0,
        singles_done: 0,
        bridging_seeds: 0,
        source_covered: 0,
        source_found: 0,
    };
    let mut leftovers = Leftovers::default();
    for input in &options.inputs {
        let open = OpenOptions {
            sample: options.sample.as_deref(),
            reference: &options.reference,
            waiting_mates: options.waiting_mates,
            sampler: sampler.clone(),
        };
        let mut units =
            UnitSource::open(input, &open, |header, path| match_contigs(&index, &options.reference, header, path))?;
        while let Some(unit) = units.next_unit()? {
            run.add(unit)?;
        }
        // Each file starts with a new chunk, so that what it gives does not depend on the files before it.
        run.align_pairs()?;
        run.align_singles()?;
        leftovers.add(units.leftovers());
    }
    if run.writer.counts().reads == 0 {
        let names: Vec<_> = options.inputs.iter().flat_map(Input::files).map(|path| path.to_string_lossy()).collect();
        return Err(ExtractError::NoReads { inputs: names.join(", ") });
    }
    run.progress.step("computing checksums");
    let manifest = run.writer.finish(producer(), settings(options), input_files(options)?)?;
    Ok(Summary {
        manifest,
        leftovers,
        bridging_seeds: run.bridging_seeds,
        source_covered: run.source_covered,
        source_found: run.source_found,
    })
}

fn choose_reads(options: &ExtractOptions, progress: &mut dyn Progress) -> Result<Option<Arc<Sampler>>, ExtractError> {
    let Some(subsample) = options.subsample else { return Ok(None) };
    progress.step("choosing reads");
    let mut sampler = Sampler::new(subsample);
    for input in &options.inputs {
        show_names(input, &options.reference, &mut sampler)?;
    }
    Ok(Some(Arc::new(sampler)))
}

fn match_contigs(
    index: &ReferenceIndex,
    prefix: &Path,
    header: &SourceHeader,
    path: &Path,
) -> Result<ContigMap, ExtractError> {
    let map = ContigMap::new(index.contigs(), header, path, |contig| contig_md5(index, prefix, contig))?;
    if map.matched() == 0 && !header.contigs.is_empty() {
        tracing::warn!(
            "{}: none of its contigs is in the index; the columns source_on_path stay empty",
            path.display()
        );
    }
    Ok(map)
}

fn producer() -> Producer {
    Producer { name: "seedsieve".into(), version: env!("CARGO_PKG_VERSION").into() }
}

fn settings(options: &ExtractOptions) -> serde_json::Map<String, serde_json::Value> {
    let mem = &options.align.mem;
    let settings = serde_json::json!({
        "min_seed_length": mem.min_seed_len,
        "split_factor": shortest(mem.split_factor),
        "max_occurrences": mem.max_occ,
        "max_interval_third_round": mem.max_mem_intv,
        "chain_drop_ratio": shortest(mem.drop_ratio),
        "reporting_threshold": mem.t,
        "match_score": mem.a,
        "mismatch_penalty": mem.b,
        "gap_open": [mem.o_del, mem.o_ins],
        "gap_extend": [mem.e_del, mem.e_ins],
        "clip_penalty": [mem.pen_clip5, mem.pen_clip3],
        "band_width": mem.w,
        "z_drop": mem.zdrop,
        "chunk_reads": options.chunk_reads,
        "waiting_mates": options.waiting_mates,
        "read_pairs": options.subsample.map(|subsample| subsample.pairs),
        "sampling_seed": options.subsample.map(|subsample| subsample.seed),
    });
    match settings {
        serde_json::Value::Object(settings) => settings,
        _ => unreachable!("an object was built above"),
    }
}

/// The `f64` with the digits that the option was given with: 1.5 and not 1.5 plus the `f32`'s rounding.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

fn input_files(options: &ExtractOptions) -> Result<Vec<InputFile>, ExtractError> {
    let reads = options.inputs.iter().flat_map(Input::files).map(|path| ("reads", path));
    // An index may be used without its FASTA; its contigs are all there in the .ann file.
    let mut annotation = options.reference.clone().into_os_string();
    annotation.push(".ann");
    let annotation = PathBuf::from(annotation);
    let reference = if options.reference.is_file() { &options.reference } else { &annotation };
    reads
        .chain([("reference", reference.as_path())])
        .map(|(kind, path)| {
            let (size, sha256) = file_sha256(path)?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(InputFile { kind: kind.into(), name, size, sha256 })
        })
        .collect()
}

struct Run<'a> {
    index: &'a ReferenceIndex,
    aligner: Aligner<'a>,
    writer: DatasetWriter,
    progress: &'a mut dyn Progress,
    chunk_reads: usize,
    /// Reads of pairs, mates one after the other.
    pairs: Vec<SourceRead>,
    singles: Vec<SourceRead>,
    pairs_done: u64,
    singles_done: u64,
    bridging_seeds: u64,
    source_covered: u64,
    source_found: u64,
}

impl Run<'_> {
    fn add(&mut self, unit: Unit) -> Result<(), ExtractError> {
        match unit {
            Unit::Pair(pair) => self.pairs.extend(*pair),
            Unit::Single(read) => self.singles.push(*read),
        }
        if self.pairs.len() + 1 >= self.chunk_reads {
            self.align_pairs()?;
        }
        if self.singles.len() >= self.chunk_reads {
            self.align_singles()?;
        }
        Ok(())
    }

    fn align_pairs(&mut self) -> Result<(), ExtractError> {
        let reads = std::mem::take(&mut self.pairs);
        let pairs: Vec<[Read; 2]> =
            reads.chunks_exact(2).map(|pair| [pair[0].read.clone(), pair[1].read.clone()]).collect();
        let recorder = Recorder::new(2 * self.pairs_done, reads.len());
        self.aligner.align_pairs(&pairs, self.pairs_done, &recorder)?;
        self.pairs_done += pairs.len() as u64;
        self.write(&reads, recorder)
    }

    fn align_singles(&mut self) -> Result<(), ExtractError> {
        let reads = std::mem::take(&mut self.singles);
        let singles: Vec<Read> = reads.iter().map(|read| read.read.clone()).collect();
        let recorder = Recorder::new(self.singles_done, reads.len());
        self.aligner.align_single(&singles, self.singles_done, &recorder)?;
        self.singles_done += reads.len() as u64;
        self.write(&reads, recorder)
    }

    fn write(&mut self, reads: &[SourceRead], recorder: Recorder) -> Result<(), ExtractError> {
        let traces = recorder.into_traces();
        for (reads, traces) in reads.chunks(READS_PER_WRITE).zip(traces.chunks(READS_PER_WRITE)) {
            let rows = reads
                .par_chunks(READS_PER_TASK)
                .zip(traces.par_chunks(READS_PER_TASK))
                .map(|(reads, traces)| complete(self.index, &self.aligner, reads, traces))
                .collect::<Result<Vec<_>, _>>()?;
            for (read, rows) in reads.iter().zip(rows.iter().flatten()) {
                rows.write(read, self.index.contigs(), &mut self.writer)?;
                self.bridging_seeds += rows.bridging;
                self.source_covered += u64::from(rows.source_covered);
                self.source_found += u64::from(rows.source_found);
            }
            self.writer.count_reads(reads.len() as u64);
            self.progress.advanced(self.writer.counts());
        }
        Ok(())
    }
}
