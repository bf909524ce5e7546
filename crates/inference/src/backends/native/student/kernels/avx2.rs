//! AVX2.

use std::arch::x86_64::*;

use super::*;
use crate::backends::native::student::plan::Step;

#[target_feature(enable = "avx2")]
pub fn avx2(plan: &Plan, features: &[u8], scores: &mut [f32]) {
    score::<Avx2>(plan, features, scores);
}

// No closures for arrays in what runs for each step: what calls them is not compiled for these processors, and they would stay
// calls.
/// Eight outputs a register. The instruction for bytes adds two products in 16 bits and saturates, so what it is given must
/// be small enough.
pub struct Avx2;
/// Registers of a block's sums.
const REGISTERS: usize = 2;
/// Seeds whose sums are in registers at once.
const PAIR: usize = 2;
/// Steps that are looked at together: their inputs fill a register.
const STEPS: usize = 8;
/// So small that the products of all [`STEPS`] together stay within 16 bits: 8 steps, 2 products, weights down to -128.
const SMALL: u8 = 15;
const _: () = assert!(STEPS * 2 * SMALL as usize * 128 <= 32768);

type Pair = [[__m256i; REGISTERS]; PAIR];

impl Instructions for Avx2 {
    #[inline(always)]
    unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
        let mut all = [[0; LANES]; SEEDS];
        // SAFETY: loads and stores of 32 bytes are of arrays that have them, those of inputs where eight steps are left;
        // the caller has checked that a step's four inputs of every seed lie within `inputs`, and that the processor has the
        // instructions.
        unsafe {
            for (pair, all) in all.as_chunks_mut::<PAIR>().0.iter_mut().enumerate() {
                let biases = block.biases.as_ptr();
                let biases = [_mm256_loadu_si256(biases.cast()), _mm256_loadu_si256(biases.add(8).cast())];
                let mut sums = [biases; PAIR];
                for (chunk, steps) in block.steps.chunks(STEPS).enumerate() {
                    let rows: [_; PAIR] = std::array::from_fn(|seed| {
                        inputs.as_ptr().add((pair * PAIR + seed) * stride + chunk * STEPS * GROUP)
                    });
                    if steps.len() == STEPS && are_small(rows) {
                        add_small(steps, rows, &mut sums);
                    } else {
                        add_any(steps, rows, &mut sums);
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
        // SAFETY: loads of 32 bytes, and the store of 16, are of arrays that have them; the caller's word for the instructions.
        unsafe {
            let (first, second) = (sums.as_ptr(), sums.as_ptr().add(8));
            let (first, second) = (_mm256_loadu_si256(first.cast()), _mm256_loadu_si256(second.cast()));
            let (first, second) = (_mm256_cvtepi32_ps(first), _mm256_cvtepi32_ps(second));
            let first = _mm256_mul_ps(first, _mm256_loadu_ps(multipliers.as_ptr()));
            let second = _mm256_mul_ps(second, _mm256_loadu_ps(multipliers.as_ptr().add(8)));
            // Packing is ReLU and the limit of 255, too. It works within halves of a register: values 0 to 3, 8 to 11, 4 to 7, 12 to 15.
            let words = _mm256_packs_epi32(_mm256_cvtps_epi32(first), _mm256_cvtps_epi32(second));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            let mut rounded = [0; LANES];
            _mm_storeu_si128(rounded.as_mut_ptr().cast(), bytes);
            rounded
        }
    }
}

/// Whether 32 inputs of both seeds are at most [`SMALL`]. Most inputs of students are matches: 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn are_small(rows: [*const u8; PAIR]) -> bool {
    let rows = rows.map(hidden);
    // SAFETY: the caller has 32 bytes behind each pointer.
    let (first, second) = unsafe { (_mm256_loadu_si256(rows[0].cast()), _mm256_loadu_si256(rows[1].cast())) };
    _mm256_testz_si256(_mm256_or_si256(first, second), _mm256_set1_epi8(!SMALL as i8)) == 1
}

/// The same pointer. A compiler that sees the same bytes loaded again takes them from the register, with two shuffles for each
/// step; a load that fills a register with four bytes needs none.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read through it there")]
fn hidden(pointer: *const u8) -> *const u8 {
    let mut pointer = pointer;
    // SAFETY: no instruction at all.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags)) };
    pointer
}

/// The four inputs of a step, for each output.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn four(row: *const u8, step: usize) -> __m256i {
    // SAFETY: the caller has four bytes for each step behind the pointer.
    _mm256_set1_epi32(unsafe { row.add(step * GROUP).cast::<i32>().read_unaligned() })
}

#[inline]
#[target_feature(enable = "avx2")]
fn weights(step: &Step) -> [__m256i; REGISTERS] {
    // SAFETY: a step has two registers' worth of weights.
    unsafe { [_mm256_loadu_si256(step.0.as_ptr().cast()), _mm256_loadu_si256(step.0.as_ptr().add(32).cast())] }
}

/// Small inputs: the products of all steps are added up in 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add_small(steps: &[Step], rows: [*const u8; PAIR], sums: &mut Pair) {
    let mut words = [[_mm256_setzero_si256(); REGISTERS]; PAIR];
    for (number, step) in steps.iter().enumerate() {
        let weights = weights(step);
        for (words, row) in words.iter_mut().zip(rows) {
            // SAFETY: the caller's word for the inputs.
            let four = unsafe { four(row, number) };
            for (word, weights) in words.iter_mut().zip(weights) {
                *word = _mm256_add_epi16(*word, _mm256_maddubs_epi16(four, weights));
            }
        }
    }
    add_words(&words, 1, sums);
}

/// Any inputs: their lower four bits, and apart from them the upper four, which count 16. Both are small.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add_any(steps: &[Step], rows: [*const u8; PAIR], sums: &mut Pair) {
    let (mut lower, mut upper) =
        ([[_mm256_setzero_si256(); REGISTERS]; PAIR], [[_mm256_setzero_si256(); REGISTERS]; PAIR]);
    let four_bits = _mm256_set1_epi8(SMALL as i8);
    for (number, step) in steps.iter().enumerate() {
        let weights = weights(step);
        for ((lower, upper), row) in lower.iter_mut().zip(&mut upper).zip(rows) {
            // SAFETY: the caller's word for the inputs.
            let four = unsafe { four(row, number) };
            let low = _mm256_and_si256(four, four_bits);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(four), four_bits);
            for ((lower, upper), weights) in lower.iter_mut().zip(upper).zip(weights) {
                *lower = _mm256_add_epi16(*lower, _mm256_maddubs_epi16(low, weights));
                *upper = _mm256_add_epi16(*upper, _mm256_maddubs_epi16(high, weights));
            }
        }
    }
    add_words(&lower, 1, sums);
    add_words(&upper, 16, sums);
}

/// Adds words, two an output, that count `factor` each.
#[inline]
#[target_feature(enable = "avx2")]
fn add_words(words: &Pair, factor: i16, sums: &mut Pair) {
    for (sums, words) in sums.iter_mut().zip(words) {
        for (sum, words) in sums.iter_mut().zip(words) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(*words, _mm256_set1_epi16(factor)));
        }
    }
}
