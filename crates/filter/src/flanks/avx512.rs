//! Sixteen flanks in one register.

use std::arch::x86_64::*;

use super::{FLANKS, Flanks, REACH, Rules};

/// As [`Flanks::extend`].
///
/// # Safety
/// The processor has AVX-512 F and CD.
#[target_feature(enable = "avx512f,avx512cd")]
pub(super) fn extend(flanks: &mut Flanks, rules: Rules) {
    let load = |numbers: &[u32; FLANKS]| {
        // SAFETY: sixteen numbers of 32 bits fill the register.
        unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
    };
    let (reach, one) = (_mm512_set1_epi32(REACH as i32), _mm512_set1_epi32(1));
    let highest = _mm512_set1_epi32(31);
    let matched = _mm512_set1_epi32(rules.matched);
    let mismatched = _mm512_set1_epi32(rules.mismatched);
    let drop = _mm512_set1_epi32(rules.drop);
    let zero = _mm512_setzero_si512();
    let mut left = load(&flanks.mismatches);
    let (mut sum, mut best, mut length, mut position) = (zero, zero, zero, zero);
    let (mut going_on, mut open): (u16, u16) = (u16::MAX, 0);
    while going_on != 0 {
        let lowest = _mm512_and_si512(left, _mm512_sub_epi32(zero, left));
        // 31 less the leading zeros; without a mismatch that is -1, the highest number there is without a sign.
        let place = _mm512_sub_epi32(highest, _mm512_lzcnt_epi32(lowest));
        let mismatch = _mm512_min_epu32(place, reach);
        let run = _mm512_mullo_epi32(_mm512_sub_epi32(mismatch, position), matched);
        sum = _mm512_add_epi32(sum, run);
        let better = _mm512_mask_cmpgt_epi32_mask(going_on, sum, best);
        best = _mm512_mask_mov_epi32(best, better, sum);
        length = _mm512_mask_mov_epi32(length, better, mismatch);
        let ended = _mm512_mask_cmpeq_epi32_mask(going_on, mismatch, reach);
        open |= ended;
        sum = _mm512_sub_epi32(sum, mismatched);
        let dropped = _mm512_cmplt_epi32_mask(sum, _mm512_sub_epi32(best, drop));
        going_on &= !(ended | dropped);
        position = _mm512_add_epi32(mismatch, one);
        left = _mm512_andnot_si512(lowest, left);
    }
    // SAFETY: the register's sixteen numbers go where sixteen are.
    unsafe {
        _mm512_storeu_si512(flanks.best.as_mut_ptr().cast(), best);
        _mm512_storeu_si512(flanks.length.as_mut_ptr().cast(), length);
    }
    flanks.open = open;
}
