//! Every level against every other, bit for bit, and against a network computed in 64-bit floating point without any of the
//! kernels' short cuts.

use proptest::prelude::*;
use seedsieve_encoding::{ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, WINDOW_SIZE, expand_one_hot};

use super::head::Head;
use super::network::{Convolution, Network};
use super::shape::{CHANNELS_3, CONVOLUTIONS, HIDDEN};
use super::{Level, NativeBackend, read_network};
use crate::{Model, NpuBackend, example_windows};

/// Largest difference to the reference with the model file's roundings: a value that lies between two integers, and that
/// 32 and 64 bits round to different ones.
const ROUNDED: f64 = 5e-3;
/// Largest difference to the reference without any rounding: what INT8 costs.
const UNROUNDED: f64 = 0.05;

/// Viability of one seed in 64-bit floating point, with the model file's roundings to eight bits or without any.
fn reference(network: &Network, seed: &[u8], rounding: bool) -> f64 {
    let mut one_hot = [0.0; ONE_HOT_SEED_LEN];
    expand_one_hot(seed, &mut one_hot);
    let channel = |position: usize, channel: usize| one_hot[(channel / 4 * WINDOW_SIZE + position) * 4 + channel % 4];
    let mut values: Vec<Vec<f64>> =
        (0..WINDOW_SIZE).map(|position| (0..8).map(|number| channel(position, number).into()).collect()).collect();
    for (number, convolution) in network.convolutions.iter().enumerate() {
        if number > 0 {
            let larger = |pair: &[Vec<f64>]| pair[0].iter().zip(&pair[1]).map(|(one, other)| one.max(*other)).collect();
            values = values.chunks_exact(2).map(larger).collect();
        }
        let shape = convolution.shape;
        let output = |position: usize, output: usize| {
            let products = (0..shape.depth()).map(|product| {
                let input = values[position + product / shape.inputs][product % shape.inputs];
                f64::from(convolution.weight(product, output)) * input
            });
            let sum = f64::from(convolution.biases[output]) + products.sum::<f64>();
            let value = sum.max(0.0) * f64::from(convolution.multipliers[output]);
            if rounding { value.round_ties_even().min(255.0) } else { value }
        };
        values = (0..=values.len() - shape.taps)
            .map(|position| (0..shape.outputs).map(|number| output(position, number)).collect())
            .collect();
    }
    let Head { mean_scale, hidden_weights, hidden_biases, logit_weights, logit_bias } = &network.head;
    let mut logit = f64::from(*logit_bias);
    for hidden in 0..HIDDEN {
        let mut sum = f64::from(hidden_biases[hidden]);
        for channel in 0..CHANNELS_3 {
            let total: f64 = values.iter().map(|position| position[channel]).sum();
            sum += f64::from(hidden_weights[channel][hidden]) * total * f64::from(*mean_scale);
        }
        logit += f64::from(logit_weights[hidden]) * sum.max(0.0);
    }
    1.0 / (1.0 + (-logit).exp())
}

fn scores(network: &Network, level: Level, packed: &[u8]) -> Vec<f32> {
    let mut scores = vec![f32::NAN; packed.len() / PACKED_SEED_BYTES];
    NativeBackend::of_network(network, level).unwrap().predict_packed(packed, &mut scores).unwrap();
    scores
}

fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

/// Fails where a level of this processor gives another bit than the plain code; returns its scores.
fn scores_of_all_levels(network: &Network, packed: &[u8]) -> Vec<f32> {
    let plain = scores(network, Level::Scalar, packed);
    for level in Level::supported() {
        assert_eq!(bits(&scores(network, level, packed)), bits(&plain), "{level} and plain code differ");
    }
    #[cfg(target_arch = "x86_64")]
    match super::kernels::amx::with_emulated_tiles(network) {
        Some(kernel) => {
            let mut emulated = vec![f32::NAN; plain.len()];
            kernel.score(packed.as_chunks().0, &mut emulated);
            assert_eq!(bits(&emulated), bits(&plain), "the kernel on tiles, emulated, and plain code differ");
        }
        None => eprintln!("SKIPPED the kernel on emulated tiles: this processor has no AVX-512 VNNI"),
    }
    plain
}

