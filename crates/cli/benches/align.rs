//! `cargo xtask bench align`: whole runs of `seedsieve align` and of bwa-mem4 on the same reads, in turn; CPU seconds (user
//! and system) and peak memory, medians, and medians of the ratios run by run. bwa-mem4 runs twice: as `cargo install` builds
//! it, and built with the compiler's flags that ours is built with. Before, the records are compared: they have to be the same
//! bytes.
//!
//! Arguments: `--runs N` (5), `--threads N[,N...]` (1,2), `--filter` (also with the built-in filter), `--set NAME`
//! (kgp30x, simulated, foreign-k14), `--growth` (how time grows with reads and threads, drawn in target/bench/align.html).

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use common::cost::{Cost, cost};
use common::plot::{Plot, Series, page};
use common::simulated::simulated_pairs;
use common::{median, prepare_index};

/// Builds of bwa-mem4 below `target`.
const ORACLES: [(&str, &str); 2] = [("bwa-mem4", "oracle"), ("bwa-mem4, our flags", "oracle-popcnt")];
const OURS: &str = "seedsieve";
/// Pairs of the simulated set; parts of it show how time grows.
const SIMULATED_PAIRS: u64 = 100_000;

/// One work to do: extra options, and the two files of reads below the data folder; none for simulated ones.
struct Work {
    name: &'static str,
    options: &'static [&'static str],
    reads: Option<[&'static str; 2]>,
}

const WORKS: [Work; 3] = [
    Work {
        name: "kgp30x",
        options: &[],
        reads: Some(["kgp30x/NA12878.chr22_R1.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"]),
    },
    Work { name: "simulated", options: &[], reads: None },
    Work {
        name: "foreign-k14",
        options: &["-k", "14"],
        reads: Some([
            "human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz",
            "human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz",
        ]),
    },
];

struct Settings {
    runs: usize,
    threads: Vec<usize>,
    filter: bool,
    growth: bool,
    set: Option<String>,
}

/// The programs, the index and the folder for what is made.
struct Bench {
    ours: PathBuf,
    /// Builds of bwa-mem4, each with its name in the table.
    oracles: Vec<(&'static str, PathBuf)>,
    reference: PathBuf,
    index: PathBuf,
    folder: PathBuf,
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
    let mut settings = Settings { runs: 5, threads: vec![1, 2], filter: false, growth: false, set: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => settings.runs = value()?.parse().map_err(|_| "--runs: a number from 1".to_owned())?,
            "--threads" => {
                let numbers = value()?.split(',').map(str::parse).collect::<Result<_, _>>();
                settings.threads = numbers.map_err(|_| "--threads: numbers from 1, as 1,2,4".to_owned())?;
            }
            "--set" => settings.set = Some(value()?),
            "--filter" => settings.filter = true,
            "--growth" => settings.growth = true,
            "--bench" => {} // cargo adds it
            other => {
                return Err(format!("unknown argument {other}; valid: --runs, --threads, --set, --filter, --growth"));
            }
        }
    }
    match settings.set.as_deref().filter(|set| WORKS.iter().all(|work| work.name != *set)) {
        Some(unknown) => Err(format!("--set {unknown}: there are {}", WORKS.map(|work| work.name).join(", "))),
        None => Ok(settings),
    }
}

fn run(settings: &Settings) -> Result<(), String> {
    let repository = common::repository();
    let oracle = |(name, folder)| (name, repository.join("target").join(folder).join("bin/bwa-mem4"));
    let bench = Bench {
        ours: PathBuf::from(env!("CARGO_BIN_EXE_seedsieve")),
        oracles: ORACLES.map(oracle).into_iter().filter(|(_, binary)| binary.is_file()).collect(),
        reference: common::data().join("human_ref/human_mix.fa.gz"),
        index: repository.join("target/bench/human_mix.fa"),
        folder: repository.join("target/bench"),
    };
    prepare_index(&bench.ours, &bench.reference, &bench.index)?;
    if bench.oracles.len() < ORACLES.len() {
        println!("not all builds of bwa-mem4 are below target (`cargo xtask bench align` makes them): fewer ratios");
    }
    println!("CPU seconds and peak memory on one machine, {} runs in turn", settings.runs);
    print!("{:<12} {:>3} {:<20} {:>8} {:>6}", "reads", "-t", "program", "CPU s", "MiB");
    bench.oracles.iter().for_each(|(name, _)| print!("  of {name}: CPU, memory"));
    println!();
    for work in WORKS.iter().filter(|work| settings.set.as_deref().is_none_or(|set| set == work.name)) {
        let reads = match work.reads {
            Some(names) => names.map(|name| common::data().join(name)),
            None => simulated_pairs(&bench.reference, SIMULATED_PAIRS, &bench.folder)?,
        };
        println!("{:<12} {}", work.name, bench.equal_work(work.options, &reads)?);
        for threads in &settings.threads {
            let mut programs = bench.programs(*threads, work.options, &reads);
            if settings.filter {
                programs
                    .push(("seedsieve, filter", bench.command(&bench.ours, "align", *threads, work.options, &reads)));
                programs.last_mut().expect("just added").1.arg("--npu-filter");
            }
            let costs = in_turn(&mut programs, settings.runs)?;
            for (number, ((name, _), own)) in programs.iter().zip(&costs).enumerate() {
                let of_own = |value: fn(&Cost) -> f64| median(own.iter().map(value).collect());
                let (cpu, memory) = (of_own(|cost| cost.cpu), of_own(|cost| cost.memory));
                print!("{:<12} {threads:>3} {name:<20} {cpu:>8.2} {memory:>6.0}", work.name);
                for ((oracle, _), theirs) in bench.oracles.iter().zip(&costs).take(number) {
                    let (cpu, memory) = (ratio(|cost| cost.cpu, own, theirs), ratio(|cost| cost.memory, own, theirs));
                    print!("  {:>width$.3}, {memory:.3}", cpu, width = oracle.len() + 9);
                }
                println!();
            }
        }
    }
    if settings.growth { bench.growth(settings.runs) } else { Ok(()) }
}

