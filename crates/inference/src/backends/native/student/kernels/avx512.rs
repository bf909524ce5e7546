//! AVX-512 VNNI.

use std::arch::x86_64::*;

use super::*;

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn avx512_vnni(plan: &Plan, features: &[u8], scores: &mut [f32]) {
    score::<Avx512Vnni>(plan, features, scores);
}

/// Sixteen outputs a register; an instruction adds four products to each.
struct Avx512Vnni;

impl Instructions for Avx512Vnni {
    #[inline(always)]
    unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
        // SAFETY: loads and stores of 64 bytes are of arrays of that size; the caller has checked that a step's four
        // inputs of every seed lie within `inputs`, and that the processor has the instructions.
        unsafe {
            let mut registers = [_mm512_loadu_si512(block.biases.as_ptr().cast()); SEEDS];
            for (number, step) in block.steps.iter().enumerate() {
                let weights = _mm512_loadu_si512(step.0.as_ptr().cast());
                for (seed, register) in registers.iter_mut().enumerate() {
                    let four = inputs.as_ptr().add(seed * stride + number * GROUP).cast::<i32>().read_unaligned();
                    *register = _mm512_dpbusd_epi32(*register, _mm512_set1_epi32(four), weights);
                }
            }
            let mut sums = [[0; LANES]; SEEDS];
            for (sums, register) in sums.iter_mut().zip(registers) {
                _mm512_storeu_si512(sums.as_mut_ptr().cast(), register);
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn rounded(sums: &[i32; LANES], multipliers: &[f32; LANES]) -> [u8; LANES] {
        // SAFETY: loads of 64 bytes, and the store of 16, are of arrays that have them; the caller's word for the instructions.
        unsafe {
            let sums = _mm512_max_epi32(_mm512_loadu_si512(sums.as_ptr().cast()), _mm512_setzero_si512());
            let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(multipliers.as_ptr()));
            let mut rounded = [0; LANES];
            let bytes = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(scaled));
            _mm_storeu_si128(rounded.as_mut_ptr().cast(), bytes);
            rounded
        }
    }
}
