//! `cargo xtask test`: every test of the repository, all of them even when one fails, and a table at the end.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::cargo::Cargo;
use crate::failure::{Failure, Outcome};
use crate::oracle;
use crate::process;
use crate::python::Python;
use crate::summary::{self, Counts};

/// The end-to-end test writes here, so that it leaves a demo of the user's alone.
const DEMO: &str = "target/demo-test";

/// Features that have to compile together: none, each by itself, those whose code meets, and all; of the library and of the program,
/// whose `remote` and `htslib` are off here, too.
const FEATURES: [(&str, &str); 19] = [
    (INFERENCE, ""),
    (INFERENCE, "native"),
    (INFERENCE, "native-cuda"),
    (INFERENCE, "ort"),
    (INFERENCE, "tract"),
    (INFERENCE, "npu"),
    (INFERENCE, "coreml"),
    (INFERENCE, "openvino"),
    (INFERENCE, "cuda"),
    (INFERENCE, "tensorrt"),
    (INFERENCE, "qnn"),
    (INFERENCE, "vitis"),
    (INFERENCE, "native,tract"),
    (INFERENCE, "ort,tract"),
    (INFERENCE, "native,cuda,tensorrt,qnn,vitis"),
    (INFERENCE, "npu-all"),
    (PROGRAM, ""),
    (PROGRAM, "native"),
    (PROGRAM, "npu-all,remote"),
];
const INFERENCE: &str = "seedsieve-inference";
const PROGRAM: &str = "seedsieve";

/// One line of the table.
struct Line {
    title: String,
    counts: Counts,
    seconds: f64,
    reason: String,
}

/// How many tests a group holds.
enum Group {
    /// The program is the test.
    One,
    /// The program prints how many tests it ran.
    Counted,
}

/// The table as it grows.
#[derive(Default)]
struct Report {
    lines: Vec<Line>,
}

