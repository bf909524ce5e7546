#[cfg(target_arch = "x86_64")]
mod avx2;

use crate::{AMBIGUOUS, DOWNSTREAM, MAX_SEED_IN_WINDOW, PACKED_WINDOW_BYTES, UPSTREAM, WINDOW_SIZE};

/// Packs the context window around one seed of `sequence`.
///
/// `sequence` holds base codes (0 to 3 for A, C, G, T; anything else is empty) and must end where the window has to
/// end: at the ends of the read, or of the contig and strand. `seed_start` (0-based) and `seed_length` (bases) place
/// the seed in it. The layout is described at the top of this crate.
///
/// # Panics
/// If the seed does not lie within `sequence`.
pub fn encode_window(sequence: &[u8], seed_start: usize, seed_length: usize, packed: &mut [u8; PACKED_WINDOW_BYTES]) {
    let seed_end = seed_start + seed_length;
    assert!(
        seed_end <= sequence.len(),
        "the seed {seed_start}..{seed_end} lies outside its sequence of {} bases",
        sequence.len()
    );
    let place = Place::new(sequence.len(), seed_start, seed_length);
    #[cfg(target_arch = "x86_64")]
    if vectors::are_supported() {
        // SAFETY: the processor has the instructions; `place` lies within the sequence, for the seed does.
        return unsafe { vectors::encode(sequence, &place, packed) };
    }
    #[cfg(target_arch = "x86_64")]
    if sequence.len() >= avx2::SHORTEST && is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions.
        return unsafe { avx2::encode(sequence, &place, packed) };
    }
    encode_plainly(sequence, &place, packed);
}

/// Where the two halves of a window, of 64 positions each, come from: a seed of up to 64 bases is one piece with what lies
/// around it, of a longer one the second half ends with the seed's end and what follows.
struct Place {
    /// Position of the window's first base.
    first_position: usize,
    /// Base of the sequence at position 0; "negative" (wrapping) where the sequence starts later.
    first_half: usize,
    /// Bases of the first half end at this position.
    first_half_end: usize,
    /// Base of the sequence at position 64.
    second_half: usize,
    /// Bases of the second half, from position 64 on.
    second_half_len: usize,
}

const HALF_WINDOW: usize = WINDOW_SIZE / 2;

impl Place {
    #[inline]
    fn new(sequence_len: usize, seed_start: usize, seed_length: usize) -> Self {
        let seed_end = seed_start + seed_length;
        let shown = seed_length.min(MAX_SEED_IN_WINDOW);
        let end_position = UPSTREAM + shown + DOWNSTREAM.min(sequence_len - seed_end);
        Self {
            first_position: UPSTREAM - seed_start.min(UPSTREAM),
            first_half: seed_start.wrapping_sub(UPSTREAM),
            first_half_end: end_position.min(HALF_WINDOW),
            second_half: seed_end - shown + HALF_WINDOW - UPSTREAM,
            second_half_len: end_position.saturating_sub(HALF_WINDOW),
        }
    }
}

fn encode_plainly(sequence: &[u8], place: &Place, packed: &mut [u8; PACKED_WINDOW_BYTES]) {
    let mut codes = [AMBIGUOUS; WINDOW_SIZE];
    let Place { first_position, first_half, first_half_end, second_half, second_half_len } = *place;
    let first = first_half.wrapping_add(first_position);
    let (first_codes, second_codes) = codes.split_at_mut(HALF_WINDOW);
    let first_codes = &mut first_codes[first_position..first_half_end];
    first_codes.copy_from_slice(&sequence[first..first + first_half_end - first_position]);
    if second_half_len > 0 {
        second_codes[..second_half_len].copy_from_slice(&sequence[second_half..second_half + second_half_len]);
    }
    pack(&codes, packed);
}

/// Packs base codes without a branch or a table, so that the compiler makes vector instructions of it.
#[inline(always)]
fn pack(codes: &[u8; WINDOW_SIZE], packed: &mut [u8; PACKED_WINDOW_BYTES]) {
    let mut nibbles = [0; WINDOW_SIZE];
    for (nibble, &code) in nibbles.iter_mut().zip(codes) {
        let bit = |base: u8| u8::from(code == base) << base;
        *nibble = bit(0) | bit(1) | bit(2) | bit(3);
    }
    for (byte, &[earlier, later]) in packed.iter_mut().zip(nibbles.as_chunks().0) {
        *byte = earlier << 4 | later;
    }
}

/// AVX-512 BW: 64 positions a register. Loads leave out, byte by byte, what lies outside the window, so that neither the
/// ends of reads nor the lengths of seeds make a branch.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::*;

    use super::Place;
    use crate::{AMBIGUOUS, PACKED_WINDOW_BYTES};

    #[inline]
    pub fn are_supported() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    /// # Safety
    /// All positions of `place` lie within `sequence`.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub unsafe fn encode(sequence: &[u8], place: &Place, packed: &mut [u8; PACKED_WINDOW_BYTES]) {
        let before = first_bits(place.first_position);
        let masks = [first_bits(place.first_half_end) & !before, first_bits(place.second_half_len)];
        let starts = [place.first_half, place.second_half];
        let halves = packed.as_chunks_mut::<{ PACKED_WINDOW_BYTES / 2 }>().0;
        for ((half, mask), start) in halves.iter_mut().zip(masks).zip(starts) {
            let empty = _mm512_set1_epi8(AMBIGUOUS as i8);
            // SAFETY: only positions of the mask are read, which lie within the sequence; the others are not touched.
            let codes = unsafe { _mm512_mask_loadu_epi8(empty, mask, sequence.as_ptr().wrapping_add(start).cast()) };
            // Nibbles of the codes 0 to 3; all others, held at 15, have none.
            let nibbles = _mm512_set4_epi32(0, 0, 0, 0x0804_0201);
            let nibbles = _mm512_shuffle_epi8(nibbles, _mm512_min_epu8(codes, _mm512_set1_epi8(15)));
            // The earlier of two positions times 16, plus the later.
            let bytes = _mm512_maddubs_epi16(nibbles, _mm512_set1_epi16(0x0110));
            // SAFETY: half a packed window has the size of what is stored; no alignment is asked for.
            unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), _mm512_cvtepi16_epi8(bytes)) }
        }
    }

    /// The lowest `count` bits, 0 to 64.
    #[inline(always)]
    fn first_bits(count: usize) -> u64 {
        ((1u128 << count) - 1) as u64
    }
}

