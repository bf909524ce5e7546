//! `cargo xtask bench filters`: our filter beside others, at the place in the pipeline where each of them would stand: CPU
//! time and peak memory of whole runs, in turn, as parts of the run without a filter, and what became of the alignments.
//! Every one runs in the same small program (this one, started anew), through `Aligner::with_gates`.
//!
//! Arguments: `--runs N` (1), `--set NAME` (foreign-k12, foreign-k14, kgp30x; several times if wanted), `--only PART` (those
//! whose name contains it), `--pairs N` (only so many), `--figure FILE.svg` (drawn from the runs), `--of TABLES.md` (nothing runs:
//! the figure is drawn from tables that were printed before).

#[path = "../common/mod.rs"]
mod common;
mod competitors;
mod figure;
mod myers;
mod qgram;
mod reference;
mod run;
mod scored;
mod shadowed;
mod tables;
mod trees;
mod ungapped;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use common::changes::{Changes, alignments};
use common::cost::{Cost, cost};
use common::{median, prepare_index};
use competitors::{COMPETITORS, Competitor};
use figure::Point;

/// One work to do.
pub struct Work {
    /// Its name in the table.
    pub name: &'static str,
    /// Bases of the shortest seed (-k).
    pub min_seed_length: i32,
    /// Files of each mate below the data folder, read one after the other.
    pub reads: [&'static [&'static str]; 2],
}

const FOREIGN: [&[&str]; 2] = [
    &["human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz"],
    &["human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz"],
];
/// What is aligned.
pub const WORKS: [Work; 3] = [
    Work { name: "foreign-k12", min_seed_length: 12, reads: FOREIGN },
    Work { name: "foreign-k14", min_seed_length: 14, reads: FOREIGN },
    Work {
        name: "kgp30x",
        min_seed_length: 19,
        reads: [
            &["kgp30x/NA12878.chr21_R1.fastq.gz", "kgp30x/NA12878.chr22_R1.fastq.gz"],
            &["kgp30x/NA12878.chr21_R2.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"],
        ],
    },
];

struct Settings {
    runs: usize,
    sets: Vec<String>,
    only: Vec<String>,
    pairs: u64,
    figure: Option<PathBuf>,
    tables: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some(run::CHILD) => run::child(&arguments[1..]),
        _ => settings(&arguments).and_then(|settings| match &settings.tables {
            Some(tables) => tables::points(tables).and_then(|points| draw(&settings, &points)),
            None => compare(&settings),
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn settings(arguments: &[String]) -> Result<Settings, String> {
    let (sets, only) = (Vec::new(), Vec::new());
    let mut settings = Settings { runs: 1, sets, only, pairs: u64::MAX, figure: None, tables: None };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().cloned().ok_or(format!("{argument} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("{argument}: a number from 1"));
        match argument.as_str() {
            "--runs" => settings.runs = number(value()?)? as usize,
            "--set" => settings.sets.push(value()?),
            "--only" => settings.only.push(value()?),
            "--pairs" => settings.pairs = number(value()?)?,
            "--figure" => settings.figure = Some(value()?.into()),
            "--of" => settings.tables = Some(value()?.into()),
            "--bench" => {} // cargo adds it
            other => {
                return Err(format!("unknown argument {other}; valid: --runs, --set, --only, --pairs, --figure, --of"));
            }
        }
    }
    match settings.sets.iter().find(|set| WORKS.iter().all(|work| work.name != **set)) {
        Some(unknown) => Err(format!("--set {unknown}: there are {}", WORKS.map(|work| work.name).join(", "))),
        None => Ok(settings),
    }
}

fn compare(settings: &Settings) -> Result<(), String> {
    let folder = common::repository().join("target/bench");
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seedsieve"));
    let index = folder.join("human_mix.fa");
    prepare_index(&ours, &common::data().join("human_ref/human_mix.fa.gz"), &index)?;
    trees::prepare(&ours, &index, &folder)?;
    let is_asked = |competitor: &&Competitor| {
        let name = competitor.name;
        settings.only.is_empty() || name == "off" || settings.only.iter().any(|part| name.contains(part.as_str()))
    };
    let competitors: Vec<&Competitor> = COMPETITORS.iter().filter(is_asked).collect();
    let mut points = Vec::new();
    println!("CPU seconds and peak memory of whole runs, -t 1, {} in turn; ratios to off", settings.runs);
    for work in WORKS.iter().filter(|work| settings.sets.is_empty() || settings.sets.iter().any(|set| set == work.name))
    {
        println!(
            "\n| {} | CPU s | ratio | memory | AS >= 30: lost; moved | and MAPQ >= 20: moved | MAPQ by more than 5 |",
            work.name
        );
        println!("|---|---|---|---|---|---|---|");
        let sam = |competitor: &Competitor| folder.join(format!("filters.{}.sam", competitor.file_name()));
        let mut costs: Vec<Vec<Cost>> = competitors.iter().map(|_| Vec::new()).collect();
        for _ in 0..settings.runs.max(1) {
            for (competitor, costs) in competitors.iter().zip(&mut costs) {
                costs.push(cost(&mut command(competitor, work, settings.pairs, &index, &sam(competitor))?)?);
            }
        }
        let off = alignments(&sam(competitors[0]))?;
        for (competitor, own) in competitors.iter().zip(&costs) {
            let ratio = |value: fn(&Cost) -> f64| {
                median(own.iter().zip(&costs[0]).map(|(one, off)| value(one) / value(off)).collect())
            };
            let (cpu, memory) = (ratio(|cost| cost.cpu), ratio(|cost| cost.memory));
            let changes = Changes::between(&off, &alignments(&sam(competitor))?)?;
            println!(
                "| {} | {:.1} | {cpu:.2} | {memory:.2} | {}; {} of {} | {} of {} | {:.2} % |",
                competitor.name,
                median(own.iter().map(|cost| cost.cpu).collect()),
                changes.lost,
                changes.moved,
                changes.reported,
                changes.confident_moved,
                changes.confident,
                100.0 * changes.shifted as f64 / changes.mapped.max(1) as f64,
            );
            points.push(Point {
                work: work.name,
                family: competitor.family,
                name: competitor.name,
                cpu,
                changed: (changes.lost + changes.moved) as f64 / changes.reported.max(1) as f64,
            });
        }
        for competitor in &competitors {
            fs::remove_file(sam(competitor)).map_err(|error| error.to_string())?;
        }
    }
    draw(settings, &points)
}

fn draw(settings: &Settings, points: &[Point]) -> Result<(), String> {
    let Some(path) = &settings.figure else { return Ok(()) };
    fs::write(path, figure::drawn(points)).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("\ndrawn in {}", path.display());
    Ok(())
}

/// This program, started anew for one run of one competitor.
fn command(competitor: &Competitor, work: &Work, pairs: u64, index: &Path, sam: &Path) -> Result<Command, String> {
    let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
    command.args([run::CHILD, competitor.name, work.name, &pairs.to_string()]).arg(index).arg(sam);
    Ok(command)
}
