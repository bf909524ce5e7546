//! Words of several diagonals side by side: the few operations that runs are found with.

/// One or several words of 64 bits.
///
/// # Safety
/// Whoever calls a function of an implementation other than `u64` has to be on a processor with its instructions.
pub(super) trait Lanes: Copy {
    /// Words in it.
    const WORDS: usize;

    /// The same word in each.
    unsafe fn splat(word: u64) -> Self;
    /// Word i: the 64 bits from `first + i` (0 to 63) on of `low` and, behind it, `next`.
    unsafe fn shifted(low: u64, next: u64, first: u64) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    /// What is set here and not in `other`.
    unsafe fn without(self, other: Self) -> Self;
    /// Each word moved by 1 to 63 bits.
    unsafe fn right(self, bits: u32) -> Self;
    unsafe fn left(self, bits: u32) -> Self;
    /// Each word plus that of `other`.
    unsafe fn plus(self, other: Self) -> Self;
    /// How many bits of each word are set.
    unsafe fn count_ones(self) -> Self;
    /// Which words are not zero: a bit each.
    unsafe fn not_zero(self) -> u16;
    /// Which words are above `least`, all below 2^63: a bit each.
    unsafe fn above(self, least: u64) -> u16;
    /// Writes the words.
    unsafe fn store(self, words: &mut [u64]);
}

impl Lanes for u64 {
    const WORDS: usize = 1;

    #[inline(always)]
    unsafe fn splat(word: u64) -> Self {
        word
    }

