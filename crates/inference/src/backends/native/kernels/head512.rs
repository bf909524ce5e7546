//! The float head on AVX-512, for some seeds at once: additions of one seed wait for each other, those of others do not.

use std::arch::x86_64::*;

use crate::backends::native::head::Head;
use crate::backends::native::shape::{CHANNELS_3, HIDDEN};

/// Seeds at once; their hidden values take half of the registers.
pub const SEEDS: usize = 8;
const LANES: usize = 16;
const REGISTERS: usize = HIDDEN / LANES;

/// Logits from the sums over positions of each seed's third block, in the order of operations of `Head::viability`, so that
/// they are the same bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn logits(head: &Head, sums: &[[i32; CHANNELS_3]; SEEDS]) -> [f32; SEEDS] {
    let means = sums.map(|sums| sums.map(|sum| sum as f32 * head.mean_scale));
    let biases: [__m512; REGISTERS] = std::array::from_fn(|register| load(&head.hidden_biases[register * LANES..]));
    let mut hidden = [biases; SEEDS];
    for (channel, weights) in head.hidden_weights.iter().enumerate() {
        let weights: [__m512; REGISTERS] = std::array::from_fn(|register| load(&weights[register * LANES..]));
        for (hidden, means) in hidden.iter_mut().zip(&means) {
            let mean = _mm512_set1_ps(means[channel]);
            for (hidden, weights) in hidden.iter_mut().zip(weights) {
                *hidden = _mm512_add_ps(*hidden, _mm512_mul_ps(weights, mean));
            }
        }
    }
    let mut products = [[0f32; HIDDEN]; SEEDS];
    for (products, hidden) in products.iter_mut().zip(hidden) {
        for (register, (products, hidden)) in products.as_chunks_mut::<LANES>().0.iter_mut().zip(hidden).enumerate() {
            let weights = load(&head.logit_weights[register * LANES..]);
            let values = _mm512_mul_ps(weights, _mm512_max_ps(hidden, _mm512_setzero_ps()));
            // SAFETY: the array has the size of a register; no alignment is asked for.
            unsafe { _mm512_storeu_ps(products.as_mut_ptr(), values) }
        }
    }
    let mut logits = [head.logit_bias; SEEDS];
    for number in 0..HIDDEN {
        for (logit, products) in logits.iter_mut().zip(&products) {
            *logit += products[number];
        }
    }
    logits
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load(values: &[f32]) -> __m512 {
    let values: &[f32; LANES] = values[..LANES].try_into().expect("a register's worth");
    // SAFETY: the array has the size of a register; no alignment is asked for.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}
