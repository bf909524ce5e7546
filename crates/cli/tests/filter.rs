//! The seed filter in the aligner: what it may never change, at any threshold.

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{data, first_difference, head_of_fastq, human_index, records, seedsieve, succeed, synthetic, text};

/// SAM text of a paired run with these further arguments.
fn align(index: &Path, reads: &Path, mates: &Path, arguments: &[&str]) -> Vec<u8> {
    let files = [text(index), text(reads), text(mates)];
    succeed(seedsieve(&["--log", "error", "align"]).args(arguments).args(files)).stdout
}

/// The primary record of each mate: name and mate -> fields.
fn primaries(sam: &[u8]) -> HashMap<(String, u32), Vec<String>> {
    let fields = |line: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(line).trim_end().split('\t').map(str::to_owned).collect()
    };
    records(sam)
        .into_iter()
        .map(fields)
        .filter_map(|record| {
            let flag: u32 = record[1].parse().expect("a flag");
            (flag & 0x900 == 0).then(|| ((record[0].clone(), flag & 0xc0), record))
        })
        .collect()
}

fn is_mapped(record: &[String]) -> bool {
    record[1].parse::<u32>().expect("a flag") & 4 == 0
}

/// The alignment score of a mapped record.
fn score(record: &[String]) -> Option<i32> {
    record[11..].iter().find_map(|tag| tag.strip_prefix("AS:i:")?.parse().ok()).filter(|_| is_mapped(record))
}

#[test]
fn threshold_zero_changes_nothing() {
    let (genome, reads, mates) = synthetic();
    let off = align(&genome, &reads, &mates, &[]);
    let on = align(&genome, &reads, &mates, &["--npu-filter", "--npu-threshold", "0"]);
    assert_eq!(first_difference(&on, &off), None);
}

#[test]
fn a_threshold_above_one_leaves_every_mapped_read_its_best_seed() {
    let (genome, reads, mates) = synthetic();
    let off = align(&genome, &reads, &mates, &["-k", "15"]);
    let on = align(&genome, &reads, &mates, &["-k", "15", "--npu-filter", "--npu-threshold", "1.1"]);
    assert!(first_difference(&on, &off).is_some(), "with every seed but the guarded ones gone, some XS has to change");
    let (off, on) = (primaries(&off), primaries(&on));
    assert_eq!(off.len(), on.len());
    let mapped: Vec<_> = off.iter().filter(|(_, record)| is_mapped(record)).collect();
    assert!(mapped.len() > 8_500, "{} mapped", mapped.len());
    let lost: Vec<_> = mapped.iter().filter(|(read, _)| !is_mapped(&on[*read])).map(|(read, _)| read).collect();
    assert!(lost.is_empty(), "{} of {} mapped reads lost, the first {:?}", lost.len(), mapped.len(), lost[0]);
}

#[test]
fn real_reads_keep_their_alignments_when_only_guarded_seeds_are_left() {
    let Some(data) = data() else { return };
    let index = human_index(&data);
    let reads = |mate| data.join(format!("kgp30x/NA19401.40kb_R{mate}.fastq.gz"));
    let off = align(&index, &reads(1), &reads(2), &["-t", "2"]);
    let on = align(&index, &reads(1), &reads(2), &["-t", "2", "--npu-filter", "--npu-threshold", "1.1"]);
    let (off, on) = (primaries(&off), primaries(&on));
    let mapped: Vec<_> = off.iter().filter(|(_, record)| is_mapped(record)).collect();
    assert!(mapped.iter().all(|(read, _)| is_mapped(&on[*read])), "a mapped read was lost");
    let confident: Vec<_> = mapped.iter().filter(|(_, record)| record[4].parse::<u8>().unwrap() >= 20).collect();
    let moved = confident.iter().filter(|(read, record)| on[*read][2..4] != record[2..4]).count();
    assert!(moved * 1_000 <= confident.len(), "{moved} of {} confident alignments moved", confident.len());
}

