//! `cargo xtask bench extract`: `seedsieve extract-seeds`, all seeds written, beside `seedsieve align` without a filter on
//! the same reads, in turn; CPU seconds (user and system), medians, medians of the ratios run by run, and medians of the
//! seconds on the clock (with `--threads 2` beside `--threads 1` they tell how threads scale). Below each set, what no
//! extraction of these seeds can go below: one thread writes the rows of the data set anew, out of memory. Then how fast
//! the last data set is read, in Rust and in pyarrow, and how fast its rows are written again.
//!
//! Arguments: `--runs N` (5), `--threads N` (1), `--set NAME` (kgp30x, kgp30x-k14, foreign, foreign-k14), `--extended`
//! (also with `--own-extensions sample`, `kept` and `extended`).

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use common::{cpu_seconds, cpu_seconds_of, median, prepare_index};
use seedsieve_dataset::{ColumnBuilder, Dataset, DatasetError, DatasetWriter, RowView, WriterOptions, file_sha256};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One work to do: -k, and the two files of reads below the data folder.
struct Work {
    name: &'static str,
    seed_length: &'static str,
    reads: [&'static str; 2],
}

const KGP30X: [&str; 2] = ["kgp30x/NA12878.chr22_R1.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"];
const FOREIGN: [&str; 2] =
    ["human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz", "human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz"];
const WORKS: [Work; 4] = [
    Work { name: "kgp30x", seed_length: "19", reads: KGP30X },
    Work { name: "kgp30x-k14", seed_length: "14", reads: KGP30X },
    Work { name: "foreign", seed_length: "19", reads: FOREIGN },
    Work { name: "foreign-k14", seed_length: "14", reads: FOREIGN },
];

/// Reads a data set with all columns in pyarrow and prints the CPU seconds.
const READ_IN_PYARROW: &str = "
import sys, time, pyarrow.dataset as ds
start = time.process_time()
rows = sum(batch.num_rows for batch in ds.dataset(sys.argv[1], format='parquet').to_batches(use_threads=False))
print(rows, time.process_time() - start)";

/// Rows that the floor is measured with at a time: those of some hundred reads.
const ROWS_OF_A_TASK: usize = 2048;

struct Settings {
    runs: usize,
    threads: String,
    extended: bool,
    set: Option<String>,
}

fn main() -> ExitCode {
    match settings().and_then(|settings| run(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<Settings, String> {
    let mut settings = Settings { runs: 5, threads: "1".into(), extended: false, set: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => settings.runs = value()?.parse().map_err(|_| "--runs: a number from 1".to_owned())?,
            "--threads" => settings.threads = value()?,
            "--set" => settings.set = Some(value()?),
            "--extended" => settings.extended = true,
            "--bench" => {} // cargo adds it
            other => return Err(format!("unknown argument {other}; valid: --runs, --threads, --set, --extended")),
        }
    }
    Ok(settings)
}

fn run(settings: &Settings) -> Result<(), String> {
    let (repository, data) = (common::repository(), common::data());
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seedsieve"));
    let index = repository.join("target/bench/human_mix.fa");
    prepare_index(&ours, &data.join("human_ref/human_mix.fa.gz"), &index)?;
    let output = repository.join("target/bench/extract");

    println!("CPU seconds on one machine, {} runs in turn, -t {}", settings.runs, settings.threads);
    println!(
        "{:<12} {:<24} {:>8} {:>8} {:>15} {:>11} {:>8} {:>7} {:>8}",
        "reads", "program", "median", "clock", "ratio to align", "seeds", "seeds/s", "B/seed", "peak MB"
    );
    for work in WORKS.iter().filter(|work| settings.set.as_deref().is_none_or(|set| set == work.name)) {
        let reads = work.reads.map(|name| data.join(name));
        let shared = |command: &str| {
            let mut run = Command::new(&ours);
            run.args([command, "-t", &settings.threads, "-k", work.seed_length]);
            run
        };
        let extract = |more: &[&str]| {
            let mut run = shared("extract-seeds");
            run.args(["--paired", "--overwrite", "--reference"]).arg(&index).arg("-o").arg(&output);
            run.args(more).args(&reads);
            run
        };
        let mut ways: Vec<(&str, &[&str])> = vec![("extract-seeds", &[])];
        if settings.extended {
            ways.push(("--own-extensions sample", &["--own-extensions", "sample"]));
            ways.push(("--own-extensions kept", &["--own-extensions", "kept"]));
            ways.push(("--own-extensions extended", &["--own-extensions", "extended"]));
        }
        let (mut align_seconds, mut align_clock) = (Vec::new(), Vec::new());
        let mut clock = vec![Vec::new(); ways.len()];
        let mut seconds = vec![Vec::new(); ways.len()];
        let mut results = vec![(0, 0, 0); ways.len()];
        for _ in 0..settings.runs.max(1) {
            let start = Instant::now();
            align_seconds.push(cpu_seconds(shared("align").arg(&index).args(&reads))?);
            align_clock.push(start.elapsed().as_secs_f64());
            for (number, (_, more)) in ways.iter().enumerate() {
                let mut peak = 0;
                let mut command = extract(more);
                command.stdin(Stdio::null()).stdout(Stdio::null());
                let start = Instant::now();
                seconds[number].push(cpu_seconds_of(&mut command, |child| peak = watch_memory(child))?);
                clock[number].push(start.elapsed().as_secs_f64());
                let (seeds, bytes) = size(&output)?;
                results[number] = (seeds, bytes, peak);
            }
        }
        let (align_median, align_clock) = (median(align_seconds.clone()), median(align_clock));
        println!("{:<12} {:<24} {align_median:>8.2} {align_clock:>8.2}", work.name, "align");
        let measured = seconds.into_iter().zip(clock).zip(results);
        for ((name, _), ((seconds, clock), (seeds, bytes, peak))) in ways.iter().zip(measured) {
            let ratios = seconds.iter().zip(&align_seconds).map(|(one, align)| one / align).collect();
            let median_seconds = median(seconds);
            println!(
                "{:<12} {name:<24} {median_seconds:>8.2} {:>8.2} {:>15.2} {seeds:>11} {:>8.0} {:>7.1} {:>8.0}",
                work.name,
                median(clock),
                median(ratios),
                seeds as f64 / median_seconds,
                bytes as f64 / seeds as f64,
                peak as f64 / 1e6
            );
        }
        let floor = Floor::measure(&output, &repository.join("target/bench/written"), settings.runs)?;
        floor.print(work.name, align_median);
    }
    reading_and_writing(&repository, &output)
}

/// CPU time of one thread that writes a data set whose rows lie in memory, step by step.
struct Floor {
    columns: f64,
    files: f64,
    /// A part of `files`.
    checksums: f64,
}

impl Floor {
    /// Medians of so many runs. `written` is the folder for what is written.
    fn measure(dataset: &Path, written: &Path, runs: usize) -> Result<Self, String> {
        let failed = |error: DatasetError| error.to_string();
        let dataset = Dataset::open(dataset).map_err(failed)?;
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| error.to_string())?;
        let (mut columns, mut files, mut checksums) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..runs.max(1) {
            let floor = one_thread.install(|| Self::of_run(&dataset, written))?;
            columns.push(floor.columns);
            files.push(floor.files);
            checksums.push(floor.checksums);
        }
        Ok(Self { columns: median(columns), files: median(files), checksums: median(checksums) })
    }

    fn of_run(dataset: &Dataset, written: &Path) -> Result<Self, String> {
        let failed = |error: DatasetError| error.to_string();
        let (mut columns, mut files) = (Duration::ZERO, Duration::ZERO);
        let timed = |sum: &mut Duration, start: Duration| *sum += thread_cpu_time() - start;
        let options = WriterOptions { overwrite: true, ..WriterOptions::default() };
        let mut writer = DatasetWriter::create(written, options).map_err(failed)?;
        for batch in dataset.batches() {
            let batch = batch.map_err(failed)?;
            // As many at a time as extraction completes.
            for start in (0..batch.num_rows()).step_by(ROWS_OF_A_TASK) {
                let rows = batch.slice(start, ROWS_OF_A_TASK.min(batch.num_rows() - start));
                let rows = in_columns(&rows, |start| timed(&mut columns, start))?;
                let start = thread_cpu_time();
                writer.append(&rows).map_err(failed)?;
                timed(&mut files, start);
            }
        }
        let manifest = dataset.manifest().clone();
        let start = thread_cpu_time();
        let manifest = writer.finish(manifest.producer, manifest.settings, manifest.inputs).map_err(failed)?;
        timed(&mut files, start);
        let start = thread_cpu_time();
        for part in &manifest.parts {
            file_sha256(&written.join(&part.file)).map_err(failed)?;
        }
        let checksums = thread_cpu_time() - start;
        let [columns, files, checksums] = [columns, files, checksums].map(|time| time.as_secs_f64());
        Ok(Self { columns, files, checksums })
    }

    fn print(&self, set: &str, align: f64) {
        let Self { columns, files, checksums } = self;
        let all = columns + files;
        println!(
            "{set:<12} {:<24} {all:>8.2} {:>8} {:>15.2}   columns {columns:.2}, encoding and ZSTD {:.2}, SHA-256 {checksums:.2}",
            "align and writing alone",
            "",
            1.0 + all / align,
            files - checksums
        );
    }
}

/// Builds the columns of `rows` anew, read by read. `timed` is told when that began, once it is done.
fn in_columns(rows: &RecordBatch, timed: impl FnOnce(Duration)) -> Result<RecordBatch, String> {
    let mut views: Vec<RowView<'_>> = (0..rows.num_rows()).map(|_| RowView::new(rows)).collect();
    let facts: Vec<_> = views.iter_mut().enumerate().map(|(row, view)| view.row(row)).collect::<Result<_, String>>()?;
    let start = thread_cpu_time();
    let mut columns = ColumnBuilder::with_capacity(facts.len());
    for of_read in facts.chunk_by(|one, other| (one.read_hash, one.mate) == (other.read_hash, other.mate)) {
        columns.push_read(of_read);
    }
    let columns = columns.finish().expect("the columns are those of the schema");
    timed(start);
    Ok(columns)
}

/// CPU time that this thread has used.
fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Seeds and bytes of a data set.
fn size(directory: &Path) -> Result<(u64, u64), String> {
    let dataset = Dataset::open(directory).map_err(|error| error.to_string())?;
    let manifest = dataset.manifest();
    Ok((manifest.counts.seeds, manifest.parts.iter().map(|part| part.size).sum()))
}

/// Waits for the child and gives the most memory that it was seen to hold, in bytes.
fn watch_memory(child: &mut std::process::Child) -> u64 {
    let mut peak = 0;
    while matches!(child.try_wait(), Ok(None)) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        peak = peak.max(kilobytes.and_then(|text| text.parse().ok()).unwrap_or(0) * 1024);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    peak
}

/// Rates on the data set that was extracted last, wall clock of one thread.
fn reading_and_writing(repository: &Path, directory: &Path) -> Result<(), String> {
    let failed = |error: seedsieve_dataset::DatasetError| error.to_string();
    let dataset = Dataset::open(directory).map_err(failed)?;
    let seeds = dataset.manifest().counts.seeds;
    let rate = |name: &str, rows: u64, seconds: f64| println!("{name:<42} {:>11.0} seeds/s", rows as f64 / seconds);
    println!("\nThe last data set, {seeds} seeds, one thread");

    let start = Instant::now();
    let mut batches = Vec::new();
    for batch in dataset.batches() {
        batches.push(batch.map_err(failed)?);
    }
    rate("read, Rust, record batches", seeds, start.elapsed().as_secs_f64());

    let start = Instant::now();
    let mut sum = 0;
    dataset
        .for_each_row(|_, _, row| {
            sum += i64::from(row.own_score);
            Ok(())
        })
        .map_err(failed)?;
    rate("read, Rust, rows", seeds, start.elapsed().as_secs_f64());
    std::hint::black_box(sum);

    // The rows lie in memory: what is timed is collecting and writing them.
    let written = repository.join("target/bench/written");
    let start = Instant::now();
    let mut writer = DatasetWriter::create(&written, WriterOptions { overwrite: true, ..WriterOptions::default() })
        .map_err(failed)?;
    for batch in &batches {
        let mut view = RowView::new(batch);
        for row in 0..batch.num_rows() {
            writer.push(&view.row(row)?).map_err(failed)?;
        }
    }
    let manifest = dataset.manifest().clone();
    writer.finish(manifest.producer, manifest.settings, manifest.inputs).map_err(failed)?;
    rate("write, Rust", seeds, start.elapsed().as_secs_f64());

    let python = repository.join(".venv/bin/python");
    if !python.is_file() {
        println!("no .venv (cargo xtask setup): pyarrow is left out");
        return Ok(());
    }
    let read = Command::new(python).args(["-c", READ_IN_PYARROW]).arg(directory.join("data")).output();
    let read = read.map_err(|error| error.to_string())?;
    if !read.status.success() {
        return Err(format!("pyarrow failed:\n{}", String::from_utf8_lossy(&read.stderr)));
    }
    let text = String::from_utf8_lossy(&read.stdout).into_owned();
    match text.split_whitespace().map(str::parse::<f64>).collect::<Result<Vec<_>, _>>().as_deref() {
        Ok([rows, seconds]) if *rows as u64 == seeds => {
            rate("read, pyarrow, all columns", seeds, *seconds);
            Ok(())
        }
        _ => Err(format!("pyarrow read something else than {seeds} rows: {text}")),
    }
}
