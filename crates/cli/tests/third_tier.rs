//! The convolutional network as the last tier of the cascade: who it is asked about, that neither threads nor chunks nor
//! backends have a part in the answer, and what is said where it cannot be asked.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{
    data, fail, first_difference, head_of_fastq, human_index, records, repository, seedsieve, skip, succeed, synthetic,
    text,
};
use serde_json::{Value, json};

/// Reads and what they are aligned to, and a folder for what else is needed.
struct Work {
    folder: tempfile::TempDir,
    index: PathBuf,
    reads: [PathBuf; 2],
}

impl Work {
    fn new(index: PathBuf, reads: [PathBuf; 2]) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), index, reads }
    }

    /// The bands that were set by hand, narrowed, with these for the networks.
    fn bands(&self, name: &str, networks: &[(&str, Value)]) -> PathBuf {
        let by_hand = std::fs::read(repository().join("models/cascade_v1.json")).expect("a file");
        let mut file: Value = serde_json::from_slice(&by_hand).expect("JSON");
        file["version"] = json!(3);
        file["bands"]["near_best"] = json!(4);
        for (network, band) in networks {
            file["bands"][network] = band.clone();
        }
        let path = self.folder.path().join(name);
        std::fs::write(&path, file.to_string()).expect("a file");
        path
    }

    fn command(&self, bands: &Path, arguments: &[&str]) -> Command {
        let mut command = seedsieve(&["--log", "error", "align", "-k", "12", "--filter", "cascade"]);
        command.args(["--cascade", text(bands)]).args(arguments).arg(&self.index).args(&self.reads);
        command
    }

    /// SAM text, and what `--stats` and `--filter-stats` say.
    fn run(&self, bands: &Path, arguments: &[&str]) -> (Vec<u8>, Value, Value) {
        let [stats, filter] = ["stats.json", "filter.json"].map(|name| self.folder.path().join(name));
        let files = ["--stats", text(&stats), "--filter-stats", text(&filter)];
        let sam = succeed(&mut self.command(bands, &[arguments, &files].concat())).stdout;
        let read = |file| serde_json::from_slice(&std::fs::read(file).expect("statistics")).expect("JSON");
        (sam, read(&stats), read(&filter))
    }
}

fn of_synthetic() -> Work {
    let (genome, reads, mates) = synthetic();
    Work::new(genome, [reads, mates])
}

