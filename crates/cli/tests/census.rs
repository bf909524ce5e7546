//! The published table of the seed census (docs/census.md) is what data sets of the same reads say.

mod common;

use std::fs;
use std::path::Path;

use common::{data, human_index, seedsieve, succeed, text};
use seedsieve_dataset::{Dataset, Description, Role};

/// The rows that take seconds: how the table names the reads, -k, and the files.
const ROWS: [(&str, &str, [&str; 2]); 3] = [
    ("30x", "19", ["kgp30x/NA12878.chr22_R1.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"]),
    ("30x", "14", ["kgp30x/NA12878.chr22_R1.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"]),
    (
        "genome-wide",
        "19",
        ["human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz", "human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz"],
    ),
];

#[test]
fn the_published_census_is_that_of_the_data_sets() {
    let Some(data) = data() else { return };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/census.md");
    let page = fs::read_to_string(page).unwrap();
    let index = human_index(&data);
    let folder = tempfile::tempdir().unwrap();
    for (name, seed_length, reads) in ROWS {
        let output = folder.path().join(format!("{name}-{seed_length}"));
        let mut extract = seedsieve(&["extract-seeds", "-k", seed_length, "--own-extensions", "extended", "-t", "2"]);
        extract.args(["--reference", text(&index), "-o", text(&output), "--paired"]);
        succeed(extract.args(reads.map(|file| data.join(file))));
        let row = row(name, seed_length, &Description::of(&Dataset::open(&output).unwrap()).unwrap());
        assert!(page.lines().any(|line| line == row), "not a row of docs/census.md:\n{row}");
    }
}

/// A row of the table.
fn row(name: &str, seed_length: &str, found: &Description) -> String {
    let per_read = |seeds: u64| format!("{:.1}", seeds as f64 / found.reads as f64);
    let share = |role: Role| {
        let percent = 100.0 * found.roles.of(role) as f64 / found.seeds as f64;
        // The rarest role has one digit more.
        if role == Role::Supplementary { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
    };
    let cells: Vec<String> = [name.into(), seed_length.into()]
        .into_iter()
        .chain([found.seeds, found.in_kept_chains, found.extended].map(per_read))
        .chain(Role::ALL.map(share))
        .collect();
    format!("| {} |", cells.join(" | "))
}
