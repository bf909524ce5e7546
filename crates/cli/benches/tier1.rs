//! `cargo xtask bench tier1`: what the first tier of the filter costs a seed, beside what fetching the reference costs.
//!
//! Seeds of real reads, as the seed gate sees them: their ungapped bounds in every form that this processor runs, one thread,
//! medians; that they are the same is checked. Beside them the narrow scores, whole and until 30 is reached, and the batched
//! Smith-Waterman of the same seeds (every second one of each read). The memory limit is the time to fetch the same seeds' reference words alone, in
//! the same order and asked for as far ahead, and the time for as many fetches at random places.
//!
//! Arguments: `--runs N` (9), `--pairs N` (5000) of each set of reads.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::{median, prepare_index};
use seedsieve_aligner::fastq::{Chunk, FastqReader, ReadSource};
use seedsieve_aligner::{
    AlignOptions, Aligner, AlignerError, FilterStatistics, GateBatch, Gates, NoObserver, ReferenceIndex, Seed,
    SeedGate, SeedToExtend,
};
use seedsieve_filter::{
    CascadeBatch, CascadeSettings, NarrowScores, PlacedSeed, ReferencePlanes, UngappedBounds, VectorForm,
    fetch_reference,
};

const REFERENCE: &str = "human_ref/human_mix.fa.gz";
/// Name, -k, and the reads of both mates below the data folder.
const SETS: [(&str, i32, [&str; 2]); 2] = [
    (
        "foreign, -k 12",
        12,
        ["human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz", "human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz"],
    ),
    ("30x, -k 19", 19, ["kgp30x/NA12878.chr22_R1.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"]),
];

/// Seeds of some reads, on the forward strand.
#[derive(Default)]
struct Seeds {
    reads: Vec<Vec<u8>>,
    offsets: Vec<usize>,
    seeds: Vec<PlacedSeed>,
    /// The same as the aligner has them.
    found: Vec<Seed>,
}

/// A gate that writes down what it sees.
struct Collect(Arc<Mutex<Seeds>>);

impl SeedGate for Collect {
    fn retain(&self, batch: &GateBatch<'_>, _keep: &mut [bool]) -> Result<FilterStatistics, AlignerError> {
        let mut collected = self.0.lock().expect("no other panicked");
        let both_strands = 2 * batch.index.length() as u64;
        for (read, codes) in batch.reads.iter().enumerate() {
            for seed in &batch.seeds[batch.offsets[read]..batch.offsets[read + 1]] {
                let (start, length) = (seed.reference_start as u64, seed.length as u32);
                let (query_start, reverse) = (seed.query_start as u32, 2 * start >= both_strands);
                let (start, query_start) = if reverse {
                    (both_strands - start - u64::from(length), codes.len() as u32 - query_start - length)
                } else {
                    (start, query_start)
                };
                collected.found.push(*seed);
                collected.seeds.push(PlacedSeed { start, query_start, length, reverse, alt: false });
            }
            collected.reads.push(codes.to_vec());
            let end = collected.seeds.len();
            collected.offsets.push(end);
        }
        Ok(FilterStatistics::default())
    }
}

fn main() -> ExitCode {
    match settings().and_then(|(runs, pairs)| run(runs, pairs)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<(usize, usize), String> {
    let (mut runs, mut pairs) = (9, 5_000);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().and_then(|value| value.parse().ok()).filter(|&value| value > 0);
            value.ok_or(format!("{argument}: a number from 1"))
        };
        match argument.as_str() {
            "--runs" => runs = number()?,
            "--pairs" => pairs = number()?,
            "--bench" => {} // cargo adds it
            other => return Err(format!("unknown argument {other}; valid: --runs, --pairs")),
        }
    }
    Ok((runs, pairs))
}

