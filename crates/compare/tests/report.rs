//! The page shows the numbers that it was given, and needs nothing else.

use std::path::PathBuf;

use seedsieve_compare::{CompareOptions, Comparison, ModelMetrics, ReportInput, RunStatistics, compare, html_report};

const STATISTICS: &str = r#"{"command":"align","version":"0.1.0","reads":4,"pairs":0,"threads":2,"wall_seconds":3.5,
 "stages":[{"name":"seeding","cpu_seconds":2.25},{"name":"extension","cpu_seconds":1.5}],
 "counts":{"regions":7,"seeds":12345,"chains":40,"note":"text is passed over"},
 "filter":{"model":"a&b","backend":"tract","threshold":0.3,"seeds_in":12345,"dropped":2345,"kept_by_guard_rails":45,"stand_ins":1000,"new_key":1,"kept_best":77,"kept_hopeless":0,"asked_of_network":66,"kept_by_network":55,
 "tiers":[{"tier":1,"name":"integers","cpu_seconds":0.25},{"tier":2,"name":"student","cpu_seconds":0},{"tier":3,"name":"network","cpu_seconds":1.75}],
 "loss":{"proven":0,"by_rule":{"changed_reads_at_most":0.02,"confidence":0.95}}},
 "another_new_key":[1,2]}"#;

const METRICS: &str = r#"{"name":"seed_filter_v1","parameters":26913,"policy":"own-extension","label_threshold":30,"threshold":0.3,
 "counts":{"train":{"viable":1,"hopeless":2}},
 "test":{"auc":0.9876,"at_threshold":{"threshold":0.3,"tpr":0.991,"fpr":0.05},"fpr_at_tpr":{"0.95":0.0123,"0.99":0.0456},
 "roc":[[0,0],[0.01,0.9],[0.05,0.991],[1,1]],"histogram":{"edges":[0,0.5,1],"viable":[1,99],"hopeless":[95,5]}},
 "baselines":{"seed length":{"auc":0.7,"fpr_at_tpr":{"0.95":0.8,"0.99":null},"roc":[[0,0],[0.5,0.6],[1,1]]}},"epochs":[]}"#;

fn comparison() -> Comparison {
    let folder = tempfile::tempdir().unwrap();
    let record = |name, position| format!("{name}\t0\tchr1\t{position}\t60\t4M\t*\t0\t0\tACGT\t*\n");
    let write = |name: &str, position| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, record("x", 1) + &record("y", position)).unwrap();
        path
    };
    let options = CompareOptions { label_a: "off".into(), label_b: "<on>".into(), ..CompareOptions::default() };
    compare(&write("a.sam", 1), &write("b.sam", 900), &options).unwrap()
}

fn from_json<T>(text: &str, read: impl Fn(&std::path::Path) -> Result<T, seedsieve_compare::CompareError>) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, text).unwrap();
    read(&path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_page_shows_what_it_was_given_and_loads_nothing() {
    let comparison = comparison();
    let statistics = from_json(STATISTICS, RunStatistics::read);
    let metrics = from_json(METRICS, ModelMetrics::read);
    let page = html_report(&ReportInput {
        comparison: &comparison,
        statistics_a: Some(&statistics),
        statistics_b: Some(&statistics),
        metrics: Some(&metrics),
    });
    for part in [
        "&lt;on&gt;",
        "a&amp;b",
        "12,345",
        "2,345 (18.996 %)",
        "45 (0.365 %)",
        "stands in: 1,000 (8.100 %)",
        "learned to change at most 2 % of reads (95 % confidence)",
        "<th>kept best</th><td>77</td>",
        "<th>asked of network</th><td>66</td>",
        "<th>kept by network</th><td>55</td>",
        "CPU time of the tiers: integers 0.25 s, network 1.75 s",
        "2.25 s",
        "1.50 s",
        "26,913 parameters",
        "seed length",
        "0.9876",
        "0.0456",
        "moved: 1 of 2 reads",
        "50 % of 2",
        "changed reads, % of the reads in the row",
        "CPU time, seconds",
        "FPR: hopeless seeds kept",
        "TPR: viable seeds kept",
        "score of the seed",
        "threshold 0.3",
        "Reads by MAPQ in A (rows) and in B (columns)",
        "All fields and tags of the 1 reads in place are the same.",
        "moved reads: 0 the same",
        "record 2: chr1:900+",
        "by mappability",
        "By kind of record in A",
    ] {
        assert!(page.contains(part), "{part} is not on the page");
    }
    for part in ["<on>", "http", "<script", "<link", "url(", "src=", "NaN", "inf"] {
        assert!(!page.contains(part), "{part} is on the page");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert_eq!(page.matches("<section>").count(), 5);
}

#[test]
fn without_statistics_and_metrics_their_sections_are_left_out() {
    let comparison = comparison();
    let page =
        html_report(&ReportInput { comparison: &comparison, statistics_a: None, statistics_b: None, metrics: None });
    assert_eq!(page.matches("<section>").count(), 3);
    assert!(page.contains("What became of the reads"));
}

#[test]
fn json_of_another_form_is_refused_with_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, METRICS).unwrap();
    let whole =
        |error: seedsieve_compare::CompareError| format!("{error}: {}", std::error::Error::source(&error).unwrap());
    let error = whole(RunStatistics::read(&path).unwrap_err());
    assert!(error.contains("a.json") && error.contains("align --stats") && error.contains("wall_seconds"), "{error}");
    std::fs::write(&path, "{").unwrap();
    let error = whole(ModelMetrics::read(&path).unwrap_err());
    assert!(error.contains("NAME.metrics.json") && error.contains("line 1"), "{error}");
}

#[test]
fn with_the_truth_the_page_has_curves_of_recall() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, quality: u8| -> PathBuf {
        let path = folder.path().join(name);
        let record = |read: &str, position: u32| {
            format!("{read}\t0\tchr1\t{position}\t{quality}\t4M\t*\t0\t0\tACGT\t*\tAS:i:4\n")
        };
        let text = record("sim:chr1:10:+:90:-:1", 10) + &record("sim:chr1:10:+:90:-:2", 700);
        std::fs::write(&path, text).unwrap();
        path
    };
    let options = CompareOptions { truth: seedsieve_compare::TruthSource::Names, ..CompareOptions::default() };
    let comparison = compare(&write("a.sam", 60), &write("b.sam", 9), &options).unwrap();
    let page =
        html_report(&ReportInput { comparison: &comparison, statistics_a: None, statistics_b: None, metrics: None });
    for part in [
        "MAPQ from 60: precision 0.50000, recall 0.50000",
        "MAPQ from 9: precision 0.50000, recall 0.50000",
        "1 lie right in both files, 0 in A only, 0 in B only, 1 in neither",
        "-51: 2 reads",
        "2 (100.000 %)",
    ] {
        assert!(page.contains(part), "{part} is not on the page");
    }
    assert!(!page.contains("NaN"));
}
