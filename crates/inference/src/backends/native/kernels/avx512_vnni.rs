//! AVX-512 with VNNI: one instruction multiplies 16 times four unsigned activations with four signed weights and adds the
//! sums to 16 outputs of 32 bits, without rounding or saturation.
//!
//! A register holds 16 outputs of one position. Six positions times 64 outputs are summed up at once: 24 registers for the
//! sums, four for the weights of a step, one for the four activations of a position, which are the same for all outputs.

use std::arch::x86_64::*;

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::head512::{self, logits};
use super::{BlockEnds, Kernel};
use crate::backends::native::first_block::{FirstBlock, TAPS_1};
use crate::backends::native::head::{Head, logits_to_viabilities};
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{Convolution, EmptyOutputs, LARGEST, Network};
use crate::backends::native::shape::{
    CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS, POOLED_1, POOLED_2, POSITIONS_3,
};
use crate::backends::native::windows::{occupied_bytes, position_codes};

pub const ENTRY: Entry = Entry {
    level: Level::Avx512Vnni,
    is_supported,
    prepare: |network| Box::new(Avx512VnniKernel::new(network)),
    products: BlockEnds::products,
    // SAFETY: the dispatch table calls it where `is_supported` holds.
    multiply_only: Some(|| unsafe { multiply_only() }),
};

fn is_supported() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

/// 32-bit lanes of a register.
const LANES: usize = 16;
/// Products of a lane and instruction.
const GROUP: usize = 4;
/// Registers that hold the outputs of a position in the second and third block.
const REGISTERS: usize = CHANNELS_2 / LANES;
const _: () = assert!(CHANNELS_1 == 2 * LANES && CHANNELS_2 == CHANNELS_3);
/// Steps of the second and third convolution.
const STEPS_2: usize = CONVOLUTIONS[1].depth() / GROUP;
const STEPS_3: usize = CONVOLUTIONS[2].depth() / GROUP;

/// A register's worth of memory.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Lanes<T, const N: usize>([T; N]);

/// The weights of one step: for each output the four products of the step.
type Step = [Lanes<i8, 64>; REGISTERS];

struct Layer<const STEPS: usize> {
    steps: Box<[Step; STEPS]>,
    biases: [Lanes<i32, LANES>; REGISTERS],
    multipliers: [Lanes<f32, LANES>; REGISTERS],
}

struct Avx512VnniKernel {
    table: FirstBlock,
    first_biases: [Lanes<i32, LANES>; 2],
    first_multipliers: [Lanes<f32, LANES>; 2],
    second: Layer<STEPS_2>,
    third: Layer<STEPS_3>,
    empty: EmptyOutputs,
    head: Head,
}

/// Activations of one seed.
#[repr(C, align(64))]
struct Activations {
    pooled_1: [[u8; CHANNELS_1]; POOLED_1],
    pooled_2: [[u8; CHANNELS_2]; POOLED_2],
}

fn in_lanes<T: Copy, const N: usize>(values: &[T]) -> [Lanes<T, LANES>; N] {
    std::array::from_fn(|register| Lanes(std::array::from_fn(|lane| values[register * LANES + lane])))
}

impl<const STEPS: usize> Layer<STEPS> {
    fn new(convolution: &Convolution) -> Self {
        let weight = |step: usize, register: usize, byte: usize| {
            convolution.weight(step * GROUP + byte % GROUP, register * LANES + byte / GROUP)
        };
        let steps: Vec<Step> = (0..STEPS)
            .map(|step| std::array::from_fn(|register| Lanes(std::array::from_fn(|byte| weight(step, register, byte)))))
            .collect();
        Self {
            steps: steps.try_into().ok().expect("as many steps as the shape has"),
            biases: in_lanes(&convolution.biases),
            multipliers: in_lanes(&convolution.multipliers),
        }
    }
}

