//! Sixteen bytes that are computed with together.

/// Bytes in a register.
pub(super) const LANES: usize = 16;

/// Sixteen numbers from 0 to 255, the first the lowest. Every form gives the same.
pub(super) trait Lanes: Copy {
    /// These numbers.
    fn new(numbers: &[u8; LANES]) -> Self;
    /// The numbers.
    fn numbers(self) -> [u8; LANES];
    /// The sum, 255 at most.
    fn plus(self, other: Self) -> Self;
    /// The difference, 0 at least.
    fn minus(self, other: Self) -> Self;
    /// The larger ones.
    fn max(self, other: Self) -> Self;
    /// 255 where both are the same, else 0.
    fn same(self, other: Self) -> Self;
    /// The bits that both have.
    fn and(self, other: Self) -> Self;
    /// The bits that the other has not.
    fn without(self, other: Self) -> Self;
    /// Each number one lane higher, 0 in the first.
    fn raised(self) -> Self;
    /// Each number one lane lower, 0 in the last.
    fn lowered(self) -> Self;
    /// Whether all are 0.
    fn are_zero(self) -> bool;

    /// The same number sixteen times.
    #[inline(always)]
    fn all(number: u8) -> Self {
        Self::new(&[number; LANES])
    }
}

/// Any processor.
impl Lanes for [u8; LANES] {
    #[inline(always)]
    fn new(numbers: &[u8; LANES]) -> Self {
        *numbers
    }

    #[inline(always)]
    fn numbers(self) -> [u8; LANES] {
        self
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane].saturating_add(other[lane]))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane].saturating_sub(other[lane]))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane].max(other[lane]))
    }

    #[inline(always)]
    fn same(self, other: Self) -> Self {
        std::array::from_fn(|lane| if self[lane] == other[lane] { u8::MAX } else { 0 })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] & other[lane])
    }

    #[inline(always)]
    fn without(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] & !other[lane])
    }

    #[inline(always)]
    fn raised(self) -> Self {
        (u128::from_le_bytes(self) << 8).to_le_bytes()
    }

    #[inline(always)]
    fn lowered(self) -> Self {
        (u128::from_le_bytes(self) >> 8).to_le_bytes()
    }

    #[inline(always)]
    fn are_zero(self) -> bool {
        u128::from_le_bytes(self) == 0
    }
}

/// The form for this processor.
#[cfg(target_arch = "x86_64")]
pub(super) type Fastest = sse2::Sse2;
/// The form for this processor.
#[cfg(not(target_arch = "x86_64"))]
pub(super) type Fastest = [u8; LANES];

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::*;

    use super::{LANES, Lanes};

    /// A register of SSE2.
    #[derive(Clone, Copy)]
    pub(in crate::narrow) struct Sse2(__m128i);

    /// A method that is one expression of intrinsics.
    macro_rules! operation {
        ($name:ident, $own:ident $(, $other:ident)? => $value:expr) => {
            #[inline(always)]
            fn $name(self $(, $other: Self)?) -> Self {
                let $own = self.0;
                $(let $other = $other.0;)?
                // SAFETY: every x86-64 has SSE2, and no memory is touched.
                Self(unsafe { $value })
            }
        };
    }

    impl Lanes for Sse2 {
        #[inline(always)]
        fn new(numbers: &[u8; LANES]) -> Self {
            // SAFETY: every x86-64 has SSE2, and sixteen bytes are read, which need not be aligned.
            Self(unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) })
        }

        #[inline(always)]
        fn numbers(self) -> [u8; LANES] {
            let mut numbers = [0; LANES];
            // SAFETY: every x86-64 has SSE2, and sixteen bytes are written, which need not be aligned.
            unsafe { _mm_storeu_si128(numbers.as_mut_ptr().cast(), self.0) };
            numbers
        }

        operation!(plus, own, other => _mm_adds_epu8(own, other));
        operation!(minus, own, other => _mm_subs_epu8(own, other));
        operation!(max, own, other => _mm_max_epu8(own, other));
        operation!(same, own, other => _mm_cmpeq_epi8(own, other));
        operation!(and, own, other => _mm_and_si128(own, other));
        operation!(without, own, other => _mm_andnot_si128(other, own));
        operation!(raised, own => _mm_slli_si128::<1>(own));
        operation!(lowered, own => _mm_srli_si128::<1>(own));

        #[inline(always)]
        fn are_zero(self) -> bool {
            // SAFETY: every x86-64 has SSE2, and no memory is touched.
            unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_setzero_si128())) == 0xffff }
        }
    }
}