    #[inline(always)]
    unsafe fn shifted(low: u64, next: u64, first: u64) -> Self {
        // Two shifts, as a shift by 64 would be none.
        low >> first | next << 1 << (63 - first)
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    unsafe fn without(self, other: Self) -> Self {
        self & !other
    }

    #[inline(always)]
    unsafe fn right(self, bits: u32) -> Self {
        self >> bits
    }

    #[inline(always)]
    unsafe fn left(self, bits: u32) -> Self {
        self << bits
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    unsafe fn count_ones(self) -> Self {
        u64::from(u64::count_ones(self))
    }

    #[inline(always)]
    unsafe fn not_zero(self) -> u16 {
        u16::from(self != 0)
    }

    #[inline(always)]
    unsafe fn above(self, least: u64) -> u16 {
        u16::from(self > least)
    }

    #[inline(always)]
    unsafe fn store(self, words: &mut [u64]) {
        words[0] = self;
    }
}

/// Four words of AVX2, and eight of AVX-512 (F and VPOPCNTDQ).
#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "all call instructions of the processor that the trait's callers answer for"
)]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::Lanes;

    impl Lanes for __m256i {
        const WORDS: usize = 4;

        #[inline(always)]
        unsafe fn splat(word: u64) -> Self {
            unsafe { _mm256_set1_epi64x(word as i64) }
        }

        #[inline(always)]
        unsafe fn shifted(low: u64, next: u64, first: u64) -> Self {
            unsafe {
                let bits = _mm256_add_epi64(_mm256_set1_epi64x(first as i64), _mm256_set_epi64x(3, 2, 1, 0));
                // A shift by 64 leaves nothing.
                let rest = _mm256_sub_epi64(_mm256_set1_epi64x(64), bits);
                let low = _mm256_srlv_epi64(_mm256_set1_epi64x(low as i64), bits);
                _mm256_or_si256(low, _mm256_sllv_epi64(_mm256_set1_epi64x(next as i64), rest))
            }
        }

        #[inline(always)]
        unsafe fn and(self, other: Self) -> Self {
            unsafe { _mm256_and_si256(self, other) }
        }

        #[inline(always)]
        unsafe fn or(self, other: Self) -> Self {
            unsafe { _mm256_or_si256(self, other) }
        }

        #[inline(always)]
        unsafe fn xor(self, other: Self) -> Self {
            unsafe { _mm256_xor_si256(self, other) }
        }

        #[inline(always)]
        unsafe fn without(self, other: Self) -> Self {
            unsafe { _mm256_andnot_si256(other, self) }
        }

        #[inline(always)]
        unsafe fn right(self, bits: u32) -> Self {
            unsafe { _mm256_srl_epi64(self, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        unsafe fn left(self, bits: u32) -> Self {
            unsafe { _mm256_sll_epi64(self, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            unsafe { _mm256_add_epi64(self, other) }
        }

        #[inline(always)]
        unsafe fn count_ones(self) -> Self {
            unsafe {
                let of_four_bits =
                    _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
                let four_bits = _mm256_set1_epi8(0xf);
                let low = _mm256_shuffle_epi8(of_four_bits, _mm256_and_si256(self, four_bits));
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(self), four_bits);
                let of_bytes = _mm256_add_epi8(low, _mm256_shuffle_epi8(of_four_bits, high));
                _mm256_sad_epu8(of_bytes, _mm256_setzero_si256())
            }
        }

        #[inline(always)]
        unsafe fn not_zero(self) -> u16 {
            unsafe {
                let zero = _mm256_castsi256_pd(_mm256_cmpeq_epi64(self, _mm256_setzero_si256()));
                !_mm256_movemask_pd(zero) as u16 & 0xf
            }
        }

        #[inline(always)]
        unsafe fn above(self, least: u64) -> u16 {
            unsafe {
                let above = _mm256_cmpgt_epi64(self, _mm256_set1_epi64x(least as i64));
                _mm256_movemask_pd(_mm256_castsi256_pd(above)) as u16
            }
        }

        #[inline(always)]
        unsafe fn store(self, words: &mut [u64]) {
            let words: &mut [u64; 4] = words.try_into().expect("four words");
            unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self) }
        }
    }

    impl Lanes for __m512i {
        const WORDS: usize = 8;

        #[inline(always)]
        unsafe fn splat(word: u64) -> Self {
            unsafe { _mm512_set1_epi64(word as i64) }
        }

        #[inline(always)]
        unsafe fn shifted(low: u64, next: u64, first: u64) -> Self {
            unsafe {
                let bits = _mm512_add_epi64(_mm512_set1_epi64(first as i64), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
                // A shift by 64 leaves nothing.
                let rest = _mm512_sub_epi64(_mm512_set1_epi64(64), bits);
                let low = _mm512_srlv_epi64(_mm512_set1_epi64(low as i64), bits);
                _mm512_or_si512(low, _mm512_sllv_epi64(_mm512_set1_epi64(next as i64), rest))
            }
        }

        #[inline(always)]
        unsafe fn and(self, other: Self) -> Self {
            unsafe { _mm512_and_si512(self, other) }
        }

        #[inline(always)]
        unsafe fn or(self, other: Self) -> Self {
            unsafe { _mm512_or_si512(self, other) }
        }

        #[inline(always)]
        unsafe fn xor(self, other: Self) -> Self {
            unsafe { _mm512_xor_si512(self, other) }
        }

        #[inline(always)]
        unsafe fn without(self, other: Self) -> Self {
            unsafe { _mm512_andnot_si512(other, self) }
        }

        #[inline(always)]
        unsafe fn right(self, bits: u32) -> Self {
            unsafe { _mm512_srl_epi64(self, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        unsafe fn left(self, bits: u32) -> Self {
            unsafe { _mm512_sll_epi64(self, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            unsafe { _mm512_add_epi64(self, other) }
        }

        #[inline(always)]
        unsafe fn count_ones(self) -> Self {
            unsafe { _mm512_popcnt_epi64(self) }
        }

        #[inline(always)]
        unsafe fn not_zero(self) -> u16 {
            u16::from(unsafe { _mm512_test_epi64_mask(self, self) })
        }

        #[inline(always)]
        unsafe fn above(self, least: u64) -> u16 {
            u16::from(unsafe { _mm512_cmpgt_epi64_mask(self, _mm512_set1_epi64(least as i64)) })
        }

        #[inline(always)]
        unsafe fn store(self, words: &mut [u64]) {
            let words: &mut [u64; 8] = words.try_into().expect("eight words");
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self) }
        }
    }
}