impl Avx512VnniKernel {
    fn new(network: &Network) -> Self {
        assert!(is_supported(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        Self {
            table: FirstBlock::new(first),
            first_biases: in_lanes(&first.biases),
            first_multipliers: in_lanes(&first.multipliers),
            second: Layer::new(second),
            third: Layer::new(third),
            empty: EmptyOutputs::of(network),
            head: network.head.clone(),
        }
    }
}

impl Kernel for Avx512VnniKernel {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the instructions.
        unsafe { score(self, seeds, scores) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn score(kernel: &Avx512VnniKernel, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
    let mut activations = Activations { pooled_1: [[0; CHANNELS_1]; POOLED_1], pooled_2: [[0; CHANNELS_2]; POOLED_2] };
    for (seeds, scores) in seeds.chunks(head512::SEEDS).zip(scores.chunks_mut(head512::SEEDS)) {
        let mut sums = [[0; CHANNELS_3]; head512::SEEDS];
        for (seed, sums) in seeds.iter().zip(&mut sums) {
            let ends = BlockEnds::of(occupied_bytes(seed));
            first_block(kernel, seed, &ends, &mut activations.pooled_1);
            second_block(kernel, &activations.pooled_1, &ends, &mut activations.pooled_2);
            *sums = third_block(kernel, &activations.pooled_2, &ends);
        }
        scores.copy_from_slice(&logits(&kernel.head, &sums)[..scores.len()]);
    }
    logits_to_viabilities(scores);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn first_block(
    kernel: &Avx512VnniKernel,
    seed: &[u8; PACKED_SEED_BYTES],
    ends: &BlockEnds,
    output: &mut [[u8; CHANNELS_1]; POOLED_1],
) {
    let codes = position_codes(seed, TAPS_1 as u16);
    let biases = kernel.first_biases.each_ref().map(|lanes| load(lanes));
    let multipliers = kernel.first_multipliers.each_ref().map(|lanes| load_floats(lanes));
    for (index, output) in output[..ends.first].iter_mut().enumerate() {
        let mut sums = [_mm512_setzero_si512(); 2];
        for tap in 0..TAPS_1 {
            for (odd, sums) in sums.iter_mut().enumerate() {
                let row = usize::from(codes[2 * index + odd + tap]) + tap;
                *sums = _mm512_add_epi16(*sums, load(&kernel.table.rows[row]));
            }
        }
        let larger = _mm512_max_epi16(sums[0], sums[1]);
        let halves = [_mm512_castsi512_si256(larger), _mm512_extracti64x4_epi64::<1>(larger)];
        for register in 0..2 {
            let sums = _mm512_add_epi32(_mm512_cvtepi16_epi32(halves[register]), biases[register]);
            store_bytes(rounded(sums, multipliers[register]), output, register);
        }
    }
    let end = POOLED_1.min(ends.first + CONVOLUTIONS[1].taps);
    output[ends.first..end].fill(kernel.empty.first);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn second_block(
    kernel: &Avx512VnniKernel,
    input: &[[u8; CHANNELS_1]; POOLED_1],
    ends: &BlockEnds,
    output: &mut [[u8; CHANNELS_2]; POOLED_2],
) {
    let mut index = 0;
    while index < ends.second {
        let (input, output) = (&input[2 * index..], &mut output[index..]);
        match ends.second - index {
            1 => second_block_at::<1, 2>(kernel, input, output),
            2 => second_block_at::<2, 4>(kernel, input, output),
            _ => second_block_at::<3, 6>(kernel, input, output),
        }
        index += 3;
    }
    let end = POOLED_2.min(ends.second + CONVOLUTIONS[2].taps);
    output[ends.second..end].fill(kernel.empty.second);
}

/// `POOLED` positions of the second block's output from `POSITIONS`, twice as many, of its convolution.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn second_block_at<const POOLED: usize, const POSITIONS: usize>(
    kernel: &Avx512VnniKernel,
    input: &[[u8; CHANNELS_1]],
    output: &mut [[u8; CHANNELS_2]],
) {
    let sums = convolution::<POSITIONS, STEPS_2, CHANNELS_1>(&kernel.second, input);
    let multipliers = kernel.second.multipliers.each_ref().map(|lanes| load_floats(lanes));
    for (index, output) in output[..POOLED].iter_mut().enumerate() {
        let rounded = |register: usize| {
            let larger = _mm512_max_epi32(sums[2 * index][register], sums[2 * index + 1][register]);
            _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(larger), multipliers[register]))
        };
        store_packed([rounded(0), rounded(1), rounded(2), rounded(3)], output);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn third_block(kernel: &Avx512VnniKernel, input: &[[u8; CHANNELS_2]; POOLED_2], ends: &BlockEnds) -> [i32; CHANNELS_3] {
    let empty_positions = (POSITIONS_3 - ends.third) as i32;
    let mut totals = kernel.empty.third.map(|value| empty_positions * i32::from(value));
    let mut position = 0;
    while position < ends.third {
        let input = &input[position..];
        match ends.third - position {
            1 => third_block_at::<1>(kernel, input, &mut totals),
            2 => third_block_at::<2>(kernel, input, &mut totals),
            3 => third_block_at::<3>(kernel, input, &mut totals),
            4 => third_block_at::<4>(kernel, input, &mut totals),
            5 => third_block_at::<5>(kernel, input, &mut totals),
            _ => third_block_at::<6>(kernel, input, &mut totals),
        }
        position += 6;
    }
    totals
}

/// Adds `POSITIONS` positions of the third block's output to the sums over positions.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn third_block_at<const POSITIONS: usize>(
    kernel: &Avx512VnniKernel,
    input: &[[u8; CHANNELS_2]],
    totals: &mut [i32; CHANNELS_3],
) {
    let sums = convolution::<POSITIONS, STEPS_3, CHANNELS_2>(&kernel.third, input);
    for (register, totals) in totals.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let multipliers = load_floats(&kernel.third.multipliers[register]);
        let mut total = load(totals);
        for sums in &sums {
            let values = _mm512_min_epi32(rounded(sums[register], multipliers), _mm512_set1_epi32(LARGEST as i32));
            total = _mm512_add_epi32(total, values);
        }
        // SAFETY: the array has the size of a register; the instruction asks for no alignment.
        unsafe { _mm512_storeu_si512(totals.as_mut_ptr().cast(), total) }
    }
}

/// The sums of `POSITIONS` neighbouring positions, the first of which is the first of `input`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn convolution<const POSITIONS: usize, const STEPS: usize, const INPUTS: usize>(
    layer: &Layer<STEPS>,
    input: &[[u8; INPUTS]],
) -> [[__m512i; REGISTERS]; POSITIONS] {
    let groups = input.as_flattened().as_chunks::<GROUP>().0;
    let groups_a_position = INPUTS / GROUP;
    assert!(
        groups.len() >= (POSITIONS - 1) * groups_a_position + STEPS,
        "the input ends before its last position's taps"
    );
    let biases = layer.biases.each_ref().map(|lanes| load(lanes));
    let mut sums = [biases; POSITIONS];
    for (step, weights) in layer.steps.iter().enumerate() {
        let weights = weights.each_ref().map(|lanes| load(lanes));
        for (position, sums) in sums.iter_mut().enumerate() {
            // SAFETY: step < STEPS and position < POSITIONS; the length was asserted above for the largest of both.
            let activations = unsafe { groups.get_unchecked(position * groups_a_position + step) };
            let activations = _mm512_set1_epi32(i32::from_le_bytes(*activations));
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbusd_epi32(*sum, activations, weights);
            }
        }
    }
    sums
}

/// ReLU, multiplication and rounding of `requantised`, not yet limited to 255: a network's products stay below 2^30.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn rounded(sums: __m512i, multipliers: __m512) -> __m512i {
    let positive = _mm512_max_epi32(sums, _mm512_setzero_si512());
    _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(positive), multipliers))
}

