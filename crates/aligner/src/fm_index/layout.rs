//! The bytes of an FM-index, in memory as in `PREFIX.seedsieve.fm`; all numbers are little-endian.
//!
//! | at | what |
//! |---|---|
//! | 0 | [`MAGIC`], 24 bytes |
//! | 24 | u64: rows, 2 L + 1 |
//! | 32 | five u64: bases before those of A, C, G, T, and all, without the sentinel |
//! | 72 | u64: row of the sentinel |
//! | 80 | u32, in the file only: CRC-32 of all from byte 4096 on |
//! | 4096 | blocks of 32 bytes, each for 64 rows ([`Block`]) |
//! | behind them | places of each eighth row, as many bits each as 2 L has, from the lowest bit on; then 8 bytes of zero |

use std::ops::Range;

use crc32fast::Hasher;
use rayon::prelude::*;

/// First bytes of the file: what it is, and its version.
pub(super) const MAGIC: [u8; 24] = *b"seedsieve FM-index v001\n";
/// Bytes before the first block: a page, so that no block lies in two cache lines.
pub(super) const HEAD_BYTES: usize = 4096;
/// Where the file has its checksum.
const CHECKSUM: Range<usize> = 80..84;
/// Bytes that a thread checks at a time.
const CHECKED_TOGETHER: usize = 1 << 22;
/// Rows of a block.
pub(super) const BLOCK_ROWS: u64 = 64;
/// Bytes of a block.
pub(super) const BLOCK_BYTES: usize = 32;
/// The places of rows with such a distance are stored.
pub(super) const SAMPLED: u64 = 8;
/// Zeros at the end, so that the last place can be read as eight bytes.
const PADDING: usize = 8;
/// Bits of a count in a block.
const COUNT_BITS: u32 = 40;
/// The most rows that blocks can count.
pub(super) const MAX_ROWS: u64 = (1 << COUNT_BITS) - 1;

/// What an FM-index says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Rows: the bases of both strands, and the sentinel.
    pub(super) rows: u64,
    /// Bases of both strands that are below A, C, G, T; and all.
    pub(super) below: [u64; 5],
    /// The row of the suffix that is the whole text.
    pub(super) sentinel: u64,
}

impl Head {
    pub(super) fn write(&self, bytes: &mut [u8]) {
        bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
        let numbers = [self.rows].into_iter().chain(self.below).chain([self.sentinel]);
        for (place, number) in bytes[MAGIC.len()..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    /// `None`: another file, or another version of it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let numbers = bytes.get(..HEAD_BYTES)?.strip_prefix(&MAGIC)?;
        let number =
            |place: usize| u64::from_le_bytes(numbers[8 * place..8 * place + 8].try_into().expect("eight bytes"));
        Some(Self { rows: number(0), below: std::array::from_fn(|base| number(1 + base)), sentinel: number(6) })
    }
}

/// The head of the file: that of the index in memory, with the checksum of what is behind it.
pub(super) fn head_with_checksum(index: &[u8]) -> Vec<u8> {
    let mut head = index[..HEAD_BYTES].to_vec();
    head[CHECKSUM].copy_from_slice(&checksum(index).to_le_bytes());
    head
}

/// Whether what is behind the head has the head's checksum.
pub(super) fn is_as_written(file: &[u8]) -> bool {
    file[CHECKSUM] == checksum(file).to_le_bytes()
}

fn checksum(index: &[u8]) -> u32 {
    let of_part = |part: &[u8]| {
        let mut hasher = Hasher::new();
        hasher.update(part);
        hasher
    };
    let behind = |mut before: Hasher, part: Hasher| {
        before.combine(&part);
        before
    };
    index[HEAD_BYTES..].par_chunks(CHECKED_TOGETHER).map(of_part).reduce(Hasher::new, behind).finalize()
}

/// Where things lie in the bytes of an index of so many rows.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The blocks. There is one for the row behind the last one, too: the end of an interval.
    pub(super) blocks: Range<usize>,
    /// The places.
    pub(super) places: Range<usize>,
    /// How many there are.
    pub(super) sampled: usize,
    /// Bits of a place.
    pub(super) place_bits: u32,
}

impl Layout {
    /// `rows`: at most [`MAX_ROWS`].
    pub(super) fn new(rows: u64) -> Self {
        let blocks = HEAD_BYTES..HEAD_BYTES + (rows / BLOCK_ROWS + 1) as usize * BLOCK_BYTES;
        let sampled = (rows / SAMPLED + 1) as usize;
        let place_bits = rows.ilog2() + 1;
        let places = blocks.end..blocks.end + (sampled * place_bits as usize).div_ceil(8);
        Self { blocks, places, sampled, place_bits }
    }

