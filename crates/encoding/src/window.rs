use crate::{DOWNSTREAM, MAX_SEED_IN_WINDOW, PACKED_WINDOW_BYTES, UPSTREAM, WINDOW_SIZE};

/// Nibble of a base code: one bit a base, nothing for every other code. Comparisons instead of a table, so that the
/// compiler packs many positions at once.
const fn nibble(code: u8) -> u8 {
    (code == 0) as u8 | ((code == 1) as u8) << 1 | ((code == 2) as u8) << 2 | ((code == 3) as u8) << 3
}

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
    let upstream = &sequence[seed_start.saturating_sub(UPSTREAM)..seed_start];
    let downstream = &sequence[seed_end..(seed_end + DOWNSTREAM).min(sequence.len())];
    let seed = &sequence[seed_start..seed_end];
    let half = MAX_SEED_IN_WINDOW / 2;
    let (head, tail) = if seed_length > MAX_SEED_IN_WINDOW {
        (&seed[..half], &seed[seed_length - half..])
    } else {
        (seed, &seed[seed_length..])
    };

    let mut codes = [crate::AMBIGUOUS; WINDOW_SIZE];
    let mut position = UPSTREAM - upstream.len();
    for part in [upstream, head, tail, downstream] {
        codes[position..position + part.len()].copy_from_slice(part);
        position += part.len();
    }
    for (byte, pair) in packed.iter_mut().zip(codes.chunks_exact(2)) {
        *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
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
        _ => crate::AMBIGUOUS,
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
        proptest::collection::vec(0u8..6, 1..300).prop_flat_map(|sequence| {
            let len = sequence.len();
            (Just(sequence), 0..len)
                .prop_flat_map(move |(sequence, start)| (Just(sequence), Just(start), 1..=len - start))
        })
    }

    proptest! {
        #[test]
        fn every_position_holds_what_the_layout_says((sequence, start, length) in seed_in_sequence()) {
            let mut packed = [0; PACKED_WINDOW_BYTES];
            encode_window(&sequence, start, length, &mut packed);
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
