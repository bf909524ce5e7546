//! The native kernel from outside: its levels on real windows, agreement with ONNX Runtime, and models that it refuses.
#![cfg(feature = "native")]

mod common;

use std::path::Path;

use common::{locate, ort_is_available, scores, unsealed};
use seedsieve_inference::native::{Level, NativeBackend};
use seedsieve_inference::{BackendChoice, Model, NpuBackend, NpuError, detect_npu_backend, example_windows};

/// Rounding of 32-bit sums in the float head, taken in another order.
const HEAD_ROUNDING: f32 = 1e-5;
/// A value of ONNX Runtime that lies between two integers.
const LARGEST_DIFFERENCE: f32 = 0.05;

/// Packed windows of real reads, which `cargo xtask test` leaves behind, and made-up ones.
fn windows() -> Vec<u8> {
    let mut packed = example_windows(5000, 41);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/demo-test/windows.bin");
    match std::fs::read(&path) {
        Ok(real) => packed.extend_from_slice(&real[..real.len() / 128 * 128]),
        Err(_) => eprintln!("SKIPPED real windows: no {}; `cargo xtask test` makes it", path.display()),
    }
    packed
}

#[test]
fn all_levels_give_the_same_bits() {
    let packed = windows();
    let model = Model::embedded_int8();
    let bits = |level| -> Vec<u32> {
        let backend = NativeBackend::with_level(&model, level).unwrap();
        assert_eq!(backend.level(), level);
        scores(&backend, &packed).into_iter().map(f32::to_bits).collect()
    };
    let plain = bits(Level::Scalar);
    for level in Level::supported() {
        assert!(bits(level) == plain, "{level} and plain code differ");
    }
}

#[test]
fn integers_are_those_of_onnx_runtime() {
    if !ort_is_available("agreement of the native kernel with ONNX Runtime") {
        return;
    }
    let packed = windows();
    let model = Model::embedded_int8();
    let [native, ort] = [BackendChoice::Native, BackendChoice::Ort]
        .map(|choice| scores(&*detect_npu_backend(&model, choice).unwrap(), &packed));
    let differences: Vec<f32> = native.iter().zip(&ort).map(|(native, ort)| (native - ort).abs()).collect();
    let other_integers = differences.iter().filter(|&&difference| difference > HEAD_ROUNDING).count();
    assert!(differences.iter().all(|&difference| difference <= LARGEST_DIFFERENCE));
    assert!(other_integers * 1000 <= differences.len(), "{other_integers} of {} seeds", differences.len());
}

fn int8_bytes() -> Vec<u8> {
    unsealed(&Model::embedded_int8())
}

/// The message with which the native backend refuses a model that passes as a model.
fn refusal(bytes: Vec<u8>) -> String {
    let model = Model::from_bytes(bytes, "some.onnx").unwrap();
    match NativeBackend::new(&model).err().expect("a refusal") {
        NpuError::UnsupportedFormat(message) => message,
        other => panic!("{other}"),
    }
}

