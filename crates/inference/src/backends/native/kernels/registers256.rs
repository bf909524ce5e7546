//! What the kernels with registers of 256 bits share: eight 32-bit or sixteen 16-bit lanes, the first block, and the step from
//! sums to activations.

use std::arch::x86_64::*;

use seedsieve_encoding::{PACKED_SEED_BYTES, WINDOW_SIZE};

use crate::backends::native::first_block::{FirstBlock, TAPS_1};
use crate::backends::native::network::{Convolution, EmptyOutputs, LARGEST};
use crate::backends::native::shape::{CHANNELS_1, CHANNELS_2, CHANNELS_3, POOLED_1};
use crate::backends::native::windows::position_codes;

/// 32-bit lanes of a register.
pub const LANES: usize = 8;
/// Outputs that are summed up at once, in two registers.
pub const SLICE: usize = 2 * LANES;
/// Slices of the second and third convolution.
pub const SLICES: usize = CHANNELS_2 / SLICE;
const _: () = assert!(CHANNELS_1 == 2 * SLICE && CHANNELS_2 == CHANNELS_3);

/// A register's worth of memory.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub struct Lanes<T, const N: usize>(pub [T; N]);

/// Values in registers of eight.
pub fn in_lanes<T: Copy, const N: usize>(values: &[T]) -> [Lanes<T, LANES>; N] {
    std::array::from_fn(|register| Lanes(std::array::from_fn(|lane| values[register * LANES + lane])))
}

/// From the sums of a slice to its activations.
pub struct Rounding {
    /// What the sums start from.
    pub biases: [Lanes<i32, LANES>; 2],
    /// As `Convolution::multipliers`.
    pub multipliers: [Lanes<f32, LANES>; 2],
}

impl Rounding {
    /// Of the sixteen outputs from `first_output` on.
    pub fn new(convolution: &Convolution, first_output: usize) -> Self {
        Self {
            biases: in_lanes(&convolution.biases[first_output..]),
            multipliers: in_lanes(&convolution.multipliers[first_output..]),
        }
    }

    /// The multiplication and the rounding of `network::requantised` in 16-bit lanes, not yet limited to 0 to 255; a network's
    /// products stay below 2^30. The order of the outputs is that of [`Words`].
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn words(&self, sums: [__m256i; 2]) -> Words {
        let mut rounded = [_mm256_setzero_si256(); 2];
        for (register, rounded) in rounded.iter_mut().enumerate() {
            // SAFETY: the array has the size of a register; no alignment is asked for.
            let multipliers = unsafe { _mm256_loadu_ps(self.multipliers[register].0.as_ptr()) };
            *rounded = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[register]), multipliers));
        }
        Words(_mm256_packs_epi32(rounded[0], rounded[1]))
    }
}

/// Sixteen outputs in 16 bits. Packing works on halves of a register, and leaves its quarters in the order 0, 2, 1, 3.
#[derive(Clone, Copy)]
pub struct Words(__m256i);

impl Words {
    /// The values from 0, which is ReLU, to 255, still in this order.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn limited(self) -> __m256i {
        _mm256_min_epi16(_mm256_max_epi16(self.0, _mm256_setzero_si256()), _mm256_set1_epi16(LARGEST as i16))
    }
}

/// What a kernel keeps activations, 0 to 255, in.
pub trait Activation: From<u8> + Copy {
    /// Stores sixteen outputs, limited to 0 to 255.
    ///
    /// # Safety
    /// The processor has AVX2.
    unsafe fn store(words: Words, output: &mut [Self; SLICE]);
}

impl Activation for i16 {
    #[inline(always)]
    unsafe fn store(words: Words, output: &mut [Self; SLICE]) {
        // SAFETY: the caller's word.
        unsafe { store(_mm256_permute4x64_epi64::<0b11_01_10_00>(words.limited()), output) }
    }
}

