//! `model bands`: what is learned keeps the loss that was stated, and is the same for any number of threads.

mod common;

use std::path::Path;

use common::{fail, first_difference, records, seedsieve, succeed, synthetic, text};
use serde_json::Value;

fn json(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON")
}

#[test]
fn learned_bands_are_used_and_their_loss_is_told() {
    let (genome, reads, mates) = synthetic();
    let folder = tempfile::tempdir().expect("a folder");
    let input = format!("{},{}", text(&reads), text(&mates));
    let learn = |name: &str, threads: &str| {
        let file = folder.path().join(name);
        let arguments = ["model", "bands", "--reference", text(&genome), "-k", "14", "--loss", "0.02", "-t", threads];
        succeed(seedsieve(&arguments).args(["-o", text(&file), &input]));
        file
    };
    let file = learn("one.json", "1");
    let bands = json(&file);
    let loss = &bands["loss"];
    let numbers = |field: &str| loss[field].as_f64().expect("a number");
    assert_eq!((numbers("stated"), numbers("confidence")), (0.02, 0.95));
    let work = &loss["works"][0];
    assert!(work["learned"]["upper_bound"].as_f64().expect("a number") <= 0.02, "{loss}");
    let halves = ["learned", "checked"].map(|half| work[half]["reads"].as_u64().expect("a number"));
    assert!(halves.iter().all(|reads| *reads > 3_000), "{halves:?}");
    assert_eq!(loss["reads"].as_u64(), Some(halves.iter().sum()));

    let of_two = json(&learn("two.json", "2"));
    assert_eq!((&of_two["bands"], &of_two["loss"]["works"]), (&bands["bands"], &bands["loss"]["works"]));

    // The aligner reads the file, says what it promises, and what it changes is what was measured.
    let statistics = folder.path().join("filter.json");
    let align = |arguments: &[&str]| {
        let files = [text(&genome), text(&reads), text(&mates)];
        succeed(seedsieve(&["--log", "error", "align", "-k", "14"]).args(arguments).args(files)).stdout
    };
    let off = align(&[]);
    let on = align(&["--filter", "cascade", "--cascade", text(&file), "--filter-stats", text(&statistics)]);
    assert_eq!(json(&statistics)["loss"]["by_rule"]["changed_reads_at_most"].as_f64(), Some(0.02));
    let changed = ["learned", "checked"].map(|half| work[half]["changed"].as_u64().expect("a number"));
    assert_eq!(changed_reads(&off, &on), changed.iter().sum::<u64>());
    assert!(first_difference(&off, &on).is_some(), "bands that change nothing were learned from nothing");
    // With another choice of gates nothing was measured.
    let gates = ["--filter", "cascade", "--cascade", text(&file), "--gate", "rescue"];
    align(&[&gates[..], &["--filter-stats", text(&statistics)]].concat());
    assert!(json(&statistics)["loss"]["by_rule"].is_null());
}

/// Primary records with AS of 30 and more that are gone or elsewhere.
fn changed_reads(off: &[u8], on: &[u8]) -> u64 {
    let primaries = |sam: &[u8]| -> Vec<Vec<String>> {
        let fields = |line: &[u8]| String::from_utf8_lossy(line).trim_end().split('\t').map(str::to_owned).collect();
        let all: Vec<Vec<String>> = records(sam).into_iter().map(fields).collect();
        all.into_iter().filter(|record| record[1].parse::<u32>().expect("a flag") & 0x900 == 0).collect()
    };
    let place = |record: &[String]| {
        let flag: u32 = record[1].parse().expect("a flag");
        (flag & 4, flag & 16, record[2].clone(), record[3].clone())
    };
    let reported = |record: &[String]| {
        let score = record[11..].iter().find_map(|tag| tag.strip_prefix("AS:i:")?.parse::<i32>().ok());
        record[1].parse::<u32>().expect("a flag") & 4 == 0 && score.is_some_and(|score| score >= 30)
    };
    let pairs = primaries(off).into_iter().zip(primaries(on));
    pairs.filter(|(off, on)| reported(off) && place(off) != place(on)).count() as u64
}

#[test]
fn bands_are_measured_and_impossible_losses_refused() {
    let (genome, reads, _) = synthetic();
    let run = |arguments: &[&str]| {
        let fixed = ["model", "bands", "--reference", text(&genome)];
        let mut command = seedsieve(&fixed);
        command.args(arguments);
        command
    };
    let input = format!("14:{}", text(&reads));
    let output = succeed(&mut run(&["--measure", "built-in", &input]));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("-k 14") && table.contains("learned from") && table.contains("at most"), "{table}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bands.json");
    let said = fail(&mut run(&["--loss", "0.0000001", "-o", text(&file), &input]));
    assert!(said.contains("even the widest bands") && said.contains("larger loss"), "{said}");
    assert!(!file.exists(), "nothing half-written stays");
    let said = fail(&mut run(&["--measure", "nowhere.json", &input]));
    assert!(said.contains("nowhere.json"), "{said}");
}

