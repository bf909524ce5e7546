use crate::complete::complete;
use crate::inputs::InputFiles;
use crate::plan::{plan, producer, settings};
use crate::recorder::{ReadTrace, Recorder};
use crate::reference_md5::contig_md5;
use crate::sampling::Sampler;
use crate::source::{Leftovers, OpenOptions, SourceRead, Unit, UnitSource, show_names};
use crate::{ContigMap, Excerpt, ExtractError, Input, Regions, SourceHeader, Subsample};
use arrow_array::RecordBatch;
use rayon::prelude::*;
use seedsieve_aligner::{AlignOptions, Aligner, ComputeContext, Read, ReferenceIndex};
use seedsieve_dataset::{
    ColumnBuilder, Counts, DatasetError, DatasetWriter, Manifest, OwnExtensions, Start, WriterOptions,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads whose rows are completed by one thread at a time.
const READS_PER_TASK: usize = 128;
/// Tasks of a thread whose rows are in memory at a time: few, so that their memory stays in the caches.
const TASKS_PER_WRITE: usize = 4;

/// What to extract, from where, to where.
#[derive(Debug, Clone)]
pub struct ExtractOptions {
    /// Files of reads, used one after the other.
    pub inputs: Vec<Input>,
    /// Of which inputs only some bytes are there, see [`crate::fetch_regions`].
    pub excerpts: Vec<Excerpt>,
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
    /// Use only reads that these regions of BAM and CRAM inputs hold; all where there is none.
    pub regions: Regions,
    /// Keep only so many pairs or single reads.
    pub subsample: Option<Subsample>,
    /// Of which reads the own extension is computed of every seed.
    pub own_extensions: OwnExtensions,
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
            excerpts: Vec::new(),
            reference,
            output,
            sample: None,
            align: AlignOptions::default(),
            chunk_reads: 1 << 15,
            waiting_mates: 2_000_000,
            regions: Regions::default(),
            subsample: None,
            own_extensions: OwnExtensions::ALL,
            part_rows: WriterOptions::default().part_rows,
            overwrite: false,
        }
    }
}

/// Is told how far the extraction is.
pub trait Progress {
    /// A new step has begun.
    fn step(&mut self, description: &str);
    /// An earlier process did so many reads and seeds before it was ended; what follows comes on top.
    fn continued(&mut self, counts: Counts);
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
    /// Nothing was done: the data set had been finished by the same command. Only the manifest is left to tell of it.
    pub was_finished: bool,
}

impl Summary {
    fn of_finished(manifest: Manifest) -> Self {
        let leftovers = Leftovers::default();
        Self { manifest, leftovers, bridging_seeds: 0, source_covered: 0, source_found: 0, was_finished: true }
    }
}