/// The base codes of a packed window: 0 to 3 for A, C, G, T and [`AMBIGUOUS`](crate::AMBIGUOUS) for an empty position.
///
/// # Panics
/// If `packed` is not [`PACKED_WINDOW_BYTES`] long.
pub fn window_codes(packed: &[u8]) -> [u8; WINDOW_SIZE] {
    assert_eq!(packed.len(), PACKED_WINDOW_BYTES, "bytes of a packed window");
    let mut codes = [0; WINDOW_SIZE];
    for (pair, &byte) in codes.chunks_exact_mut(2).zip(packed) {
        pair[0] = code_of(byte >> 4);
        pair[1] = code_of(byte & 15);
    }
    codes
}

fn code_of(nibble: u8) -> u8 {
    match nibble {
        1 => 0,
        2 => 1,
        4 => 2,
        8 => 3,
        _ => AMBIGUOUS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The layout, stated position by position instead of part by part.
    fn expected_code(sequence: &[u8], start: usize, length: usize, position: usize) -> u8 {
        let shown = length.min(MAX_SEED_IN_WINDOW);
        let index = if position < UPSTREAM {
            (start + position).checked_sub(UPSTREAM)
        } else if position < UPSTREAM + shown {
            let offset = position - UPSTREAM;
            let skipped = if offset >= 32 { length - shown } else { 0 };
            Some(start + offset + skipped)
        } else if position < UPSTREAM + shown + DOWNSTREAM {
            Some(start + length + position - UPSTREAM - shown)
        } else {
            None
        };
        index.and_then(|i| sequence.get(i)).copied().filter(|&c| c < 4).unwrap_or(crate::AMBIGUOUS)
    }

    fn seed_in_sequence() -> impl Strategy<Value = (Vec<u8>, usize, usize)> {
        proptest::collection::vec(prop_oneof![9 => 0u8..6, 1 => any::<u8>()], 1..300).prop_flat_map(|sequence| {
            let len = sequence.len();
            (Just(sequence), 0..len)
                .prop_flat_map(move |(sequence, start)| (Just(sequence), Just(start), 1..=len - start))
        })
    }

    proptest! {
        #[test]
        fn every_position_holds_what_the_layout_says((sequence, start, length) in seed_in_sequence()) {
            let mut packed = [0x55; PACKED_WINDOW_BYTES];
            encode_window(&sequence, start, length, &mut packed);
            let mut plainly = [0xff; PACKED_WINDOW_BYTES];
            encode_plainly(&sequence, &Place::new(sequence.len(), start, length), &mut plainly);
            prop_assert_eq!(packed, plainly, "vector instructions and plain code differ");
            #[cfg(target_arch = "x86_64")]
            if sequence.len() >= avx2::SHORTEST && is_x86_feature_detected!("avx2") {
                let mut with_avx2 = [0x33; PACKED_WINDOW_BYTES];
                // SAFETY: the processor has the instructions.
                unsafe { avx2::encode(&sequence, &Place::new(sequence.len(), start, length), &mut with_avx2) };
                prop_assert_eq!(packed, with_avx2, "AVX2 and plain code differ");
            }
            let codes = window_codes(&packed);
            for (position, &code) in codes.iter().enumerate() {
                prop_assert_eq!(code, expected_code(&sequence, start, length, position), "position {}", position);
            }
        }
    }

    #[test]
    fn a_seed_of_64_is_whole_and_one_of_65_loses_its_middle() {
        let sequence: Vec<u8> = (0..200).map(|i| (i * 7 % 11 % 4) as u8).collect();
        for length in [64, 65] {
            let mut packed = [0; PACKED_WINDOW_BYTES];
            encode_window(&sequence, 50, length, &mut packed);
            let codes = window_codes(&packed);
            assert_eq!(codes[UPSTREAM..UPSTREAM + 32], sequence[50..82]);
            assert_eq!(codes[UPSTREAM + 32..UPSTREAM + 64], sequence[50 + length - 32..50 + length]);
        }
    }

    #[test]
    fn earlier_base_is_in_the_high_nibble() {
        let mut packed = [0; PACKED_WINDOW_BYTES];
        encode_window(&[0, 1, 2, 3], 0, 4, &mut packed);
        assert_eq!(packed[16..18], [0x12, 0x48]);
    }

    #[test]
    #[should_panic(expected = "lies outside its sequence")]
    fn a_seed_beyond_the_sequence_is_refused() {
        encode_window(&[0; 10], 5, 6, &mut [0; PACKED_WINDOW_BYTES]);
    }
}