/// A network of weights that use all of eight bits, as no training makes it.
fn random_network(numbers: &mut impl Iterator<Item = u8>) -> Network {
    let mut next = || f32::from(numbers.next().expect("endless")) / 127.5 - 1.0;
    let mut convolution = |shape: super::shape::ConvolutionShape, input: f32| {
        let weights = (0..shape.depth() * shape.outputs).map(|_| (next() * 127.99).floor() as i8).collect();
        // About half of the sums are positive, some of which saturate.
        let spread = 75.0 * input * (shape.depth() as f32).sqrt();
        let biases = (0..shape.outputs).map(|_| (next() * spread) as i32).collect();
        let multipliers = (0..shape.outputs).map(|_| (1.2 + next()) * 100.0 / spread).collect();
        Convolution::new(shape, weights, biases, multipliers).unwrap()
    };
    let [first, second, third] = CONVOLUTIONS;
    let convolutions = [convolution(first, 0.2), convolution(second, 90.0), convolution(third, 90.0)];
    let hidden: Vec<f32> = (0..HIDDEN * CHANNELS_3).map(|_| next() * 0.3).collect();
    let biases = std::array::from_fn(|_| next());
    let head = Head::new(0.01, &hidden, biases, std::array::from_fn(|_| next() * 0.5), next());
    Network { convolutions, head }
}