/// Stores 16 values that are not negative as bytes, larger ones as 255.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn store_bytes(values: __m512i, output: &mut [u8], register: usize) {
    let output: &mut [u8; LANES] = (&mut output[register * LANES..][..LANES]).try_into().expect("as many as lanes");
    // SAFETY: the array has the size of what is stored; the instruction asks for no alignment.
    unsafe { _mm_storeu_si128(output.as_mut_ptr().cast(), _mm512_cvtusepi32_epi8(values)) }
}

/// Stores the values of four registers, one after the other, as bytes: negative ones as 0, which is ReLU, larger ones as 255.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn store_packed([first, second, third, fourth]: [__m512i; 4], output: &mut [u8; 64]) {
    // Packing works within quarters of a register: it leaves the four values of quarter q of register r at place 4 q + r.
    let packed = _mm512_packus_epi16(_mm512_packs_epi32(first, second), _mm512_packs_epi32(third, fourth));
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    // SAFETY: the array has the size of a register; no alignment is asked for.
    unsafe { _mm512_storeu_si512(output.as_mut_ptr().cast(), _mm512_permutexvar_epi32(order, packed)) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load<T>(values: &T) -> __m512i {
    const { assert!(size_of::<T>() == 64) }
    // SAFETY: `T`, an array of integers or a wrapper of one, has the size of a register; no alignment is asked for.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(values).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load_floats(values: &Lanes<f32, LANES>) -> __m512 {
    // SAFETY: the array has the size of a register; no alignment is asked for.
    unsafe { _mm512_loadu_ps(values.0.as_ptr()) }
}

/// As many sums as the kernel has, each of which waits for nothing but itself.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply_only() -> usize {
    const ROUNDS: usize = 2000;
    let ones = std::hint::black_box(_mm512_set1_epi32(0x0101_0101));
    let mut sums = [_mm512_setzero_si512(); 12];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = _mm512_dpbusd_epi32(*sum, ones, ones);
        }
    }
    std::hint::black_box(sums);
    ROUNDS * sums.len() * LANES * GROUP
}
