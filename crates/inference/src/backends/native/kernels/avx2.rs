//! AVX2: one instruction multiplies 8 times two 16-bit activations with two 16-bit weights and adds each two products to 32
//! bits. The instruction for bytes is not used: it adds two products in 16 bits and saturates.
//!
//! A register holds 8 outputs of one position. Six positions times 16 outputs are summed up at once: 12 of the 16 registers
//! for the sums, two for the weights of a step, one for the two activations of a position, one for their products.

use std::arch::x86_64::*;

use seedsieve_encoding::{PACKED_SEED_BYTES, WINDOW_SIZE};

use super::{BlockEnds, Kernel};
use crate::backends::native::first_block::{FirstBlock, TAPS_1};
use crate::backends::native::head::Head;
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{Convolution, EmptyOutputs, LARGEST, Network};
use crate::backends::native::shape::{
    CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS, POOLED_1, POOLED_2, POSITIONS_3,
};
use crate::backends::native::windows::{occupied_bytes, position_codes};

pub const ENTRY: Entry = Entry {
    level: Level::Avx2,
    is_supported,
    prepare: |network| Box::new(Avx2Kernel::new(network)),
    // SAFETY: the dispatch table calls it where `is_supported` holds.
    multiply_only: Some(|| unsafe { multiply_only() }),
};

fn is_supported() -> bool {
    is_x86_feature_detected!("avx2")
}

/// 32-bit lanes of a register.
pub const LANES: usize = 8;
/// Products of a lane and instruction.
const GROUP: usize = 2;
/// Outputs that are summed up at once, in two registers.
pub const SLICE: usize = 2 * LANES;
pub const SLICES: usize = CHANNELS_2 / SLICE;
const _: () = assert!(CHANNELS_1 == 2 * SLICE && CHANNELS_2 == CHANNELS_3);
/// Steps of the second and third convolution.
const STEPS_2: usize = CONVOLUTIONS[1].depth() / GROUP;
const STEPS_3: usize = CONVOLUTIONS[2].depth() / GROUP;

/// A register's worth of memory.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub struct Lanes<T, const N: usize>(pub [T; N]);

/// Sixteen outputs of a convolution. Their weights, 5 or 6 KiB, stay in the cache while all positions are computed.
struct Slice<const STEPS: usize> {
    /// The weights of each step: for each output the two products of the step.
    steps: Box<[[Lanes<i16, 16>; 2]; STEPS]>,
    biases: [Lanes<i32, LANES>; 2],
    multipliers: [Lanes<f32, LANES>; 2],
}

/// The first block, for kernels of registers of this width.
pub struct First {
    table: FirstBlock,
    biases: [Lanes<i32, LANES>; CHANNELS_1 / LANES],
    multipliers: [Lanes<f32, LANES>; CHANNELS_1 / LANES],
}

struct Avx2Kernel {
    first: First,
    second: [Slice<STEPS_2>; SLICES],
    third: [Slice<STEPS_3>; SLICES],
    empty: EmptyOutputs,
    head: Head,
}

/// Activations of one seed, 0 to 255.
#[repr(C, align(32))]
struct Activations {
    pooled_1: [[i16; CHANNELS_1]; POOLED_1],
    pooled_2: [[i16; CHANNELS_2]; POOLED_2],
}

pub fn in_lanes<T: Copy, const N: usize>(values: &[T]) -> [Lanes<T, LANES>; N] {
    std::array::from_fn(|register| Lanes(std::array::from_fn(|lane| values[register * LANES + lane])))
}

impl<const STEPS: usize> Slice<STEPS> {
    fn new(convolution: &Convolution, first_output: usize) -> Self {
        let weight = |step: usize, register: usize, index: usize| {
            let output = first_output + register * LANES + index / GROUP;
            convolution.weight(step * GROUP + index % GROUP, output).into()
        };
        let steps: Vec<[Lanes<i16, 16>; 2]> = (0..STEPS)
            .map(|step| {
                std::array::from_fn(|register| Lanes(std::array::from_fn(|index| weight(step, register, index))))
            })
            .collect();
        Self {
            steps: steps.try_into().ok().expect("as many steps as the shape has"),
            biases: in_lanes(&convolution.biases[first_output..]),
            multipliers: in_lanes(&convolution.multipliers[first_output..]),
        }
    }
}

