//! AVX-VNNI.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::*;

#[target_feature(enable = "avx2,avxvnni")]
pub fn avx_vnni(plan: &Plan, features: &[u8], scores: &mut [f32]) {
    score::<AvxVnni>(plan, features, scores);
}

/// Eight outputs a register; an instruction adds four products to each.
struct AvxVnni;
/// Registers of a block's sums.
const REGISTERS: usize = 2;
/// Seeds whose sums are in registers at once.
const SEEDS_AT_ONCE: usize = 4;

impl Instructions for AvxVnni {
    #[inline(always)]
    unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
        let mut all = [[0; LANES]; SEEDS];
        // SAFETY: loads and stores of 32 bytes are of arrays that have them; the caller has checked that a step's four inputs of
        // every seed lie within `inputs`, and that the processor has the instructions.
        unsafe {
            for (number, all) in all.as_chunks_mut::<SEEDS_AT_ONCE>().0.iter_mut().enumerate() {
                let biases = block.biases.as_ptr();
                let biases = [_mm256_loadu_si256(biases.cast()), _mm256_loadu_si256(biases.add(8).cast())];
                let mut sums: [[__m256i; REGISTERS]; SEEDS_AT_ONCE] = [biases; SEEDS_AT_ONCE];
                let first = inputs.as_ptr().add(number * SEEDS_AT_ONCE * stride);
                for (step, weights) in block.steps.iter().enumerate() {
                    let weights = weights.0.as_ptr();
                    let weights = [_mm256_loadu_si256(weights.cast()), _mm256_loadu_si256(weights.add(32).cast())];
                    for (seed, sums) in sums.iter_mut().enumerate() {
                        let four =
                            _mm256_set1_epi32(first.add(seed * stride + step * GROUP).cast::<i32>().read_unaligned());
                        for (sum, weights) in sums.iter_mut().zip(weights) {
                            *sum = _mm256_dpbusd_avx_epi32(*sum, four, weights);
                        }
                    }
                }
                for (all, sums) in all.iter_mut().zip(sums) {
                    for (all, sum) in all.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
                        _mm256_storeu_si256(all.as_mut_ptr().cast(), sum);
                    }
                }
            }
        }
        all
    }

    #[inline(always)]
    unsafe fn rounded(sums: &[i32; LANES], multipliers: &[f32; LANES]) -> [u8; LANES] {
        // SAFETY: AVX2 is among the instructions that the caller has asked for.
        unsafe { Avx2::rounded(sums, multipliers) }
    }
}
