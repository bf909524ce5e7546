//! `cargo xtask bench align`: whole runs of `seedsieve align`, filter off and on, and of bwa-mem4 on the same reads, in
//! turn; CPU seconds (user and system), medians, and medians of the ratios run by run.
//!
//! Arguments: `--runs N` (5), `--threads N` (1), `--filter` (also with the built-in model), `--set NAME` (kgp30x,
//! foreign-k14).

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use common::{cpu_seconds, median, prepare_index};

/// One work to do: extra options, and the two files of reads below the data folder.
struct Work {
    name: &'static str,
    options: &'static [&'static str],
    reads: [&'static str; 2],
}

const WORKS: [Work; 2] = [
    Work {
        name: "kgp30x",
        options: &[],
        reads: ["kgp30x/NA12878.chr22_R1.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"],
    },
    Work {
        name: "foreign-k14",
        options: &["-k", "14"],
        reads: [
            "human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz",
            "human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz",
        ],
    },
];

/// Makes the command of one run.
type MakeCommand<'a> = Box<dyn Fn() -> Command + 'a>;

struct Settings {
    runs: usize,
    threads: String,
    filter: bool,
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
    let mut settings = Settings { runs: 5, threads: "1".into(), filter: false, set: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => settings.runs = value()?.parse().map_err(|_| "--runs: a number from 1".to_owned())?,
            "--threads" => settings.threads = value()?,
            "--set" => settings.set = Some(value()?),
            "--filter" => settings.filter = true,
            "--bench" => {} // cargo adds it
            other => return Err(format!("unknown argument {other}; valid: --runs, --threads, --set, --filter")),
        }
    }
    Ok(settings)
}

fn run(settings: &Settings) -> Result<(), String> {
    let (repository, data) = (common::repository(), common::data());
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seedsieve"));
    let oracle = repository.join("target/oracle/bin/bwa-mem4");
    let index = repository.join("target/bench/human_mix.fa");
    prepare_index(&ours, &data.join("human_ref/human_mix.fa.gz"), &index)?;

    println!("CPU seconds on one machine, {} runs in turn, -t {}", settings.runs, settings.threads);
    println!("{:<12} {:<22} {:>9} {:>16}", "reads", "program", "median", "ratio to bwa-mem4");
    for work in WORKS.iter().filter(|work| settings.set.as_deref().is_none_or(|set| set == work.name)) {
        let reads = work.reads.map(|name| data.join(name));
        let shared = |program: &Path, command: &str| {
            let mut run = Command::new(program);
            run.current_dir(&repository).args([command, "-t", &settings.threads]).args(work.options);
            run
        };
        let mut programs: Vec<(&str, MakeCommand)> = Vec::new();
        if oracle.is_file() {
            programs.push(("bwa-mem4", Box::new(|| shared(&oracle, "mem"))));
        }
        programs.push(("seedsieve", Box::new(|| shared(&ours, "align"))));
        if settings.filter {
            programs.push((
                "seedsieve, filter on",
                Box::new(|| {
                    let mut run = shared(&ours, "align");
                    run.arg("--npu-filter");
                    run
                }),
            ));
        }
        let mut seconds = vec![Vec::new(); programs.len()];
        for _ in 0..settings.runs.max(1) {
            for ((_, program), seconds) in programs.iter().zip(&mut seconds) {
                let mut command = program();
                seconds.push(cpu_seconds(command.arg(&index).args(&reads))?);
            }
        }
        for (number, (name, _)) in programs.iter().enumerate() {
            let ratios = seconds[number].iter().zip(&seconds[0]).map(|(one, first)| one / first).collect();
            println!("{:<12} {name:<22} {:>9.2} {:>16.3}", work.name, median(seconds[number].clone()), median(ratios));
        }
    }
    Ok(())
}
