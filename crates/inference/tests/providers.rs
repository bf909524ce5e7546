//! ONNX Runtime's providers: those that cannot be used say why, and OpenVINO's, where it is installed, scores as the others.
#![cfg(feature = "ort")]

mod common;

use std::path::PathBuf;

use common::{ort_is_available, scores};
use seedsieve_inference::{
    BackendChoice, Model, NpuError, Precision, detect_npu_backend, example_windows, list_available_backends,
    set_ort_library,
};

const PROVIDERS: [(&str, bool, &str); 6] = [
    ("openvino", cfg!(feature = "openvino"), "pip install onnxruntime-openvino"),
    ("coreml", cfg!(feature = "coreml"), "macOS"),
    ("cuda", cfg!(feature = "cuda"), "NVIDIA"),
    ("tensorrt", cfg!(feature = "tensorrt"), "TensorRT"),
    ("qnn", cfg!(feature = "qnn"), "onnxruntime-qnn"),
    ("vitis", cfg!(feature = "vitis"), "AMD"),
];

#[test]
fn providers_that_cannot_be_used_are_refused_with_the_next_step() {
    if !ort_is_available("refusals of providers") {
        return;
    }
    let statuses = list_available_backends();
    for (name, built, install) in PROVIDERS {
        let status = statuses.iter().find(|status| status.name == name).expect("every provider is listed");
        assert_eq!(status.capabilities.is_some(), built, "{name}");
        if status.available {
            if let Err(error) = detect_npu_backend(&Model::embedded(), name.parse().unwrap()) {
                panic!("{name} is listed as available ({}), and is not: {error}", status.why);
            }
            eprintln!("SKIPPED the refusal of {name}: {}", status.why);
            continue;
        }
        let next_step = if built { install.to_owned() } else { format!("with the feature `{name}`") };
        assert!(status.why.contains(&next_step), "{}", status.why);
        // No library for this system has these: it has to be asked for them before they are started.
        if built && cfg!(target_os = "linux") && ["coreml", "vitis"].contains(&name) {
            assert!(status.why.contains("has no such provider"), "{}", status.why);
        }
        let error = detect_npu_backend(&Model::embedded_int8(), name.parse().unwrap()).err().expect("a refusal");
        assert!(matches!(&error, NpuError::BackendNotAvailable { backend, .. } if *backend == name), "{error}");
        assert!(error.to_string().contains(&next_step), "{error}");
    }
}

/// `SEEDSIEVE_OPENVINO_LIBRARY=.../onnxruntime/capi/libonnxruntime.so.1.24.1 cargo test --features openvino --test providers --
/// --ignored`
#[test]
#[ignore = "needs the wheel onnxruntime-openvino: SEEDSIEVE_OPENVINO_LIBRARY names its libonnxruntime.so"]
fn openvino_scores_as_the_other_backends() {
    let library: PathBuf = std::env::var_os("SEEDSIEVE_OPENVINO_LIBRARY").expect("SEEDSIEVE_OPENVINO_LIBRARY").into();
    set_ort_library(&library).unwrap();
    let packed = example_windows(10_000, 8);
    for (model, reference, precision) in [
        (Model::embedded_int8(), BackendChoice::Native, Precision::Int8),
        (Model::embedded(), BackendChoice::Ort, Precision::Bf16),
    ] {
        let allowed = precision.largest_difference();
        let [expected, given] = [reference, BackendChoice::OpenVino]
            .map(|choice| scores(&*detect_npu_backend(&model, choice).unwrap(), &packed));
        let threshold = model.metadata().threshold;
        let pairs = || expected.iter().zip(&given);
        let largest = pairs().map(|(expected, given)| (expected - given).abs()).fold(0.0, f32::max);
        let changed = pairs().filter(|(expected, given)| (**expected < threshold) != (**given < threshold)).count();
        println!("{}: largest difference {largest:.2e}, {changed} decisions of 10,000 changed", model.source());
        assert!(largest <= allowed, "{}: {largest}", model.source());
        assert!(changed <= 10, "{}: {changed} decisions changed", model.source());
    }
}

/// A library that has a provider, on a machine without the provider's own libraries or device:
/// `SEEDSIEVE_GPU_LIBRARY=.../onnxruntime/capi/libonnxruntime.so.1.31.1 cargo test --features cuda,tensorrt --test providers --
/// --ignored`
#[test]
#[ignore = "needs the wheel onnxruntime-gpu, and no GPU: SEEDSIEVE_GPU_LIBRARY names its libonnxruntime.so"]
fn providers_without_their_libraries_are_refused_with_the_next_step() {
    let library: PathBuf = std::env::var_os("SEEDSIEVE_GPU_LIBRARY").expect("SEEDSIEVE_GPU_LIBRARY").into();
    set_ort_library(&library).unwrap();
    for (choice, next_step) in [
        (BackendChoice::TensorRt, "driver, CUDA and TensorRT, and `pip install onnxruntime-gpu`"),
        (BackendChoice::Cuda, "driver, CUDA and cuDNN, and `pip install onnxruntime-gpu`"),
    ] {
        let error = detect_npu_backend(&Model::embedded(), choice).err().expect("a refusal");
        println!("{error}");
        assert!(
            matches!(&error, NpuError::BackendNotAvailable { backend, .. } if *backend == choice.to_string()),
            "{error}"
        );
        assert!(error.to_string().contains(next_step), "{error}");
        let statuses = list_available_backends();
        let status =
            statuses.iter().find(|status| status.name == choice.to_string()).expect("every provider is listed");
        assert!(!status.available && status.why.contains(next_step), "{}", status.why);
    }
}

/// A batch takes the simulator seconds; `SEEDSIEVE_QNN_LIBRARY=.../onnxruntime/capi/libonnxruntime.so.1.32.0`, with the package
/// onnxruntime_qnn in the same environment.
#[test]
#[ignore = "needs the wheels onnxruntime and onnxruntime-qnn: SEEDSIEVE_QNN_LIBRARY names libonnxruntime.so of the former"]
fn qnn_runs_the_int8_model_on_its_simulator() {
    let library: PathBuf = std::env::var_os("SEEDSIEVE_QNN_LIBRARY").expect("SEEDSIEVE_QNN_LIBRARY").into();
    set_ort_library(&library).unwrap();
    let (model, packed) = (Model::embedded_int8(), example_windows(512, 8));
    let backend = detect_npu_backend(&model, BackendChoice::Qnn).unwrap();
    // Made after the plug-in was registered: it stays the CPU's.
    let expected = scores(&*detect_npu_backend(&model, BackendChoice::Ort).unwrap(), &packed);
    let start = std::time::Instant::now();
    let given = scores(&*backend, &packed);
    let largest = expected.iter().zip(&given).map(|(expected, given)| (expected - given).abs()).fold(0.0, f32::max);
    println!("512 seeds in {:.2} s, largest difference {largest:.2e}", start.elapsed().as_secs_f64());
    assert!(largest <= Precision::Int8.largest_difference(), "{largest}");
}