fn run(runs: usize, pairs: usize) -> Result<(), String> {
    let data = common::data();
    let prefix = common::repository().join("target/bench/human_mix.fa");
    prepare_index(Path::new(env!("CARGO_BIN_EXE_seedsieve")), &data.join(REFERENCE), &prefix)?;
    let index = ReferenceIndex::load(&prefix).map_err(|error| error.to_string())?;
    let planes = planes(&index);
    println!("nanoseconds a seed, one thread, medians of {runs}");
    println!("{:<16} {:>10} {:<10} {:>6}", "reads", "seeds", "form", "ns");
    for (name, seed_length, files) in SETS {
        let seeds = collect(&index, seed_length, files.map(|file| data.join(file)), pairs)?;
        let count = seeds.seeds.len();
        let line = |form: &str, seconds: f64| {
            println!("{name:<16} {count:>10} {form:<10} {:>6.1}", seconds * 1e9 / count as f64);
        };
        let reads: Vec<&[u8]> = seeds.reads.iter().map(Vec::as_slice).collect();
        let batch = CascadeBatch {
            reads: &reads,
            read_offsets: &seeds.offsets,
            seeds: &seeds.seeds,
            chains: &[],
            paired: true,
        };
        let cascade = CascadeSettings::default();
        let mut expected = None;
        for form in VectorForm::available() {
            let mut bounds = Vec::new();
            let time = || {
                let start = Instant::now();
                bounds = UngappedBounds::new(&planes, &cascade, form).of_batch(&batch);
                start.elapsed().as_secs_f64()
            };
            line(form.name(), median(std::iter::repeat_with(time).take(runs).collect()));
            if *expected.get_or_insert_with(|| bounds.clone()) != bounds {
                return Err(format!("{name}: {} gives other bounds than the first form", form.name()));
            }
        }
        for (what, enough) in [("narrow", 255), ("narrow, 30", 30)] {
            let mut sum = 0;
            let time = || {
                let start = Instant::now();
                let mut scores = NarrowScores::new(&planes, cascade.scoring, enough);
                for (codes, offsets) in reads.iter().zip(seeds.offsets.windows(2)) {
                    sum += scores.of_read(codes, &seeds.seeds[offsets[0]..offsets[1]]).sum::<i32>();
                }
                start.elapsed().as_secs_f64()
            };
            line(what, median(std::iter::repeat_with(time).take(runs).collect()));
            std::hint::black_box(sum);
        }
        let time = || smith_waterman(&index, &planes, &seeds) * count as f64;
        line("SW", median(std::iter::repeat_with(time).take(runs.min(3)).collect()));
        for (what, places) in [("fetch", own_places(&seeds)), ("random", random_places(count, planes.length()))] {
            let mut sum = 0;
            let time = || {
                let start = Instant::now();
                sum ^= fetch_reference(&planes, &places);
                start.elapsed().as_secs_f64()
            };
            line(what, median(std::iter::repeat_with(time).take(runs).collect()));
            std::hint::black_box(sum);
        }
    }
    Ok(())
}

/// The seeds of the first pairs of two files.
fn collect(index: &ReferenceIndex, seed_length: i32, files: [PathBuf; 2], pairs: usize) -> Result<Seeds, String> {
    let problem = |error: AlignerError| error.to_string();
    let open = |file: &PathBuf| FastqReader::open(file).map_err(problem);
    let mut source = ReadSource::Paired(open(&files[0])?, open(&files[1])?);
    let Chunk::Pairs(mut chunk) = source.next_chunk(300 * pairs as u64).map_err(problem)? else {
        unreachable!("two files have pairs");
    };
    chunk.truncate(pairs);
    let mut options = AlignOptions::default();
    options.mem.min_seed_len = seed_length;
    let collected = Arc::new(Mutex::new(Seeds { offsets: vec![0], ..Seeds::default() }));
    let gates = Gates { seeds: Some(Arc::new(Collect(Arc::clone(&collected)))), ..Gates::default() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| error.to_string())?;
    pool.install(|| Aligner::with_gates(index, &options, gates).align_pairs(&chunk, 0, &NoObserver))
        .map_err(problem)?;
    let seeds = std::mem::take(&mut *collected.lock().expect("no other panicked"));
    Ok(seeds)
}

/// Seconds for the own extension of a seed, of every second seed; seeds that lie on no contig have none.
fn smith_waterman(index: &ReferenceIndex, planes: &ReferencePlanes, seeds: &Seeds) -> f64 {
    /// Reads whose seeds are extended together.
    const TOGETHER: usize = 512;
    let options = AlignOptions::default();
    let aligner = Aligner::with_gates(index, &options, Gates::default());
    let (mut seconds, mut extended, mut buffer) = (0.0, 0, Vec::new());
    for (reads, offsets) in seeds.reads.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
        let codes: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
        let mut to_extend = Vec::new();
        for (read, codes) in codes.iter().enumerate() {
            let range = seeds.offsets[offsets + read]..seeds.offsets[offsets + read + 1];
            let lies_on_a_contig =
                |number: &usize| planes.contig_around(seeds.seeds[*number].start, seeds.seeds[*number].length.into());
            for number in range.step_by(2).filter(|number| lies_on_a_contig(number).is_some()) {
                let seed = seeds.found[number];
                let flanks = index.surroundings(codes, &seed, &mut buffer).flanks();
                to_extend.push(SeedToExtend { read, seed, flanks, gapped: true });
            }
        }
        let start = Instant::now();
        std::hint::black_box(aligner.extend_seeds(&codes, &to_extend));
        seconds += start.elapsed().as_secs_f64();
        extended += to_extend.len();
    }
    seconds / extended as f64
}

fn planes(index: &ReferenceIndex) -> ReferencePlanes {
    let mut starts = vec![0];
    let mut codes = Vec::new();
    for (number, contig) in index.contigs().iter().enumerate() {
        starts.push(starts[number] + contig.length);
        codes.extend(index.contig_codes(number, 0, contig.length));
    }
    ReferencePlanes::new(starts, |range, piece| {
        piece.clear();
        piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
    })
}

/// Where each seed's read begins on the reference.
fn own_places(seeds: &Seeds) -> Vec<i64> {
    seeds.seeds.iter().map(|seed| seed.start as i64 - i64::from(seed.query_start)).map(|start| start.max(0)).collect()
}

fn random_places(count: usize, length: u64) -> Vec<i64> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(state) * u128::from(length)) >> 64) as i64
    };
    std::iter::repeat_with(next).take(count).collect()
}
