//! bwa-mem4, the published aligner whose bytes `seedsieve align` has to give when the filter is off.

use std::path::{Path, PathBuf};

use crate::cargo::Cargo;
use crate::failure::{Context, Outcome};
use crate::process;

/// The version whose stage crates Cargo.toml pins: an oracle of another version proves nothing.
const VERSION: &str = "4.4.0";

/// How the oracle is built. Its records are the same; its speed is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// As `cargo install` builds it for who asks for it by name. (cargo reads no configuration of this workspace then.)
    Published,
    /// With the flags that `.cargo/config.toml` builds our own program with.
    WithOurFlags,
}

impl Build {
    fn folder(self) -> &'static Path {
        Path::new(match self {
            Self::Published => "target/oracle",
            Self::WithOurFlags => "target/oracle-popcnt",
        })
    }

    /// Flags of the compiler; where the processor has no such instruction both builds are the same.
    fn flags(self) -> &'static str {
        match self {
            Self::WithOurFlags if cfg!(target_arch = "x86_64") => "-C target-feature=+popcnt",
            _ => "",
        }
    }

    /// Where the binary is, once [`install`] has been called.
    pub fn binary(self) -> PathBuf {
        self.folder().join("bin/bwa-mem4")
    }
}

/// Installs the oracle below `target/`; one that is there is kept.
///
/// # Errors
/// The crate cannot be had or does not compile.
pub fn install(cargo: &Cargo, build: Build) -> Outcome<()> {
    let (folder, binary) = (build.folder(), build.binary());
    if is_wanted_version(folder, &binary) {
        println!("  oracle {}: bwa-mem4 {VERSION} is there", binary.display());
        return Ok(());
    }
    println!("  building the oracle bwa-mem4 {VERSION} {} (one to two minutes, once)", build.flags());
    // Without its default features it needs no htslib, and so no libclang.
    let mut command = cargo.building(&["install", "bwa-mem4", "--locked", "--no-default-features", "--force"]);
    command.arg(format!("--version={VERSION}")).args(["--features", "fast-gzip,mimalloc", "--root"]).arg(folder);
    // Its own folder: the oracle's dependencies have other features than the workspace's.
    command.env("CARGO_TARGET_DIR", format!("{}-build", folder.display()));
    if !build.flags().is_empty() {
        command.env("RUSTFLAGS", build.flags());
    }
    process::run(&mut command).context(|| format!("installing the oracle bwa-mem4 {VERSION} from crates.io"))
}

/// cargo's own record of what it has installed below a root.
fn is_wanted_version(folder: &Path, binary: &Path) -> bool {
    let record = std::fs::read_to_string(folder.join(".crates.toml")).unwrap_or_default();
    binary.is_file() && records(&record)
}

fn records(crates_toml: &str) -> bool {
    crates_toml.contains(&format!("\"bwa-mem4 {VERSION} ("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_counts_as_installed() {
        let record =
            |version| format!("[v1]\n\"bwa-mem4 {version} (registry+https://example.org)\" = [\"bwa-mem4\"]\n");
        assert!(records(&record("4.4.0")));
        assert!(!records(&record("4.4.1")));
        assert!(!records(&record("4.4.0-rc.1")));
        assert!(!records(&record("14.4.0")));
        assert!(!records(""));
    }

    #[test]
    fn the_flags_are_those_of_our_own_builds() {
        let ours = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.cargo/config.toml")).unwrap();
        let line = ours.lines().find_map(|line| line.strip_prefix("rustflags = ")).unwrap();
        let ours = line.trim_matches(['[', ']']).replace(['"', ','], "");
        assert_eq!(Build::WithOurFlags.flags(), if cfg!(target_arch = "x86_64") { ours.as_str() } else { "" });
        assert_eq!(Build::Published.flags(), "");
    }

    #[test]
    fn the_version_is_that_of_the_stage_crates() {
        let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).unwrap();
        let pins: Vec<_> = manifest.lines().filter(|line| line.starts_with("bwa-mem4-")).collect();
        assert!(!pins.is_empty());
        for pin in pins {
            assert!(pin.contains(&format!("\"={VERSION}\"")), "{pin}");
        }
    }
}