#[test]
fn the_cascade_loses_no_read_that_can_be_reported_by_itself() {
    let (genome, reads, mates) = synthetic();
    let off = align(&genome, &reads, &mates, &["-k", "14"]);
    let on = align(&genome, &reads, &mates, &["-k", "14", "--filter", "cascade"]);
    assert!(first_difference(&on, &off).is_some(), "seeds of foreign reads have to go");
    let (off, on) = (primaries(&off), primaries(&on));
    let reported: Vec<_> = off.iter().filter(|(_, record)| score(record).is_some_and(|score| score >= 30)).collect();
    assert!(reported.len() > 8_000, "{} reported", reported.len());
    let lost = reported.iter().filter(|(read, _)| !is_mapped(&on[*read])).count();
    assert!(lost * 1_000 <= reported.len(), "{lost} of {} lost", reported.len());
    let moved = reported.iter().filter(|(read, record)| on[*read][2..4] != record[2..4]).count();
    assert!(moved * 100 <= reported.len(), "{moved} of {} moved", reported.len());
}

#[test]
fn the_cascade_leaves_whole_genome_reads_as_they_are() {
    let Some(data) = data() else { return };
    let index = human_index(&data);
    let reads = |mate| data.join(format!("kgp30x/NA19401.40kb_R{mate}.fastq.gz"));
    let off = align(&index, &reads(1), &reads(2), &["-t", "2"]);
    let on = align(&index, &reads(1), &reads(2), &["-t", "2", "--filter", "cascade"]);
    let (off, on) = (primaries(&off), primaries(&on));
    let mapped: Vec<_> = off.iter().filter(|(_, record)| is_mapped(record)).collect();
    assert!(mapped.len() > 8_000, "{} mapped", mapped.len());
    // Place and CIGAR of all but one in ten thousand.
    let changed = mapped.iter().filter(|(read, record)| on[*read][2..4] != record[2..4] || on[*read][5] != record[5]);
    let changed = changed.count();
    assert!(changed * 10_000 <= mapped.len(), "{changed} of {} changed", mapped.len());
}

#[test]
fn the_cascade_gives_the_same_bytes_for_any_number_of_threads() {
    let (genome, reads, mates) = synthetic();
    let run =
        |threads| align(&genome, &reads, &mates, &["-k", "14", "-K", "1000000", "-t", threads, "--filter", "cascade"]);
    let one = run("1");
    for threads in ["2", "3"] {
        assert_eq!(first_difference(&run(threads), &one), None, "-t {threads}");
    }
}

#[test]
fn the_mode_follows_from_what_is_asked_for() {
    let (genome, reads, mates) = synthetic();
    let mode = |arguments: &[&str]| {
        let sam = align(&genome, &reads, &mates, arguments);
        let header = String::from_utf8_lossy(&sam).lines().find(|line| line.starts_with("@PG")).map(str::to_owned);
        let header = header.expect("a @PG line");
        header.split('\t').find_map(|field| field.strip_prefix("DS:")).map(str::to_owned)
    };
    assert_eq!(mode(&[]), None);
    assert_eq!(mode(&["--filter", "off", "--npu-filter"]), None);
    assert_eq!(mode(&["--npu-filter"]).as_deref(), Some("seed filter cascade"));
    let network = mode(&["--npu-filter", "--npu-threshold", "0.5"]).expect("a filter");
    assert!(network.contains("threshold=0.5"), "{network}");
    for (options, what_to_say) in [
        (&["--filter", "cascade", "--npu-threshold", "0.5"][..], "--filter cnn"),
        (&["--npu-threshold", "0.5"], "which is off; say --npu-filter"),
    ] {
        let refused = seedsieve(&["align"]).args(options).args([&genome, &reads]).output().expect("the program starts");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success());
        assert!(said.contains("--npu-threshold") && said.contains(what_to_say), "{said}");
    }
}

#[test]
fn the_same_bytes_for_any_number_of_threads_and_any_backend_batch() {
    let (genome, reads, mates) = synthetic();
    let run = |threads| {
        align(
            &genome,
            &reads,
            &mates,
            &["-k", "14", "-K", "1000000", "-t", threads, "--npu-filter", "--npu-threshold", "0.5"],
        )
    };
    assert_eq!(first_difference(&run("1"), &run("2")), None);
}

#[test]
fn each_gate_alone_keeps_the_reads_that_can_be_reported() {
    let (genome, reads, mates) = synthetic();
    let off = primaries(&align(&genome, &reads, &mates, &["-k", "14"]));
    let reported: Vec<_> = off.iter().filter(|(_, record)| score(record).is_some_and(|score| score >= 30)).collect();
    for gate in ["seeds", "extensions", "rescue", "seeds,extensions"] {
        let on = primaries(&align(&genome, &reads, &mates, &["-k", "14", "--filter", "cascade", "--gate", gate]));
        let lost = reported.iter().filter(|(read, _)| !is_mapped(&on[*read])).count();
        assert!(lost * 1_000 <= reported.len(), "--gate {gate}: {lost} of {} lost", reported.len());
    }
}

