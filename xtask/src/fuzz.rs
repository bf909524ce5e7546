//! `cargo xtask fuzz`: the fuzzers in `fuzz/`, on a stable compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Cargo, target_folder};
use crate::failure::{Context, Failure, Outcome};
use crate::process;
use crate::python::Python;

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
    check(target, &names(Path::new("fuzz/fuzz_targets"))?)?;
    let program = build(target)?;
    let (corpus, found) = (format!("fuzz/corpus/{target}"), format!("target/fuzz/found/{target}"));
    for folder in [&corpus, &found, &"target/fuzz/failures".to_owned()] {
        fs::create_dir_all(folder).context(|| format!("cannot make {folder}"))?;
    }
    let options = |command: &mut Command| {
        command.env("RAYON_NUM_THREADS", "1");
        // A model of three small layers has ten kilobytes; what goes into the other fuzzers says all in four.
        let most_bytes = if target == "model" { "-max_len=12288" } else { "-max_len=4096" };
        command.args([most_bytes, "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        command.arg(format!("-artifact_prefix=target/fuzz/failures/{target}-"));
    };
    let mut command = Command::new(&program);
    options(&mut command);
    // No time at all would mean without end; no runs are what is meant.
    let limit = if request.seconds == 0 { "-runs=0".into() } else { format!("-max_total_time={}", request.seconds) };
    process::run(command.arg(limit).args([&found, &corpus]))?;
    if !request.keep {
        return Ok(());
    }
    let smallest = format!("target/fuzz/smallest/{target}");
    process::remove(Path::new(&smallest))?;
    fs::create_dir_all(&smallest).context(|| format!("cannot make {smallest}"))?;
    // Inputs that people have named stay: they are what once went wrong.
    for file in files(Path::new(&corpus))?.iter().filter(|file| !is_hash(file)) {
        let copy = Path::new(&smallest).join(file.file_name().unwrap_or_default());
        fs::copy(file, &copy).context(|| format!("cannot write {}", copy.display()))?;
    }
    let mut command = Command::new(&program);
    options(&mut command);
    // By edges alone: how often each is taken makes ten times as many inputs.
    process::run(command.args(["-set_cover_merge=1", "-use_counters=0", &smallest, &found, &corpus]))?;
    process::remove(Path::new(&corpus))?;
    fs::rename(&smallest, &corpus).context(|| format!("cannot replace {corpus}"))
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

/// Whether the fuzzer has named a file, by the SHA-1 of what it holds.
fn is_hash(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The program's path. A stable compiler builds it: `fuzz/rustc.sh` adds what libFuzzer has to see. Sanitizers, for which
/// `cargo fuzz` wants a nightly one, find little in a program without unsafe code of its own.
fn build(target: &str) -> Outcome<PathBuf> {
    let folder = target_folder().join("fuzz");
    let wrapper = fs::canonicalize("fuzz/rustc.sh").context(|| "cannot find fuzz/rustc.sh".to_owned())?;
    let mut command =
        Cargo::find(&Python::set_up()?)?.building(&["build", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    command.arg("--target-dir").arg(&folder).args(["--bin", target]).env("RUSTC_WRAPPER", wrapper);
    process::run(&mut command)?;
    Ok(folder.join("release").join(target))
}

fn check(target: &str, known: &[String]) -> Outcome<()> {
    if known.iter().any(|name| name == target) {
        return Ok(());
    }
    Err(Failure::new(format!("no fuzzer {target:?}: there are {}", known.join(", "))))
}

fn names(folder: &Path) -> Outcome<Vec<String>> {
    let programs = files(folder)?;
    let stem = |path: &PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    let mut names: Vec<String> = programs.iter().filter_map(stem).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzers_are_the_programs_of_their_folder_and_others_are_named_in_the_message() {
        let folder = crate::scratch::folder("fuzz");
        for name in ["index.rs", "fastq.rs"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let known = names(&folder).unwrap();
        assert_eq!(known, ["fastq", "index"]);
        assert!(check("fastq", &known).is_ok());
        assert_eq!(check("bam", &known).unwrap_err().to_string(), "no fuzzer \"bam\": there are fastq, index");
        fs::remove_dir_all(folder).unwrap();
        assert!(is_hash(Path::new("a/5392d1e305ab3c95f23f1e77e0df91bc14617cbe")));
        assert!(!is_hash(Path::new("5392d1e305ab3c95f23f1e77e0df91bc14617cbe/name_begins_as_fasta")));
    }
}