/// The model's file with one text replaced, wherever it stands as a whole field, by another of the same length.
fn replaced(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = int8_bytes();
    let field = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let (from, to) = (field(from), field(to));
    let places: Vec<usize> = (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(&from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(&to);
    }
    bytes
}

/// The values of a named constant.
fn constant(bytes: &[u8], name: &str) -> std::ops::Range<usize> {
    let names = locate(bytes, &[7, 5, 8]);
    let number = names.iter().position(|range| &bytes[range.clone()] == name.as_bytes()).expect("the constant");
    locate(bytes, &[7, 5, 9])[number].clone()
}

#[test]
fn floating_point_models_are_refused_with_the_next_step() {
    let error = refusal(Model::embedded().bytes().to_vec());
    assert!(error.contains("floating point") && error.contains("_int8.onnx"), "{error}");
}

#[test]
fn other_operators_are_refused_by_the_layer() {
    for (from, to, layer) in [
        ("MaxPool", "AvePool", "pool1"),
        ("GlobalAveragePool", "GlobalMaximumPool", "mean_over"),
        ("Gemm", "Gemx", "hidden"),
    ] {
        let error = refusal(replaced(from, to));
        assert!(error.contains("the layer `") && error.contains(layer) && error.contains(to), "{error}");
    }
}

#[test]
fn other_settings_are_refused_by_the_layer() {
    for (from, to, layer) in [("strides", "stridex", "pool1"), ("kernel_shape", "kernel_shapf", "convolution1")] {
        let error = refusal(replaced(from, to));
        assert!(error.contains(&format!("`{layer}`")) && error.contains(to), "{error}");
    }
}

#[test]
fn other_shapes_are_refused_by_the_layer() {
    // The second convolution's weights as 32 times 64 channels instead of 64 times 32.
    let mut bytes = int8_bytes();
    let values = constant(&bytes, "convolution2_weights_integers");
    let before = &bytes[..values.start];
    let axes = before.windows(8).rposition(|axes| axes == [8, 64, 8, 32, 8, 1, 8, 5]);
    let axes = axes.expect("the axes of the weights, each a field with the number 1");
    bytes[axes + 1] = 32;
    bytes[axes + 3] = 64;
    let error = refusal(bytes);
    assert!(error.contains("`convolution2`") && error.contains("[32, 64, 1, 5]"), "{error}");
}

#[test]
fn scales_and_zero_points_out_of_range_are_refused_by_the_layer() {
    for (name, value, layer) in [
        ("relu1_scale", -0.5f32, "relu1"),
        ("pool2_scale", 0.0, "pool2"),
        ("pool1_scale", 0.25, "pool1"),
        ("input_scale", 0.5, "input"),
        ("relu3_scale", 1e-30, "convolution3"),
        ("convolution1_weights_scales", -1.0, "convolution1"),
        ("convolution2_biases_scales", 1.0, "convolution2"),
    ] {
        let mut bytes = int8_bytes();
        let at = constant(&bytes, name).start;
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        let error = refusal(bytes);
        assert!(error.contains(&format!("the layer `{layer}")), "{name} = {value}: {error}");
    }
    for (name, layer) in [("relu2_zero_point", "relu2"), ("convolution3_weights_zero_points", "convolution3")] {
        let mut bytes = int8_bytes();
        let at = constant(&bytes, name).start;
        bytes[at] = 3;
        let error = refusal(bytes);
        assert!(error.contains(&format!("the layer `{layer}")), "{name}: {error}");
    }
}

#[test]
fn scales_that_are_no_numbers_are_no_model() {
    let mut bytes = int8_bytes();
    let at = constant(&bytes, "relu1_scale").start;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = Model::from_bytes(bytes, "some.onnx").unwrap_err();
    assert!(matches!(&error, NpuError::UnsupportedFormat(why) if why.contains("not all finite")), "{error}");
}

#[test]
fn sums_that_could_overflow_are_refused() {
    let mut bytes = int8_bytes();
    let at = constant(&bytes, "convolution2_biases_integers").start;
    bytes[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    let error = refusal(bytes);
    assert!(error.contains("`convolution2`") && error.contains("leave 32 bits"), "{error}");
}

#[test]
fn a_damaged_byte_is_refused_or_changes_numbers_only() {
    let bytes = int8_bytes();
    let windows = example_windows(40, 5);
    let mut refused = 0;
    for at in (0..bytes.len()).step_by(13) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let loaded = Model::from_bytes(damaged, "damaged.onnx").and_then(|model| NativeBackend::new(&model));
        match loaded.and_then(|backend| backend.predict_packed(&windows, &mut [0.0; 40])) {
            Ok(()) => {}
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(refused > 50, "{refused} damaged files were refused");
}

#[test]
fn every_truncation_is_refused() {
    let bytes = int8_bytes();
    for kept in (0..bytes.len()).step_by(97) {
        let loaded = Model::from_bytes(bytes[..kept].to_vec(), "cut.onnx").and_then(|model| NativeBackend::new(&model));
        assert!(loaded.is_err(), "{kept} of {} bytes", bytes.len());
    }
}
