//! AVX-VNNI: one instruction multiplies 8 times four unsigned activations with four signed weights and adds the sums to 8
//! outputs of 32 bits, without rounding or saturation. It is AVX-512's instruction in registers of half the width, on processors
//! that have no AVX-512.
//!
//! A register holds 8 outputs of one position. Six positions times 16 outputs are summed up at once: 12 of the 16 registers for
//! the sums, two for the weights of a step, one for four activations of a position.

use std::arch::x86_64::*;

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::registers256::{Activation, First, LANES, Lanes, Rounding, SLICE, SLICES, add_totals, load};
use super::{BlockEnds, Kernel};
use crate::backends::native::head::Head;
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{Convolution, EmptyOutputs, Network};
use crate::backends::native::shape::{
    CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS, POOLED_1, POOLED_2, POSITIONS_3,
};
use crate::backends::native::windows::occupied_bytes;

pub const ENTRY: Entry = Entry {
    level: Level::AvxVnni,
    is_supported,
    prepare: |network| Box::new(AvxVnniKernel::new(network)),
    products: BlockEnds::products,
    // SAFETY: the dispatch table calls it where `is_supported` holds.
    multiply_only: Some(|| unsafe { multiply_only() }),
};

fn is_supported() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni")
}

/// Products of a lane and instruction.
const GROUP: usize = 4;
/// Steps of the second and third convolution.
const STEPS_2: usize = CONVOLUTIONS[1].depth() / GROUP;
const STEPS_3: usize = CONVOLUTIONS[2].depth() / GROUP;

/// Sixteen outputs of a convolution.
struct Slice<const STEPS: usize> {
    /// The weights of each step: for each output the four products of the step.
    steps: Box<[[Lanes<i8, 32>; 2]; STEPS]>,
    rounding: Rounding,
}

struct AvxVnniKernel {
    first: First,
    second: [Slice<STEPS_2>; SLICES],
    third: [Slice<STEPS_3>; SLICES],
    empty: EmptyOutputs,
    head: Head,
}

/// Activations of one seed.
#[repr(C, align(32))]
struct Activations {
    pooled_1: [[u8; CHANNELS_1]; POOLED_1],
    pooled_2: [[u8; CHANNELS_2]; POOLED_2],
}

impl<const STEPS: usize> Slice<STEPS> {
    fn new(convolution: &Convolution, first_output: usize) -> Self {
        let weight = |step: usize, register: usize, byte: usize| {
            convolution.weight(step * GROUP + byte % GROUP, first_output + register * LANES + byte / GROUP)
        };
        let steps: Vec<[Lanes<i8, 32>; 2]> = (0..STEPS)
            .map(|step| std::array::from_fn(|register| Lanes(std::array::from_fn(|byte| weight(step, register, byte)))))
            .collect();
        Self {
            steps: steps.try_into().ok().expect("as many steps as the shape has"),
            rounding: Rounding::new(convolution, first_output),
        }
    }
}