fn random_bytes(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

/// Two seeds of any bytes, the first of them empty from some position on, as windows of short seeds are.
fn any_windows() -> impl Strategy<Value = Vec<u8>> {
    (proptest::collection::vec(any::<u8>(), 2 * PACKED_SEED_BYTES), 0..=PACKED_WINDOW_BYTES).prop_map(
        |(mut packed, occupied)| {
            for window in packed[..PACKED_SEED_BYTES].chunks_mut(PACKED_WINDOW_BYTES) {
                window[occupied..].fill(0);
            }
            packed
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn levels_are_equal_and_right_on_any_network_and_windows(
        seed in any::<u64>(), generator_seed in any::<u64>(), mut packed in any_windows(),
    ) {
        let network = random_network(&mut random_bytes(seed));
        packed.extend(example_windows(6, generator_seed));
        let scores = scores_of_all_levels(&network, &packed);
        for (number, seed) in packed.chunks(PACKED_SEED_BYTES).enumerate() {
            let difference = (f64::from(scores[number]) - reference(&network, seed, true)).abs();
            prop_assert!(difference <= ROUNDED, "seed {number}: {difference}");
        }
    }
}

#[test]
fn sums_that_tiles_cannot_round_are_computed_with_vectors() {
    let packed = example_windows(20, 5);
    for (number, bias) in [(0, 32_768 - 1792), (1, 1 << 23), (2, -(1 << 23))] {
        let mut network = random_network(&mut random_bytes(7));
        #[cfg(target_arch = "x86_64")]
        assert_ne!(super::kernels::amx::takes(&network), Some(false));
        network.convolutions[number].biases[3] = bias;
        #[cfg(target_arch = "x86_64")]
        assert_ne!(super::kernels::amx::takes(&network), Some(true), "a bias of {bias} in convolution {number}");
        scores_of_all_levels(&network, &packed);
    }
}

#[test]
fn the_largest_weights_and_activations_are_exact() {
    let mut packed = example_windows(6, 8);
    packed.extend(random_bytes(3).take(6 * PACKED_SEED_BYTES));
    type Weight = fn(usize, usize, u8) -> i8;
    let patterns: [Weight; 6] = [
        |_, _, _| 127,
        |_, _, _| -128,
        |tap, _, _| [127, -128][tap % 2],
        |tap, _, _| [-128, 127][tap % 2],
        |tap, input, _| [127, -128][(tap + input) % 2],
        |_, _, random| [127, -128][usize::from(random) % 2],
    ];
    for (number, pattern) in patterns.into_iter().enumerate() {
        let mut network = random_network(&mut random_bytes(number as u64));
        // Activations of nothing but 0 and 255.
        network.convolutions[0].multipliers.iter_mut().for_each(|multiplier| *multiplier *= 1000.0);
        let mut random = random_bytes(77);
        for convolution in &mut network.convolutions[1..] {
            let shape = convolution.shape;
            let weights: Vec<i8> = (0..shape.depth() * shape.outputs)
                .map(|index| {
                    let product = index / shape.outputs;
                    pattern(product / shape.inputs, product % shape.inputs, random.next().expect("endless"))
                })
                .collect();
            // All sums that there can be, from 0 to 255.
            let below: i32 = (0..shape.depth()).map(|product| i32::from(weights[product * shape.outputs].min(0))).sum();
            let all = 128.0 * 255.0 * shape.depth() as f32;
            let biases = vec![-255 * below; shape.outputs];
            *convolution = Convolution::new(shape, weights, biases, vec![255.0 / all; shape.outputs]).unwrap();
        }
        scores_of_all_levels(&network, &packed);
    }
}

#[test]
fn every_length_of_windows_is_right() {
    let network = read_network(&Model::embedded_int8()).unwrap();
    let mut packed = Vec::new();
    for occupied in 0..=PACKED_WINDOW_BYTES {
        let mut seed: Vec<u8> = random_bytes(occupied as u64)
            .map(|byte| 1 << (byte % 4) | 16 << (byte / 4 % 4))
            .take(PACKED_SEED_BYTES)
            .collect();
        for window in seed.chunks_mut(PACKED_WINDOW_BYTES) {
            window[occupied..].fill(0);
        }
        packed.extend(seed);
    }
    let scores = scores_of_all_levels(&network, &packed);
    for (occupied, seed) in packed.chunks(PACKED_SEED_BYTES).enumerate() {
        let difference = (f64::from(scores[occupied]) - reference(&network, seed, true)).abs();
        assert!(difference <= ROUNDED, "{occupied} bytes: {difference}");
    }
}

#[test]
fn the_shipped_network_is_right_on_windows_like_real_ones() {
    let network = read_network(&Model::embedded_int8()).unwrap();
    let packed = example_windows(1000, 31);
    let scores = scores_of_all_levels(&network, &packed);
    for (number, seed) in packed.chunks(PACKED_SEED_BYTES).enumerate().step_by(5) {
        for (rounding, allowed) in [(true, ROUNDED), (false, UNROUNDED)] {
            let difference = (f64::from(scores[number]) - reference(&network, seed, rounding)).abs();
            assert!(difference <= allowed, "seed {number}, rounding {rounding}: {difference}");
        }
    }
    let (low, high) = scores.iter().fold((1f32, 0f32), |(low, high), &score| (low.min(score), high.max(score)));
    assert!(low < 0.01 && high > 0.99, "scores from {low} to {high} tell nothing");
}

#[test]
fn a_level_that_this_processor_has_not_is_an_error() {
    let network = read_network(&Model::embedded_int8()).unwrap();
    for level in [Level::Amx, Level::Avx512Vnni, Level::AvxVnni, Level::Avx2, Level::Scalar] {
        let backend = NativeBackend::of_network(&network, level);
        assert_eq!(backend.is_ok(), Level::supported().contains(&level), "{level}");
        if let Err(error) = backend {
            assert!(error.to_string().contains(&format!("has not the instructions of `{level}`")), "{error}");
        }
    }
}

#[test]
fn products_are_counted_by_the_length_of_windows_and_the_level() {
    let mut short = [0; PACKED_SEED_BYTES];
    short[0] = 0x10;
    for (seed, direct, at_points) in [
        ([0x11; PACKED_SEED_BYTES], 56 * 64 * 160 + 26 * 64 * 192, 14 * 8 * 64 * 32 + 7 * 6 * 64 * 64),
        (short, 2 * 64 * 160 + 64 * 192, 8 * 64 * 32 + 6 * 64 * 64),
        ([0; PACKED_SEED_BYTES], 0, 0),
    ] {
        assert_eq!(Level::Scalar.products(&seed), Some(direct));
        let packed = [seed, seed].concat();
        assert_eq!(Level::Scalar.products(&packed), Some(2 * direct));
        let avx2 = Level::supported().contains(&Level::Avx2).then_some(at_points);
        assert_eq!(Level::Avx2.products(&seed), avx2);
    }
    assert!(Level::Scalar.products_a_second().is_none());
    let rate = Level::best().products_a_second();
    assert!(Level::best() == Level::Scalar || rate.is_some_and(|rate| rate > 1e8), "{rate:?}");
}
