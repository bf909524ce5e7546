//! NEON with dot products: one instruction multiplies four times four signed activations with four signed weights and adds the
//! sums to 4 outputs of 32 bits, without rounding or saturation.
//!
//! Activations have eight bits without sign, the instruction's factors have one. So 128 less than each activation is kept, which
//! is the same byte with its highest bit turned, and what that takes from a sum, 128 times the sum of the weights, is part
//! of the bias from the start.
//!
//! A register holds 4 outputs of one position. Four positions times 16 outputs are summed up at once: 16 of the 32 registers
//! for the sums, four for the weights of a step, four for 16 activations of each position.

use std::arch::aarch64::*;
use std::arch::asm;

use seedsieve_encoding::PACKED_SEED_BYTES;

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
    level: Level::NeonDot,
    is_supported,
    prepare: |network| Box::new(NeonKernel::new(network)),
    products: BlockEnds::products,
    // SAFETY: the dispatch table calls it where `is_supported` holds.
    multiply_only: Some(|| unsafe { multiply_only() }),
};

fn is_supported() -> bool {
    std::arch::is_aarch64_feature_detected!("dotprod")
}

/// 32-bit lanes of a register.
const LANES: usize = 4;
/// Products of a lane and instruction.
const GROUP: usize = 4;
/// Registers of outputs that are summed up at once.
const REGISTERS: usize = 4;
const SLICE: usize = REGISTERS * LANES;
const SLICES: usize = CHANNELS_2 / SLICE;
/// Positions that are summed up at once.
const POSITIONS: usize = 4;
const _: () = assert!(CHANNELS_1 == 2 * SLICE && CHANNELS_2 == CHANNELS_3);
/// Turns an activation into what is kept of it, and back.
const OFFSET: u8 = 0x80;

/// Sixteen outputs of a convolution.
struct Slice {
    /// The weights of each step: for each output the four products of the step.
    steps: Vec<[[i8; SLICE]; REGISTERS]>,
    biases: [i32; SLICE],
    multipliers: [f32; SLICE],
}

struct NeonKernel {
    table: FirstBlock,
    first_biases: [i32; CHANNELS_1],
    first_multipliers: [f32; CHANNELS_1],
    second: [Slice; SLICES],
    third: [Slice; SLICES],
    empty: EmptyOutputs,
    head: Head,
}

/// Activations of one seed, and as many positions more as a group of positions may reach beyond the last one.
struct Activations {
    pooled_1: [[u8; CHANNELS_1]; POOLED_1 + 2 * POSITIONS],
    pooled_2: [[u8; CHANNELS_2]; POOLED_2 + 2 * POSITIONS],
}

impl Slice {
    fn new(convolution: &Convolution, first_output: usize) -> Self {
        let depth = convolution.shape.depth();
        let weight = |step: usize, register: usize, byte: usize| {
            convolution.weight(step * GROUP + byte % GROUP, first_output + register * LANES + byte / GROUP)
        };
        let bias = |output: usize| {
            let weights = (0..depth).map(|product| i32::from(convolution.weight(product, first_output + output)));
            convolution.biases[first_output + output] + i32::from(OFFSET) * weights.sum::<i32>()
        };
        Self {
            steps: (0..depth / GROUP)
                .map(|step| std::array::from_fn(|register| std::array::from_fn(|byte| weight(step, register, byte))))
                .collect(),
            biases: std::array::from_fn(bias),
            multipliers: std::array::from_fn(|output| convolution.multipliers[first_output + output]),
        }
    }
}