/// Runs all groups. Returns whether every test held; the last line that is printed has the sums.
pub fn run() -> bool {
    let mut report = Report::default();
    let before = git_status();
    let python = report.step("set-up: Python environment", Python::set_up);
    let cargo = python.as_ref().and_then(|python| report.step("set-up: compiler", || Cargo::find(python)));
    if let Some(cargo) = &cargo {
        report.step("set-up: oracle bwa-mem4", || oracle::install(cargo, oracle::Build::Published));
        rust_groups(&mut report, cargo);
    }
    if let Some(python) = &python {
        python_groups(&mut report, python);
    }
    if cargo.is_some() {
        demo_groups(&mut report);
    }
    if let (Some(python), Some(cargo)) = (&python, &cargo) {
        report.step("backends agree with PyTorch", || agreement(python, cargo));
    }
    if let Some(cargo) = &cargo {
        let mut command = cargo.building(&["doc", "--release", "--workspace", "--no-deps"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        report.group("documentation of the crates", Group::One, &mut command);
    }
    checkout_group(&mut report, before);
    report.print()
}

fn rust_groups(report: &mut Report, cargo: &Cargo) {
    report.group("cargo fmt", Group::One, &mut cargo.plain(&["fmt", "--all", "--check"]));
    let mut clippy = cargo.building(&["clippy", "--release", "--workspace", "--all-targets"]);
    report.group("cargo clippy", Group::One, clippy.args(["--", "-D", "warnings"]));
    report.group(
        "cargo build",
        Group::One,
        &mut cargo.building(&["build", "--release", "--workspace", "--all-targets"]),
    );
    let nextest = process::output(&mut cargo.plain(&["nextest", "--version"])).is_ok();
    let mut tests = if nextest {
        cargo.building(&["nextest", "run", "--release", "--workspace", "--no-fail-fast"])
    } else {
        cargo.building(&["test", "--release", "--workspace", "--all-targets", "--no-fail-fast"])
    };
    report.group("Rust tests", Group::Counted, &mut tests);
    report.step("combinations of features", || {
        for (package, features) in FEATURES {
            println!("  {package}, {}", if features.is_empty() { "no feature" } else { features });
            let mut check = cargo.building(&["clippy", "--quiet", "--release", "--all-targets"]);
            check.args(["--package", package, "--no-default-features", "--features", features, "--", "-D", "warnings"]);
            if !process::transcript(&mut check)?.success {
                return Err(Failure::new(format!("{package} does not compile with the features `{features}`")));
            }
        }
        Ok(())
    });
    // The other groups build without the providers, whose refusals are tests, too. The library of the Python environment has none
    // of them.
    let mut providers =
        cargo.building(&["test", "--release", "--workspace", "--features", "seedsieve-inference/npu-all"]);
    providers.args(["--lib", "--test", "providers", "--no-fail-fast", "provider"]);
    report.group("Rust tests of all providers", Group::Counted, &mut providers);
    let mut doctests = cargo.building(&["test", "--release", "--workspace", "--doc", "--no-fail-fast"]);
    report.group("Rust doctests", Group::Counted, &mut doctests);
}

fn python_groups(report: &mut Report, python: &Python) {
    for (title, arguments) in [("ruff check", &["check"][..]), ("ruff format", &["format", "--check"])] {
        report.group(title, Group::One, python.module("ruff").args(arguments).args(["python", "scripts"]));
    }
    for folder in ["python/tests", "scripts/tests"] {
        let mut tests = python.module("pytest");
        // Quiet twice over, pytest would print no counts: that option is left to its configuration file.
        tests.args(["-rs", "--color=no", "-p", "no:cacheprovider", folder]);
        report.group(&format!("pytest {folder}"), Group::Counted, &mut tests);
    }
}

/// The demo in small, from nothing, and once more: then every step has to be reused.
fn demo_groups(report: &mut Report) {
    if let Err(failure) = process::remove(Path::new(DEMO)) {
        println!("  {failure}");
    }
    for title in ["demo --quick", "demo --quick, reused"] {
        report.step(title, || {
            let reused = title.ends_with("reused");
            let mut command = Command::new(env::current_exe().map_err(|error| Failure::new(error.to_string()))?);
            command.args(["demo", "--quick", "--out", DEMO]);
            let transcript = process::transcript(&mut command)?;
            let again = transcript.text.lines().filter(|line| line.starts_with("  done in ")).count();
            match (transcript.success, reused && again > 0) {
                (false, _) => Err(Failure::new("the demo failed")),
                (true, true) => Err(Failure::new(format!("{again} steps were run again though nothing had changed"))),
                (true, false) => Ok(()),
            }
        });
    }
}

/// The shipped network and the one that the demo has trained, on 10,000 windows of the demo's reads: the scores of
/// all backends beside PyTorch's, in fp32 and in INT8, which the native kernel runs.
fn agreement(python: &Python, cargo: &Cargo) -> Outcome<()> {
    let (windows, scores, seeds) =
        (format!("{DEMO}/windows.bin"), format!("{DEMO}/scores.f32"), format!("{DEMO}/seeds"));
    let binary = cargo.build_binary()?;
    for model in ["models/seed_filter_v1".to_owned(), format!("{DEMO}/model/demo_filter")] {
        let mut pytorch = python.module("seedsieve_train");
        pytorch.args(["scores", "--checkpoint", &format!("{model}.pt"), "--data", &seeds, "--seeds", "10000"]);
        process::run(pytorch.args(["--windows", &windows, "--out", &scores]))?;
        let bytes = std::fs::metadata(&windows).map_err(|error| Failure::new(format!("{windows}: {error}")))?.len();
        if bytes != 10_000 * 128 {
            return Err(Failure::new(format!("{windows} has {bytes} bytes; 10,000 seeds take 1,280,000")));
        }
        for (file, backends) in [("", &["ort", "tract"][..]), ("_int8", &["native", "ort", "tract"])] {
            let file = format!("{model}{file}.onnx");
            let mut verify = Command::new(&binary);
            verify.args(["model", "verify", &file, "--windows", &windows, "--scores", &scores]);
            let verified = process::transcript(&mut verify)?;
            if !verified.success {
                return Err(Failure::new(format!("{file}: the scores differ")));
            }
            let compared = |backend: &&&str| {
                verified.text.lines().any(|line| line.starts_with(**backend) && line.contains("- PyTorch"))
            };
            if backends.iter().filter(compared).count() < backends.len() {
                let why = "a backend was not compared with PyTorch: `seedsieve backends` says why";
                return Err(Failure::new(format!("{file}: {why}")));
            }
        }
    }
    Ok(())
}

fn checkout_group(report: &mut Report, before: Outcome<String>) {
    let title = "checkout is clean afterwards";
    match before {
        Ok(before) if before.is_empty() => {
            report.step(title, || {
                let after = git_status()?;
                if after.is_empty() { Ok(()) } else { Err(Failure::new(format!("left behind:\n{after}"))) }
            });
        }
        // On CI the checkout is fresh: what differs was left by `cargo xtask` itself, such as a Cargo.lock that was stale.
        Ok(before) if env::var("CI").is_ok_and(|value| value == "true") => {
            report.step(title, || Err::<(), _>(Failure::new(format!("changed before any test:\n{before}"))));
        }
        Ok(_) => report.skip(title, "there were changes before"),
        Err(failure) => report.skip(title, &failure.to_string()),
    }
}

fn git_status() -> Outcome<String> {
    process::output(Command::new("git").args(["status", "--porcelain"]))
}

impl Report {
    /// Runs a program under a heading and counts its tests.
    fn group(&mut self, title: &str, group: Group, command: &mut Command) {
        heading(title);
        let start = Instant::now();
        let (counts, reason) = match process::transcript(command) {
            Err(failure) => (Counts { failed: 1, ..Counts::default() }, failure.to_string()),
            Ok(transcript) => match group {
                Group::One if transcript.success => (Counts { passed: 1, ..Counts::default() }, String::new()),
                Group::One => (Counts { failed: 1, ..Counts::default() }, "failed".to_owned()),
                Group::Counted => judge(transcript.success, summary::counts(&transcript.text)),
            },
        };
        self.add(title, counts, start.elapsed().as_secs_f64(), reason);
    }

    /// Does a piece of work that is a test by itself, and hands on what it gives.
    fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Outcome<T>) -> Option<T> {
        heading(title);
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs_f64();
        match result {
            Ok(value) => {
                self.add(title, Counts { passed: 1, ..Counts::default() }, seconds, String::new());
                Some(value)
            }
            Err(failure) => {
                println!("  {failure}");
                self.add(title, Counts { failed: 1, ..Counts::default() }, seconds, failure.to_string());
                None
            }
        }
    }

    fn skip(&mut self, title: &str, reason: &str) {
        heading(title);
        println!("  skipped: {reason}");
        self.add(title, Counts { skipped: 1, ..Counts::default() }, 0.0, reason.to_owned());
    }

    fn add(&mut self, title: &str, counts: Counts, seconds: f64, reason: String) {
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        self.lines.push(Line { title: title.to_owned(), counts, seconds, reason });
    }

    /// Prints the table and the sums; true where nothing failed.
    fn print(&self) -> bool {
        println!("\n{:<34} {:>7} {:>7} {:>7} {:>8}", "group", "passed", "failed", "skipped", "seconds");
        let mut sum = Counts::default();
        for Line { title, counts, seconds, reason } in &self.lines {
            let Counts { passed, failed, skipped } = counts;
            println!("{title:<34} {passed:>7} {failed:>7} {skipped:>7} {seconds:>8.1}  {reason}");
            sum += *counts;
        }
        println!("\n{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
        sum.failed == 0
    }
}

fn heading(title: &str) {
    println!("\n== {title}");
}

/// The counts of a test program, and what is wrong with them. A program that fails without naming a failed test, or
/// that succeeds without running one, counts as one failed test.
fn judge(success: bool, counts: Option<Counts>) -> (Counts, String) {
    let mut counted = counts.unwrap_or_default();
    if success && counted.passed == 0 {
        counted.failed += 1;
        return (counted, "no test was run".to_owned());
    }
    if success && counted.failed == 0 {
        return (counted, String::new());
    }
    counted.failed = counted.failed.max(1);
    (counted, "failed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize) -> Counts {
        Counts { passed, failed, skipped: 0 }
    }

    #[test]
    fn a_failure_is_counted_even_where_the_program_names_none() {
        assert_eq!(judge(true, Some(counts(3, 0))), (counts(3, 0), String::new()));
        assert_eq!(judge(false, Some(counts(3, 0))).0, counts(3, 1));
        assert_eq!(judge(false, Some(counts(3, 2))).0, counts(3, 2));
        assert_eq!(judge(true, Some(counts(3, 2))).0, counts(3, 2));
        assert_eq!(judge(false, None).0, counts(0, 1));
        assert_eq!(judge(true, None), (counts(0, 1), "no test was run".to_owned()));
    }

    #[test]
    fn a_group_that_cannot_be_started_fails_and_the_next_one_runs() {
        let mut report = Report::default();
        report.group("missing", Group::One, &mut Command::new("no-such-program"));
        report.group("false", Group::One, &mut Command::new("false"));
        report.group("true", Group::One, &mut Command::new("true"));
        report.group("counted", Group::Counted, Command::new("echo").arg("2 passed, 1 skipped in 0.1s"));
        let sums: Vec<_> = report.lines.iter().map(|line| (line.counts.passed, line.counts.failed)).collect();
        assert_eq!(sums, [(0, 1), (0, 1), (1, 0), (2, 0)]);
        assert!(!report.print());
    }
}
