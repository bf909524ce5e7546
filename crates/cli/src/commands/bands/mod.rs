//! `seedsieve model bands`

mod reads;
mod report;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seedsieve_aligner::{AlignOptions, Bands, BandsFile, NetworkBand, ReferenceIndex, StudentBand};
use seedsieve_formats::OutputFile;
use seedsieve_tuning::{Aim, Bench, Learned, Networks, Part, Work, learn};

use super::cascade_network::CascadeNetwork;
use super::student::student;

/// Instead of a file.
const BUILT_IN: &str = "built-in";

/// What rounding may make of a score of the network, in thousandths.
const TOLERANCE: u16 = 20;

/// Arguments of `seedsieve model bands`.
#[derive(clap::Args)]
pub struct Args {
    /// Reference FASTA, the prefix of its index (`seedsieve index`).
    #[arg(long, value_name = "REF.fa")]
    reference: PathBuf,
    /// The bands file to write. Not with --measure.
    #[arg(short = 'o', long, value_name = "FILE.json", required_unless_present = "measure")]
    output: Option<PathBuf>,
    /// Learn nothing: say what the bands of this file change on the reads; `built-in` for those that are built in.
    #[arg(long, value_name = "FILE.json", conflicts_with = "output")]
    measure: Option<PathBuf>,
    /// Also learn what a student network decides about seeds in doubt, or measure it with this one: `built-in`, or a model file
    /// in eight bits.
    #[arg(long, value_name = "FILE.onnx")]
    student: Option<PathBuf>,
    /// Also learn what the convolutional network decides about seeds in doubt, or measure it with this one: `built-in`, or a
    /// model file. Learned without a student only.
    #[arg(long, value_name = "FILE.onnx")]
    network: Option<PathBuf>,
    /// Inference backend of the network: as in `align` [default: auto].
    #[arg(long, value_name = "NAME")]
    npu_backend: Option<seedsieve_inference::BackendChoice>,
    /// Largest share of the reads with an alignment of -T or more that may lose it or its place: the upper bound of what is
    /// measured, in each input at each -k.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    loss: f64,
    /// Confidence with which that is to hold.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = share)]
    confidence: f64,
    /// Shortest seed; several, with commas, to learn from alignments with each.
    #[arg(short = 'k', long, value_name = "BASES", default_value = "19", value_delimiter = ',', value_parser = clap::value_parser!(i32).range(1..))]
    min_seed_length: Vec<i32>,
    /// Lowest score to report [default: 30].
    #[arg(short = 'T', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(0..))]
    min_score: Option<i32>,
    /// Threads. The bands are the same for any number.
    #[arg(short = 't', long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: u16,
    /// Bases in a chunk of reads: as in `align`, the insert size is measured on each.
    #[arg(short = 'K', long, value_name = "BASES", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    chunk_bases: u64,
    /// Reads like those to be aligned: BAM, CRAM, or FASTQ; `R1,R2` in one argument are mates in two FASTQ files. A
    /// number and a colon before the file, as in `12:R1,R2`, is this input's own -k.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (f64::MIN_POSITIVE..1.0).contains(share));
    share.ok_or_else(|| "a number between 0 and 1 is needed".to_owned())
}

