//! Eight flanks in one register, twice.

use std::arch::x86_64::*;

use super::{FLANKS, Flanks, REACH, Rules};

/// Flanks in a register.
const LANES: usize = 8;

/// As [`Flanks::extend`].
///
/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) fn extend(flanks: &mut Flanks, rules: Rules) {
    flanks.open = 0;
    for first in (0..FLANKS).step_by(LANES) {
        extend_eight(flanks, first, rules);
    }
}

#[target_feature(enable = "avx2")]
fn extend_eight(flanks: &mut Flanks, first: usize, rules: Rules) {
    let lanes = first..first + LANES;
    // SAFETY: the slice has eight numbers of 32 bits, which fill the register.
    let mut left = unsafe { _mm256_loadu_si256(flanks.mismatches[lanes.clone()].as_ptr().cast()) };
    let (reach, one) = (_mm256_set1_epi32(REACH as i32), _mm256_set1_epi32(1));
    let (exponent, bias) = (_mm256_set1_epi32(0xff), _mm256_set1_epi32(127));
    let matched = _mm256_set1_epi32(rules.matched);
    let mismatched = _mm256_set1_epi32(rules.mismatched);
    let drop = _mm256_set1_epi32(rules.drop);
    let zero = _mm256_setzero_si256();
    let (mut sum, mut best, mut length, mut position) = (zero, zero, zero, zero);
    let (mut going_on, mut open) = (_mm256_set1_epi32(-1), zero);
    while _mm256_testz_si256(going_on, going_on) == 0 {
        let lowest = _mm256_and_si256(left, _mm256_sub_epi32(zero, left));
        // A power of two as a floating-point number has its place in the exponent; the highest bit makes it negative, no
        // bit at all leaves less than nothing, the highest number there is without a sign.
        let float = _mm256_castps_si256(_mm256_cvtepi32_ps(lowest));
        let place = _mm256_sub_epi32(_mm256_and_si256(_mm256_srli_epi32::<23>(float), exponent), bias);
        let mismatch = _mm256_min_epu32(place, reach);
        let run = _mm256_mullo_epi32(_mm256_sub_epi32(mismatch, position), matched);
        sum = _mm256_add_epi32(sum, run);
        let better = _mm256_and_si256(going_on, _mm256_cmpgt_epi32(sum, best));
        best = _mm256_blendv_epi8(best, sum, better);
        length = _mm256_blendv_epi8(length, mismatch, better);
        let ended = _mm256_and_si256(going_on, _mm256_cmpeq_epi32(mismatch, reach));
        open = _mm256_or_si256(open, ended);
        sum = _mm256_sub_epi32(sum, mismatched);
        let dropped = _mm256_cmpgt_epi32(_mm256_sub_epi32(best, drop), sum);
        going_on = _mm256_andnot_si256(_mm256_or_si256(ended, dropped), going_on);
        position = _mm256_add_epi32(mismatch, one);
        left = _mm256_andnot_si256(lowest, left);
    }
    // SAFETY: the registers' eight numbers go where eight are.
    unsafe {
        _mm256_storeu_si256(flanks.best[lanes.clone()].as_mut_ptr().cast(), best);
        _mm256_storeu_si256(flanks.length[lanes].as_mut_ptr().cast(), length);
    }
    flanks.open |= (_mm256_movemask_ps(_mm256_castsi256_ps(open)) as u16) << first;
}