impl Bench {
    fn command(
        &self,
        program: &Path,
        command: &str,
        threads: usize,
        options: &[&str],
        reads: &[PathBuf; 2],
    ) -> Command {
        let mut run = Command::new(program);
        run.current_dir(common::repository()).args([command, "-t", &threads.to_string()]).args(options);
        run.arg(&self.index).args(reads);
        run
    }

    /// The builds of bwa-mem4 that there are, and ours.
    fn programs(&self, threads: usize, options: &[&str], reads: &[PathBuf; 2]) -> Vec<(&'static str, Command)> {
        let oracles = self.oracles.iter();
        let oracles = oracles.map(|(name, binary)| (*name, self.command(binary, "mem", threads, options, reads)));
        oracles.chain([(OURS, self.command(&self.ours, "align", threads, options, reads))]).collect()
    }

    /// Says how many records there are, and that all programs write the same ones.
    fn equal_work(&self, options: &[&str], reads: &[PathBuf; 2]) -> Result<String, String> {
        let mut outputs = Vec::new();
        for (name, mut command) in self.programs(1, options, reads) {
            let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
            if !output.status.success() {
                return Err(format!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
            }
            outputs.push(output.stdout);
        }
        let records = |sam: &'_ [u8]| -> Vec<Vec<u8>> {
            sam.split_inclusive(|byte| *byte == b'\n').filter(|line| line[0] != b'@').map(<[u8]>::to_vec).collect()
        };
        let (ours, theirs) = outputs.split_last().expect("ours at least");
        let ours = records(ours);
        match theirs.iter().all(|theirs| records(theirs) == ours) {
            true if theirs.is_empty() => Ok(format!("{} records", ours.len())),
            true => Ok(format!("{} records, the same bytes from all", ours.len())),
            false => Err("the records are not those of bwa-mem4".into()),
        }
    }

    /// How time grows with reads and with threads, as figures and as a page.
    fn growth(&self, runs: usize) -> Result<(), String> {
        let parts = [SIMULATED_PAIRS / 8, SIMULATED_PAIRS / 4, SIMULATED_PAIRS / 2, SIMULATED_PAIRS];
        let mut by_reads = Growth::new("pairs", "CPU seconds");
        for pairs in parts {
            let reads = simulated_pairs(&self.reference, pairs, &self.folder)?;
            let mut programs = self.programs(1, &[], &reads);
            let costs = in_turn(&mut programs, runs)?;
            by_reads.add(pairs as f64, &programs, &costs, |cost| cost.cpu);
        }
        let reads = simulated_pairs(&self.reference, SIMULATED_PAIRS, &self.folder)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut by_threads = Growth::new("threads", "seconds on the clock");
        for threads in (0..).map(|power| 1 << power).take_while(|threads| *threads <= cores) {
            let mut programs = self.programs(threads, &[], &reads);
            let costs = in_turn(&mut programs, runs)?;
            by_threads.add(threads as f64, &programs, &costs, |cost| cost.wall);
        }
        let notes = [
            format!("Simulated pairs 2x150 against 24 Mb of human sequence; medians of {runs} runs; {cores} cores."),
            "Made by cargo xtask bench align --growth. Times include the start and the loading of the index.".into(),
        ];
        let plots = [
            by_reads.plot("CPU time by number of pairs (-t 1)", "pairs", "CPU seconds"),
            by_threads.plot("Time by number of threads", "threads (-t)", "seconds"),
        ];
        let path = self.folder.join("align.html");
        fs::write(&path, page("How align's time grows", &notes, &plots)).map_err(|error| error.to_string())?;
        println!("drawn in {}", path.display());
        Ok(())
    }
}

/// One line for each program.
struct Growth {
    what: &'static str,
    unit: &'static str,
    series: Vec<Series>,
}

impl Growth {
    fn new(what: &'static str, unit: &'static str) -> Self {
        Self { what, unit, series: Vec::new() }
    }

    fn add(&mut self, x: f64, programs: &[(&str, Command)], costs: &[Vec<Cost>], value: fn(&Cost) -> f64) {
        for (number, ((name, _), costs)) in programs.iter().zip(costs).enumerate() {
            let y = median(costs.iter().map(value).collect());
            if self.series.len() == number {
                self.series.push(Series { name: (*name).to_owned(), points: Vec::new() });
            }
            self.series[number].points.push((x, y));
            println!("{x:>8} {:<8} {name:<18} {y:>8.2} {}", self.what, self.unit);
        }
    }

    fn plot(self, title: &str, x: &str, y: &str) -> Plot {
        Plot { title: title.to_owned(), x: x.to_owned(), y: y.to_owned(), series: self.series }
    }
}

/// Runs the programs in turn; the costs of each.
fn in_turn(programs: &mut [(&str, Command)], runs: usize) -> Result<Vec<Vec<Cost>>, String> {
    let mut costs = vec![Vec::new(); programs.len()];
    for _ in 0..runs.max(1) {
        for ((_, command), costs) in programs.iter_mut().zip(&mut costs) {
            costs.push(cost(command)?);
        }
    }
    Ok(costs)
}

/// Median of a value's ratios, run by run.
fn ratio(value: fn(&Cost) -> f64, own: &[Cost], theirs: &[Cost]) -> f64 {
    median(own.iter().zip(theirs).map(|(one, other)| value(one) / value(other)).collect())
}
