use crate::{ONE_HOT_SEED_LEN, PACKED_SEED_BYTES};

/// The eight `f32` values of each byte: two positions of four bases each.
const EXPANDED: [[f32; 8]; 256] = {
    let mut table = [[0.0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut base = 0;
        while base < 4 {
            if byte >> (4 + base) & 1 == 1 {
                table[byte][base] = 1.0;
            }
            if byte >> base & 1 == 1 {
                table[byte][4 + base] = 1.0;
            }
            base += 1;
        }
        byte += 1;
    }
    table
};

/// Expands packed seeds to the network's input.
///
/// `packed` holds n seeds of [`PACKED_SEED_BYTES`] bytes; `one_hot` takes n times [`ONE_HOT_SEED_LEN`] values, row-major
/// in the shape (n, 2, 128, 4).
///
/// # Panics
/// If the two lengths do not belong to the same number of seeds.
pub fn expand_one_hot(packed: &[u8], one_hot: &mut [f32]) {
    assert_eq!(packed.len() % PACKED_SEED_BYTES, 0, "packed windows must be whole seeds of {PACKED_SEED_BYTES} bytes");
    assert_eq!(
        one_hot.len(),
        packed.len() / PACKED_SEED_BYTES * ONE_HOT_SEED_LEN,
        "one-hot values for {} seeds",
        packed.len() / PACKED_SEED_BYTES
    );
    for (values, &byte) in one_hot.chunks_exact_mut(8).zip(packed) {
        values.copy_from_slice(&EXPANDED[usize::from(byte)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AMBIGUOUS, PACKED_WINDOW_BYTES, WINDOW_SIZE, encode_window, window_codes};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_hot_is_one_at_the_base_and_zero_elsewhere(
            read in proptest::collection::vec(0u8..5, 40..200),
            reference in proptest::collection::vec(0u8..5, 40..200),
        ) {
            let mut packed = [0; PACKED_SEED_BYTES];
            let (query_half, reference_half) = packed.split_at_mut(PACKED_WINDOW_BYTES);
            encode_window(&read, 7, 21, query_half.try_into().unwrap());
            encode_window(&reference, 9, 21, reference_half.try_into().unwrap());
            let mut one_hot = vec![0.0; ONE_HOT_SEED_LEN];
            expand_one_hot(&packed, &mut one_hot);
            for (channel, half) in packed.chunks_exact(PACKED_WINDOW_BYTES).enumerate() {
                let codes = window_codes(half);
                for position in 0..WINDOW_SIZE {
                    for base in 0..4u8 {
                        let value = one_hot[(channel * WINDOW_SIZE + position) * 4 + usize::from(base)];
                        let expected = codes[position] != AMBIGUOUS && codes[position] == base;
                        prop_assert_eq!(value, f32::from(u8::from(expected)));
                    }
                }
            }
        }
    }
}
