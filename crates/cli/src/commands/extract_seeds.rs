//! `seedsieve extract-seeds`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::HumanCount;
use seedsieve_dataset::{Counts, OwnExtensions};
use seedsieve_extract::{Excerpt, ExtractOptions, Input, InputKind, Progress, Subsample, Summary, extract};

use super::addresses;
use crate::progress::ReadProgress;

/// Arguments of `seedsieve extract-seeds`.
#[derive(clap::Args)]
pub struct Args {
    /// Reference FASTA, the prefix of its index (`seedsieve index`), or the address that was indexed.
    #[arg(long, value_name = "REF.fa")]
    reference: PathBuf,
    /// Folder of the data set; it is made where it is not there.
    #[arg(short = 'o', long, value_name = "DIR")]
    output: PathBuf,
    /// Threads. The data set is the same for any number.
    #[arg(short = 't', long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: u16,
    /// Shortest seed [default: 19].
    #[arg(short = 'k', long, value_name = "BASES", value_parser = clap::value_parser!(i32).range(1..))]
    min_seed_length: Option<i32>,
    /// Look for shorter seeds inside one longer than this times -k [default: 1.5].
    #[arg(short = 'r', long, value_name = "FACTOR")]
    split_factor: Option<f32>,
    /// Of a seed that occurs more often, take only so many places [default: 500].
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    max_occurrences: Option<i32>,
    /// A third round of seeds that occur less often than this [default: 20].
    #[arg(short = 'y', long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    third_round: Option<i64>,
    /// Drop chains shorter than this part of an overlapping better one [default: 0.5].
    #[arg(short = 'D', long, value_name = "PART")]
    drop_ratio: Option<f32>,
    /// Reporting threshold T: the score from which on an alignment is reported [default: 30].
    #[arg(short = 'T', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(0..))]
    min_score: Option<i32>,
    /// Name of the sample [default: SM of the read's group, else the file's name up to the first dot].
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    /// Use only reads aligned to this region of BAM and CRAM inputs: CONTIG, or CONTIG:START-END, 1-based and inclusive. May
    /// be given more than once. A mate outside is not used, and its read is then a single one.
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// The same for the lines of a BED file.
    #[arg(long, value_name = "FILE.bed")]
    bed: Option<PathBuf>,
    /// Use only so many pairs (or single reads), chosen by a hash of their names.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    read_pairs: Option<u64>,
    /// Another seed chooses other reads.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "read_pairs")]
    seed: u64,
    /// Of which seeds the own extension is computed: `all`, `kept` (those of chains that the chain filter keeps),
    /// `sample[:SHARE]` (those, and all of a share of the reads, 0.1 without one), `extended` (only those that the aligner
    /// extends itself), or all of a share of the reads, from 0 to 1. Elsewhere the columns own_* hold the ungapped
    /// extension, own_computed is false, and no label looks at them.
    #[arg(long, value_name = "WHICH", default_value = "all", value_parser = own_extensions)]
    own_extensions: OwnExtensions,
    /// Reads aligned together, both mates counted; as in bwa, the insert size is measured on each chunk.
    #[arg(long, value_name = "N", default_value_t = 1 << 15, value_parser = clap::value_parser!(u32).range(2..=1 << 22))]
    chunk_reads: u32,
    /// Most rows of a Parquet file. What is complete by half a file is not done again after a kill.
    #[arg(long, value_name = "N", default_value_t = 1 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    part_rows: u64,
    /// Replace a finished data set in the same folder, or unfinished work of another command. Unfinished work of this
    /// command is continued all the same.
    #[arg(long)]
    overwrite: bool,
    /// FASTQ files that follow one another are mates: R1 R2 R1 R2 ...
    #[arg(long, conflicts_with = "single")]
    paired: bool,
    /// Each FASTQ file holds single reads.
    #[arg(long)]
    single: bool,
    #[command(flatten)]
    addresses: addresses::Args,
    /// BAM, CRAM or FASTQ, told by the content, or addresses of them (https, http, ftp): fetched whole, or by the index
    /// beside it what --region and --bed ask for. `R1,R2` in one argument are mates in two FASTQ files.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
}

