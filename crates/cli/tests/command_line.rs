//! What is made of the definition of the command line: help, completions, manual pages.

mod common;

use std::fs;

use common::{seedsieve, succeed, text};

/// bwa-mem2's letters of `mem`, but for -f (the same as -o) and -1 (nothing).
const LETTERS: &str = "tkwdrycDWmSPGNsXQABOELUxpRHoj5qKvThaCVYMI";

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(succeed(&mut seedsieve(arguments)).stdout).unwrap()
}

#[test]
fn every_letter_of_bwa_has_a_long_name_in_the_help_and_in_the_manual() {
    let help = printed(&["align", "--help"]);
    for letter in LETTERS.chars() {
        let found = help.lines().any(|line| line.trim_start().starts_with(&format!("-{letter}, --")));
        assert!(found, "-{letter}\n{help}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    succeed(&mut seedsieve(&["man", "-o", text(&pages)]));
    let page = fs::read_to_string(pages.join("seedsieve-align.1")).unwrap();
    assert!(page.contains("\\-\\-min\\-seed\\-length") && page.contains("\\-\\-sort"), "{page}");
    assert!(pages.join("seedsieve.1").is_file() && pages.join("seedsieve-index.1").is_file());
}

#[test]
fn shells_get_completions_of_every_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("extract-seeds") && script.contains("min-seed-length"), "{shell}");
    }
}

#[test]
fn presets_for_long_reads_are_refused_with_a_better_tool() {
    for (preset, tool) in [("pacbio", "map-pb"), ("pbref", "map-pb"), ("ont2d", "map-ont")] {
        let output = seedsieve(&["align", "-x", preset, "ref.fa", "reads.fq"]).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("minimap2") && message.contains(tool), "{message}");
    }
}
