//! The Python environment `.venv`, made from the lock files of `python/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::Version;
use crate::digest::Digest;
use crate::failure::{Context, Failure, Outcome};
use crate::process;

const ENVIRONMENT: &str = ".venv";
const LOCKS: &str = "python";
/// In the environment; holds the fingerprint of what is installed. Written last: without it the environment is unfinished.
const MARKER: &str = "seedsieve-installed";
const OLDEST: Version = Version(3, 11);
/// The newest version that the lock files have been tried with: a newer one is taken where there is no other.
const NEWEST_TRIED: Version = Version(3, 13);
const CANDIDATES: [&str; 6] = ["python3", "python3.13", "python3.12", "python3.11", "python3.14", "python"];

/// The interpreter of the project's environment.
pub struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Makes the environment, or finds that it is already as the lock files say.
    ///
    /// # Errors
    /// No Python of a fitting version, no venv module, or the packages cannot be had.
    pub fn set_up() -> Outcome<Self> {
        let environment = Path::new(ENVIRONMENT);
        let python = Self { interpreter: environment.join("bin/python") };
        let locks = lock_files(Path::new(LOCKS))?;
        let marker = environment.join(MARKER);
        let wanted = fingerprint(&locks)?;
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted)
            && version(&python.interpreter).is_some()
        {
            println!("  Python environment {ENVIRONMENT}: up to date");
            return Ok(python);
        }
        process::remove(&marker)?;
        if version(&python.interpreter).is_none_or(|version| version < OLDEST) {
            python.create(environment)?;
        }
        println!("  installing the packages of {LOCKS}/ (PyTorch with its libraries: up to 3 GB the first time)");
        for lock in &locks {
            let mut command = python.command();
            command.args(["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]);
            if without_dependencies(lock) {
                command.arg("--no-deps");
            }
            process::run(command.arg("-r").arg(lock)).context(|| {
                format!(
                    "installing {} (the package index has to be reachable, and the disk to have room)",
                    lock.display()
                )
            })?;
        }
        fs::write(&marker, wanted).context(|| format!("cannot write {}", marker.display()))?;
        Ok(python)
    }

    fn create(&self, environment: &Path) -> Outcome<()> {
        let base = find_base()?;
        process::output(Command::new(&base).args(["-c", "import venv, ensurepip"])).map_err(|_| {
            Failure::new(format!(
                "{base} cannot make virtual environments: its modules venv and ensurepip are missing. On Debian and \
                 Ubuntu `apt-get install python3-venv` brings them; then run the same command again."
            ))
        })?;
        process::remove(environment)?;
        process::run(Command::new(&base).args(["-m", "venv", ENVIRONMENT]))
    }

    /// A call of the interpreter.
    pub fn command(&self) -> Command {
        Command::new(&self.interpreter)
    }

    /// `python -m MODULE`, with the packages of `python/` to be found.
    pub fn module(&self, module: &str) -> Command {
        let mut command = self.command();
        command.env("PYTHONPATH", LOCKS).args(["-m", module]);
        command
    }
}

/// Installed in the order of their names; at least one.
fn lock_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context(|| format!("cannot read {}", folder.display()))?;
    let mut locks: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "lock"))
        .collect();
    locks.sort();
    if locks.is_empty() {
        return Err(Failure::new(format!("{} holds no *.lock file: is the checkout complete?", folder.display())));
    }
    Ok(locks)
}

fn without_dependencies(lock: &Path) -> bool {
    lock.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("no-deps"))
}

fn fingerprint(locks: &[PathBuf]) -> Outcome<String> {
    let mut digest = Digest::new();
    locks.iter().try_for_each(|lock| digest.add_path(lock))?;
    Ok(digest.hexadecimal())
}

fn find_base() -> Outcome<String> {
    let found: Vec<_> = CANDIDATES.iter().filter_map(|name| Some((*name, version(Path::new(name))?))).collect();
    choose(&found).map(str::to_owned).ok_or_else(|| {
        let seen: Vec<_> =
            found.iter().map(|(name, Version(major, minor))| format!("{name} is {major}.{minor}")).collect();
        let seen = if seen.is_empty() { "none was found".to_owned() } else { seen.join(", ") };
        Failure::new(format!(
            "Python {}.{} or newer is needed ({seen}). Install one, for instance with `apt-get install python3 \
             python3-venv`, and run the same command again.",
            OLDEST.0, OLDEST.1
        ))
    })
}

/// The first that the lock files have been tried with, else the first that is new enough.
fn choose<'a>(found: &[(&'a str, Version)]) -> Option<&'a str> {
    let mut fitting = found.iter().filter(|(_, version)| *version >= OLDEST);
    let tried = fitting.clone().find(|(_, version)| *version <= NEWEST_TRIED);
    tried.or_else(|| fitting.next()).map(|(name, _)| *name)
}

/// The version of an interpreter; `None` where it is missing or does not run.
fn version(interpreter: &Path) -> Option<Version> {
    Version::find_in(&process::output(Command::new(interpreter).arg("--version")).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tried_version_comes_before_a_newer_and_an_old_one_never() {
        let (old, tried, newer) =
            (("python3", Version(3, 10)), ("python3.12", Version(3, 12)), ("python3.14", Version(3, 14)));
        assert_eq!(choose(&[old, newer, tried]), Some("python3.12"));
        assert_eq!(choose(&[old, newer]), Some("python3.14"));
        assert_eq!(choose(&[old]), None);
        assert_eq!(choose(&[("python", Version(2, 7))]), None);
    }

    #[test]
    fn locks_are_found_in_order_and_a_changed_one_changes_the_fingerprint() {
        let folder = crate::scratch::folder("locks");
        assert!(lock_files(&folder).unwrap_err().to_string().contains("no *.lock file"));
        fs::write(folder.join("requirements.lock"), "torch==1").unwrap();
        fs::write(folder.join("b.no-deps.lock"), "numpy==1").unwrap();
        fs::write(folder.join("requirements.in"), "torch").unwrap();
        let locks = lock_files(&folder).unwrap();
        assert_eq!(locks, [folder.join("b.no-deps.lock"), folder.join("requirements.lock")]);
        assert!(without_dependencies(&locks[0]) && !without_dependencies(&locks[1]));
        let before = fingerprint(&locks).unwrap();
        fs::write(folder.join("requirements.lock"), "torch==2").unwrap();
        assert_ne!(before, fingerprint(&locks).unwrap());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_interpreter_that_is_not_there_has_no_version() {
        assert_eq!(version(Path::new("no-such-python")), None);
    }
}
