//! `cargo xtask fuzz`: the fuzzers in `fuzz/`, on a stable compiler.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo::{Cargo, target_folder};
use crate::failure::{Context, Failure, Outcome};
use crate::process;
use crate::python::Python;

/// What libFuzzer needs to see of the program: which edges it takes, and what it compares. These are options of LLVM that
/// stable compilers take, too; sanitizers, for which `cargo fuzz` wants a nightly one, find little in a program without
/// unsafe code of its own.
const INSTRUMENTATION: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Runs a fuzzer for some seconds, or replays one input.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Name of the program in `fuzz/fuzz_targets`.
    pub target: String,
    /// How long to look for new inputs.
    pub seconds: u32,
    /// Add to `fuzz/corpus` what of the new inputs reaches new code, and leave out what does not.
    pub keep: bool,
}

/// Builds the fuzzer and runs it. New inputs go to `target/fuzz/found`, those that fail to `target/fuzz/failures`.
///
/// # Errors
/// There is no such fuzzer, it does not build, or it has found something.
pub fn run(request: &Request) -> Outcome<()> {
    let target = request.target.as_str();
    let known = names(Path::new("fuzz/fuzz_targets"))?;
    if !known.iter().any(|name| name == target) {
        return Err(Failure::new(format!("no fuzzer {target:?}: there are {}", known.join(", "))));
    }
    let program = build(target)?;
    let (corpus, found) = (format!("fuzz/corpus/{target}"), format!("target/fuzz/found/{target}"));
    for folder in [&corpus, &found, &"target/fuzz/failures".to_owned()] {
        fs::create_dir_all(folder).context(|| format!("cannot make {folder}"))?;
    }
    let options = |command: &mut Command| {
        command.env("RAYON_NUM_THREADS", "1");
        command.args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        command.arg(format!("-artifact_prefix=target/fuzz/failures/{target}-"));
    };
    let mut command = Command::new(&program);
    options(&mut command);
    process::run(command.arg(format!("-max_total_time={}", request.seconds)).args([&found, &corpus]))?;
    if !request.keep {
        return Ok(());
    }
    let smallest = format!("target/fuzz/smallest/{target}");
    process::remove(Path::new(&smallest))?;
    fs::create_dir_all(&smallest).context(|| format!("cannot make {smallest}"))?;
    let mut command = Command::new(&program);
    options(&mut command);
    process::run(command.args(["-merge=1", &smallest, &found, &corpus]))?;
    process::remove(Path::new(&corpus))?;
    fs::rename(&smallest, &corpus).context(|| format!("cannot replace {corpus}"))
}

/// The program's path. A target has to be named: without one, cargo would instrument build scripts, too.
fn build(target: &str) -> Outcome<String> {
    let triple = host()?;
    let folder = target_folder().join("fuzz");
    let folder = folder.to_string_lossy();
    let mut command = Cargo::find(&Python::set_up()?)?.building(&[
        "build",
        "--release",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
        &folder,
        "--target",
        &triple,
        "--bin",
        target,
    ]);
    process::run(command.env("RUSTFLAGS", INSTRUMENTATION.join(" ")))?;
    Ok(format!("{folder}/{triple}/release/{target}"))
}

/// The triple of this machine.
fn host() -> Outcome<String> {
    let said = process::output(Command::new("rustc").arg("-vV"))?;
    let triple = said.lines().find_map(|line| line.strip_prefix("host: "));
    triple.map(str::to_owned).ok_or_else(|| Failure::new(format!("rustc -vV names no host: {said:?}")))
}

fn names(folder: &Path) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(folder).context(|| format!("cannot read {}", folder.display()))?;
    let programs = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut names: Vec<_> =
        programs.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}
