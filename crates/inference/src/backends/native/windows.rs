//! Packed windows as the kernels read them.

use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, WINDOW_SIZE};

/// Bytes of a packed window up to the last that is not empty in both windows of a seed. The first convolution's pool takes
/// the larger of positions 2i and 2i + 1, which are byte i.
#[inline(always)]
pub fn occupied_bytes(seed: &[u8; PACKED_SEED_BYTES]) -> usize {
    let (query, reference) = seed.split_at(PACKED_WINDOW_BYTES);
    let words = query.as_chunks().0.iter().zip(reference.as_chunks().0);
    for (number, (query, reference)) in words.enumerate().rev() {
        let word = u64::from_le_bytes(*query) | u64::from_le_bytes(*reference);
        if word != 0 {
            return 8 * number + 8 - word.leading_zeros() as usize / 8;
        }
    }
    0
}

/// Both nibbles of each position, the read's in the low bits, the reference's in the high ones, times `factor`.
#[inline(always)]
pub fn position_codes(seed: &[u8; PACKED_SEED_BYTES], factor: u16) -> [u16; WINDOW_SIZE] {
    let mut codes = [0; WINDOW_SIZE];
    let (query, reference) = seed.split_at(PACKED_WINDOW_BYTES);
    for (pair, (&query, &reference)) in codes.as_chunks_mut().0.iter_mut().zip(query.iter().zip(reference)) {
        let (query, reference) = (u16::from(query), u16::from(reference));
        *pair = [((query >> 4) | (reference & 0xf0)) * factor, ((query & 0x0f) | (reference & 0x0f) << 4) * factor];
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occupied_bytes_end_with_the_last_base_of_either_window() {
        let mut seed = [0; PACKED_SEED_BYTES];
        assert_eq!(occupied_bytes(&seed), 0);
        for half in [0, PACKED_WINDOW_BYTES] {
            for byte in 0..PACKED_WINDOW_BYTES {
                for bits in [0x01, 0x80] {
                    seed[half + byte] = bits;
                    assert_eq!(occupied_bytes(&seed), byte + 1);
                }
            }
            seed.fill(0);
        }
    }

    #[test]
    fn codes_hold_read_and_reference_in_the_order_of_positions() {
        let mut seed = [0; PACKED_SEED_BYTES];
        seed[3] = 0x12;
        seed[PACKED_WINDOW_BYTES + 3] = 0x48;
        let codes = position_codes(&seed, 7);
        assert_eq!((codes[5], codes[6], codes[7], codes[8]), (0, 7 * 0x41, 7 * 0x82, 0));
    }
}
