//! Matches in a row, on sixteen neighbouring diagonals at once: one read laid on the reference sixteen times, each time a
//! base further on.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256i, __m512i};

use super::lanes::Lanes;
use super::{BLOCK, ReferencePlanes};

/// Diagonals that are looked at together.
pub(crate) const DIAGONALS: usize = 16;

/// The longest run that is looked for.
pub(super) const LONGEST_RUN: usize = BLOCK / 2;

/// A strand of a read, and the place of its first base on the first diagonal.
#[derive(Clone, Copy)]
pub(super) struct Laid<'a> {
    /// Low bits, high bits, and what is no A, C, G or T, or outside the read.
    pub(super) blocks: &'a [[u64; 3]],
    /// The bits of the last block that are outside the read.
    pub(super) outside: u64,
    pub(super) reference: &'a ReferencePlanes,
    /// 0-based, on the forward strand.
    pub(super) start: i64,
    /// Matches in a row, 1 to [`LONGEST_RUN`].
    pub(super) run: usize,
}

/// The forms that diagonals are looked at in. All give the same results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Form {
    /// Those that this processor can run, the fastest last.
    fn available() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vector = [
            (Self::Avx2, is_x86_feature_detected!("avx2")),
            (Self::Avx512, is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq")),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let vector: [(Self, bool); 0] = [];
        let vector = vector.into_iter().filter(|(_, can_run)| *can_run).map(|(form, _)| form);
        std::iter::once(Self::Scalar).chain(vector)
    }
}

/// Of sixteen diagonals, at how many places runs begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RunCounts {
    counts: [u64; DIAGONALS],
    /// Which diagonals have some: a bit each.
    some: u16,
}

impl RunCounts {
    /// The diagonals that have some, ascending, each with how many.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, u32)> {
        let mut left = self.some;
        std::iter::from_fn(move || {
            let number = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some((number, self.counts[number] as u32))
        })
    }
}