impl NeonKernel {
    fn new(network: &Network) -> Self {
        assert!(is_supported(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        Self {
            table: FirstBlock::new(first),
            first_biases: std::array::from_fn(|output| first.biases[output]),
            first_multipliers: std::array::from_fn(|output| first.multipliers[output]),
            second: std::array::from_fn(|slice| Slice::new(second, slice * SLICE)),
            third: std::array::from_fn(|slice| Slice::new(third, slice * SLICE)),
            empty: EmptyOutputs::of(network),
            head: network.head.clone(),
        }
    }
}

impl Kernel for NeonKernel {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the instructions.
        unsafe { score(self, seeds, scores) }
    }
}

#[target_feature(enable = "neon,dotprod")]
fn score(kernel: &NeonKernel, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
    let mut activations = Activations { pooled_1: [[OFFSET; CHANNELS_1]; _], pooled_2: [[OFFSET; CHANNELS_2]; _] };
    for (seed, score) in seeds.iter().zip(scores) {
        let ends = BlockEnds::of(occupied_bytes(seed));
        first_block(kernel, seed, &ends, &mut activations.pooled_1);
        second_block(kernel, &activations.pooled_1, &ends, &mut activations.pooled_2);
        *score = kernel.head.viability(&third_block(kernel, &activations.pooled_2, &ends));
    }
}

#[target_feature(enable = "neon,dotprod")]
fn first_block(kernel: &NeonKernel, seed: &[u8; PACKED_SEED_BYTES], ends: &BlockEnds, output: &mut [[u8; CHANNELS_1]]) {
    let codes = position_codes(seed, TAPS_1 as u16);
    for (index, output) in output[..ends.first].iter_mut().enumerate() {
        for (slice, output) in output.as_chunks_mut::<SLICE>().0.iter_mut().enumerate() {
            let mut sums = [[vdupq_n_s16(0); 2]; 2];
            for tap in 0..TAPS_1 {
                for (odd, sums) in sums.iter_mut().enumerate() {
                    let row = &kernel.table.rows[usize::from(codes[2 * index + odd + tap]) + tap].0;
                    for (sum, row) in sums.iter_mut().zip(row[slice * SLICE..][..SLICE].as_chunks::<8>().0) {
                        *sum = vaddq_s16(*sum, load_words(row));
                    }
                }
            }
            let larger = [vmaxq_s16(sums[0][0], sums[1][0]), vmaxq_s16(sums[0][1], sums[1][1])];
            let wide = [
                vmovl_s16(vget_low_s16(larger[0])),
                vmovl_high_s16(larger[0]),
                vmovl_s16(vget_low_s16(larger[1])),
                vmovl_high_s16(larger[1]),
            ];
            let biases = load_lanes(kernel.first_biases[slice * SLICE..][..SLICE].try_into().expect("a slice"));
            let sums = std::array::from_fn(|register| vaddq_s32(wide[register], biases[register]));
            let multipliers = &kernel.first_multipliers[slice * SLICE..][..SLICE];
            store(rounded(sums, multipliers.try_into().expect("a slice")), output);
        }
    }
    let end = ends.first + CONVOLUTIONS[1].taps + 2 * POSITIONS;
    let end = end.min(output.len());
    output[ends.first..end].fill(kernel.empty.first.map(|value| value ^ OFFSET));
}

#[target_feature(enable = "neon,dotprod")]
fn second_block(kernel: &NeonKernel, input: &[[u8; CHANNELS_1]], ends: &BlockEnds, output: &mut [[u8; CHANNELS_2]]) {
    for (number, slice) in kernel.second.iter().enumerate() {
        for index in (0..ends.second).step_by(POSITIONS / 2) {
            let sums = convolution(slice, &input[2 * index..]);
            for (pooled, output) in output[index..][..POSITIONS / 2].iter_mut().enumerate() {
                let (even, odd) = (sums[2 * pooled], sums[2 * pooled + 1]);
                let larger = std::array::from_fn(|register| vmaxq_s32(even[register], odd[register]));
                store(rounded(larger, &slice.multipliers), &mut output.as_chunks_mut().0[number]);
            }
        }
    }
    let end = (ends.second + CONVOLUTIONS[2].taps + 2 * POSITIONS).min(output.len());
    output[ends.second..end].fill(kernel.empty.second.map(|value| value ^ OFFSET));
}

#[target_feature(enable = "neon,dotprod")]
fn third_block(kernel: &NeonKernel, input: &[[u8; CHANNELS_2]], ends: &BlockEnds) -> [i32; CHANNELS_3] {
    let empty_positions = (POSITIONS_3 - ends.third) as i32;
    let mut totals = kernel.empty.third.map(|value| empty_positions * i32::from(value));
    for (slice, totals) in kernel.third.iter().zip(totals.as_chunks_mut::<SLICE>().0) {
        let mut registers = load_lanes(totals);
        for position in (0..ends.third).step_by(POSITIONS) {
            let sums = convolution(slice, &input[position..]);
            for sums in sums.into_iter().take(ends.third - position) {
                for (total, value) in registers.iter_mut().zip(rounded(sums, &slice.multipliers)) {
                    *total = vaddq_s32(*total, vminq_s32(value, vdupq_n_s32(LARGEST as i32)));
                }
            }
        }
        for (totals, register) in totals.as_chunks_mut::<LANES>().0.iter_mut().zip(registers) {
            // SAFETY: the array has the size of a register.
            unsafe { vst1q_s32(totals.as_mut_ptr(), register) }
        }
    }
    totals
}

type Sums = [int32x4_t; REGISTERS];

/// The sums of [`POSITIONS`] neighbouring positions, the first of which is the first of `input`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn convolution<const INPUTS: usize>(slice: &Slice, input: &[[u8; INPUTS]]) -> [Sums; POSITIONS] {
    let bytes = input.as_flattened();
    let needed = (POSITIONS - 1) * INPUTS + slice.steps.len() * GROUP;
    assert!(bytes.len() >= needed, "the input ends before its last position's taps");
    let mut sums = [load_lanes(&slice.biases); POSITIONS];
    for (number, steps) in slice.steps.as_chunks::<4>().0.iter().enumerate() {
        // SAFETY: four steps take 16 bytes; the length was asserted above for the last position and step.
        let activations = std::array::from_fn(|position| unsafe {
            vld1q_s8(bytes.as_ptr().add(position * INPUTS + number * 4 * GROUP).cast())
        });
        add_step::<0>(&steps[0], &activations, &mut sums);
        add_step::<1>(&steps[1], &activations, &mut sums);
        add_step::<2>(&steps[2], &activations, &mut sums);
        add_step::<3>(&steps[3], &activations, &mut sums);
    }
    sums
}