/// Share of the reads of `--own-extensions sample`.
const SAMPLED_READS: f64 = 0.1;

fn own_extensions(text: &str) -> Result<OwnExtensions, String> {
    let found = match text {
        "all" => Some(OwnExtensions::ALL),
        "kept" => Some(OwnExtensions::OF_KEPT_CHAINS),
        "extended" => Some(OwnExtensions::OF_NONE),
        "sample" => OwnExtensions::of_sample(SAMPLED_READS),
        other => match other.strip_prefix("sample:") {
            Some(share) => share.parse().ok().and_then(OwnExtensions::of_sample),
            None => other.parse().ok().and_then(OwnExtensions::of_part),
        },
    };
    found.ok_or_else(|| {
        "valid are `all`, `kept`, `sample`, `sample:SHARE`, `extended`, and a share from 0 to 1".to_owned()
    })
}

/// Extracts the seeds.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let options = options(&args)?;
    let threads = usize::from(args.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let mut progress = Counter { progress: ReadProgress::start("extracted seeds of"), reads: 0 };
    let summary = pool.install(|| extract(&options, &mut progress))?;
    progress.progress.finish();
    report(&summary, start.elapsed());
    Ok(())
}

fn options(args: &Args) -> anyhow::Result<ExtractOptions> {
    let addresses = addresses::Inputs::new(&args.addresses)?;
    let reference = addresses::indexed(&args.reference, addresses.file(&args.reference)?)?;
    let mut options = ExtractOptions::new(Vec::new(), reference, args.output.clone());
    let mem = &mut options.align.mem;
    mem.min_seed_len = args.min_seed_length.unwrap_or(mem.min_seed_len);
    mem.split_factor = args.split_factor.unwrap_or(mem.split_factor);
    mem.max_occ = args.max_occurrences.unwrap_or(mem.max_occ);
    mem.max_mem_intv = args.third_round.unwrap_or(mem.max_mem_intv);
    mem.drop_ratio = args.drop_ratio.unwrap_or(mem.drop_ratio);
    mem.t = args.min_score.unwrap_or(mem.t);
    for (name, value) in [("-r", mem.split_factor), ("-D", mem.drop_ratio)] {
        if !value.is_finite() || value < 0.0 {
            bail!("{name} is {value}, valid is 0 or more");
        }
    }
    options.sample.clone_from(&args.sample);
    options.chunk_reads = args.chunk_reads as usize;
    args.region.iter().for_each(|region| options.regions.add_text(region));
    if let Some(bed) = &args.bed {
        options.regions.add_bed(bed)?;
    }
    (options.inputs, options.excerpts) = inputs(args, &addresses, &options)?;
    options.own_extensions = args.own_extensions;
    options.part_rows = args.part_rows;
    options.overwrite = args.overwrite;
    options.subsample = args.read_pairs.map(|pairs| Subsample { pairs: pairs as usize, seed: args.seed });
    Ok(options)
}

