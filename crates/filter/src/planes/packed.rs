//! From packed bases to planes.

use super::{BLOCK, Block};

/// Bases in a byte.
pub(super) const BASES: usize = 4;

/// Of each byte the low bits of its bases in the order of the bases, the first one lowest, and 32 bits above them the high ones.
const OF_BYTE: [u64; 256] = {
    let mut of_byte = [0; 256];
    let mut byte = 0;
    while byte < of_byte.len() {
        let mut base = 0;
        while base < BASES {
            let code = (byte >> (2 * (BASES - 1 - base)) & 3) as u64;
            of_byte[byte] |= (code & 1) << base | (code >> 1) << (32 + base);
            base += 1;
        }
        byte += 1;
    }
    of_byte
};

/// The planes of up to 64 bases; zeros (A) behind the last byte.
#[inline]
pub(super) fn planes(packed: &[u8]) -> Block {
    let mut whole = [0; BLOCK / BASES];
    let packed = match packed.try_into() {
        Ok(packed) => packed,
        Err(_) => {
            whole[..packed.len()].copy_from_slice(packed);
            whole
        }
    };
    let [first, second] = [0, 1].map(|half| {
        let bytes = packed[half * 8..half * 8 + 8].iter().enumerate();
        bytes.fold(0, |planes, (number, &byte)| planes | OF_BYTE[usize::from(byte)] << (BASES * number))
    });
    [first & 0xffff_ffff | second << 32, first >> 32 | second & !0xffff_ffff]
}