/// Extracts the seeds of all inputs into a data set. Runs on rayon's current thread pool.
///
/// Chunks of reads are journalled once their rows are safely written. Where the process was killed, the same call goes on
/// behind the last of them: it reads the inputs again from their start, and aligns only what is missing. The data set has
/// the same bytes as without the interruption. Where it is finished the same call does nothing, unless it is to be overwritten.
///
/// # Errors
/// See [`ExtractError`]. After an error the output folder is as it was before, unless writing failed (a full disk): then
/// what is complete stays for the next call.
pub fn extract(options: &ExtractOptions, progress: &mut dyn Progress) -> Result<Summary, ExtractError> {
    if options.inputs.is_empty() {
        return Err(ExtractError::NoInput);
    }
    if !options.regions.is_empty()
        && let Some(fastq) = options.inputs.iter().find(|input| input.alignments().is_none())
    {
        return Err(ExtractError::RegionOfFastq { path: fastq.files()[0].into(), kind: fastq.kind_name() });
    }
    for path in options.inputs.iter().flat_map(Input::files).chain([options.reference.as_path()]) {
        ExtractError::refuse_address(path)?;
    }
    progress.step("computing the inputs' checksums");
    let files = InputFiles::examine(options)?;
    let writer_options = WriterOptions {
        part_rows: options.part_rows,
        overwrite: options.overwrite,
        reporting_threshold: options.align.mem.t,
    };
    let (writer, done) = match DatasetWriter::start(&options.output, writer_options, plan(options, &files))? {
        Start::Finished(manifest) => return Ok(Summary::of_finished(*manifest)),
        Start::Write(writer, None) => (writer, Done::default()),
        Start::Write(writer, Some(state)) => {
            progress.continued(writer.counts());
            (writer, Done::from_journal(&options.output, state)?)
        }
    };
    progress.step("loading the index");
    let index = ReferenceIndex::load(&options.reference)?;
    let sampler = choose_reads(options, progress)?;
    progress.step("extracting");
    let context = ComputeContext::unfiltered();
    let aligner = Aligner::new(&index, &options.align, &context);
    let mut run = Run {
        index: &index,
        aligner,
        writer: *writer,
        progress,
        chunk_reads: options.chunk_reads.max(2),
        own_extensions: options.own_extensions,
        pairs: Vec::new(),
        singles: Vec::new(),
        pairs_met: 0,
        singles_met: 0,
        chunks_met: 0,
        done,
    };
    let mut leftovers = Leftovers::default();
    for input in &options.inputs {
        let open = OpenOptions {
            sample: options.sample.as_deref(),
            reference: &options.reference,
            regions: &options.regions,
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
    files.check_unchanged()?;
    run.progress.step("finishing");
    let manifest = run.writer.finish(producer(), settings(options), files.into_list())?;
    let Done { bridging_seeds, source_covered, source_found, .. } = run.done;
    Ok(Summary { manifest, leftovers, bridging_seeds, source_covered, source_found, was_finished: false })
}

fn choose_reads(options: &ExtractOptions, progress: &mut dyn Progress) -> Result<Option<Arc<Sampler>>, ExtractError> {
    let Some(subsample) = options.subsample else { return Ok(None) };
    progress.step("choosing reads");
    let mut sampler = Sampler::new(subsample);
    for input in &options.inputs {
        show_names(input, &options.reference, &options.regions, &mut sampler)?;
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

struct Run<'a> {
    index: &'a ReferenceIndex,
    aligner: Aligner<'a>,
    writer: DatasetWriter,
    progress: &'a mut dyn Progress,
    chunk_reads: usize,
    own_extensions: OwnExtensions,
    /// Reads of pairs, mates one after the other.
    pairs: Vec<SourceRead>,
    singles: Vec<SourceRead>,
    pairs_met: u64,
    singles_met: u64,
    chunks_met: u64,
    done: Done,
}

/// What the journal has to say, besides the rows, to go on behind a chunk.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Done {
    /// Chunks of pairs and of single reads, in the order in which they are aligned.
    chunks: u64,
    bridging_seeds: u64,
    source_covered: u64,
    source_found: u64,
}

impl Done {
    fn from_journal(output: &Path, state: serde_json::Value) -> Result<Self, DatasetError> {
        serde_json::from_value(state).map_err(|error| DatasetError::OtherWork {
            path: output.into(),
            differences: format!("the journal is damaged ({error})"),
        })
    }
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
        let first = self.pairs_met;
        self.pairs_met += reads.len() as u64 / 2;
        if !self.is_to_do(&reads) {
            return Ok(());
        }
        let pairs: Vec<[Read; 2]> =
            reads.chunks_exact(2).map(|pair| [pair[0].read.clone(), pair[1].read.clone()]).collect();
        let recorder = Recorder::new(2 * first, reads.len(), true);
        self.aligner.align_pairs(&pairs, first, &recorder)?;
        self.write(&reads, recorder)
    }

    fn align_singles(&mut self) -> Result<(), ExtractError> {
        let reads = std::mem::take(&mut self.singles);
        let first = self.singles_met;
        self.singles_met += reads.len() as u64;
        if !self.is_to_do(&reads) {
            return Ok(());
        }
        let singles: Vec<Read> = reads.iter().map(|read| read.read.clone()).collect();
        let recorder = Recorder::new(first, reads.len(), false);
        self.aligner.align_single(&singles, first, &recorder)?;
        self.write(&reads, recorder)
    }

    /// Counts a chunk, unless it is empty; whether it was not done before the process was killed.
    fn is_to_do(&mut self, reads: &[SourceRead]) -> bool {
        self.chunks_met += u64::from(!reads.is_empty());
        !reads.is_empty() && self.chunks_met > self.done.chunks
    }

    fn write(&mut self, reads: &[SourceRead], recorder: Recorder) -> Result<(), ExtractError> {
        let traces = recorder.into_traces();
        let (index, aligner, own_extensions) = (self.index, &self.aligner, self.own_extensions);
        // Rows are handed over task by task, so that this number does not show in the bytes.
        let reads_per_write = READS_PER_TASK * TASKS_PER_WRITE * rayon::current_num_threads();
        for (reads, traces) in reads.chunks(reads_per_write).zip(traces.chunks(reads_per_write)) {
            let batches = reads
                .par_chunks(READS_PER_TASK)
                .zip(traces.par_chunks(READS_PER_TASK))
                .map(|(reads, traces)| rows(index, aligner, own_extensions, reads, traces))
                .collect::<Result<Vec<_>, _>>()?;
            for (batch, done) in batches {
                self.writer.append(&batch)?;
                self.done.bridging_seeds += done.bridging_seeds;
                self.done.source_covered += done.source_covered;
                self.done.source_found += done.source_found;
            }
            self.writer.count_reads(reads.len() as u64);
            self.progress.advanced(self.writer.counts());
        }
        self.done.chunks = self.chunks_met;
        self.writer.end_batch(serde_json::json!(self.done))?;
        Ok(())
    }
}

/// The rows of some reads, and what is counted of them beside.
fn rows(
    index: &ReferenceIndex,
    aligner: &Aligner<'_>,
    own_extensions: OwnExtensions,
    reads: &[SourceRead],
    traces: &[ReadTrace],
) -> Result<(RecordBatch, Done), ExtractError> {
    let mut columns = ColumnBuilder::with_capacity(traces.iter().map(|trace| trace.seeds.len()).sum());
    let mut done = Done::default();
    for (read, rows) in reads.iter().zip(&complete(index, aligner, own_extensions, reads, traces)?) {
        rows.append_to(read, index.contigs(), &mut columns);
        done.bridging_seeds += rows.bridging;
        done.source_covered += u64::from(rows.source_covered);
        done.source_found += u64::from(rows.source_found);
    }
    Ok((columns.finish().expect("the columns are those of the schema"), done))
}