/// Learns bands, or measures some.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let output = args.output.as_deref().map(OutputFile::create).transpose()?;
    let start = args.measure.as_deref().map_or_else(|| Ok(BandsFile::built_in()), bands_file)?;
    ensure!(
        args.measure.is_some() || args.student.is_none() || args.network.is_none(),
        "--student and --network are learned apart; bands with both are set by hand and measured (--measure FILE.json)"
    );
    let networks = networks(args, &start.bands)?;
    let index = ReferenceIndex::load(&args.reference)?;
    let inputs = args.inputs.iter().map(|input| Input::open(input, args)).collect::<anyhow::Result<Vec<_>>>()?;
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(args.threads.into()).build().context("cannot start threads")?;
    pool.install(|| {
        let bench = Bench::new(works(args, &index, &inputs), networks)?;
        if args.measure.is_some() {
            let learned = Learned { bands: start.bands, trials: bench.run(start.bands)? };
            return Ok(write!(std::io::stdout().lock(), "{}", report::table(&bench, &learned, args.confidence))?);
        }
        let (pairs, singles) = (bench.has(true), bench.has(false));
        let aim = Aim { loss: args.loss, confidence: args.confidence, pairs, singles };
        let mut tried = 0;
        // With a network there is some doubt to begin with; what it is worth is learned.
        let of_student = args.student.is_some().then_some(StudentBand { points: 0, keep: 500, drop: None });
        let of_network =
            args.network.is_some().then_some(NetworkBand { points: Some(0), keep: 500, tolerance: TOLERANCE });
        let learned = learn(
            Bands { student: of_student, network: of_network, ..start.bands },
            &aim,
            |bands| bench.run(bands),
            |learned| {
                tried += 1;
                tracing::info!("{tried}: {}", report::line(learned, args.confidence));
            },
        )?;
        let loss = report::loss(&bench, &learned, &aim, &command());
        if loss.measured_upper_bound > loss.stated {
            tracing::warn!(
                "at the loci that were not learned from, up to {:.5} of a work's reads are changed, more than was stated; \
                 more reads narrow the bound",
                loss.measured_upper_bound
            );
        }
        write!(std::io::stdout().lock(), "{}", report::table(&bench, &learned, args.confidence))?;
        let mut output = output.expect("there is one where bands are learned");
        output.write_all(BandsFile::new(learned.bands, Some(loss)).to_text().as_bytes())?;
        Ok(output.finish()?)
    })
}

/// Who is asked: what is to be learned of, and what the bands ask that are measured.
fn networks(args: &Args, bands: &Bands) -> anyhow::Result<Networks> {
    let asked = |named: &Option<PathBuf>, of_bands: bool| {
        named.clone().or_else(|| (args.measure.is_some() && of_bands).then(|| BUILT_IN.into()))
    };
    let file = |named: &PathBuf| Some(named.clone()).filter(|file| file.as_os_str() != BUILT_IN);
    let of_student = asked(&args.student, bands.student.is_some());
    let student = of_student.map(|named| student(file(&named).as_deref())).transpose()?;
    let of_network = asked(&args.network, bands.network.is_some());
    let choice = args.npu_backend.unwrap_or_default();
    let network = of_network.map(|named| CascadeNetwork::load(file(&named).as_deref(), choice, None)).transpose()?;
    let (network, referee) = network.map(|network| (network.backend, network.referee)).unzip();
    Ok(Networks { student, network, referee: referee.flatten() })
}

/// Reads the bands of a file.
fn bands_file(path: &Path) -> anyhow::Result<BandsFile> {
    if path.as_os_str() == BUILT_IN {
        return Ok(BandsFile::built_in());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    BandsFile::parse(&text).map_err(|problem| anyhow::anyhow!("{}: {problem}", path.display()))
}

/// One input, with the -k of its own.
struct Input {
    name: String,
    min_seed_lengths: Vec<i32>,
    parts: Vec<Part>,
}

impl Input {
    fn open(argument: &str, args: &Args) -> anyhow::Result<Self> {
        let own = argument.split_once(':').and_then(|(length, files)| Some((length.parse::<i32>().ok()?, files)));
        let (min_seed_lengths, files) = match own {
            Some((length, files)) if !Path::new(argument).exists() => (vec![length], files),
            _ => (args.min_seed_length.clone(), argument),
        };
        let parts = reads::parts(files, &args.reference, args.chunk_bases)?;
        ensure!(!parts.is_empty(), "{files}: no reads");
        let file_name = |file: &str| Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned());
        let name = files.split(',').filter_map(file_name).collect::<Vec<_>>().join(",");
        Ok(Self { name, min_seed_lengths, parts })
    }
}

fn works<'a>(args: &Args, index: &'a ReferenceIndex, inputs: &'a [Input]) -> Vec<Work<'a>> {
    let of_input = |input: &'a Input| {
        input.min_seed_lengths.iter().map(move |&length| {
            let mut options = AlignOptions::default();
            options.mem.min_seed_len = length;
            options.mem.t = args.min_score.unwrap_or(options.mem.t);
            Work { name: format!("-k {length} {}", input.name), index, options, parts: &input.parts }
        })
    };
    inputs.iter().flat_map(of_input).collect()
}

/// The command as it was given, but for the folders of files.
fn command() -> String {
    let word = |word: String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let words = std::env::args()
        .map(|argument| argument.split(',').map(|part| word(part.to_owned())).collect::<Vec<_>>().join(","));
    words.collect::<Vec<_>>().join(" ")
}