    /// Bytes of it all.
    pub(super) fn bytes(&self) -> usize {
        self.places.end + PADDING
    }
}

/// 64 rows of the Burrows-Wheeler transform, and how many rows before them have a base above A, above C, above G.
///
/// The first two counts are the low 40 bits of the first two words, the third is above them: its low 24 bits in the first
/// word. The third word has the high bits of the rows' base codes, the fourth their low bits, the first row highest. The
/// sentinel is coded like T, which makes it come last here; where it is told apart, it is by its row.
pub(super) type Block = [u64; 4];

/// The block with these counts and bits.
pub(super) fn block(above: [u64; 3], high: u64, low: u64) -> Block {
    let [first, second, third] = above;
    [first | third << COUNT_BITS, second | third >> (64 - COUNT_BITS) << COUNT_BITS, high, low]
}

/// How many rows before the one at `offset` in the block, and before the block, have a base above A, above C, above G.
#[inline(always)]
pub(super) fn above_before(&[first, second, high, low]: &Block, offset: u32) -> [u64; 3] {
    let before = !(u64::MAX >> offset);
    let third = first >> COUNT_BITS | second >> COUNT_BITS << (64 - COUNT_BITS);
    let count = |rows: u64| u64::from((rows & before).count_ones());
    [(first & MAX_ROWS) + count(high | low), (second & MAX_ROWS) + count(high), third + count(high & low)]
}

/// Code of the base at `offset` in the block.
#[inline(always)]
pub(super) fn base(&[_, _, high, low]: &Block, offset: u32) -> usize {
    let bit = |bits: u64| (bits << offset >> 63) as usize;
    (bit(high) << 1) | bit(low)
}

/// The place with this number.
#[inline(always)]
pub(super) fn place(places: &[u8], bits: u32, number: u64) -> u64 {
    let at = number * u64::from(bits);
    let bytes = &places[(at / 8) as usize..][..8];
    (u64::from_le_bytes(bytes.try_into().expect("eight bytes")) >> (at % 8)) & ((1 << bits) - 1)
}

/// Puts places behind each other, from the first bit of `bytes` on, eight bytes at a time.
pub(super) fn write_places(bytes: &mut [u8], bits: u32, places: impl Iterator<Item = u64>) {
    const WORD: u32 = u64::BITS;
    let (mut waiting, mut filled, mut words) = (0, 0, bytes.chunks_mut(8));
    let mut put = |word: u64| {
        let bytes = words.next().expect("as many bytes as the places need");
        bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
    };
    for place in places {
        waiting |= place << filled;
        filled += bits;
        if filled >= WORD {
            put(waiting);
            filled -= WORD;
            // The bits of the place that the word had no room for.
            waiting = place >> (bits - filled);
        }
    }
    if filled > 0 {
        put(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_every_width_come_back() {
        for bits in 1..=40 {
            let most = (1_u64 << bits) - 1;
            let places: Vec<u64> =
                (0..1_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & most).collect();
            let mut bytes = vec![0; (1_000 * bits as usize).div_ceil(8) + PADDING];
            write_places(&mut bytes, bits, places.iter().copied());
            let back: Vec<u64> = (0..1_000).map(|number| place(&bytes, bits, number)).collect();
            assert_eq!(back, places, "{bits} bits");
        }
    }

    #[test]
    fn a_block_keeps_large_counts_and_counts_its_own_rows() {
        let above = [MAX_ROWS - 64, MAX_ROWS / 3, MAX_ROWS / 5];
        // G, A, T, C, then A to the end.
        let block = block(above, 0b1010 << 60, 0b0011 << 60);
        assert_eq!(above_before(&block, 0), above);
        assert_eq!((0..6).map(|offset| base(&block, offset)).collect::<Vec<_>>(), [2, 0, 3, 1, 0, 0]);
        assert_eq!(above_before(&block, 1), [above[0] + 1, above[1] + 1, above[2]]);
        assert_eq!(above_before(&block, 63), [above[0] + 3, above[1] + 2, above[2] + 1]);
    }

    #[test]
    fn a_head_comes_back_and_another_files_does_not() {
        let head = Head { rows: 1 << 39, below: [0, 5, 6, 7, 1 << 38], sentinel: 77 };
        let mut bytes = vec![0; HEAD_BYTES];
        head.write(&mut bytes);
        assert_eq!(Head::read(&bytes), Some(head));
        bytes[21] ^= 1;
        assert_eq!(Head::read(&bytes), None);
        assert_eq!(Head::read(&MAGIC), None);
    }
}