impl First {
    pub fn new(convolution: &Convolution) -> Self {
        Self {
            table: FirstBlock::new(convolution),
            biases: in_lanes(&convolution.biases),
            multipliers: in_lanes(&convolution.multipliers),
        }
    }

    /// The outputs after the pool at one position, 0 to 255, 8 a register; `codes` are those of `position_codes`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn values(&self, codes: &[u16; WINDOW_SIZE], index: usize) -> [[__m256i; 2]; 2] {
        let mut sums = [[_mm256_setzero_si256(); 2]; 2];
        for tap in 0..TAPS_1 {
            for (odd, sums) in sums.iter_mut().enumerate() {
                let row = &self.table.rows[usize::from(codes[2 * index + odd + tap]) + tap].0;
                for (sums, row) in sums.iter_mut().zip(row.as_chunks::<16>().0) {
                    *sums = _mm256_add_epi16(*sums, load(row));
                }
            }
        }
        std::array::from_fn(|slice| {
            let larger = _mm256_max_epi16(sums[0][slice], sums[1][slice]);
            let halves = [_mm256_castsi256_si128(larger), _mm256_extracti128_si256::<1>(larger)];
            std::array::from_fn(|half| half + 2 * slice).map(|register| {
                let sums = _mm256_cvtepi16_epi32(halves[register % 2]);
                let sums = _mm256_add_epi32(sums, load(&self.biases[register]));
                requantised(sums, &self.multipliers[register])
            })
        })
    }
}

impl Avx2Kernel {
    fn new(network: &Network) -> Self {
        assert!(is_supported(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        Self {
            first: First::new(first),
            second: std::array::from_fn(|slice| Slice::new(second, slice * SLICE)),
            third: std::array::from_fn(|slice| Slice::new(third, slice * SLICE)),
            empty: EmptyOutputs::of(network),
            head: network.head.clone(),
        }
    }
}

impl Kernel for Avx2Kernel {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the instructions.
        unsafe { score(self, seeds, scores) }
    }
}

#[target_feature(enable = "avx2")]
fn score(kernel: &Avx2Kernel, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
    let mut activations = Activations { pooled_1: [[0; CHANNELS_1]; POOLED_1], pooled_2: [[0; CHANNELS_2]; POOLED_2] };
    for (seed, score) in seeds.iter().zip(scores) {
        let ends = BlockEnds::of(occupied_bytes(seed));
        first_block(kernel, seed, &ends, &mut activations.pooled_1);
        second_block(kernel, &activations.pooled_1, &ends, &mut activations.pooled_2);
        let sums = third_block(kernel, &activations.pooled_2, &ends);
        *score = kernel.head.viability(&sums);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn first_block(
    kernel: &Avx2Kernel,
    seed: &[u8; PACKED_SEED_BYTES],
    ends: &BlockEnds,
    output: &mut [[i16; CHANNELS_1]; POOLED_1],
) {
    let codes = position_codes(seed, TAPS_1 as u16);
    for (index, output) in output[..ends.first].iter_mut().enumerate() {
        let values = kernel.first.values(&codes, index);
        for (values, output) in values.into_iter().zip(output.as_chunks_mut::<SLICE>().0) {
            store_slice(values, output);
        }
    }
    let end = POOLED_1.min(ends.first + CONVOLUTIONS[1].taps);
    output[ends.first..end].fill(kernel.empty.first.map(i16::from));
}

#[inline]
#[target_feature(enable = "avx2")]
fn second_block(
    kernel: &Avx2Kernel,
    input: &[[i16; CHANNELS_1]; POOLED_1],
    ends: &BlockEnds,
    output: &mut [[i16; CHANNELS_2]; POOLED_2],
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
    output[ends.second..end].fill(kernel.empty.second.map(i16::from));
}

/// One slice of `POOLED` positions of the second block's output from `POSITIONS`, twice as many, of its convolution.
#[inline]
#[target_feature(enable = "avx2")]
fn second_block_at<const POOLED: usize, const POSITIONS: usize>(
    slice: &Slice<STEPS_2>,
    input: &[[i16; CHANNELS_1]],
    number: usize,
    output: &mut [[i16; CHANNELS_2]],
) {
    let sums = convolution::<POSITIONS, STEPS_2, CHANNELS_1>(slice, input);
    for (index, output) in output[..POOLED].iter_mut().enumerate() {
        let values: [__m256i; 2] = [0, 1].map(|register| {
            let larger = _mm256_max_epi32(sums[2 * index][register], sums[2 * index + 1][register]);
            requantised(larger, &slice.multipliers[register])
        });
        store_slice(values, &mut output.as_chunks_mut().0[number]);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn third_block(kernel: &Avx2Kernel, input: &[[i16; CHANNELS_2]; POOLED_2], ends: &BlockEnds) -> [i32; CHANNELS_3] {
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
#[target_feature(enable = "avx2")]
fn third_block_at<const POSITIONS: usize>(
    slice: &Slice<STEPS_3>,
    input: &[[i16; CHANNELS_2]],
    totals: &mut [i32; SLICE],
) {
    let sums = convolution::<POSITIONS, STEPS_3, CHANNELS_2>(slice, input);
    for (register, totals) in totals.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut total = load(totals);
        for sums in &sums {
            total = _mm256_add_epi32(total, requantised(sums[register], &slice.multipliers[register]));
        }
        store(total, totals);
    }
}

/// The sums of one slice at `POSITIONS` neighbouring positions, the first of which is the first of `input`.
#[inline]
#[target_feature(enable = "avx2")]
fn convolution<const POSITIONS: usize, const STEPS: usize, const INPUTS: usize>(
    slice: &Slice<STEPS>,
    input: &[[i16; INPUTS]],
) -> [[__m256i; 2]; POSITIONS] {
    let groups = input.as_flattened().as_chunks::<GROUP>().0;
    let groups_a_position = INPUTS / GROUP;
    assert!(
        groups.len() >= (POSITIONS - 1) * groups_a_position + STEPS,
        "the input ends before its last position's taps"
    );
    let mut sums = [slice.biases.each_ref().map(|lanes| load(lanes)); POSITIONS];
    for (step, weights) in slice.steps.iter().enumerate() {
        let weights = weights.each_ref().map(|lanes| load(lanes));
        for (position, sums) in sums.iter_mut().enumerate() {
            // SAFETY: step < STEPS and position < POSITIONS; the length was asserted above for the largest of both.
            let group = unsafe { groups.get_unchecked(position * groups_a_position + step) };
            // SAFETY: two 16-bit integers are four bytes; no alignment is asked for.
            let activations = _mm256_set1_epi32(unsafe { group.as_ptr().cast::<i32>().read_unaligned() });
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(activations, weights));
            }
        }
    }
    sums
}

/// ReLU and the step to eight bits of `network::requantised`, in 32-bit lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub fn requantised(sums: __m256i, multipliers: &Lanes<f32, LANES>) -> __m256i {
    // SAFETY: the array has the size of a register; no alignment is asked for.
    let multipliers = unsafe { _mm256_loadu_ps(multipliers.0.as_ptr()) };
    let positive = _mm256_max_epi32(sums, _mm256_setzero_si256());
    let rounded = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(positive), multipliers));
    _mm256_min_epi32(rounded, _mm256_set1_epi32(LARGEST as i32))
}

