//! Model files that are damaged, foreign or made for something else: each is refused with a message that says why.

mod common;

use common::{backends, locate, scores, unsealed, with_metadata, with_weights_elsewhere, without_metadata};
use seedsieve_inference::{BackendChoice, Model, NpuError, detect_npu_backend};

fn refusal(bytes: Vec<u8>) -> String {
    match Model::from_bytes(bytes, "some.onnx").unwrap_err() {
        NpuError::UnsupportedFormat(why) if why.contains("some.onnx") => why,
        other => panic!("{other:?}"),
    }
}

fn model_bytes() -> Vec<u8> {
    unsealed(&Model::embedded())
}

#[test]
fn embedded_models_are_sound() {
    for (model, quantized) in [(Model::embedded(), false), (Model::embedded_int8(), true)] {
        assert_eq!(model.metadata().parameters, 26_913);
        assert_eq!(model.graph().quantized, quantized, "{}", model.source());
        assert_eq!(model.graph().input, "contexts: float32[batch, 2, 128, 4]");
        assert_eq!(model.graph().output, "viability: float32[batch]");
        assert_eq!(model.sha256().len(), 64);
        for backend in backends(&model) {
            backend.warmup().unwrap();
        }
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.onnx");
    std::fs::write(&empty, "").unwrap();
    for (path, reason) in [
        (folder.path().join("missing.onnx"), "check the path"),
        (folder.path().to_owned(), "not a regular file"),
        (empty, "the file is empty"),
    ] {
        match Model::read(&path).unwrap_err() {
            NpuError::ModelLoadFailed(why) => {
                assert!(why.contains(path.to_str().unwrap()) && why.contains(reason), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_model_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, Model::embedded().bytes()).unwrap();
    let model = Model::read(&path).unwrap();
    assert_eq!(model.sha256(), Model::embedded().sha256());
    assert_eq!(model.metadata(), Model::embedded().metadata());
}

#[test]
fn truncated_files_are_refused() {
    let bytes = model_bytes();
    for kept in (1..bytes.len()).step_by(61).chain([bytes.len() - 1]) {
        assert!(Model::from_bytes(bytes[..kept].to_vec(), "cut.onnx").is_err(), "{kept} of {} bytes", bytes.len());
    }
    let error = refusal(bytes[..bytes.len() / 2].to_vec());
    assert!(error.contains("cut off") && error.contains("at byte"), "{error}");
}

#[test]
fn other_kinds_of_files_are_refused() {
    let random = seedsieve_inference::example_windows(1000, 5);
    let text = b"@read\nACGT\n+\nIIII\n".repeat(100);
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".repeat(100);
    for bytes in [random, text, picture, vec![0; 1000], vec![0xff; 1000]] {
        let error = refusal(bytes);
        assert!(error.contains("ONNX"), "{error}");
    }
}

#[test]
fn models_of_other_programs_are_refused() {
    let error = refusal(without_metadata(&model_bytes()));
    assert!(error.contains("lacks `seedsieve.format`"), "{error}");
}

#[test]
fn other_formats_and_windows_are_refused() {
    for (key, value, reason) in [
        ("seedsieve.format", "2", "reads format 1"),
        ("seedsieve.window", "256/64/64", "windows of `256/64/64`"),
        ("seedsieve.threshold", "2", "a number from 0 to 1"),
    ] {
        let error = refusal(with_metadata(&model_bytes(), key, value));
        assert!(error.contains(reason), "{error}");
    }
    let unchanged = with_metadata(&model_bytes(), "seedsieve.format", "1");
    Model::from_bytes(unchanged, "unchanged.onnx").unwrap();
}

/// Field numbers from the file to the axes of the network's input.
const INPUT_AXES: [u64; 6] = [7, 11, 2, 1, 2, 1];

#[test]
fn other_input_shapes_are_refused() {
    let mut bytes = model_bytes();
    let positions = locate(&bytes, &INPUT_AXES)[2].clone();
    assert_eq!(bytes[positions.clone()], [0x08, 0x80, 0x01], "an axis of 128");
    bytes[positions].copy_from_slice(&[0x08, 0x80, 0x02]);
    let error = refusal(bytes);
    assert!(error.contains("contexts: float32[batch, 2, 256, 4]"), "{error}");
}

/// The model's file with another version of ONNX's operator set, of seven bits.
fn with_opset(bytes: &[u8], version: u8) -> Vec<u8> {
    let import = locate(bytes, &[8])[0].clone();
    assert_eq!(bytes[import.end - 2..import.end], [2 << 3, 17]);
    let mut changed = bytes.to_vec();
    changed[import.end - 1] = version;
    changed
}

#[test]
fn other_operator_sets_are_refused() {
    for model in [Model::embedded(), Model::embedded_int8()] {
        for version in [1, 12, 24, 99] {
            let error = refusal(with_opset(&unsealed(&model), version));
            assert!(error.contains(&format!("operator set {version}")) && error.contains("opset 17"), "{error}");
        }
    }
    // The field under a number that nobody reads: the file states no operator set.
    let mut bytes = model_bytes();
    let import = locate(&bytes, &[8])[0].clone();
    assert_eq!(bytes[import.start - 2], 8 << 3 | 2);
    bytes[import.start - 2] = 9 << 3 | 2;
    let error = refusal(bytes);
    assert!(error.contains("no ONNX operator set") && error.contains("13 to 23"), "{error}");
}

#[test]
fn every_operator_set_that_is_read_gives_the_same_scores_on_every_backend() {
    let packed = seedsieve_inference::example_windows(100, 9);
    for model in [Model::embedded(), Model::embedded_int8()] {
        let expected: Vec<_> = backends(&model).iter().map(|backend| scores(&**backend, &packed)).collect();
        for version in [13, 18, 20, 23] {
            let other = Model::from_bytes(with_opset(&unsealed(&model), version), "other.onnx").unwrap();
            assert_eq!(other.graph().opset, u64::from(version));
            for (backend, expected) in backends(&other).iter().zip(&expected) {
                assert_eq!(scores(&**backend, &packed), *expected, "{}, operator set {version}", backend.name());
            }
        }
    }
}

#[test]
fn a_fixed_batch_size_is_refused() {
    let mut bytes = model_bytes();
    let batch = locate(&bytes, &INPUT_AXES)[0].clone();
    assert_eq!(&bytes[batch.clone()], b"\x12\x05batch");
    bytes[batch].copy_from_slice(&[0x08, 0x80, 0x84, 0x80, 0x80, 0x80, 0x00]);
    assert_eq!(Model::from_bytes(bytes, "fixed.onnx").unwrap_err(), NpuError::UnsupportedBatchSize(512));
}

#[test]
fn weights_in_another_file_are_refused() {
    let error = refusal(with_weights_elsewhere(&model_bytes()));
    assert!(error.contains("stored in another file"), "{error}");
}

#[test]
fn weights_that_no_training_gives_are_refused() {
    let weights = locate(&model_bytes(), &[7, 5, 9]);
    let layers = weights.iter().filter(|weights| weights.len() >= 100);
    for layer in layers {
        for (value, refused) in [(f32::NAN, true), (f32::NEG_INFINITY, true), (-1e5, true), (-65_504.0, false)] {
            let mut bytes = model_bytes();
            bytes[layer.end - 4..layer.end].copy_from_slice(&value.to_le_bytes());
            if refused {
                let error = refusal(bytes);
                assert!(error.contains("not all finite numbers up to 65504"), "{error}");
            } else {
                Model::from_bytes(bytes, "some.onnx").unwrap();
            }
        }
    }
}

/// Nothing vouches for this file but what its weights are.
#[test]
fn weights_that_were_overwritten_are_refused() {
    let noise = seedsieve_inference::example_windows(1000, 6);
    for layer in locate(&model_bytes(), &[7, 5, 9]).into_iter().filter(|weights| weights.len() >= 1000) {
        let mut bytes = model_bytes();
        let middle = layer.start + layer.len() / 2 / 4 * 4;
        bytes[middle..middle + 400].copy_from_slice(&noise[..400]);
        assert!(refusal(bytes).contains("not all finite numbers"));
    }
}

#[test]
fn a_graph_that_contradicts_itself_is_an_error() {
    let mut bytes = model_bytes();
    // The name of what the first node reads: no longer the input's.
    let name = locate(&bytes, &[7, 1, 1])[0].clone();
    bytes[name].fill(b'?');
    let model = Model::from_bytes(bytes, "contradicting.onnx").unwrap();
    for backend in backends(&Model::embedded()) {
        match detect_npu_backend(&model, backend.name().parse().unwrap()).err().unwrap() {
            NpuError::ModelLoadFailed(why) => assert!(why.contains("contradicting.onnx"), "{}: {why}", backend.name()),
            other => panic!("{}: {other:?}", backend.name()),
        }
    }
    assert!(detect_npu_backend(&model, BackendChoice::Auto).is_err());
}
