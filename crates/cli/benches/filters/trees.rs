//! Gradient-boosted trees over what is known of a seed without a network. scikit-learn trains them (`train_trees.py`); here
//! they are walked.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::bufread::MultiGzDecoder;
use seedsieve_aligner::Seed;
use serde::Deserialize;

use crate::common;
use crate::reference::Reference;
use crate::scored::SeedScore;
use crate::ungapped::Ungapped;

/// What the trees look at, in this order; `train_trees.py` makes the same of a data set.
const FEATURES: usize = 7;
/// Pairs that they are trained on, with the shortest seed: the first foreign ones, and 30x reads of another person.
const TRAINING: [(&str, &str, usize, &str); 3] = [
    ("foreign-k12", "human_reads/genomewide/hiseq_TESTX_L001_R", 1_500, "12"),
    ("foreign-k14", "human_reads/genomewide/hiseq_TESTX_L001_R", 1_500, "14"),
    ("kgp30x-k19", "kgp30x/NA19401.40kb_R", 4_000, "19"),
];

/// Trees whose sum is the log odds of a seed to reach -T by its own extension.
#[derive(Deserialize)]
pub struct Trees {
    baseline: f32,
    trees: Vec<Vec<Node>>,
}

/// A question, or an answer where `feature` is negative.
#[derive(Deserialize)]
struct Node {
    feature: i32,
    /// Left is where the feature is not above it.
    threshold: f32,
    left: usize,
    right: usize,
    value: f32,
}

fn file() -> PathBuf {
    common::repository().join("target/bench/trees.json")
}

/// Trains them, unless that was done before.
pub fn prepare(ours: &Path, index: &Path, folder: &Path) -> Result<(), String> {
    if file().is_file() {
        return Ok(());
    }
    let mut sets = Vec::new();
    for (name, files, pairs, min_seed_length) in TRAINING {
        let set = folder.join(format!("trees-{name}"));
        let _ = fs::remove_dir_all(&set);
        let mates = [1, 2].map(|mate| folder.join(format!("trees-{name}.{mate}.fastq")));
        for (mate, path) in mates.iter().enumerate() {
            head(&common::data().join(format!("{files}{}.fastq.gz", mate + 1)), pairs, path)?;
        }
        let mut extract = Command::new(ours);
        extract.args(["extract-seeds", "-k", min_seed_length, "--paired", "--reference"]).arg(index);
        succeed(extract.arg("--output").arg(&set).args(&mates))?;
        sets.push(set);
    }
    let python = common::repository().join(".venv/bin/python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/filters/train_trees.py");
    succeed(Command::new(python).arg(script).arg(file()).args(&sets))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}

/// The first records of a gzip FASTQ.
fn head(source: &Path, records: usize, path: &Path) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", path.display());
    let text = BufReader::new(MultiGzDecoder::new(BufReader::new(fs::File::open(source).map_err(problem)?)));
    let mut head = std::io::BufWriter::new(fs::File::create(path).map_err(problem)?);
    for line in text.lines().take(4 * records) {
        writeln!(head, "{}", line.map_err(problem)?).map_err(problem)?;
    }
    head.flush().map_err(problem)
}

impl Trees {
    pub fn load() -> Result<Self, String> {
        let problem = |error: &dyn std::error::Error| format!("{}: {error}", file().display());
        serde_json::from_slice(&fs::read(file()).map_err(|error| problem(&error))?).map_err(|error| problem(&error))
    }

    fn log_odds(&self, features: &[f32; FEATURES]) -> f32 {
        let of_tree = |tree: &Vec<Node>| {
            let mut node = &tree[0];
            while let Ok(feature) = usize::try_from(node.feature) {
                node = &tree[if features[feature] <= node.threshold { node.left } else { node.right }];
            }
            node.value
        };
        self.baseline + self.trees.iter().map(of_tree).sum::<f32>()
    }
}

/// Hundredths of the log odds.
impl SeedScore for Trees {
    type Memory = (<Ungapped as SeedScore>::Memory, Vec<i32>);

    fn score(
        &self,
        reference: &Reference,
        codes: &[u8],
        seeds: &[Seed],
        (memory, ungapped): &mut Self::Memory,
        scores: &mut Vec<i32>,
    ) {
        ungapped.clear();
        Ungapped.score(reference, codes, seeds, memory, ungapped);
        let best = ungapped.iter().copied().max().unwrap_or(0);
        scores.extend(seeds.iter().zip(&*ungapped).map(|(seed, &own)| {
            let after = codes.len() as i32 - seed.query_start - seed.length;
            let features = [
                own as f32,
                seed.length as f32,
                seed.occurrences as f32,
                (best - own) as f32,
                seed.query_start.min(after) as f32,
                seeds.len() as f32,
                codes.len() as f32,
            ];
            (100.0 * self.log_odds(&features)) as i32
        }));
    }
}