impl Activation for u8 {
    #[inline(always)]
    unsafe fn store(words: Words, output: &mut [Self; SLICE]) {
        // SAFETY: the caller's word for the instructions; the array has the size of what is stored, and no alignment is asked for.
        unsafe {
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words.0);
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(output.as_mut_ptr().cast(), bytes);
        }
    }
}

/// Adds sums of [`Words::limited`] over positions to the totals of sixteen outputs: 26 positions stay within 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
pub fn add_totals(sums: __m256i, totals: &mut [i32; SLICE]) {
    let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(sums);
    let halves = [_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words)];
    for (half, totals) in halves.into_iter().zip(totals.as_chunks_mut::<LANES>().0) {
        store(_mm256_add_epi32(load(totals), _mm256_cvtepi16_epi32(half)), totals);
    }
}

/// The first block.
pub struct First {
    table: FirstBlock,
    rounding: [Rounding; CHANNELS_1 / SLICE],
    empty: [u8; CHANNELS_1],
}

impl First {
    /// Of the first convolution, and its outputs where a window is empty.
    pub fn new(convolution: &Convolution, empty: &EmptyOutputs) -> Self {
        Self {
            empty: empty.first,
            table: FirstBlock::new(convolution),
            rounding: std::array::from_fn(|slice| Rounding::new(convolution, slice * SLICE)),
        }
    }

    /// The outputs after the pool of one seed, and what empty positions give from its end on, as far as the next block may look.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn fill<T: Activation>(
        &self,
        seed: &[u8; PACKED_SEED_BYTES],
        end: usize,
        reach: usize,
        output: &mut [[T; CHANNELS_1]; POOLED_1],
    ) {
        let codes = position_codes(seed, TAPS_1 as u16);
        for (index, output) in output[..end].iter_mut().enumerate() {
            let slices = self.outputs(&codes, index);
            for (words, output) in slices.into_iter().zip(output.as_chunks_mut().0) {
                // SAFETY: as this function, for processors with AVX2.
                unsafe { T::store(words, output) };
            }
        }
        output[end..POOLED_1.min(end + reach)].fill(self.empty.map(T::from));
    }

    /// The outputs after the pool at one position, slice by slice; `codes` are those of `position_codes`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn outputs(&self, codes: &[u16; WINDOW_SIZE], index: usize) -> [Words; CHANNELS_1 / SLICE] {
        let mut sums = [[_mm256_setzero_si256(); 2]; 2];
        for tap in 0..TAPS_1 {
            for (odd, sums) in sums.iter_mut().enumerate() {
                let row = &self.table.rows[usize::from(codes[2 * index + odd + tap]) + tap].0;
                for (sums, row) in sums.iter_mut().zip(row.as_chunks::<16>().0) {
                    *sums = _mm256_add_epi16(*sums, load(row));
                }
            }
        }
        let mut outputs = [Words(_mm256_setzero_si256()); 2];
        for (slice, (output, rounding)) in outputs.iter_mut().zip(&self.rounding).enumerate() {
            let larger = _mm256_max_epi16(sums[0][slice], sums[1][slice]);
            let first = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(larger));
            let second = _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(larger));
            let [first_biases, second_biases] = &rounding.biases;
            *output = rounding
                .words([_mm256_add_epi32(first, load(first_biases)), _mm256_add_epi32(second, load(second_biases))]);
        }
        outputs
    }
}

#[inline]
#[target_feature(enable = "avx2")]
pub fn load<T>(values: &T) -> __m256i {
    const { assert!(size_of::<T>() == 32) }
    // SAFETY: `T`, an array of integers or a wrapper of one, has the size of a register; no alignment is asked for.
    unsafe { _mm256_loadu_si256(std::ptr::from_ref(values).cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub fn store<T>(register: __m256i, output: &mut T) {
    const { assert!(size_of::<T>() == 32) }
    // SAFETY: `T`, an array of integers, has the size of a register; no alignment is asked for.
    unsafe { _mm256_storeu_si256(std::ptr::from_mut(output).cast(), register) }
}
