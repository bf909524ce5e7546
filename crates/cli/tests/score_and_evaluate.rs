//! `seedsieve score` and `seedsieve evaluate` on the seeds of synthetic reads.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{fail, prepared, repository, seedsieve, succeed, synthetic, text};

/// A data set of seeds of the synthetic reads.
fn seeds() -> PathBuf {
    let (genome, first, second) = synthetic();
    let folder = prepared("synthetic_seeds", |folder| {
        let output = folder.join("seeds");
        let mut extract = seedsieve(&["extract-seeds", "--reference", text(&genome), "--output", text(&output)]);
        succeed(extract.args(["-t", "2", "-k", "12", "--read-pairs", "300", "--paired", text(&first), text(&second)]));
    });
    folder.join("seeds")
}

fn model(name: &str) -> String {
    text(&repository().join("models").join(name)).to_owned()
}

#[test]
fn every_seed_has_a_line_and_the_same_score_whatever_the_threads() {
    let seeds = seeds();
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(seeds.join("dataset.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let int8 = model("seed_filter_v1_int8.onnx");
    let table = folder.path().join("scores.tsv");
    let score = ["score", "--model", &int8, "--data", text(&seeds), "--npu-backend", "native"];
    succeed(seedsieve(&score).args(["-t", "3", "-o", text(&table)]));
    let one = succeed(seedsieve(&score).args(["-t", "1"])).stdout;
    assert_eq!(fs::read(&table).unwrap(), one);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the table is left");

    let table = String::from_utf8(one).unwrap();
    let lines: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(Some(lines.len() as u64), manifest["counts"]["seeds"].as_u64());
    let mean = |viable: &str| {
        let scores: Vec<f64> =
            lines.iter().filter(|fields| fields[8] == viable).map(|fields| fields[9].parse().unwrap()).collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    assert!(mean("1") > mean("0") + 0.3, "viable {}, hopeless {}", mean("1"), mean("0"));
}

#[test]
fn figures_are_printed_and_written_and_a_model_does_not_beat_itself() {
    let seeds = seeds();
    let folder = tempfile::tempdir().unwrap();
    let (json, report) = (folder.path().join("e.json"), folder.path().join("e.html"));
    let int8 = model("seed_filter_v1_int8.onnx");
    let mut evaluate = seedsieve(&["evaluate", "--model", &int8, "--model", &int8, "--data", text(&seeds)]);
    evaluate.args(["--npu-backend", "native", "--resamples", "40", "--json", text(&json), "--report", text(&report)]);
    let said = String::from_utf8(succeed(&mut evaluate).stdout).unwrap();
    assert!(said.contains("these data show no difference"), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let scorers = json["scorers"].as_array().unwrap();
    let auc = |scorer: &serde_json::Value| scorer["auc"]["value"].as_f64().unwrap();
    assert_eq!(scorers.len(), 4);
    assert!(auc(&scorers[0]) > auc(&scorers[3]), "the network beats the seed's length: {said}");
    assert_eq!(json["comparison"]["verdict"], "no_difference_shown");
    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("<svg") && report.contains("seed_filter_v1 INT8 (second)"));
}

#[test]
fn what_cannot_be_measured_is_refused_and_leaves_nothing() {
    let (genome, first, second) = synthetic();
    let folder = tempfile::tempdir().unwrap();
    let int8 = model("seed_filter_v1_int8.onnx");
    let other = folder.path().join("other");
    let mut extract = seedsieve(&["extract-seeds", "--reference", text(&genome), "--output", text(&other)]);
    succeed(extract.args(["-T", "40", "--read-pairs", "5", "--paired", text(&first), text(&second)]));
    let evaluate = |more: &[&str]| fail(seedsieve(&["evaluate", "--npu-backend", "native"]).args(more));

    let message = evaluate(&["--model", &int8, "--data", text(&other)]);
    assert!(message.contains("labelled with -T 40") && message.contains("for -T 30"), "{message}");
    let message = evaluate(&["--model", &int8, "--model", &int8, "--model", &int8, "--data", text(&other)]);
    assert!(message.contains("3 models"), "{message}");
    let nowhere = folder.path().join("missing");
    let table = folder.path().join("t.tsv");
    let message =
        fail(seedsieve(&["score", "--model", &int8, "--data", text(&nowhere), "-o", text(&table)]).args(["-t", "1"]));
    assert!(message.contains("missing"), "{message}");
    assert!(!table.exists());
}
