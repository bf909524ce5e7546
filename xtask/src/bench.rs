//! `cargo xtask bench`: the benchmarks that the crates have.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo::Cargo;
use crate::failure::{Context, Failure, Outcome};
use crate::oracle;
use crate::process;
use crate::python::Python;

/// The benchmark that runs the oracle, too, in both of its builds.
const BESIDE_ORACLE: &str = "align";

/// A benchmark program: `benches/NAME.rs` or `benches/NAME/main.rs` of a crate.
#[derive(Debug, PartialEq, Eq)]
struct Benchmark {
    name: String,
    folder: String,
}

/// Without a name, lists the benchmarks; with one, runs it, the arguments after it handed on.
///
/// # Errors
/// There is none of this name, or it fails.
pub fn run(arguments: &[String]) -> Outcome<()> {
    let benchmarks = find(Path::new("crates"))?;
    let Some((name, rest)) = arguments.split_first() else {
        println!("{}", list(&benchmarks));
        return Ok(());
    };
    let benchmark = benchmarks
        .iter()
        .find(|benchmark| benchmark.name == *name)
        .ok_or_else(|| Failure::new(format!("no benchmark {name:?}. {}", list(&benchmarks))))?;
    let manifest = format!("{}/Cargo.toml", benchmark.folder);
    let cargo = Cargo::find(&Python::set_up()?)?;
    if name == BESIDE_ORACLE {
        oracle::install(&cargo, oracle::Build::Published)?;
        oracle::install(&cargo, oracle::Build::WithOurFlags)?;
    }
    let mut command: Command = cargo.building(&["bench", "--manifest-path", &manifest, "--bench", name]);
    process::run(command.arg("--").args(rest))
}

fn list(benchmarks: &[Benchmark]) -> String {
    if benchmarks.is_empty() {
        return "There are no benchmarks yet.".to_owned();
    }
    let names: Vec<_> = benchmarks.iter().map(|one| format!("  {} ({})", one.name, one.folder)).collect();
    format!("Benchmarks:\n{}", names.join("\n"))
}

/// In the order of their names.
fn find(crates: &Path) -> Outcome<Vec<Benchmark>> {
    let mut benchmarks = Vec::new();
    let folders = fs::read_dir(crates).context(|| format!("cannot read {}", crates.display()))?;
    for folder in folders.filter_map(|entry| Some(entry.ok()?.path())) {
        let Ok(programs) = fs::read_dir(folder.join("benches")) else { continue };
        for program in programs.filter_map(|entry| Some(entry.ok()?.path())) {
            let is_program = program.extension().is_some_and(|extension| extension == "rs");
            if is_program || program.join("main.rs").is_file() {
                let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                benchmarks.push(Benchmark { name, folder: folder.display().to_string() });
            }
        }
    }
    benchmarks.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(benchmarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_the_programs_below_benches() {
        let crates = crate::scratch::folder("bench");
        fs::create_dir_all(crates.join("encoding/benches")).unwrap();
        fs::create_dir_all(crates.join("filter/src")).unwrap();
        assert_eq!(list(&find(&crates).unwrap()), "There are no benchmarks yet.");
        fs::create_dir_all(crates.join("encoding/benches/common")).unwrap();
        fs::create_dir_all(crates.join("encoding/benches/windows")).unwrap();
        for name in ["one_hot.rs", "README.md", "common/mod.rs", "windows/main.rs"] {
            fs::write(crates.join("encoding/benches").join(name), "").unwrap();
        }
        let folder = crates.join("encoding").display().to_string();
        let named = |name: &str| Benchmark { name: name.into(), folder: folder.clone() };
        assert_eq!(find(&crates).unwrap(), [named("one_hot"), named("windows")]);
        fs::remove_dir_all(crates).unwrap();
    }
}
