//! AVX2: 32 positions a register.

use std::arch::x86_64::*;
use std::ops::Range;

use super::{HALF_WINDOW, Place};
use crate::PACKED_WINDOW_BYTES;

/// Positions of a register.
const POSITIONS: usize = 32;
/// Bases that are loaded at once: shuffles work within halves of a register.
const LOADED: usize = POSITIONS / 2;
/// Bases of the shortest sequence that they can be loaded from.
pub const SHORTEST: usize = LOADED;
const _: () = assert!(HALF_WINDOW == 2 * POSITIONS);

/// From -16 to 31: sixteen of them in a row, as a shuffle's pattern, move bytes by the first.
const MOVES: [i8; 3 * LOADED] = {
    let mut moves = [0; 3 * LOADED];
    let mut at = 0;
    while at < moves.len() {
        moves[at] = at as i8 - LOADED as i8;
        at += 1;
    }
    moves
};

/// As `encode_plainly`, for a sequence of at least [`SHORTEST`] bases.
// No closures for arrays: what calls them is not compiled for these processors, and they would stay calls.
#[target_feature(enable = "avx2")]
pub fn encode(sequence: &[u8], place: &Place, packed: &mut [u8; PACKED_WINDOW_BYTES]) {
    assert!(sequence.len() >= SHORTEST);
    let Place { first_position, first_half, first_half_end, second_half, second_half_len } = *place;
    let halves = packed.as_chunks_mut::<{ HALF_WINDOW / 2 }>().0.iter_mut();
    let parts = [(first_half, first_position..first_half_end), (second_half, 0..second_half_len)];
    for (bytes, (start, positions)) in halves.zip(parts) {
        let Range { start: from, end: to } = positions;
        let first = packed_pairs(codes(sequence, start), from, to);
        let at = POSITIONS;
        let second = codes(sequence, start.wrapping_add(at));
        let second = packed_pairs(second, from.saturating_sub(at), to.saturating_sub(at));
        // Registers are packed by halves: the second quarter of the result comes from the other register's first half.
        let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(first, second));
        // SAFETY: half a packed window has the size of a register; no alignment is asked for.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), packed) }
    }
}

/// The bases of a register from `start` on, which may lie before the sequence ("negative", wrapping) or end behind it; there is
/// anything in the places of those that the sequence has not.
#[inline]
#[target_feature(enable = "avx2")]
fn codes(sequence: &[u8], start: usize) -> __m256i {
    let last = sequence.len().wrapping_sub(POSITIONS);
    if sequence.len() >= POSITIONS && start <= last {
        // SAFETY: a register's worth of bases follows `start`; no alignment is asked for.
        return unsafe { _mm256_loadu_si256(sequence.as_ptr().add(start).cast()) };
    }
    _mm256_set_m128i(half(sequence, start.wrapping_add(LOADED)), half(sequence, start))
}

/// Half of them, loaded from where there are as many bases, and moved.
#[inline]
#[target_feature(enable = "avx2")]
fn half(sequence: &[u8], start: usize) -> __m128i {
    let (start, reach) = (start as isize, LOADED as isize);
    let nearest = start.clamp(0, (sequence.len() - LOADED) as isize);
    let moved = (start - nearest).clamp(-reach, reach);
    // SAFETY: sixteen bases follow `nearest`, sixteen numbers the place of `moved`; no alignment is asked for.
    unsafe {
        let codes = _mm_loadu_si128(sequence.as_ptr().offset(nearest).cast());
        _mm_shuffle_epi8(codes, _mm_loadu_si128(MOVES.as_ptr().offset(reach + moved).cast()))
    }
}

/// Two positions a byte, the earlier in the high nibble, each byte in a word of its own; positions before `from` and from `to`
/// on are empty.
#[inline]
#[target_feature(enable = "avx2")]
fn packed_pairs(codes: __m256i, from: usize, to: usize) -> __m256i {
    let positions = _mm256_setr_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31,
    );
    let before = _mm256_cmpgt_epi8(_mm256_set1_epi8(from as i8), positions);
    let until = _mm256_cmpgt_epi8(_mm256_set1_epi8(to as i8), positions);
    // Nibbles of the codes 0 to 3; all others, held at 15, have none.
    let nibbles = _mm256_broadcastsi128_si256(_mm_cvtsi32_si128(0x0804_0201));
    let nibbles = _mm256_shuffle_epi8(nibbles, _mm256_min_epu8(codes, _mm256_set1_epi8(15)));
    let nibbles = _mm256_and_si256(nibbles, _mm256_andnot_si256(before, until));
    // The earlier of two positions times 16, plus the later.
    _mm256_maddubs_epi16(nibbles, _mm256_set1_epi16(0x0110))
}
