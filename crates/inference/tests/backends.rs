//! All backends on the reference models: they agree with each other and with PyTorch, and a score depends on nothing
//! but its seed.

mod common;

use std::path::Path;

use common::{backends, ort_is_available, scores};
use seedsieve_inference::{
    BackendChoice, Model, NpuBackend, SeedFilterBatch, detect_npu_backend, example_windows, list_available_backends,
};

const SEEDS: usize = 10_000;
const LARGEST_DIFFERENCE: f32 = 1e-5;
/// INT8 is the same arithmetic everywhere but for values that lie between two integers: one step in a layer.
const LARGEST_INT8_DIFFERENCE: f32 = 0.05;

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max)
}

#[test]
fn backends_agree() {
    if !cfg!(feature = "tract") || !ort_is_available("agreement of the backends") {
        return;
    }
    let packed = example_windows(SEEDS, 20);
    for (model, allowed) in [(Model::embedded(), LARGEST_DIFFERENCE), (Model::embedded_int8(), LARGEST_INT8_DIFFERENCE)]
    {
        let [left, right] = [BackendChoice::Ort, BackendChoice::Tract]
            .map(|choice| scores(&*detect_npu_backend(&model, choice).unwrap(), &packed));
        let difference = largest_difference(&left, &right);
        assert!(difference <= allowed, "{}: {difference}", model.source());
        let (low, high) = left.iter().fold((1f32, 0f32), |(low, high), &score| (low.min(score), high.max(score)));
        assert!(high - low > 1e-3, "{}: scores from {low} to {high} tell nothing", model.source());
    }
}

/// `seedsieve model verify` does the same with any model; here it is done where a training run left its scores.
#[test]
fn scores_are_those_of_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/parity");
    let (Ok(packed), Ok(expected)) =
        (std::fs::read(folder.join("windows.bin")), std::fs::read(folder.join("scores.f32")))
    else {
        eprintln!("SKIPPED comparison with PyTorch: no windows.bin and scores.f32 in {}", folder.display());
        return;
    };
    let expected: Vec<f32> =
        expected.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    for backend in backends(&Model::embedded()) {
        let difference = largest_difference(&scores(&*backend, &packed), &expected);
        assert!(difference <= LARGEST_DIFFERENCE, "{}: {difference}", backend.name());
    }
}

/// The integer kernel gives the same bits wherever a seed stands. Floating-point routes may sum in another order there: tract
/// does on processors with AVX-512.
fn assert_same_scores(backend: &dyn NpuBackend, found: &[f32], expected: &[f32], about: &str) {
    const ROUNDING: f32 = 1e-6;
    let tolerance = if backend.name().starts_with("native") { 0.0 } else { ROUNDING };
    assert_eq!(found.len(), expected.len(), "{} {about}", backend.name());
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "{} {about}, seed {number}: {found}, {expected}",
            backend.name()
        );
    }
}

#[test]
fn a_score_depends_on_its_seed_alone() {
    let packed = example_windows(1000, 21);
    let reversed: Vec<u8> = packed.chunks(128).rev().flatten().copied().collect();
    for model in [Model::embedded(), Model::embedded_int8()] {
        for backend in backends(&model) {
            let same =
                |found: &[f32], expected: &[f32], about: &str| assert_same_scores(&*backend, found, expected, about);
            let expected = scores(&*backend, &packed);
            let mut from_reversed = scores(&*backend, &reversed);
            from_reversed.reverse();
            same(&from_reversed, &expected, "in reverse order");
            for size in [1, 7, 32, 100, 255, 257] {
                let in_parts: Vec<f32> = packed.chunks(size * 128).flat_map(|part| scores(&*backend, part)).collect();
                same(&in_parts, &expected, &format!("in batches of {size}"));
            }
            let one_hot = SeedFilterBatch::from_packed(&packed);
            same(&backend.predict_seed_viability(&one_hot).unwrap(), &expected, "one-hot");
        }
    }
}

fn has_vectors() -> bool {
    #[cfg(feature = "native")]
    return seedsieve_inference::native::Level::best() != seedsieve_inference::native::Level::Scalar;
    #[cfg(not(feature = "native"))]
    false
}

/// What is listed of every backend that can be used here, those that are asked for by name included.
#[test]
fn capabilities_are_true() {
    for status in list_available_backends().into_iter().filter(|status| status.available) {
        let (name, listed) = (status.name, status.capabilities.expect("it was built"));
        let load = |model| detect_npu_backend(&model, name.parse::<BackendChoice>().unwrap());
        let (fp32, int8) = (load(Model::embedded()), load(Model::embedded_int8()));
        assert_eq!((fp32.is_ok(), int8.is_ok()), (listed.supports_fp32, listed.supports_int8), "{name}");
        for backend in [fp32, int8].into_iter().flatten() {
            assert_eq!(backend.capabilities(), listed);
            assert_ne!(listed.requires_fixed_batch, listed.supports_dynamic_shapes, "{name}");
            // Measured of our own kernel alone, and not on plain code, whose instructions the compiler chooses.
            let tops = listed.estimated_tops;
            assert_eq!(tops.is_some(), name == "native" && has_vectors(), "{name}: {tops:?}");
            assert!(tops.is_none_or(|tops| (0.005..100.0).contains(&tops)), "{name}: {tops:?}");
            let sizes = backend.supported_batch_sizes();
            assert!(
                !sizes.is_empty() && sizes.is_sorted() && *sizes.last().unwrap() <= listed.max_batch_size,
                "{name}"
            );
            assert!(backend.optimal_batch_size() > 0, "{name}");
            // More seeds than run at once, where that is no more than a machine has memory for.
            let seeds = listed.max_batch_size.min(20_000) + 1;
            let packed = example_windows(seeds, 23);
            let (given, last) = (scores(&*backend, &packed), scores(&*backend, &packed[(seeds - 1) * 128..]));
            assert_same_scores(&*backend, &given[seeds - 1..], &last, "as the one seed too many");
        }
    }
}

#[test]
fn no_seeds_are_no_error() {
    for backend in backends(&Model::embedded_int8()) {
        assert!(scores(&*backend, &[]).is_empty());
        assert!(backend.predict_seed_viability(&SeedFilterBatch::from_packed(&[])).unwrap().is_empty());
    }
}

#[test]
fn lengths_that_disagree_are_errors() {
    for backend in backends(&Model::embedded_int8()) {
        for (bytes, count) in [(127, 1), (128, 0), (128, 2), (0, 1)] {
            let error = backend.predict_packed(&vec![0x11; bytes], &mut vec![0.0; count]).unwrap_err().to_string();
            assert!(error.contains(&format!("{bytes} bytes")), "{}: {error}", backend.name());
        }
    }
}

#[test]
fn four_threads_get_the_scores_of_one() {
    let packed = example_windows(2000, 22);
    for backend in backends(&Model::embedded_int8()) {
        let expected = scores(&*backend, &packed);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        assert_eq!(scores(&*backend, &packed), expected, "{}", backend.name());
                    }
                });
            }
        });
    }
}

#[test]
fn automatic_choice_takes_the_first_that_works() {
    for model in [Model::embedded(), Model::embedded_int8()] {
        if let Some(fastest) = backends(&model).last() {
            let chosen = detect_npu_backend(&model, BackendChoice::Auto).unwrap();
            assert_eq!(chosen.name(), fastest.name(), "{}", model.source());
        }
    }
}
