//! `cargo xtask bench filter`: whole runs of `seedsieve align` with the filter off and in each of its modes, in turn: CPU
//! seconds and peak memory against the run without it, and what became of the alignments.
//!
//! Arguments: `--runs N` (3), `--threads N` (1), `--network` (also --filter cnn), `--gates` (also each gate of the cascade
//! alone), `--set NAME`, several times if wanted, `--held-out` (the works of whose reads the choice of the built-in bands saw
//! none). Without either all others are done. The set `short` is another table: short, divergent and ancient reads among nine
//! times as many foreign ones, where they land, and what that costs.

#[path = "../common/mod.rs"]
mod common;
mod short;
mod works;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use common::changes::{alignments, changes};
use common::cost::{Cost, cost};
use common::median;
use short::SHORT;
use works::{WORKS, Work};

struct Settings {
    runs: usize,
    threads: String,
    network: bool,
    gates: bool,
    held_out: bool,
    sets: Vec<String>,
}

impl Settings {
    fn asks_for(&self, work: &Work) -> bool {
        let named = self.sets.iter().any(|set| set == work.name);
        named || if self.held_out { work.held_out } else { self.sets.is_empty() && !work.held_out }
    }

    fn asks_for_short(&self) -> bool {
        self.sets.iter().any(|set| set == SHORT) || self.sets.is_empty() && !self.held_out
    }
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
    let mut settings =
        Settings { runs: 3, threads: "1".into(), network: false, gates: false, held_out: false, sets: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => settings.runs = value()?.parse().map_err(|_| "--runs: a number from 1".to_owned())?,
            "--threads" => settings.threads = value()?,
            "--set" => settings.sets.push(value()?),
            "--network" => settings.network = true,
            "--gates" => settings.gates = true,
            "--held-out" => settings.held_out = true,
            "--bench" => {} // cargo adds it
            other => {
                let valid = "--runs, --threads, --set, --held-out, --network, --gates";
                return Err(format!("unknown argument {other}; valid: {valid}"));
            }
        }
    }
    match settings.sets.iter().find(|set| *set != SHORT && WORKS.iter().all(|work| work.name != **set)) {
        Some(unknown) => Err(format!("--set {unknown}: there are {}, {SHORT}", WORKS.map(|work| work.name).join(", "))),
        None => Ok(settings),
    }
}

fn run(settings: &Settings) -> Result<(), String> {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seedsieve"));
    let folder = common::repository().join("target/bench");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut modes: Vec<(&str, &[&str])> =
        vec![("off", &["--filter", "off"]), ("exact", &["--filter", "exact"]), ("cascade", &["--filter", "cascade"])];
    if settings.network {
        modes.push(("cnn", &["--filter", "cnn"]));
    }
    if settings.gates {
        modes.push(("seeding", &["--filter", "cascade", "--gate", "seeding"]));
        modes.push(("seeds", &["--filter", "cascade", "--gate", "seeds"]));
        modes.push(("extensions", &["--filter", "cascade", "--gate", "extensions"]));
        modes.push(("rescue", &["--filter", "cascade", "--gate", "rescue"]));
        modes.push(("seeds+ext", &["--filter", "cascade", "--gate", "seeds,extensions"]));
    }
    println!(
        "CPU seconds and peak memory of whole runs, {} in turn, -t {}; ratios to off",
        settings.runs, settings.threads
    );
    println!("{:<15} {:<10} {:>8} {:>7} {:>8} {:>7}", "reads", "filter", "CPU s", "ratio", "MiB", "ratio");
    for work in WORKS.iter().filter(|work| settings.asks_for(work)) {
        let Some((index, reads)) = work.prepare(&ours, &folder)? else { continue };
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
            let ((seconds, ratio), (memory, memory_ratio)) = (of(|cost| cost.cpu), of(|cost| cost.memory));
            println!("{:<15} {mode:<10} {seconds:>8.2} {ratio:>7.3} {memory:>8.0} {memory_ratio:>7.3}", work.name);
        }
        for (mode, _) in &modes[1..] {
            println!("{}", changes(mode, &off, &alignments(&sam(mode))?)?);
        }
        for (mode, _) in &modes {
            fs::remove_file(sam(mode)).map_err(|error| error.to_string())?;
        }
    }
    if settings.asks_for_short() {
        short::run(settings.runs, &settings.threads, &ours, &folder)?;
    }
    Ok(())
}