#[test]
fn the_student_is_asked_where_the_bands_say_so() {
    let (genome, reads, mates) = synthetic();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, statistics) = (folder.path().join("bands.json"), folder.path().join("filter.json"));
    let mut bands = json(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/cascade_v1.json")));
    bands["version"] = 2.into();
    bands["bands"]["near_best"] = 4.into();
    bands["bands"]["student"] = serde_json::json!({"points": 30, "keep": 300});
    std::fs::write(&file, bands.to_string()).expect("a file");
    let align = |arguments: &[&str]| {
        let fixed = ["--log", "error", "align", "-k", "12", "--filter", "cascade", "--cascade", text(&file)];
        let files = [text(&genome), text(&reads), text(&mates)];
        let sam = succeed(seedsieve(&fixed).args(arguments).args(["--filter-stats", text(&statistics)]).args(files));
        (sam.stdout, json(&statistics))
    };
    // Chunks of one size: the insert size is measured on each.
    let (with, counts) = align(&["-K", "400000", "-t", "1"]);
    let count = |name: &str| counts[name].as_u64().expect("a count");
    assert!(count("asked_of_student") > count("kept_by_student") && count("kept_by_student") > 0, "{counts:#}");
    let (of_four, counts_of_four) = align(&["-K", "400000", "-t", "4"]);
    assert_eq!(first_difference(&with, &of_four), None);
    assert_eq!(counts_of_four["kept_by_student"], counts["kept_by_student"]);
    let (without, counts) = align(&["-K", "400000", "--cascade-tiers", "1"]);
    assert_eq!(counts["asked_of_student"], 0);
    assert!(first_difference(&with, &without).is_some(), "its answers have no effect");

    let refused = |arguments: &[&str]| fail(seedsieve(&["align"]).args(arguments).args([&genome, &reads]));
    let by_hand = "models/cascade_v1.json";
    let said = refused(&["--filter", "cascade", "--cascade", by_hand, "--cascade-tiers", "2"]);
    assert!(said.contains("no \"student\""), "{said}");
    assert!(refused(&["--cascade-tiers", "1"]).contains("--filter cascade"));
    let cnn = text(Path::new("models/seed_filter_v1_int8.onnx"));
    assert!(refused(&["--filter", "cascade", "--cascade", text(&file), "--student", cnn]).contains("seed_filter_v1"));
}

/// Extensions a read that `model bands --measure` says, and the changed reads of both halves of the loci.
#[cfg(feature = "native")]
fn measured(table: &str) -> (f64, u64) {
    let number = |before: &str, after: &str| {
        let text = table.split(before).nth(1).and_then(|rest| rest.split(after).next());
        text.and_then(|text| text.trim().parse::<f64>().ok()).unwrap_or_else(|| panic!("{before}: {table}"))
    };
    let changed = ["learned from", "the other loci"].map(|half| number(half, " of ") as u64);
    (number("reads_2.fastq:", " extensions"), changed.iter().sum())
}

#[test]
#[cfg(feature = "native")]
fn the_convolutional_network_is_learned_and_measured_where_it_is_asked_for() {
    let (genome, reads, mates) = synthetic();
    let folder = tempfile::tempdir().expect("a folder");
    let input = format!("{},{}", text(&reads), text(&mates));
    let run = |arguments: &[&str]| {
        let mut command = seedsieve(&["model", "bands", "--reference", text(&genome), "-k", "12", "-t", "2"]);
        command.args(arguments).arg(&input);
        command
    };
    let of_network = ["--network", "built-in", "--npu-backend", "native"];

    let learned = folder.path().join("learned.json");
    let output = succeed(&mut run(&[&of_network[..], &["--loss", "0.01", "-o", text(&learned)]].concat()));
    let (table, bands) = (String::from_utf8_lossy(&output.stdout), json(&learned));
    let network = &bands["bands"]["network"];
    let [points, keep, tolerance] =
        ["points", "keep", "tolerance"].map(|name| network[name].as_u64().expect("a number of the network"));
    assert_eq!((tolerance, &bands["bands"]["student"]), (20, &Value::Null));
    assert!(table.contains(&format!("network asked within {points} points and heard from {keep}/1000")), "{table}");
    let log = String::from_utf8_lossy(&output.stderr);
    let tried: std::collections::BTreeSet<&str> =
        log.split("network asked within ").skip(1).filter_map(|rest| rest.split(": cost").next()).collect();
    assert!(tried.len() > 4, "too little was tried of it: {tried:?}");
    assert!(bands["loss"]["command"].as_str().expect("a command").contains("--network built-in"), "{bands}");

    // Measured, the network has a say, and the same one as in a run of the aligner.
    let with = |name: &str, network: Value| {
        let mut file = bands.clone();
        file["bands"]["near_best"] = 4.into();
        file["bands"]["network"] = network;
        file.as_object_mut().expect("an object").remove("loss");
        let path = folder.path().join(name);
        std::fs::write(&path, file.to_string()).expect("a file");
        path
    };
    let asked = with("asked.json", serde_json::json!({"points": 30, "keep": 500, "tolerance": 20}));
    let alone = with("alone.json", Value::Null);
    let of = |file: &Path| {
        let output = succeed(&mut run(&["--npu-backend", "native", "--measure", text(file)]));
        measured(&String::from_utf8_lossy(&output.stdout))
    };
    let ((extensions, changed), (fewer, _)) = (of(&asked), of(&alone));
    assert!(extensions > fewer, "{extensions} {fewer}");
    let statistics = folder.path().join("filter.json");
    let align = |arguments: &[&str]| {
        let files = [text(&genome), text(&reads), text(&mates)];
        succeed(seedsieve(&["--log", "error", "align", "-k", "12"]).args(arguments).args(files)).stdout
    };
    let filter = ["--filter", "cascade", "--cascade", text(&asked), "--npu-backend", "native"];
    let on = align(&[&filter[..], &["--filter-stats", text(&statistics)]].concat());
    assert!(json(&statistics)["asked_of_network"].as_u64().expect("a count") > 1_000);
    assert_eq!(changed_reads(&align(&[]), &on), changed);

    let both = [&of_network[..], &["--student", "built-in", "-o", text(&learned)]].concat();
    assert!(fail(&mut run(&both)).contains("learned apart"));
}