impl AvxVnniKernel {
    fn new(network: &Network) -> Self {
        assert!(is_supported(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        let empty = EmptyOutputs::of(network);
        Self {
            first: First::new(first, &empty),
            second: std::array::from_fn(|slice| Slice::new(second, slice * SLICE)),
            third: std::array::from_fn(|slice| Slice::new(third, slice * SLICE)),
            empty,
            head: network.head.clone(),
        }
    }
}

impl Kernel for AvxVnniKernel {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the instructions.
        unsafe { score(self, seeds, scores) }
    }
}

#[target_feature(enable = "avx2,avxvnni")]
fn score(kernel: &AvxVnniKernel, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
    let mut activations = Activations { pooled_1: [[0; CHANNELS_1]; POOLED_1], pooled_2: [[0; CHANNELS_2]; POOLED_2] };
    for (seed, score) in seeds.iter().zip(scores) {
        let ends = BlockEnds::of(occupied_bytes(seed));
        kernel.first.fill(seed, ends.first, CONVOLUTIONS[1].taps, &mut activations.pooled_1);
        second_block(kernel, &activations.pooled_1, &ends, &mut activations.pooled_2);
        let sums = third_block(kernel, &activations.pooled_2, &ends);
        *score = kernel.head.viability(&sums);
    }
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn second_block(
    kernel: &AvxVnniKernel,
    input: &[[u8; CHANNELS_1]; POOLED_1],
    ends: &BlockEnds,
    output: &mut [[u8; CHANNELS_2]; POOLED_2],
) {
    for (number, slice) in kernel.second.iter().enumerate() {
        let mut index = 0;
        while index < ends.second {
            let (input, output) = (&input[2 * index..], &mut output[index..]);
            match ends.second - index {
                1 => second_block_at::<1, 2>(slice, input, number, output),
                2 => second_block_at::<2, 4>(slice, input, number, output),
                _ => second_block_at::<3, 6>(slice, input, number, output),
            }
            index += 3;
        }
    }
    let end = POOLED_2.min(ends.second + CONVOLUTIONS[2].taps);
    output[ends.second..end].fill(kernel.empty.second);
}

/// One slice of `POOLED` positions of the second block's output from `POSITIONS`, twice as many, of its convolution.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn second_block_at<const POOLED: usize, const POSITIONS: usize>(
    slice: &Slice<STEPS_2>,
    input: &[[u8; CHANNELS_1]],
    number: usize,
    output: &mut [[u8; CHANNELS_2]],
) {
    let sums = convolution::<POSITIONS, STEPS_2, CHANNELS_1>(slice, input);
    for (index, output) in output[..POOLED].iter_mut().enumerate() {
        let [even, odd] = [sums[2 * index], sums[2 * index + 1]];
        let larger = [_mm256_max_epi32(even[0], odd[0]), _mm256_max_epi32(even[1], odd[1])];
        // SAFETY: as this function, for processors with AVX2.
        unsafe { u8::store(slice.rounding.words(larger), &mut output.as_chunks_mut().0[number]) };
    }
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn third_block(kernel: &AvxVnniKernel, input: &[[u8; CHANNELS_2]; POOLED_2], ends: &BlockEnds) -> [i32; CHANNELS_3] {
    let empty_positions = (POSITIONS_3 - ends.third) as i32;
    let mut totals = kernel.empty.third.map(|value| empty_positions * i32::from(value));
    for (slice, totals) in kernel.third.iter().zip(totals.as_chunks_mut::<SLICE>().0) {
        let mut position = 0;
        while position < ends.third {
            let input = &input[position..];
            match ends.third - position {
                1 => third_block_at::<1>(slice, input, totals),
                2 => third_block_at::<2>(slice, input, totals),
                3 => third_block_at::<3>(slice, input, totals),
                4 => third_block_at::<4>(slice, input, totals),
                5 => third_block_at::<5>(slice, input, totals),
                _ => third_block_at::<6>(slice, input, totals),
            }
            position += 6;
        }
    }
    totals
}

/// Adds one slice of `POSITIONS` positions of the third block's output to the sums over positions.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn third_block_at<const POSITIONS: usize>(
    slice: &Slice<STEPS_3>,
    input: &[[u8; CHANNELS_2]],
    totals: &mut [i32; SLICE],
) {
    let sums = convolution::<POSITIONS, STEPS_3, CHANNELS_2>(slice, input);
    let mut words = _mm256_setzero_si256();
    for sums in sums {
        words = _mm256_add_epi16(words, slice.rounding.words(sums).limited());
    }
    add_totals(words, totals);
}

/// The sums of one slice at `POSITIONS` neighbouring positions, the first of which is the first of `input`.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn convolution<const POSITIONS: usize, const STEPS: usize, const INPUTS: usize>(
    slice: &Slice<STEPS>,
    input: &[[u8; INPUTS]],
) -> [[__m256i; 2]; POSITIONS] {
    let groups = input.as_flattened().as_chunks::<GROUP>().0;
    let groups_a_position = INPUTS / GROUP;
    assert!(
        groups.len() >= (POSITIONS - 1) * groups_a_position + STEPS,
        "the input ends before its last position's taps"
    );
    let mut sums = [slice.rounding.biases.each_ref().map(|lanes| load(lanes)); POSITIONS];
    for (step, weights) in slice.steps.iter().enumerate() {
        let weights = weights.each_ref().map(|lanes| load(lanes));
        for (position, sums) in sums.iter_mut().enumerate() {
            // SAFETY: step < STEPS and position < POSITIONS; the length was asserted above for the largest of both.
            let activations = unsafe { groups.get_unchecked(position * groups_a_position + step) };
            let activations = _mm256_set1_epi32(i32::from_le_bytes(*activations));
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm256_dpbusd_avx_epi32(*sum, activations, weights);
            }
        }
    }
    sums
}

/// As many sums as the kernel has, each of which waits for nothing but itself.
#[target_feature(enable = "avx2,avxvnni")]
fn multiply_only() -> usize {
    const ROUNDS: usize = 2000;
    let ones = std::hint::black_box(_mm256_set1_epi32(0x0101_0101));
    let mut sums = [_mm256_setzero_si256(); 12];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = _mm256_dpbusd_avx_epi32(*sum, ones, ones);
        }
    }
    std::hint::black_box(sums);
    ROUNDS * sums.len() * LANES * GROUP
}
