//! A seed's own diagonal: the read and the reference beside the seed, base by base.

use seedsieve_encoding::{AMBIGUOUS, DOWNSTREAM, PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, UPSTREAM, encode_window};

use crate::stages::ungapped::ungapped_score;
use crate::{AlignOptions, ReferenceIndex, Seed};

/// Bytes of a match mask.
pub const MATCH_MASK_BYTES: usize = 32;

/// Bases beside a seed that match, outward: bit i (byte i / 8, bit i % 8 from the lowest) is the base at distance i + 1.
pub type MatchMask = [u8; MATCH_MASK_BYTES];

/// A seed in its read and in the reference: as far to both sides as the read, and as the context window, reach, and not
/// beyond the ends of the contig and strand.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    read: &'a [u8],
    read_start: usize,
    reference: &'a [u8],
    reference_start: usize,
    length: usize,
}

impl ReferenceIndex {
    /// The surroundings of `seed`, which lies on one contig and strand. `read` holds the base codes of the whole read
    /// (0 to 3, 4 for N); `buffer` gets those of the reference.
    pub fn surroundings<'a>(&self, read: &'a [u8], seed: &Seed, buffer: &'a mut Vec<u8>) -> Surroundings<'a> {
        let (read_start, length) = (seed.query_start as usize, seed.length as usize);
        let before = read_start.max(UPSTREAM) as i64;
        let after = (read.len() - read_start - length).max(DOWNSTREAM) as i64;
        let reference_start = self.codes_around(seed, before, after, buffer);
        Surroundings { read, read_start, reference: buffer, reference_start, length }
    }
}

impl Surroundings<'_> {
    /// Packs the read's and the reference's window; the layout is [`seedsieve_encoding`]'s.
    pub fn encode(&self, packed: &mut [u8; PACKED_SEED_BYTES]) {
        let (query, reference) = packed.split_at_mut(PACKED_WINDOW_BYTES);
        let query: &mut [u8; PACKED_WINDOW_BYTES] = query.try_into().expect("half of a packed seed");
        let reference: &mut [u8; PACKED_WINDOW_BYTES] = reference.try_into().expect("half of a packed seed");
        encode_window(self.read, self.read_start, self.length, query);
        encode_window(self.reference, self.reference_start, self.length, reference);
    }

    /// Where read and reference have the same base before the seed and behind it, the nearest base first. N matches
    /// nothing, and neither does what lies beyond the read or the reference.
    #[must_use]
    pub fn matches(&self) -> [MatchMask; 2] {
        let left = self.read[..self.read_start].iter().rev().zip(self.reference[..self.reference_start].iter().rev());
        let (read_end, reference_end) = (self.read_start + self.length, self.reference_start + self.length);
        let right = self.read[read_end..].iter().zip(&self.reference[reference_end..]);
        [mask(left), mask(right)]
    }

    /// Best score of an ungapped extension to both ends of the read, the seed included (X-drop 40).
    #[must_use]
    pub fn ungapped_score(&self, options: &AlignOptions) -> i32 {
        ungapped_score(
            self.read,
            self.read_start,
            self.reference,
            self.reference_start,
            self.length,
            options.mem.a,
            options.mem.b,
        )
    }
}

fn mask<'a>(pairs: impl Iterator<Item = (&'a u8, &'a u8)>) -> MatchMask {
    let mut mask = [0; MATCH_MASK_BYTES];
    for (number, (read, reference)) in pairs.take(8 * MATCH_MASK_BYTES).enumerate() {
        mask[number / 8] |= u8::from(read == reference && *read < AMBIGUOUS) << (number % 8);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_counted_outward_and_end_with_the_shorter_side() {
        let codes = |text: &str| -> Vec<u8> {
            text.bytes().map(|base| b"ACGT".iter().position(|&b| b == base).unwrap_or(4) as u8).collect()
        };
        let (read, reference) = (codes("TANACGTACGTCCCCCCCCCNAT"), codes("GTTAACGTACGTCCCACCCCCNA"));
        let surroundings =
            Surroundings { read: &read, read_start: 3, reference: &reference, reference_start: 4, length: 8 };
        let [left, right] = surroundings.matches();
        // Left, outward: N on A, A on T, T on T; then the read ends.
        assert_eq!(left[..2], [0b100, 0]);
        // Right: CCC on CCC, C on A, CCCCC on CCCCC, N on N is no match, A on A; the reference ends there.
        assert_eq!(right[..3], [0b1111_0111, 0b101, 0]);
    }
}
