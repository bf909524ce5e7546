//! `cargo xtask bench filter`: whole runs of `seedsieve align` with the filter off and in each of its modes, in turn: CPU
//! seconds and peak memory against the run without it, and what became of the alignments.
//!
//! Arguments: `--runs N` (3), `--threads N` (1), `--network` (also --filter cnn), `--set NAME`, several times if wanted.

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use common::{median, prepare_index};

/// One work to do: a reference and reads below the data folder, and options. Files of one mate are put end to end.
struct Work {
    name: &'static str,
    reference: &'static str,
    options: &'static [&'static str],
    reads: &'static [&'static [&'static str]],
}

const HUMAN: &str = "human_ref/human_mix.fa.gz";
const FOREIGN: &[&[&str]] = &[
    &["human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz"],
    &["human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz"],
];
const YEAST: &[&[&str]] =
    &[&["other/yeast/SRR5204809_Input_100k_R1.fastq.gz"], &["other/yeast/SRR5204809_Input_100k_R2.fastq.gz"]];
const KGP30X: &[&[&str]] = &[
    &["kgp30x/NA12878.chr21_R1.fastq.gz", "kgp30x/NA12878.chr22_R1.fastq.gz"],
    &["kgp30x/NA12878.chr21_R2.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"],
];

const WORKS: [Work; 6] = [
    Work { name: "foreign-k12", reference: HUMAN, options: &["-k", "12"], reads: FOREIGN },
    Work { name: "foreign-k14", reference: HUMAN, options: &["-k", "14"], reads: FOREIGN },
    Work { name: "kgp30x", reference: HUMAN, options: &[], reads: KGP30X },
    Work { name: "yeast", reference: "other/yeast/sacCer3.fa.gz", options: &[], reads: YEAST },
    Work { name: "yeast-k12", reference: "other/yeast/sacCer3.fa.gz", options: &["-k", "12"], reads: YEAST },
    Work {
        name: "fly-k12",
        reference: "other/fly/dm6.small.fa.gz",
        options: &["-k", "12"],
        reads: &[&["other/fly/ip_2.small_R1.fastq.gz"]],
    },
];

struct Settings {
    runs: usize,
    threads: String,
    network: bool,
    sets: Vec<String>,
}

/// What one run took.
struct Cost {
    seconds: f64,
    mebibytes: f64,
}

/// The primary record of a read.
struct Alignment {
    mapped: bool,
    place: (String, u64, bool),
    mapq: u8,
    cigar: String,
    score: i32,
}

type Alignments = HashMap<(String, u32), Alignment>;

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
    let mut settings = Settings { runs: 3, threads: "1".into(), network: false, sets: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => settings.runs = value()?.parse().map_err(|_| "--runs: a number from 1".to_owned())?,
            "--threads" => settings.threads = value()?,
            "--set" => settings.sets.push(value()?),
            "--network" => settings.network = true,
            "--bench" => {} // cargo adds it
            other => return Err(format!("unknown argument {other}; valid: --runs, --threads, --set, --network")),
        }
    }
    match settings.sets.iter().find(|set| WORKS.iter().all(|work| work.name != **set)) {
        Some(unknown) => Err(format!("--set {unknown}: there are {}", WORKS.map(|work| work.name).join(", "))),
        None => Ok(settings),
    }
}

