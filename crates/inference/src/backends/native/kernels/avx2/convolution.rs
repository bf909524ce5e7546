//! A convolution by values at points: the input is taken to the points, multiplied there, and the sums are taken back.
//!
//! One instruction multiplies 8 times two 16-bit values with two 16-bit weights and adds each two products to 32 bits. A
//! register holds 8 outputs of one tile; up to six tiles times 16 outputs are summed up at once: 12 of the 16 registers for the
//! sums, two for the weights of a step, one for the two values of a tile, one for their products.

use std::arch::x86_64::*;

use super::points::{Points, TILE};
use crate::backends::native::kernels::registers256::{LANES, Lanes, Rounding, load, store};
use crate::backends::native::network::Convolution;

/// Products of a lane and instruction.
pub const GROUP: usize = 2;

/// Sixteen outputs of a convolution. Their weights, 8 or 12 KiB, stay in the cache while all tiles are computed.
pub struct Slice<const PAIRS: usize, const POINTS: usize, const STEPS: usize> {
    /// The weights of each step at each point: for each output the two products of the step.
    points: Box<[[[Lanes<i16, 16>; 2]; STEPS]; POINTS]>,
    /// From sums to activations.
    pub rounding: Rounding,
}

/// An input of at most `TILES` tiles at all points, two channels a step, the first one in the lower 16 bits.
#[repr(C, align(32))]
pub struct Values<const POINTS: usize, const TILES: usize, const STEPS: usize>([[[u32; STEPS]; TILES]; POINTS]);

/// Most tiles that are summed up at once.
pub const BLOCK: usize = 6;

/// The sums of one slice of some tiles at all points.
pub type Sums<const POINTS: usize> = [[[Lanes<i32, LANES>; 2]; BLOCK]; POINTS];

impl<const PAIRS: usize, const POINTS: usize, const STEPS: usize> Slice<PAIRS, POINTS, STEPS> {
    /// Takes the weights of the sixteen outputs from `first_output` on to the points.
    pub fn new(convolution: &Convolution, first_output: usize) -> Self {
        const {
            assert!(POINTS == Points::<PAIRS>::COUNT);
            Points::<PAIRS>::assert_exact(STEPS * GROUP);
        }
        let inputs = convolution.shape.inputs;
        assert_eq!((convolution.shape.taps, inputs), (Points::<PAIRS>::TAPS, STEPS * GROUP));
        let weight = |point: usize, step: usize, register: usize, index: usize| {
            let (input, output) = (step * GROUP + index % GROUP, first_output + register * LANES + index / GROUP);
            let taps = (0..convolution.shape.taps).map(|tap| convolution.weight(tap * inputs + input, output));
            Points::<PAIRS>::weight(point, taps)
        };
        let at_point = |point: usize| {
            std::array::from_fn(|step| {
                std::array::from_fn(|register| Lanes(std::array::from_fn(|index| weight(point, step, register, index))))
            })
        };
        let points: Vec<[[Lanes<i16, 16>; 2]; STEPS]> = (0..POINTS).map(at_point).collect();
        Self {
            points: points.try_into().ok().expect("as many points as there are"),
            rounding: Rounding::new(convolution, first_output),
        }
    }

    /// The sums of `TILES` tiles, the first of which is tile `first` of the values.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn sums<const TILES: usize, const MOST: usize>(
        &self,
        values: &Values<POINTS, MOST, STEPS>,
        first: usize,
        output: &mut Sums<POINTS>,
    ) {
        for ((output, steps), tiles) in output.iter_mut().zip(self.points.iter()).zip(&values.0) {
            let tiles: &[[u32; STEPS]; TILES] = tiles[first..][..TILES].try_into().expect("as many as were cut off");
            let mut sums = [[_mm256_setzero_si256(); 2]; TILES];
            for (step, weights) in steps.iter().enumerate() {
                let weights = [load(&weights[0]), load(&weights[1])];
                for (sums, values) in sums.iter_mut().zip(tiles) {
                    let values = _mm256_set1_epi32(values[step] as i32);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(values, weights));
                    }
                }
            }
            for (output, sums) in output.iter_mut().zip(sums) {
                store(sums[0], &mut output[0]);
                store(sums[1], &mut output[1]);
            }
        }
    }
}

