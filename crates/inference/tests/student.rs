//! Student networks: every level gives the same bits and the right ones, and files that are no such network are refused.
#![cfg(feature = "native")]

#[path = "common/student_model.rs"]
mod student_model;

use proptest::prelude::*;
use seedsieve_inference::NpuError;
use seedsieve_inference::native::{Level, STUDENT_FEATURES, StudentNetwork};

use student_model::{Random, RandomStudent, mask_features};

/// 32-bit floating point in the logit, whose size is at most some tens.
const LOGIT_ROUNDING: f64 = 2e-6;
const SIZES: [usize; 4] = [STUDENT_FEATURES, 16, 16, 1];

fn scores_of_all_levels(bytes: &[u8], features: &[u8]) -> Vec<f32> {
    let mut plain = None;
    for level in Level::supported().into_iter().rev() {
        let network = StudentNetwork::with_level(bytes, "random.onnx", level).unwrap();
        assert_eq!(network.level(), level);
        let mut scores = vec![f32::NAN; features.len() / network.features()];
        network.score(features, &mut scores).unwrap();
        let bits: Vec<u32> = scores.iter().map(|score| score.to_bits()).collect();
        let (expected, _) = plain.get_or_insert((bits.clone(), scores));
        assert_eq!(&bits, expected, "{level} and plain code differ");
    }
    plain.unwrap().1
}

fn check(network: &RandomStudent, bytes: &[u8], features: &[u8]) -> Vec<f32> {
    let scores = scores_of_all_levels(bytes, features);
    for (number, (score, features)) in scores.iter().zip(features.chunks(network.layers[0].inputs)).enumerate() {
        let expected = network.reference(features);
        assert!((f64::from(*score) - expected).abs() <= LOGIT_ROUNDING, "seed {number}: {score}, expected {expected}");
    }
    scores
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn levels_are_equal_and_right_on_any_network_and_features(
        seed in any::<u64>(), count in 0usize..40, outputs_first in any::<bool>(), hidden in 1usize..65, inputs in 1usize..100,
    ) {
        let mut random = Random(seed);
        for sizes in [&SIZES[..], &[4 * inputs, hidden, 1], &[4 * inputs, 1], &[8, hidden, 33, 5, 1]] {
            let network = RandomStudent::new(sizes, random.next());
            let features: Vec<u8> = (0..count * sizes[0]).map(|_| random.below(256) as u8).collect();
            check(&network, &network.to_onnx(outputs_first), &features);
        }
    }
}

#[test]
fn scores_of_masks_are_right_and_tell_seeds_apart() {
    let network = RandomStudent::new(&SIZES, 5);
    let scores = check(&network, &network.to_onnx(true), &mask_features(2000, 6));
    let (low, high) = scores.iter().fold((1f32, 0f32), |(low, high), &score| (low.min(score), high.max(score)));
    assert!(high - low > 0.2, "scores from {low} to {high} tell nothing");
}

#[test]
fn largest_inputs_and_weights_do_not_saturate() {
    let mut network = RandomStudent::new(&SIZES, 7);
    for layer in &mut network.layers {
        for (number, weight) in layer.weights.iter_mut().enumerate() {
            *weight = if number % 7 == 0 { -128 } else { 127 };
        }
        layer.output_scale *= 20.0;
    }
    check(&network, &network.to_onnx(true), &[255; 3 * STUDENT_FEATURES]);
}

#[test]
fn a_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("student.onnx");
    std::fs::write(&path, RandomStudent::new(&SIZES, 1).to_onnx(true)).unwrap();
    let network = StudentNetwork::read(&path).unwrap();
    assert_eq!(network.metadata().threshold, 0.25);
    assert_eq!((network.features(), network.products()), (288, 4880));
    let error = StudentNetwork::read(&folder.path().join("missing.onnx")).err().unwrap().to_string();
    assert!(error.contains("missing.onnx") && error.contains("check the path"), "{error}");
}

#[test]
fn lengths_that_disagree_are_errors() {
    let bytes = RandomStudent::new(&SIZES, 1).to_onnx(true);
    let network = StudentNetwork::from_bytes(&bytes, "some.onnx").unwrap();
    for (length, count) in [(287, 1), (288, 0), (288, 2), (0, 1)] {
        let error = network.score(&vec![1; length], &mut vec![0.0; count]).unwrap_err();
        assert!(matches!(&error, NpuError::InvalidBatch(why) if why.contains("288 features")), "{error}");
    }
    network.score(&[], &mut []).unwrap();
}

