//! From sums to bytes, as `network::requantised` does it, in three instructions: addition, multiplication with the subtraction of
//! what was added, and conversion.

use std::arch::x86_64::*;

use super::tiles::COLUMNS;
use super::{Aligned, Vector, load};

/// What 16 sums are rounded with.
pub struct Scale {
    /// The bias, and the bits of 2^23.
    offset: Aligned<[i32; COLUMNS]>,
    multiplier: Aligned<[f32; COLUMNS]>,
    /// -2^23 times the multiplier.
    shift: Aligned<[f32; COLUMNS]>,
}

impl Scale {
    /// The bits of 2^23 as a floating-point number. An integer below 2^23 added to them is added to the number; a negative one
    /// makes it smaller than 2^23, which is all that ReLU has to know.
    pub const INTEGERS: i32 = 0x4B00_0000;

    /// From the bias and the multiplier of a lane.
    pub fn new(lane: impl Fn(usize) -> (i32, f32)) -> Self {
        Self {
            offset: Aligned(std::array::from_fn(|number| Self::INTEGERS + lane(number).0)),
            multiplier: Aligned(std::array::from_fn(|number| lane(number).1)),
            shift: Aligned(std::array::from_fn(|number| -8_388_608.0 * lane(number).1)),
        }
    }

    /// Sums to their rounded products, as `network::requantised` does it, not yet limited to 0 to 255.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rounded(&self, sums: Vector) -> Vector {
        self.rounded_float(_mm512_add_epi32(sums, load(&self.offset)))
    }

    /// The same of sums that are the bits of 2^23 more. One instruction subtracts 2^23 and multiplies, and rounds once: to the
    /// same number as if the sum itself were multiplied, as 2^23 times the multiplier is exact.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rounded_float(&self, sums: Vector) -> Vector {
        let multiplier = _mm512_castsi512_ps(load(&self.multiplier));
        let shift = _mm512_castsi512_ps(load(&self.shift));
        _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_castsi512_ps(sums), multiplier, shift))
    }
}

/// Whether sums of such sizes, bias included, can be rounded: 2^23 more has to be a number of 24 bits.
pub fn can_round(largest: i64) -> bool {
    largest < 1 << 23
}

/// Four registers as bytes: of each quarter of a register four values, register by register. Negative values become 0, which is
/// ReLU, larger ones than 255 that.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn packed([first, second, third, fourth]: [Vector; 4]) -> Vector {
    _mm512_packus_epi16(_mm512_packs_epi32(first, second), _mm512_packs_epi32(third, fourth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::native::network::requantised;

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn bytes(scale: &Scale, sums: &[i32; COLUMNS]) -> [u8; 64] {
        let rounded = scale.rounded(load(sums));
        let mut bytes = [0; 64];
        super::super::store(packed([rounded; 4]), &mut bytes);
        bytes
    }

    #[test]
    fn sums_are_rounded_as_by_plain_code() {
        if !super::super::has_vectors() {
            eprintln!("SKIPPED the rounding of the kernel on tiles: this processor has no AVX-512 VNNI");
            return;
        }
        let largest = (1 << 23) - 1;
        // 0.5 and 0.125 have ties; the others are rounded when they are multiplied.
        for multiplier in [0.5, 0.125, 0.003_7, 1.1e-4, 3.4e-5, 1.0, 40.0] {
            for bias in [0, 1234, -77_777] {
                let scale = Scale::new(|_| (bias, multiplier));
                let near = (0..40_000).chain([largest - 77_777, largest - 1234]).map(|sum| sum - 2000);
                for sum in near.chain((0..1000).flat_map(|step| [step * 8377, -step * 8377])) {
                    if sum + bias > largest {
                        continue;
                    }
                    let sums = std::array::from_fn(|lane| sum - lane as i32);
                    // SAFETY: it was asked above whether the processor has the instructions.
                    let bytes = unsafe { bytes(&scale, &sums) };
                    for (lane, sum) in sums.into_iter().enumerate() {
                        let expected = requantised(sum + bias, multiplier);
                        // Four values of a register are in each quarter.
                        assert_eq!(bytes[lane / 4 * 16 + lane % 4], expected, "{sum} + {bias}, times {multiplier}");
                    }
                }
            }
        }
    }
}
