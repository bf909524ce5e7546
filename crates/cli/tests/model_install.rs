//! `seedsieve model install`: a model with a checksum, whole or not at all.

mod common;

use std::fs;

use common::{fail, repository, seedsieve, succeed, text};

fn inspected(model: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&succeed(&mut seedsieve(&["model", "inspect", text(model)])).stdout).unwrap()
}

#[test]
fn an_installed_model_has_a_checksum_and_a_flipped_bit_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["seed_filter_v1.onnx", "seed_filter_v1_int8.onnx"] {
        // The shipped files have a checksum: under another name it is a property like others.
        let given = folder.path().join("given.onnx");
        let bytes = fs::read(repository().join("models").join(name)).unwrap();
        let key = b"seedsieve.checksum";
        let at = bytes.windows(key.len()).position(|window| window == key);
        let mut unsealed = bytes;
        if let Some(at) = at {
            unsealed[at + key.len() - 1] = b'x';
        }
        fs::write(&given, unsealed).unwrap();
        assert_eq!(inspected(&given)["checksum"], false);
        let output = succeed(&mut seedsieve(&["model", "install", text(&given), text(folder.path())]));
        let installed = folder.path().join(name);
        let said = String::from_utf8(output.stdout).unwrap();
        let description = inspected(&installed);
        assert!(said.contains(description["sha256"].as_str().unwrap()), "{said}");
        assert_eq!(description["checksum"], true);
        assert_eq!(description["metadata"], inspected(&given)["metadata"]);

        let mut bytes = fs::read(&installed).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        let damaged = folder.path().join("damaged.onnx");
        fs::write(&damaged, bytes).unwrap();
        let refusal = fail(&mut seedsieve(&["model", "inspect", text(&damaged)]));
        assert!(refusal.contains("damaged.onnx") && refusal.contains("checksum"), "{refusal}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn what_cannot_be_installed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let model = repository().join("models/seed_filter_v1.onnx");
    let missing = folder.path().join("missing");
    let refusal = fail(&mut seedsieve(&["model", "install", text(&model), text(&missing)]));
    assert!(refusal.contains("is no folder"), "{refusal}");
    let readme = repository().join("README.md");
    let refusal = fail(&mut seedsieve(&["model", "install", text(&readme), text(folder.path())]));
    assert!(refusal.contains("README.md") && refusal.contains("ONNX"), "{refusal}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