fn refusal(bytes: &[u8]) -> String {
    let error = StudentNetwork::from_bytes(bytes, "some.onnx").err().expect("a refusal").to_string();
    assert!(error.contains("some.onnx"), "{error}");
    error
}

/// The file with one text replaced wherever it stands by another of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
    bytes
}

#[test]
fn other_networks_are_refused_by_the_layer() {
    let bytes = RandomStudent::new(&SIZES, 1).to_onnx(true);
    for (from, to, reason) in [
        ("Relu", "Tanh", "relu0"),
        ("Gemm", "Gemx", "gemm0"),
        ("Sigmoid", "Softmax", "sigmoid"),
        ("transB", "transA", "gemm0"),
        ("gemm1_weights_integers", "gemm1_weights_integerz", ""),
    ] {
        if reason.is_empty() {
            // A name that is replaced everywhere is still one network.
            StudentNetwork::from_bytes(&replaced(&bytes, from, to), "renamed.onnx").unwrap();
            continue;
        }
        let error = refusal(&replaced(&bytes, from, to));
        assert!(error.contains(reason) && error.contains("layer"), "{from}: {error}");
    }
    for sizes in [&[288, 65, 1][..], &[286, 4, 1], &[1028, 4, 1], &[288, 16, 2], &[8, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1]] {
        let error = refusal(&RandomStudent::new(sizes, 1).to_onnx(true));
        assert!(
            ["expected", "possible are"].iter().any(|word| error.contains(word)) || error.contains("at most"),
            "{error}"
        );
    }
}

#[test]
fn a_file_says_which_version_of_the_features_it_takes() {
    let network = RandomStudent::new(&SIZES, 1);
    for (version, known) in [("", Some(1)), ("/2", Some(2)), ("/3", Some(3)), ("/4", None)] {
        let bytes = network.to_onnx_of_version(version, true);
        match known {
            Some(known) => {
                let network = StudentNetwork::from_bytes(&bytes, "random.onnx").unwrap();
                assert_eq!(network.metadata().version, known);
            }
            None => assert!(refusal(&bytes).contains("expected is `student/288`, `student/288/2` or `student/288/3`")),
        }
    }
}

#[test]
fn other_inputs_and_metadata_are_refused() {
    let bytes = RandomStudent::new(&SIZES, 1).to_onnx(true);
    for (from, to, reason) in [
        ("features", "contexts", "expected is `features: float32[batch, N]`"),
        ("student/288", "student/289", "`student/289`"),
        ("student/288", "128/32/32xx", "`128/32/32xx`"),
        ("seedsieve.threshold", "seedsieve.threshols", "lacks `seedsieve.threshold`"),
    ] {
        let error = refusal(&replaced(&bytes, from, to));
        assert!(error.contains(reason), "{error}");
    }
    let error = seedsieve_inference::Model::from_bytes(bytes, "student.onnx").unwrap_err().to_string();
    assert!(error.contains("expected is `contexts") && error.contains("`align --student FILE` asks it"), "{error}");
    let error = refusal(seedsieve_inference::Model::embedded_int8().bytes());
    assert!(error.contains("expected is `features") && error.contains("`align --model FILE` asks"), "{error}");
}

#[test]
fn scales_and_sums_out_of_range_are_refused() {
    for (layer, scale) in [(0, f32::MAX), (0, -1.0), (1, 0.0), (2, f32::NAN)] {
        let mut network = RandomStudent::new(&SIZES, 1);
        network.layers[layer].weight_scales[0] = scale;
        assert!(!refusal(&network.to_onnx(false)).is_empty());
    }
    let mut network = RandomStudent::new(&SIZES, 1);
    network.layers[1].biases[3] = i32::MAX;
    let error = refusal(&network.to_onnx(true));
    assert!(error.contains("gemm1") && error.contains("leave 32 bits"), "{error}");
}

#[test]
fn truncated_and_damaged_files_never_end_the_program() {
    let bytes = RandomStudent::new(&SIZES, 1).to_onnx(true);
    for kept in (0..bytes.len()).step_by(17) {
        assert!(StudentNetwork::from_bytes(&bytes[..kept], "cut.onnx").is_err(), "{kept} of {} bytes", bytes.len());
    }
    let features = mask_features(20, 3);
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        match StudentNetwork::from_bytes(&damaged, "damaged.onnx") {
            Ok(network) => {
                let features = features.iter().copied().cycle().take(20 * network.features()).collect::<Vec<u8>>();
                let _ = network.score(&features, &mut [0.0; 20]);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 500, "{refused} damaged files were refused");
}
