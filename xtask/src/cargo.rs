//! Calls of cargo, and the one place that decides on `--ignore-rust-version`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::libclang;
use crate::process;
use crate::python::Python;

/// The compiler that the aligner's stage crates (bwa-mem4) declare. They build and give the same bytes on
/// [`MINIMUM`], which is what most machines have; an older compiler than this is told to try all the same.
const DECLARED_BY_DEPENDENCIES: Version = Version(1, 96);
/// The oldest compiler on which this workspace builds, `rust-version` in Cargo.toml.
const MINIMUM: Version = Version(1, 95);

/// Major and minor version number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// The first number of the form `MAJOR.MINOR` in what a program says about its version.
    pub fn find_in(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut parts = word.split('.');
            Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
    }
}

/// cargo, once it is known what builds need on this machine.
pub struct Cargo {
    ignore_rust_version: bool,
    environment: Vec<(&'static str, String)>,
}

impl Cargo {
    /// Asks the compiler for its version, and sees to libclang.
    ///
    /// # Errors
    /// No compiler, or one older than [`MINIMUM`]; no libclang to be had.
    pub fn find(python: &Python) -> Outcome<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let said = process::output(Command::new(rustc).arg("--version"))?;
        let version = Version::find_in(&said)
            .ok_or_else(|| Failure::new(format!("rustc --version said {said:?}, which holds no version number")))?;
        if version < MINIMUM {
            return Err(Failure::new(format!(
                "rustc {}.{} is too old: {}.{} or newer is needed. `rustup update stable` installs it.",
                version.0, version.1, MINIMUM.0, MINIMUM.1
            )));
        }
        let environment = libclang::environment(python)?;
        Ok(Self { ignore_rust_version: version < DECLARED_BY_DEPENDENCIES, environment })
    }

    /// What a `cargo` that is not called from here needs in its environment, as `NAME=VALUE`.
    pub fn environment(&self) -> impl Iterator<Item = String> {
        self.environment.iter().map(|(name, value)| format!("{name}={value}"))
    }

    /// `cargo SUBCOMMAND`, with `--ignore-rust-version` where this compiler needs it.
    pub fn building(&self, subcommand: &[&str]) -> Command {
        let mut command = self.plain(subcommand);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.ignore_rust_version {
            command.arg("--ignore-rust-version");
        }
        command
    }

    /// `cargo SUBCOMMAND` for one that builds nothing (fmt, metadata), or that hands its arguments on.
    pub fn plain(&self, subcommand: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command.args(subcommand);
        // `cargo xtask` is itself a `cargo run`, which describes xtask to its child in these variables. Build scripts
        // that look at them would otherwise be run again at every change between the two ways of building.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Builds the binary `seedsieve` with optimisation; cargo says at once when nothing has changed.
    ///
    /// # Errors
    /// It does not compile.
    pub fn build_binary(&self) -> Outcome<PathBuf> {
        process::run(&mut self.building(&["build", "--release", "--package", "seedsieve"]))?;
        let binary = target_folder().join("release/seedsieve").with_extension(env::consts::EXE_EXTENSION);
        if binary.is_file() {
            Ok(binary)
        } else {
            Err(Failure::new(format!(
                "cargo has built seedsieve, but {} is not there: is build.target-dir or build.target set in a \
                 cargo configuration file? Set CARGO_TARGET_DIR instead.",
                binary.display()
            )))
        }
    }
}

/// Where cargo puts what it builds.
pub fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared_as_numbers() {
        assert_eq!(Version::find_in("rustc 1.95.0 (59807616e 2026-04-14)"), Some(Version(1, 95)));
        assert_eq!(Version::find_in("rustc 1.100.0-nightly"), Some(Version(1, 100)));
        assert_eq!(Version::find_in("Python 3.13.1"), Some(Version(3, 13)));
        assert_eq!(Version::find_in("no number 1 here"), None);
        assert!(Version(1, 100) > Version(1, 96));
        assert!(Version(2, 0) > Version(1, 96));
    }

    #[test]
    fn only_a_compiler_older_than_the_dependencies_is_told_to_go_on() {
        let flags = |ignore_rust_version| {
            let command = Cargo { ignore_rust_version, environment: Vec::new() }.building(&["build"]);
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(flags(true), ["build", "--ignore-rust-version"]);
        assert_eq!(flags(false), ["build"]);
    }
}