/// Adds the products of the activations' four bytes with the number `STEP`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_step<const STEP: usize>(
    weights: &[[i8; SLICE]; REGISTERS],
    activations: &[int8x16_t; POSITIONS],
    sums: &mut [Sums; POSITIONS],
) {
    for (register, weights) in weights.iter().enumerate() {
        // SAFETY: the array has the size of a register.
        let weights = unsafe { vld1q_s8(weights.as_ptr()) };
        for (sums, &activations) in sums.iter_mut().zip(activations) {
            sums[register] = dot::<STEP>(sums[register], weights, activations);
        }
    }
}

/// Adds to each 32-bit lane the products of its four weights with the four activations of the lane `LANE`. (The intrinsic,
/// `vdotq_laneq_s32`, is not stable.)
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub fn dot<const LANE: usize>(mut sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t {
    const { assert!(LANE < 4) }
    // SAFETY: registers only; the caller's processor has the instruction.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {weights:v}.16b, {activations:v}.4b[{lane}]",
            sums = inlateout(vreg) sums,
            weights = in(vreg) weights,
            activations = in(vreg) activations,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// ReLU, multiplication and rounding of `requantised`, not yet limited to 255.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn rounded(sums: Sums, multipliers: &[f32; SLICE]) -> Sums {
    let multipliers = multipliers.as_chunks::<LANES>().0;
    std::array::from_fn(|register| {
        // SAFETY: the array has the size of a register.
        let multipliers = unsafe { vld1q_f32(multipliers[register].as_ptr()) };
        let positive = vmaxq_s32(sums[register], vdupq_n_s32(0));
        vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(positive), multipliers))
    })
}

/// Stores 16 values that are not negative as kept activations, larger ones than 255 as 255.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn store([first, second, third, fourth]: Sums, output: &mut [u8; SLICE]) {
    let low = vcombine_u16(vqmovun_s32(first), vqmovun_s32(second));
    let high = vcombine_u16(vqmovun_s32(third), vqmovun_s32(fourth));
    let bytes = vcombine_u8(vqmovn_u16(low), vqmovn_u16(high));
    // SAFETY: the array has the size of a register.
    unsafe { vst1q_u8(output.as_mut_ptr(), veorq_u8(bytes, vdupq_n_u8(OFFSET))) }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn load_lanes(values: &[i32; SLICE]) -> Sums {
    let values = values.as_chunks::<LANES>().0;
    // SAFETY: the arrays have the size of a register.
    std::array::from_fn(|register| unsafe { vld1q_s32(values[register].as_ptr()) })
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn load_words(values: &[i16; 8]) -> int16x8_t {
    // SAFETY: the array has the size of a register.
    unsafe { vld1q_s16(values.as_ptr()) }
}

/// As many sums as the kernel has, each of which waits for nothing but itself.
#[target_feature(enable = "neon,dotprod")]
fn multiply_only() -> usize {
    const ROUNDS: usize = 2000;
    let ones = std::hint::black_box(vdupq_n_s8(1));
    let mut sums = [vdupq_n_s32(0); POSITIONS * REGISTERS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = dot::<0>(*sum, ones, ones);
        }
    }
    std::hint::black_box(sums);
    ROUNDS * sums.len() * LANES * GROUP
}
