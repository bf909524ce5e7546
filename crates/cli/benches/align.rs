//! `cargo xtask bench align`: whole runs of `seedsieve align`, filter off and on, and of bwa-mem4 on the same reads, in
//! turn; CPU seconds (user and system), medians, and medians of the ratios run by run.
//!
//! Arguments: `--runs N` (5), `--threads N` (1), `--filter` (also with the built-in model), `--set NAME` (kgp30x,
//! foreign-k14).

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

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
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two levels down").to_path_buf();
    let data = std::env::var_os("SEEDSIEVE_DATA").map_or_else(|| repository.join("../shared/data"), PathBuf::from);
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

fn prepare_index(ours: &Path, reference: &Path, index: &Path) -> Result<(), String> {
    if index.with_extension("fa.bwt.2bit.64").is_file() {
        return Ok(());
    }
    if !reference.is_file() {
        return Err(format!("{} is not there; set SEEDSIEVE_DATA to the folder of real data", reference.display()));
    }
    std::fs::create_dir_all(index.parent().expect("a folder")).map_err(|error| error.to_string())?;
    cpu_seconds(Command::new(ours).arg("index").arg("--prefix").arg(index).arg(reference)).map(drop)
}

/// CPU time of a command that has to succeed. Its output is thrown away.
fn cpu_seconds(command: &mut Command) -> Result<f64, String> {
    let before = children_cpu_seconds()?;
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(children_cpu_seconds()? - before)
}

/// User and system time of all children that have ended, from the kernel's own count in hundredths of a second.
fn children_cpu_seconds() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |number: usize| fields.get(number).and_then(|field| field.parse::<f64>().ok());
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err("/proc/self/stat has not the fields that proc(5) describes".into()),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