fn alone() -> [(&'static str, Value); 1] {
    [("network", json!({"points": 30, "keep": 500, "tolerance": 20}))]
}

fn count(filter: &Value, name: &str) -> u64 {
    filter[name].as_u64().unwrap_or_else(|| panic!("{name}: {filter:#}"))
}

#[test]
fn neither_threads_nor_chunks_have_a_part_in_the_answer() {
    let work = of_synthetic();
    let bands = work.bands("network.json", &alone());
    // The insert size is given: it would be measured on each chunk.
    let run = |threads, bases| work.run(&bands, &["-t", threads, "-K", bases, "-I", "300,50"]);
    let (with, _, filter) = run("1", "400000");
    let asked = count(&filter, "asked_of_network");
    let kept = count(&filter, "kept_by_network");
    assert!(asked > 1_000 && kept > 100 && count(&filter, "stand_ins") > 1_000, "{filter:#}");
    for (threads, bases) in [("2", "400000"), ("4", "400000"), ("4", "90000")] {
        let (again, _, of_again) = run(threads, bases);
        assert_eq!(first_difference(&with, &again), None, "-t {threads} -K {bases}");
        assert_eq!((count(&of_again, "asked_of_network"), count(&of_again, "kept_by_network")), (asked, kept));
    }
    let (without, ..) = work.run(&bands, &["-K", "400000", "-I", "300,50", "--cascade-tiers", "1"]);
    assert!(first_difference(&with, &without).is_some(), "its answers have no effect");
}

#[test]
fn the_network_is_asked_what_the_student_leaves_in_doubt_and_the_times_of_all_are_told() {
    let work = of_synthetic();
    let student = |drop: u16| ("student", json!({"points": 30, "keep": 900, "drop": drop}));
    let network = ("network", json!({"keep": 500, "tolerance": 20}));
    let bands = work.bands("both.json", &[student(5), network.clone()]);
    let (_, stats, filter) = work.run(&bands, &[]);
    let [of_student, of_network] = ["asked_of_student", "asked_of_network"].map(|name| count(&filter, name));
    assert!((1..of_student).contains(&of_network), "{filter:#}");
    assert!(count(&filter, "kept_by_network") > 0, "{filter:#}");
    assert_eq!(filter["same_on_every_backend"], true);

    let tiers = filter["tiers"].as_array().expect("a list");
    let seconds = |of: &Value| of["cpu_seconds"].as_f64().expect("a time");
    assert_eq!(tiers.iter().map(|tier| &tier["name"]).collect::<Vec<_>>(), ["integers", "student", "network"]);
    assert!(tiers.iter().all(|tier| seconds(tier) > 0.0), "{tiers:?}");
    let stage = stats["stages"].as_array().expect("a list").iter().find(|stage| stage["name"] == "filter");
    let sum: f64 = tiers.iter().map(seconds).sum();
    assert!((sum - seconds(stage.expect("a stage"))).abs() < 1e-6, "{tiers:?}");
    let row = stats["data"].as_object().and_then(|rows| rows.values().next()).expect("a row");
    assert_eq!(
        (&row["asked_of_network"], &row["tier_network_cpu_seconds"]),
        (&json!(of_network), &tiers[2]["cpu_seconds"])
    );

    let sure = work.bands("sure.json", &[student(900), network]);
    let (sam, _, filter) = work.run(&sure, &[]);
    assert_eq!(count(&filter, "asked_of_network"), 0, "the student is sure of all");
    let (of_two, _, filter) = work.run(&bands, &["--cascade-tiers", "2"]);
    assert_eq!((count(&filter, "asked_of_network"), &filter["model"]), (0, &Value::Null));
    // Where nobody is asked, what is left is the clock being read.
    let network = seconds(&tiers[2]);
    assert!(network > 10.0 * seconds(&filter["tiers"][2]), "{network} s and {}", filter["tiers"]);
    assert_eq!(first_difference(&sam, &of_two), None);
    let (_, _, filter) = work.run(&bands, &["--cascade-tiers", "1"]);
    assert_eq!(count(&filter, "asked_of_student") + count(&filter, "asked_of_network"), 0);
}

#[test]
fn the_records_are_the_same_bytes_on_every_backend() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let reads = ["1", "2"].map(|mate| {
        let file = data.join(format!("human_reads/genomewide/hiseq_TESTX_L001_R{mate}.fastq.gz"));
        head_of_fastq(&file, 1_000, folder.path())
    });
    let work = Work::new(human_index(&data), reads);
    let bands = work.bands("network.json", &alone());
    let (native, _, filter) = work.run(&bands, &["--npu-backend", "native"]);
    assert_eq!(filter["backend"], "native");
    assert!(count(&filter, "asked_of_network") > 1_000, "{filter:#}");
    assert!(count(&filter, "kept_by_network") > 10, "{filter:#}");
    assert!(records(&native).len() >= 2_000);
    for backend in ["tract", "ort"] {
        let known = succeed(&mut seedsieve(&["backends", "--json"])).stdout;
        let known: Value = serde_json::from_slice(&known).expect("JSON");
        let is_there = |known: &Value| known["name"] == backend && known["available"] == true;
        if !known["backends"].as_array().expect("a list").iter().any(is_there) {
            skip(backend);
            continue;
        }
        let (other, _, of_other) = work.run(&bands, &["--npu-backend", backend]);
        assert_eq!(of_other["backend"], backend);
        assert_eq!(first_difference(&native, &other), None, "{backend}");
        assert_eq!(count(&of_other, "kept_by_network"), count(&filter, "kept_by_network"), "{backend}");
    }
}

#[test]
fn what_cannot_be_asked_is_said_with_what_to_do() {
    let work = of_synthetic();
    let network = work.bands("network.json", &alone());
    let none = work.bands("none.json", &[]);
    let refused = |bands: &Path, arguments: &[&str]| fail(&mut work.command(bands, arguments));
    assert!(refused(&none, &["--cascade-tiers", "3"]).contains("no \"network\""));
    let said = refused(&none, &["--npu-backend", "native"]);
    assert!(said.contains("--npu-backend") && said.contains("\"network\"") && said.contains("--filter cnn"), "{said}");
    let said = refused(&network, &["--cascade-tiers", "1", "--model", "models/seed_filter_v1_int8.onnx"]);
    assert!(said.contains("--model") && said.contains("--cascade-tiers 3"), "{said}");
    let said = refused(&network, &["--npu-threshold", "0.5"]);
    assert!(said.contains("--filter cnn") && said.contains("--cascade FILE.json"), "{said}");
    let said = refused(&network, &["--npu-backend", "ort", "--ort-library", "/nowhere/libonnxruntime.so"]);
    assert!(said.contains("/nowhere/libonnxruntime.so") && said.contains("--cascade-tiers"), "{said}");
    let said = refused(&network, &["--model", "models/seed_student_near_v2_int8.onnx"]);
    assert!(said.contains("seed_student_near_v2"), "{said}");
}