impl<const POINTS: usize, const TILES: usize, const STEPS: usize> Values<POINTS, TILES, STEPS> {
    /// Room for values.
    pub fn new() -> Self {
        Self([[[0; STEPS]; TILES]; POINTS])
    }

    /// Takes the first tiles of an input, `TILE` positions each, to the points. `INPUTS` is twice `STEPS`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn fill<const PAIRS: usize, const INPUTS: usize>(&mut self, input: &[[i16; INPUTS]], tiles: usize) {
        const { assert!(INPUTS == STEPS * GROUP && POINTS == Points::<PAIRS>::COUNT) }
        for tile in 0..tiles {
            let rows: &[[i16; INPUTS]; POINTS] =
                input[tile * TILE..][..POINTS].try_into().expect("as many as were cut off");
            for register in 0..INPUTS / 16 {
                let mut positions = [_mm256_setzero_si256(); POINTS];
                for (position, row) in positions.iter_mut().zip(rows) {
                    *position = load(&row.as_chunks::<16>().0[register]);
                }
                for (value, point) in at_points::<PAIRS, POINTS>(&positions).into_iter().zip(&mut self.0) {
                    store(value, &mut point[tile].as_chunks_mut::<LANES>().0[register]);
                }
            }
        }
    }
}

/// The values at the points of sixteen channels of a tile's positions.
#[inline]
#[target_feature(enable = "avx2")]
fn at_points<const PAIRS: usize, const POINTS: usize>(positions: &[__m256i; POINTS]) -> [__m256i; POINTS] {
    let mut values = [_mm256_setzero_si256(); POINTS];
    values[0] = polynomial(&positions[..POINTS - 1], &Points::<PAIRS>::ALL);
    for pair in 0..PAIRS {
        let factors = &Points::<PAIRS>::WITHOUT[pair];
        let even = polynomial(&positions[2..], factors);
        let odd = polynomial(&positions[1..POINTS - 2], factors);
        let odd = _mm256_mullo_epi16(odd, _mm256_set1_epi16(pair as i16 + 1));
        values[2 * pair + 1] = _mm256_add_epi16(even, odd);
        values[2 * pair + 2] = _mm256_sub_epi16(even, odd);
    }
    values[POINTS - 1] = polynomial(&positions[1..], &Points::<PAIRS>::ALL);
    values
}

/// Every second value times a factor, summed up.
#[inline]
#[target_feature(enable = "avx2")]
fn polynomial(values: &[__m256i], factors: &[i16]) -> __m256i {
    let mut sum = _mm256_setzero_si256();
    for (value, &factor) in values.iter().step_by(2).zip(factors) {
        sum = _mm256_add_epi16(sum, _mm256_mullo_epi16(*value, _mm256_set1_epi16(factor)));
    }
    sum
}

/// The four outputs of eight lanes of a tile, without biases, times 2^`SHIFT`.
#[inline]
#[target_feature(enable = "avx2")]
pub fn outputs<const PAIRS: usize, const POINTS: usize>(
    sums: &Sums<POINTS>,
    tile: usize,
    register: usize,
) -> [__m256i; TILE] {
    let times = |value, factor| _mm256_mullo_epi32(value, _mm256_set1_epi32(factor));
    let at = |point: usize| load(&sums[point][tile][register]);
    let mut outputs = [_mm256_setzero_si256(); TILE];
    outputs[0] = at(0);
    outputs[TILE - 1] = times(at(POINTS - 1), Points::<PAIRS>::LAST_FACTOR);
    for pair in 0..PAIRS {
        let (point, square) = (pair as i32 + 1, (pair as i32 + 1).pow(2));
        let (positive, negative) = (at(2 * pair + 1), at(2 * pair + 2));
        let even = _mm256_add_epi32(positive, negative);
        let odd = times(_mm256_sub_epi32(positive, negative), point);
        outputs[0] = _mm256_add_epi32(outputs[0], even);
        outputs[1] = _mm256_add_epi32(outputs[1], odd);
        outputs[2] = _mm256_add_epi32(outputs[2], times(even, square));
        outputs[3] = _mm256_add_epi32(outputs[3], times(odd, square));
    }
    for output in &mut outputs {
        *output = times(*output, Points::<PAIRS>::INVERSE);
    }
    outputs
}