impl Laid<'_> {
    /// Bits of the diagonals, from the first on, that have a run; N matches nothing.
    pub(super) fn with_run(self) -> u16 {
        self.with_run_in(Form::available().next_back().expect("the scalar form"))
    }

    fn with_run_in(self, form: Form) -> u16 {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn avx2(laid: Laid<'_>) -> u16 {
            // SAFETY: the processor has AVX2.
            unsafe { laid.with_run_by::<__m256i, 4>() }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f")]
        fn avx512(laid: Laid<'_>) -> u16 {
            // SAFETY: the processor has AVX-512 F.
            unsafe { laid.with_run_by::<__m512i, 2>() }
        }
        // SAFETY: `Form::available` names only what the processor has; the scalar form needs nothing.
        unsafe {
            match form {
                Form::Scalar => self.with_run_by::<u64, DIAGONALS>(),
                #[cfg(target_arch = "x86_64")]
                Form::Avx2 => avx2(self),
                #[cfg(target_arch = "x86_64")]
                Form::Avx512 => avx512(self),
            }
        }
    }

    /// At how many places runs begin, for as many times sixteen diagonals as there are `counts`; N matches everything. Returns
    /// whether there are more than `many` on some diagonal.
    pub(super) fn count(self, many: u32, counts: &mut [RunCounts]) -> bool {
        self.count_in(Form::available().next_back().expect("the scalar form"), many, counts)
    }

    fn count_in(self, form: Form, many: u32, counts: &mut [RunCounts]) -> bool {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn avx2(laid: Laid<'_>, many: u32, counts: &mut [RunCounts]) -> bool {
            // SAFETY: the processor has AVX2.
            unsafe { laid.count_by::<__m256i, 4>(many, counts) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vpopcntdq")]
        fn avx512(laid: Laid<'_>, many: u32, counts: &mut [RunCounts]) -> bool {
            // SAFETY: the processor has AVX-512 F.
            unsafe { laid.count_by::<__m512i, 2>(many, counts) }
        }
        // SAFETY: `Form::available` names only what the processor has; the scalar form needs nothing.
        unsafe {
            match form {
                Form::Scalar => self.count_by::<u64, DIAGONALS>(many, counts),
                #[cfg(target_arch = "x86_64")]
                Form::Avx2 => avx2(self, many, counts),
                #[cfg(target_arch = "x86_64")]
                Form::Avx512 => avx512(self, many, counts),
            }
        }
    }

    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn with_run_by<V: Lanes, const VECTORS: usize>(self) -> u16 {
        // SAFETY: the processor has the instructions of `V`, which is asked of the caller.
        unsafe {
            let mut found = [V::splat(0); VECTORS];
            self.each_block::<V, VECTORS, false>(|runs| {
                for (found, runs) in found.iter_mut().zip(runs) {
                    *found = found.or(*runs);
                }
            });
            let bits = found.iter().enumerate().map(|(vector, found)| found.not_zero() << (vector * V::WORDS));
            bits.fold(0, |bits, of_vector| bits | of_vector)
        }
    }

    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn count_by<V: Lanes, const VECTORS: usize>(mut self, many: u32, counts: &mut [RunCounts]) -> bool {
        let mut any_many = 0;
        for RunCounts { counts, some } in counts {
            // SAFETY: as above.
            unsafe {
                let mut sums = [V::splat(0); VECTORS];
                self.each_block::<V, VECTORS, true>(|runs| {
                    for (sum, runs) in sums.iter_mut().zip(runs) {
                        *sum = sum.plus(runs.count_ones());
                    }
                });
                *some = 0;
                for (vector, (sum, counts)) in sums.iter().zip(counts.chunks_exact_mut(V::WORDS)).enumerate() {
                    sum.store(counts);
                    *some |= sum.above(0) << (vector * V::WORDS);
                    any_many |= sum.above(u64::from(many));
                }
            }
            self.start += DIAGONALS as i64;
        }
        any_many != 0
    }

    /// Hands over, block by block of the read from its last on, where runs begin on each diagonal. A base that is no A, C, G
    /// or T matches everything where `WILD`, else nothing.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn each_block<V: Lanes, const VECTORS: usize, const WILD: bool>(
        &self,
        mut hand_over: impl FnMut(&[V; VECTORS]),
    ) {
        // SAFETY: as above.
        unsafe {
            // Matches in the block behind, as far as runs that begin in this one go on there.
            let mut following = [V::splat(0); VECTORS];
            let mut outside = self.outside;
            for (number, &[read_low, read_high, unknown]) in self.blocks.iter().enumerate().rev() {
                let (never, always) = if WILD { (outside, unknown & !outside) } else { (unknown, 0) };
                let (never, always) = (V::splat(never), V::splat(always));
                let (read_low, read_high) = (V::splat(!read_low), V::splat(!read_high));
                outside = 0;
                let place = self.start + (number * BLOCK) as i64;
                let [low, high] = self.reference.block_at(place);
                let [next_low, next_high] = self.reference.block_at(place + BLOCK as i64);
                let mut matches = [V::splat(0); VECTORS];
                for (vector, matches) in matches.iter_mut().enumerate() {
                    let first = (vector * V::WORDS) as u64;
                    let low = V::shifted(low, next_low, first).xor(read_low);
                    let high = V::shifted(high, next_high, first).xor(read_high);
                    *matches = low.and(high).or(always).without(never);
                }
                let mut runs = matches;
                let mut covered = 1;
                while covered < self.run {
                    let step = covered.min(self.run - covered);
                    let rest = (BLOCK - step) as u32;
                    for (runs, following) in runs.iter_mut().zip(&mut following) {
                        *runs = runs.and(runs.right(step as u32).or(following.left(rest)));
                        *following = following.and(following.right(step as u32));
                    }
                    covered += step;
                }
                hand_over(&runs);
                following = matches;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{planes_of, read_on_reference, reference};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_form_finds_the_same(
            (bases, read, start) in read_on_reference(),
            run in 1usize..33,
            diagonals in 1usize..60,
            reverse: bool,
        ) {
            let planes = reference(&bases, vec![0, bases.len() as u64]);
            let of_read = planes_of(&read, reverse);
            if let Some(laid) = of_read.lay(reverse, &planes, start, run, diagonals.next_multiple_of(DIAGONALS)) {
                let found = |form| {
                    let mut counts = vec![RunCounts::default(); diagonals.div_ceil(DIAGONALS)];
                    let many = laid.count_in(form, 2, &mut counts);
                    (laid.with_run_in(form), many, counts)
                };
                let expected = found(Form::Scalar);
                for form in Form::available() {
                    prop_assert_eq!(&found(form), &expected, "{:?}", form);
                }
            }
        }
    }
}