/// Stores the 16 outputs of a slice, 0 to 255, in 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn store_slice(values: [__m256i; 2], output: &mut [i16; SLICE]) {
    // Packing works on halves of a register, and leaves its quarters in the order 0, 2, 1, 3.
    let packed = _mm256_packs_epi32(values[0], values[1]);
    store(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed), output);
}

#[inline]
#[target_feature(enable = "avx2")]
pub fn load<T>(values: &T) -> __m256i {
    const { assert!(size_of::<T>() == 32) }
    // SAFETY: `T`, an array of integers or a wrapper of one, has the size of a register; no alignment is asked for.
    unsafe { _mm256_loadu_si256(std::ptr::from_ref(values).cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub fn store<T>(register: __m256i, output: &mut T) {
    const { assert!(size_of::<T>() == 32) }
    // SAFETY: `T`, an array of integers, has the size of a register; no alignment is asked for.
    unsafe { _mm256_storeu_si256(std::ptr::from_mut(output).cast(), register) }
}

/// As many sums as the kernel has, each of which waits for nothing but itself.
#[target_feature(enable = "avx2")]
fn multiply_only() -> usize {
    const ROUNDS: usize = 2000;
    let ones = std::hint::black_box(_mm256_set1_epi32(0x0101_0101));
    let mut sums = [_mm256_setzero_si256(); 12];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = _mm256_madd_epi16(*sum, ones);
        }
    }
    std::hint::black_box(sums);
    ROUNDS * sums.len() * LANES * GROUP
}
