//! `seedsieve model` with student networks: said what they are, compared on every route, installed.
#![cfg(all(feature = "native", feature = "tract"))]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{fail, repository, seedsieve, succeed, text};

/// Names of the files, and the versions of their features.
const STUDENTS: [(&str, u64); 5] = [
    ("seed_student_v1", 1),
    ("seed_student_near_v1", 1),
    ("seed_student_v2", 2),
    ("seed_student_near_v2", 2),
    ("seed_student_v3", 2),
];

fn model(name: &str) -> PathBuf {
    repository().join("models").join(format!("{name}.onnx"))
}

fn said(arguments: &[&str]) -> String {
    String::from_utf8(succeed(&mut seedsieve(arguments)).stdout).unwrap()
}

fn inspected(model: &Path) -> serde_json::Value {
    serde_json::from_str(&said(&["model", "inspect", text(model)])).unwrap()
}

#[test]
fn a_student_says_what_it_is() {
    for (name, version) in STUDENTS {
        for (file, quantized) in [(name.to_owned(), false), (format!("{name}_int8"), true)] {
            let description = inspected(&model(&file));
            assert_eq!(description["metadata"]["name"], name);
            assert_eq!(description["metadata"]["features"], 288);
            assert_eq!(description["metadata"]["version"], version);
            assert_eq!(description["network"]["quantized"], quantized);
        }
    }
}

#[test]
fn every_route_gives_a_students_scores() {
    for (name, _) in STUDENTS {
        let said_of_integers = said(&["model", "verify", text(&model(&format!("{name}_int8")))]);
        assert!(said_of_integers.contains("tract    - native scalar: largest difference"), "{said_of_integers}");
        let said_of_floats = said(&["model", "verify", text(&model(name))]);
        assert!(said_of_floats.contains("tract    runs; "), "{said_of_floats}");
        assert!(!said_of_floats.contains("native"), "the kernel runs no floating point: {said_of_floats}");
    }
}

#[test]
fn scores_that_a_student_does_not_give_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (features, scores) = (folder.path().join("features.bin"), folder.path().join("scores.f32"));
    fs::write(&features, [1; 2 * 288]).unwrap();
    fs::write(&scores, [0.25f32, 0.999].map(f32::to_le_bytes).concat()).unwrap();
    let student = model("seed_student_v1_int8");
    let arguments = ["model", "verify", text(&student), "--windows", text(&features), "--scores", text(&scores)];
    let refusal = fail(&mut seedsieve(&arguments));
    assert!(refusal.contains("tract and PyTorch by") && refusal.contains("where 5e-2 is allowed"), "{refusal}");

    fs::write(&features, [1; 289]).unwrap();
    let refusal = fail(&mut seedsieve(&["model", "verify", text(&student), "--windows", text(&features)]));
    assert!(refusal.contains("289 bytes are not whole seeds of 288 bytes"), "{refusal}");
}

#[test]
fn a_student_is_installed_and_a_flipped_bit_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let name = "seed_student_near_v2_int8";
    said(&["model", "install", text(&model(name)), text(folder.path())]);
    let installed = folder.path().join(format!("{name}.onnx"));
    assert_eq!(inspected(&installed)["checksum"], true);
    let mut bytes = fs::read(&installed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&installed, bytes).unwrap();
    for command in ["inspect", "verify"] {
        let refusal = fail(&mut seedsieve(&["model", command, text(&installed)]));
        assert!(refusal.contains("near_v2_int8.onnx") && refusal.contains("checksum"), "{command}: {refusal}");
    }
    // Only the native kernel runs students, and only in integers.
    let refusal = fail(&mut seedsieve(&["model", "install", text(&model("seed_student_v1")), text(folder.path())]));
    assert!(refusal.contains("seed_student_v1.onnx"), "{refusal}");
}