/// The inputs by kind, FASTQ files in pairs where that was asked for, and of which only excerpts are there.
fn inputs(
    args: &Args,
    addresses: &addresses::Inputs,
    options: &ExtractOptions,
) -> anyhow::Result<(Vec<Input>, Vec<Excerpt>)> {
    let (mut inputs, mut excerpts) = (Vec::new(), Vec::new());
    let mut first_mates: Option<PathBuf> = None;
    let mut fastq_without_mates = 0;
    for argument in &args.inputs {
        if let Some((first, second)) = two_files(argument) {
            let (first, second) = (addresses.file(&first)?, addresses.file(&second)?);
            for file in [&first, &second] {
                if InputKind::of(file)? != InputKind::Fastq {
                    bail!("{}: not FASTQ; only FASTQ files are given as R1,R2", file.display());
                }
            }
            inputs.push(Input::Paired(first, second));
            continue;
        }
        if !options.regions.is_empty()
            && let Some((input, excerpt)) = addresses.regions(argument, &options.reference, &options.regions)?
        {
            inputs.push(input);
            excerpts.push(excerpt);
            continue;
        }
        let argument = addresses.file(argument)?;
        let kind = InputKind::of(&argument)?;
        if let (Some(first), false) = (&first_mates, kind == InputKind::Fastq) {
            bail!("{}: no mates; with --paired the next file must be its FASTQ of second mates", first.display());
        }
        match kind {
            InputKind::Bam => inputs.push(Input::Bam(argument)),
            InputKind::Cram => inputs.push(Input::Cram(argument)),
            InputKind::Fastq if args.paired => match first_mates.take() {
                Some(first) => inputs.push(Input::Paired(first, argument)),
                None => first_mates = Some(argument),
            },
            InputKind::Fastq => {
                fastq_without_mates += 1;
                inputs.push(Input::Single(argument));
            }
        }
    }
    if let Some(first) = first_mates {
        bail!("{}: no mates; --paired expects FASTQ files by twos: R1 R2 R1 R2 ...", first.display());
    }
    if fastq_without_mates > 1 && !args.single {
        bail!("{fastq_without_mates} FASTQ files: say --paired where they are mates by twos, or --single");
    }
    Ok((inputs, excerpts))
}

/// `R1,R2`, unless a file has that very name.
fn two_files(argument: &Path) -> Option<(PathBuf, PathBuf)> {
    if argument.exists() {
        return None;
    }
    let (first, second) = argument.to_str()?.split_once(',')?;
    Some((first.into(), second.into()))
}

struct Counter {
    progress: ReadProgress,
    reads: u64,
}

impl Progress for Counter {
    fn step(&mut self, description: &str) {
        tracing::debug!("{description}");
    }

    fn continued(&mut self, counts: Counts) {
        tracing::info!(
            "going on behind {} reads and {} seeds that are complete",
            HumanCount(counts.reads),
            HumanCount(counts.seeds)
        );
        self.reads = counts.reads;
    }

    fn advanced(&mut self, counts: Counts) {
        self.progress.add(counts.reads - self.reads);
        self.reads = counts.reads;
    }
}

fn report(summary: &Summary, elapsed: Duration) {
    let counts = summary.manifest.counts;
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let bytes: u64 = summary.manifest.parts.iter().map(|part| part.size).sum();
    tracing::info!(
        "{} reads, {} seeds ({:.1} a read), {:.2} % viable (own extension of {} or more), {:.1} bytes a seed",
        HumanCount(counts.reads),
        HumanCount(counts.seeds),
        counts.seeds as f64 / counts.reads.max(1) as f64,
        share(counts.viable, counts.seeds),
        summary.manifest.reporting_threshold,
        bytes as f64 / counts.seeds.max(1) as f64
    );
    let left = summary.leftovers;
    if left != Default::default() {
        tracing::info!(
            "records left out: {} secondary or supplementary, {} duplicates, {} without a sequence; \
             single reads for want of a mate: {}, released early: {}",
            left.not_primary,
            left.duplicates,
            left.without_sequence,
            left.without_mate,
            left.released_early
        );
    }
    if summary.source_covered > 0 {
        let found = share(summary.source_found, summary.source_covered);
        tracing::info!(
            "{} reads lie within the index by their source, {found:.2} % of them with a seed on that alignment's path",
            HumanCount(summary.source_covered)
        );
        // Positions of another assembly or offset look like this; real data has some 99 %.
        if found < 50.0 {
            tracing::warn!("few of the source's alignments are found: is the index of the same assembly as the BAM?");
        }
    }
    if summary.was_finished {
        tracing::info!(
            "the data set had been finished by this command: nothing was written (--overwrite: write it anew)"
        );
    }
    tracing::info!("finished in {:.1} s", elapsed.as_secs_f64());
}
