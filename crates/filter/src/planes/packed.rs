//! From packed bases to planes.

use super::{BLOCK, Block};

/// Bases in a byte.
pub(super) const BASES: usize = 4;

/// Bytes in a block.
pub(super) const BYTES: usize = BLOCK / BASES;

/// The planes of 64 bases.
#[inline]
pub(super) fn planes(packed: &[u8; BYTES]) -> Block {
    let ([first, second], _) = packed.as_chunks() else { unreachable!("two words") };
    let (first, second) = (unzip(u64::from_le_bytes(*first)), unzip(u64::from_le_bytes(*second)));
    [first & 0xffff_ffff | second << 32, first >> 32 | second & !0xffff_ffff]
}

/// The low bits of 32 bases, the first one's lowest, and above them the high ones.
#[inline(always)]
fn unzip(bytes: u64) -> u64 {
    // The first base of a byte lies in its highest bits: it comes to the lowest.
    let swapped = bytes >> 4 & 0x0f0f_0f0f_0f0f_0f0f | (bytes & 0x0f0f_0f0f_0f0f_0f0f) << 4;
    let mut bases = swapped >> 2 & 0x3333_3333_3333_3333 | (swapped & 0x3333_3333_3333_3333) << 2;
    // Of four parts, first bits, then pairs, and so on, the two in the middle change places.
    for (bits, second) in [
        (1, 0x2222_2222_2222_2222),
        (2, 0x0c0c_0c0c_0c0c_0c0c),
        (4, 0x00f0_00f0_00f0_00f0),
        (8, 0x0000_ff00_0000_ff00),
        (16, 0x0000_0000_ffff_0000),
    ] {
        let changed = (bases ^ bases >> bits) & second;
        bases ^= changed ^ changed << bits;
    }
    bases
}