#[test]
fn wrong_bands_and_gates_are_refused() {
    let (genome, reads, _) = synthetic();
    let folder = tempfile::tempdir().expect("a folder");
    let bands = folder.path().join("bands.json");
    std::fs::write(&bands, "{\"format\": \"seedsieve cascade\", \"version\": 1, \"bands\": {}}").expect("a file");
    let refused = |arguments: &[&str]| {
        let output =
            seedsieve(&["align"]).args(arguments).args([&genome, &reads]).output().expect("the program starts");
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused(&["--filter", "cascade", "--cascade", text(&bands)]);
    assert!(said.contains("bands.json") && said.contains("drop") && said.contains("models/cascade_v3.json"), "{said}");
    assert!(refused(&["--cascade", text(&bands)]).contains("--filter cascade"));
    assert!(refused(&["--gate", "seeds"]).contains("--filter cascade"));
    assert!(refused(&["--filter", "cascade", "--gate", "mates"]).contains("extensions"));
}

#[test]
fn all_alignments_turn_the_filter_off() {
    let (genome, reads, mates) = synthetic();
    let off = align(&genome, &reads, &mates, &["-a"]);
    for filter in [&["--npu-filter", "--npu-threshold", "1.1"][..], &["--filter", "cascade"]] {
        let on = align(&genome, &reads, &mates, &[&["-a"], filter].concat());
        assert_eq!(first_difference(&on, &off), None);
    }
}

/// What `--filter-stats` writes for these arguments, and the SAM text.
fn with_filter_statistics(
    index: &Path,
    reads: &Path,
    mates: &Path,
    arguments: &[&str],
) -> (Vec<u8>, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("filter.json");
    let sam = align(index, reads, mates, &[arguments, &["--filter-stats", text(&file)]].concat());
    let statistics = std::fs::read(&file).expect("the statistics");
    (sam, serde_json::from_slice(&statistics).expect("JSON"))
}

/// Compares `--filter exact` with no filter at all; returns how many extensions were proven.
fn assert_exact(index: &Path, reads: &Path, mates: &Path, arguments: &[&str]) -> u64 {
    let off = align(index, reads, mates, arguments);
    let (on, statistics) = with_filter_statistics(index, reads, mates, &[arguments, &["--filter", "exact"]].concat());
    assert_eq!(first_difference(&on, &off), None, "{arguments:?}");
    assert_eq!(statistics["mode"], "exact");
    assert_eq!(statistics["decisions"]["by_rule"], 0);
    statistics["decisions"]["proven"].as_u64().expect("a number")
}

#[test]
fn what_is_proven_changes_no_record() {
    let (genome, reads, mates) = synthetic();
    assert_exact(&genome, &reads, &mates, &[]);
    assert!(assert_exact(&genome, &reads, &mates, &["-k", "11"]) > 1_000);
    for scores in ["-k 12 -A 2 -B 9 -O 14,16 -E 2,1 -L 3,8 -w 20 -d 60 -T 20", "-k 12 -B 3 -O 8 -E 2 -L 0"] {
        let scores: Vec<_> = scores.split(' ').collect();
        assert!(assert_exact(&genome, &reads, &mates, &scores) > 1_000, "{scores:?}");
    }
    // Gaps so cheap that chance pays for them: nothing is proven, and nothing is changed.
    assert_eq!(assert_exact(&genome, &reads, &mates, &["-k", "12", "-B", "1", "-O", "1"]), 0);
}

#[test]
fn what_is_proven_changes_no_record_of_real_reads() {
    let Some(data) = data() else { return };
    let index = human_index(&data);
    let folder = tempfile::tempdir().expect("a folder");
    let sets: [(&str, usize, &[&str], u64); 4] = [
        ("human_reads/genomewide/hiseq_TESTX_L001_R#.fastq.gz", 2_000, &["-k", "12", "-t", "2"], 10_000),
        ("other/yeast/SRR5204809_Input_100k_R#.fastq.gz", 2_000, &["-k", "12", "-t", "2"], 10_000),
        ("kgp30x/NA19401.40kb_R#.fastq.gz", 20_000, &["-t", "2"], 0),
        ("kgp30x/NA12878.chr21_R#.fastq.gz", 3_000, &["-k", "14", "-t", "2"], 1_000),
    ];
    for (reads, pairs, arguments, least) in sets {
        let [reads, mates] =
            ["1", "2"].map(|mate| head_of_fastq(&data.join(reads.replace('#', mate)), pairs, folder.path()));
        let proven = assert_exact(&index, &reads, &mates, arguments);
        assert!(proven >= least, "{}: {proven} proven", reads.display());
    }
}

#[test]
fn chunks_that_are_too_small_are_so_for_any_number_of_threads() {
    let (genome, reads, mates) = synthetic();
    // Chunks of some 400 reads: each worker of four has fewer reads, and fewer seeds, than the chunk.
    let run = |threads, least| {
        let fixed = "-k 14 -K 60000 --filter cnn --gate seeds --npu-threshold 1.1";
        let arguments: Vec<_> = fixed.split(' ').chain(["-t", threads, "--npu-min-batch", least]).collect();
        align(&genome, &reads, &mates, &arguments)
    };
    let off = align(&genome, &reads, &mates, &["-k", "14", "-K", "60000"]);
    for least in ["300", "3000"] {
        assert_eq!(first_difference(&run("1", least), &run("4", least)), None, "--npu-min-batch {least}");
    }
    assert!(first_difference(&run("1", "300"), &off).is_some(), "chunks of enough reads are filtered");
    assert_eq!(first_difference(&run("1", "3000"), &off), None, "others are not");
}

#[test]
fn statistics_tell_what_each_gate_took_and_did() {
    let (genome, reads, mates) = synthetic();
    let folder = tempfile::tempdir().expect("a folder");
    let stats = folder.path().join("stats.json");
    let arguments = ["-k", "12", "--filter", "cascade", "-R", "@RG\\tID:x\\tSM:NA7", "--stats", text(&stats)];
    let (_, filter) = with_filter_statistics(&genome, &reads, &mates, &arguments);
    let stats: serde_json::Value = serde_json::from_slice(&std::fs::read(&stats).expect("statistics")).expect("JSON");
    assert_eq!(stats["filter"], filter, "both files say the same");
    let count = |name: &str| filter[name].as_u64().unwrap_or_else(|| panic!("{name}: {filter:#}"));
    let by_rule = filter["decisions"]["by_rule"].as_u64().expect("a number");
    assert_eq!(by_rule, count("dropped") + count("stand_ins"));
    assert!(count("dropped") > 0 && count("stand_ins") > 0 && count("pairs_in") == 5_000, "{filter:#}");
    assert_eq!(filter["loss"]["proven"], 0);
    let promised = &filter["loss"]["by_rule"];
    assert!(promised["changed_reads_at_most"].as_f64().is_some_and(|loss| loss < 0.1), "{promised}");
    let by_hand = ["-k", "12", "--filter", "cascade", "--cascade", "models/cascade_v1.json"];
    let (_, by_hand) = with_filter_statistics(&genome, &reads, &mates, &by_hand);
    assert!(by_hand["loss"]["by_rule"].is_null(), "bands set by hand promise none");
    let gates = filter["gates"].as_array().expect("a list");
    let names: Vec<_> = gates.iter().map(|gate| gate["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["seeds", "extensions", "rescue"]);
    let seconds = |of: &serde_json::Value| of["cpu_seconds"].as_f64().expect("a time");
    let stage = stats["stages"].as_array().expect("a list").iter().find(|stage| stage["name"] == "filter");
    let sum = seconds(&gates[0]) + seconds(&gates[1]);
    assert!(sum > 0.0 && (sum - seconds(stage.expect("a stage"))).abs() < 1e-6, "{gates:?}");
    let row = &stats["data"]["NA7"];
    assert_eq!(row["filter_by_rule"], by_rule);
    assert_eq!(row["gate_seeds_cpu_seconds"], gates[0]["cpu_seconds"]);
    let cnn = ["-K", "10000000", "--filter", "cnn", "--npu-backend", "native"];
    let (_, cnn_stats) = with_filter_statistics(&genome, &reads, &mates, &cnn);
    assert_eq!(cnn_stats["loss"]["by_rule"]["viable_seeds_at_most"], 0.001, "the model's own promise");
    let (_, own) = with_filter_statistics(&genome, &reads, &mates, &[&cnn[..], &["--npu-threshold", "0.9"]].concat());
    assert!(own["loss"]["by_rule"].is_null(), "a higher threshold has none");
    let (_, off) = with_filter_statistics(&genome, &reads, &mates, &[]);
    assert_eq!(off["mode"], "off");
}
