//! Four flanks in one register, four times.

use std::arch::aarch64::*;

use super::{FLANKS, Flanks, REACH, Rules};

/// Flanks in a register.
const LANES: usize = 4;
/// Bit i for lane i.
const BITS: [u32; LANES] = [1, 2, 4, 8];

/// As [`Flanks::extend`].
///
/// # Safety
/// The processor has NEON.
#[target_feature(enable = "neon")]
pub(super) fn extend(flanks: &mut Flanks, rules: Rules) {
    flanks.open = 0;
    for first in (0..FLANKS).step_by(LANES) {
        extend_four(flanks, first, rules);
    }
}

#[target_feature(enable = "neon")]
fn extend_four(flanks: &mut Flanks, first: usize, rules: Rules) {
    let lanes = first..first + LANES;
    // SAFETY: both have four numbers of 32 bits, which fill the register.
    let (mut left, bits) = unsafe { (vld1q_u32(flanks.mismatches[lanes.clone()].as_ptr()), vld1q_u32(BITS.as_ptr())) };
    let (reach, one) = (vdupq_n_u32(REACH), vdupq_n_u32(1));
    let matched = vdupq_n_s32(rules.matched);
    let mismatched = vdupq_n_s32(rules.mismatched);
    let drop = vdupq_n_s32(rules.drop);
    let (mut sum, mut best) = (vdupq_n_s32(0), vdupq_n_s32(0));
    let (mut length, mut position) = (vdupq_n_u32(0), vdupq_n_u32(0));
    let (mut going_on, mut open) = (vdupq_n_u32(u32::MAX), vdupq_n_u32(0));
    while vmaxvq_u32(going_on) != 0 {
        // Trailing zeros are the leading ones of the bits in reverse; without a mismatch they are as many as the reach.
        let reversed = vrev32q_u8(vrbitq_u8(vreinterpretq_u8_u32(left)));
        let mismatch = vclzq_u32(vreinterpretq_u32_u8(reversed));
        sum = vmlaq_s32(sum, vreinterpretq_s32_u32(vsubq_u32(mismatch, position)), matched);
        let better = vandq_u32(going_on, vcgtq_s32(sum, best));
        best = vbslq_s32(better, sum, best);
        length = vbslq_u32(better, mismatch, length);
        let ended = vandq_u32(going_on, vceqq_u32(mismatch, reach));
        open = vorrq_u32(open, ended);
        sum = vsubq_s32(sum, mismatched);
        let dropped = vcgtq_s32(vsubq_s32(best, drop), sum);
        going_on = vbicq_u32(going_on, vorrq_u32(ended, dropped));
        position = vaddq_u32(mismatch, one);
        left = vandq_u32(left, vsubq_u32(left, one));
    }
    // SAFETY: the registers' four numbers go where four are.
    unsafe {
        vst1q_s32(flanks.best[lanes.clone()].as_mut_ptr(), best);
        vst1q_u32(flanks.length[lanes].as_mut_ptr(), length);
    }
    flanks.open |= (vaddvq_u32(vandq_u32(open, bits)) as u16) << first;
}
