//! NEON with dot products.

use std::arch::aarch64::*;

use super::*;
use crate::backends::native::kernels::neon::dot;

#[target_feature(enable = "neon,dotprod")]
pub fn neon_dot(plan: &Plan, features: &[u8], scores: &mut [f32]) {
    score::<NeonDot>(plan, features, scores);
}

/// Four outputs a register; an instruction adds four products to each, with sign: 128 is taken from each input, and 128
/// times the sum of the weights is added again.
struct NeonDot;
const REGISTERS: usize = LANES / 4;
/// Seeds whose sums are in registers at once.
const TOGETHER: usize = 4;

impl Instructions for NeonDot {
    #[inline(always)]
    unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
        let mut all = [[0; LANES]; SEEDS];
        // SAFETY: loads and stores of 16 bytes are of arrays that have them; the caller has checked that a step's four
        // inputs of every seed lie within `inputs`, and that the processor has the instructions.
        unsafe {
            for (group, all) in all.as_chunks_mut::<TOGETHER>().0.iter_mut().enumerate() {
                let mut registers = [[vdupq_n_s32(0); REGISTERS]; TOGETHER];
                let mut half_corrections = [vdupq_n_s32(0); REGISTERS];
                for (number, step) in block.steps.iter().enumerate() {
                    let fours: [_; TOGETHER] = std::array::from_fn(|seed| {
                        let at = (group * TOGETHER + seed) * stride + number * GROUP;
                        let four = vld1q_dup_s32(inputs.as_ptr().add(at).cast());
                        veorq_s8(vreinterpretq_s8_s32(four), vdupq_n_s8(i8::MIN))
                    });
                    for register in 0..REGISTERS {
                        let weights = vld1q_s8(step.0.as_ptr().add(16 * register));
                        half_corrections[register] = dot::<0>(half_corrections[register], weights, vdupq_n_s8(64));
                        for (registers, four) in registers.iter_mut().zip(fours) {
                            registers[register] = dot::<0>(registers[register], weights, four);
                        }
                    }
                }
                for (all, registers) in all.iter_mut().zip(registers) {
                    for register in 0..REGISTERS {
                        let half = half_corrections[register];
                        let biases = vld1q_s32(block.biases.as_ptr().add(4 * register));
                        let sums = vaddq_s32(vaddq_s32(registers[register], biases), vaddq_s32(half, half));
                        vst1q_s32(all.as_mut_ptr().add(4 * register), sums);
                    }
                }
            }
        }
        all
    }
}