fn run(settings: &Settings) -> Result<(), String> {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seedsieve"));
    let folder = common::repository().join("target/bench");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut modes: Vec<(&str, &[&str])> = vec![("off", &["--filter", "off"]), ("cascade", &["--filter", "cascade"])];
    if settings.network {
        modes.push(("cnn", &["--filter", "cnn"]));
    }
    println!(
        "CPU seconds and peak memory of whole runs, {} in turn, -t {}; ratios to off",
        settings.runs, settings.threads
    );
    println!("{:<12} {:<8} {:>8} {:>7} {:>8} {:>7}", "reads", "filter", "CPU s", "ratio", "MiB", "ratio");
    for work in WORKS.iter().filter(|work| settings.sets.is_empty() || settings.sets.iter().any(|set| set == work.name))
    {
        let index = folder.join(Path::new(work.reference).file_stem().expect("a file"));
        prepare_index(&ours, &common::data().join(work.reference), &index)?;
        let reads = work
            .reads
            .iter()
            .enumerate()
            .map(|(mate, files)| end_to_end(files, &folder.join(format!("{}.{}.fastq.gz", work.name, mate + 1))))
            .collect::<Result<Vec<_>, _>>()?;
        let mut costs: Vec<Vec<Cost>> = modes.iter().map(|_| Vec::new()).collect();
        let sam = |mode: &str| folder.join(format!("{}.{mode}.sam", work.name));
        for _ in 0..settings.runs.max(1) {
            for ((mode, arguments), costs) in modes.iter().zip(&mut costs) {
                let mut command = Command::new(&ours);
                command.args(["--log", "error", "align", "-t", &settings.threads]).args(work.options).args(*arguments);
                costs.push(cost(command.arg("-o").arg(sam(mode)).arg(&index).args(&reads))?);
            }
        }
        let off = alignments(&sam("off"))?;
        for (number, (mode, _)) in modes.iter().enumerate() {
            let of = |value: fn(&Cost) -> f64| {
                let ratios =
                    costs[number].iter().zip(&costs[0]).map(|(one, first)| value(one) / value(first)).collect();
                (median(costs[number].iter().map(value).collect()), median(ratios))
            };
            let ((seconds, ratio), (memory, memory_ratio)) = (of(|cost| cost.seconds), of(|cost| cost.mebibytes));
            println!("{:<12} {mode:<8} {seconds:>8.2} {ratio:>7.3} {memory:>8.0} {memory_ratio:>7.3}", work.name);
        }
        for (mode, _) in &modes[1..] {
            println!("{}", changes(mode, &off, &alignments(&sam(mode))?));
        }
        for (mode, _) in &modes {
            fs::remove_file(sam(mode)).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// One file that holds the content of all; gzip members follow one another.
fn end_to_end(files: &[&str], whole: &Path) -> Result<PathBuf, String> {
    if let [only] = files {
        return Ok(common::data().join(only));
    }
    let mut content = Vec::new();
    for file in files {
        let path = common::data().join(file);
        content.extend(fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    fs::write(whole, content).map_err(|error| format!("{}: {error}", whole.display()))?;
    Ok(whole.to_owned())
}

/// CPU time and peak memory of a command that has to succeed.
fn cost(command: &mut Command) -> Result<Cost, String> {
    let mut mebibytes = 0.0;
    let seconds = common::cpu_seconds_of(command.stdin(Stdio::null()).stdout(Stdio::null()), |child| {
        mebibytes = watch_memory(child);
    })?;
    Ok(Cost { seconds, mebibytes })
}

/// Looks at the child's own high-water mark until it ends. The mark only grows, so the last look is near the truth.
fn watch_memory(child: &mut Child) -> f64 {
    let status = format!("/proc/{}/status", child.id());
    let mut kibibytes = 0.0;
    while matches!(child.try_wait(), Ok(None)) {
        let mark = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse().ok()
        });
        kibibytes = mark.unwrap_or(kibibytes);
        std::thread::sleep(Duration::from_millis(10));
    }
    kibibytes / 1024.0
}

fn alignments(sam: &Path) -> Result<Alignments, String> {
    let text = fs::read_to_string(sam).map_err(|error| format!("{}: {error}", sam.display()))?;
    let mut alignments = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('@')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |field: usize| fields[field].parse::<u64>().map_err(|error| format!("{line}: {error}"));
        let flag = number(1)? as u32;
        if flag & 0x900 != 0 {
            continue;
        }
        let score = fields[11..].iter().find_map(|tag| tag.strip_prefix("AS:i:")).and_then(|score| score.parse().ok());
        let alignment = Alignment {
            mapped: flag & 4 == 0,
            place: (fields[2].to_owned(), number(3)?, flag & 16 != 0),
            mapq: number(4)? as u8,
            cigar: fields[5].to_owned(),
            score: score.unwrap_or(0),
        };
        alignments.insert((fields[0].to_owned(), flag & 0xc0), alignment);
    }
    Ok(alignments)
}

/// What the filter changed, in one paragraph.
fn changes(mode: &str, off: &Alignments, on: &Alignments) -> String {
    let pairs = || off.iter().map(|(read, before)| (before, &on[read]));
    let kept = |before: &Alignment, after: &Alignment| after.mapped && before.place == after.place;
    let same = |before: &Alignment, after: &Alignment| kept(before, after) && before.cigar == after.cigar;
    let reported = || pairs().filter(|(before, _)| before.mapped && before.score >= 30);
    let share =
        |part: usize, whole: usize| format!("{part} of {whole} ({:.3} %)", 100.0 * part as f64 / whole.max(1) as f64);
    let (all, reported_all) = (pairs().filter(|(before, _)| before.mapped).count(), reported().count());
    let lost = reported().filter(|(_, after)| !after.mapped).count();
    let moved = reported().filter(|(before, after)| after.mapped && !kept(before, after)).count();
    let changed = pairs().filter(|(before, after)| before.mapped && !same(before, after)).count();
    let shifted =
        pairs().filter(|(before, after)| before.mapped && after.mapped && before.mapq.abs_diff(after.mapq) > 5).count();
    let confident = || reported().filter(|(before, _)| before.mapq >= 20);
    let confident_changed =
        confident().filter(|(before, after)| !same(before, after) || before.mapq != after.mapq).count();
    let confident_moved = confident().filter(|(before, after)| !kept(before, after)).count();
    format!(
        "  {mode}: of all mapped reads changed in place, strand or CIGAR {}, MAPQ by more than 5 {}\n  {mode}: AS >= 30 lost \
         {}, moved {}\n  {mode}: AS >= 30 and MAPQ >= 20 moved {}, changed in place, CIGAR or MAPQ {}",
        share(changed, all),
        share(shifted, all),
        share(lost, reported_all),
        share(moved, reported_all),
        share(confident_moved, confident().count()),
        share(confident_changed, confident().count()),
    )
}
