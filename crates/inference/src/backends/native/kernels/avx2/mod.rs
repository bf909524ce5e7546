//! AVX2: 16-bit products, of which the second and third convolution take fewer than they are defined by (`points`). The
//! instruction for bytes is not used: it adds two products in 16 bits and saturates.

mod convolution;
mod points;

use std::arch::x86_64::*;

use seedsieve_encoding::PACKED_SEED_BYTES;

use self::convolution::{BLOCK, GROUP, Slice, Sums, Values, outputs};
use self::points::{Points, TILE};
use super::registers256::{Activation, First, LANES, Lanes, SLICE, SLICES, add_totals, load};
use super::{BlockEnds, Kernel};
use crate::backends::native::head::Head;
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{EmptyOutputs, Network};
use crate::backends::native::shape::{
    CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS, POOLED_1, POOLED_2, POSITIONS_3,
};
use crate::backends::native::windows::occupied_bytes;

pub const ENTRY: Entry = Entry {
    level: Level::Avx2,
    is_supported,
    prepare: |network| Box::new(Avx2Kernel::new(network)),
    products: |ends| {
        let [_, second, third] = CONVOLUTIONS;
        ends.second.div_ceil(POOLED_TILE) * POINTS_2 * second.outputs * second.inputs
            + ends.third.div_ceil(TILE) * POINTS_3 * third.outputs * third.inputs
    },
    // SAFETY: the dispatch table calls it where `is_supported` holds.
    multiply_only: Some(|| unsafe { multiply_only() }),
};

fn is_supported() -> bool {
    is_x86_feature_detected!("avx2")
}

/// Pairs of points of the second and third convolution, of five and three taps.
const PAIRS_2: usize = 3;
const PAIRS_3: usize = 2;
const POINTS_2: usize = Points::<PAIRS_2>::COUNT;
const POINTS_3: usize = Points::<PAIRS_3>::COUNT;
/// Steps of them at each point.
const STEPS_2: usize = CONVOLUTIONS[1].inputs / GROUP;
const STEPS_3: usize = CONVOLUTIONS[2].inputs / GROUP;
/// Positions of a tile after the pool.
const POOLED_TILE: usize = TILE / 2;
/// Tiles of a whole window.
const TILES_2: usize = POOLED_2 / POOLED_TILE;
const TILES_3: usize = POSITIONS_3.div_ceil(TILE);
const _: () = assert!(TILES_2 * POOLED_TILE == POOLED_2);
/// How far behind the end of a block's output its last tile looks, which is at most three positions longer than it need be.
const REACH_1: usize = TILE - 1 + CONVOLUTIONS[1].taps - 1;
const REACH_2: usize = TILE - 1 + CONVOLUTIONS[2].taps - 1;
/// Positions of the second block's output that the third one's tiles look at: two more than there are, which change nothing.
const ROWS_2: usize = TILES_3 * TILE + CONVOLUTIONS[2].taps - 1;

struct Avx2Kernel {
    first: First,
    second: [Slice<PAIRS_2, POINTS_2, STEPS_2>; SLICES],
    third: [Slice<PAIRS_3, POINTS_3, STEPS_3>; SLICES],
    empty: EmptyOutputs,
    head: Head,
}

/// Activations of one seed, 0 to 255, and their values at the points.
#[repr(C, align(32))]
struct Activations {
    pooled_1: [[i16; CHANNELS_1]; POOLED_1],
    pooled_2: [[i16; CHANNELS_2]; ROWS_2],
    values_2: Values<POINTS_2, TILES_2, STEPS_2>,
    values_3: Values<POINTS_3, TILES_3, STEPS_3>,
    sums_2: Sums<POINTS_2>,
    sums_3: Sums<POINTS_3>,
}

impl Avx2Kernel {
    fn new(network: &Network) -> Self {
        assert!(is_supported(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        let empty = EmptyOutputs::of(network);
        Self {
            first: First::new(first, &empty),
            second: std::array::from_fn(|slice| Slice::new(second, slice * SLICE)),
            third: std::array::from_fn(|slice| Slice::new(third, slice * SLICE)),
            empty,
            head: network.head.clone(),
        }
    }
}

impl Kernel for Avx2Kernel {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the instructions.
        unsafe { score(self, seeds, scores) }
    }
}

#[target_feature(enable = "avx2")]
fn score(kernel: &Avx2Kernel, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
    let mut activations = Activations {
        pooled_1: [[0; CHANNELS_1]; POOLED_1],
        pooled_2: [[0; CHANNELS_2]; ROWS_2],
        values_2: Values::new(),
        values_3: Values::new(),
        sums_2: [[[Lanes([0; LANES]); 2]; BLOCK]; POINTS_2],
        sums_3: [[[Lanes([0; LANES]); 2]; BLOCK]; POINTS_3],
    };
    for (seed, score) in seeds.iter().zip(scores) {
        let ends = BlockEnds::of(occupied_bytes(seed));
        kernel.first.fill(seed, ends.first, REACH_1, &mut activations.pooled_1);
        second_block(kernel, &ends, &mut activations);
        let sums = third_block(kernel, &ends, &mut activations);
        *score = kernel.head.viability(&sums);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn second_block(kernel: &Avx2Kernel, ends: &BlockEnds, activations: &mut Activations) {
    let Activations { pooled_1, pooled_2, values_2, sums_2, .. } = activations;
    let tiles = ends.second.div_ceil(POOLED_TILE);
    values_2.fill::<PAIRS_2, CHANNELS_1>(pooled_1, tiles);
    for (number, slice) in kernel.second.iter().enumerate() {
        let mut tile = 0;
        while tile < tiles {
            let output = &mut pooled_2[tile * POOLED_TILE..];
            let block = next_block(tiles - tile);
            match block {
                1 => second_block_at::<1>(slice, values_2, tile, sums_2, number, output),
                2 => second_block_at::<2>(slice, values_2, tile, sums_2, number, output),
                3 => second_block_at::<3>(slice, values_2, tile, sums_2, number, output),
                4 => second_block_at::<4>(slice, values_2, tile, sums_2, number, output),
                5 => second_block_at::<5>(slice, values_2, tile, sums_2, number, output),
                _ => second_block_at::<BLOCK>(slice, values_2, tile, sums_2, number, output),
            }
            tile += block;
        }
    }
    let end = POOLED_2.min(ends.second + REACH_2);
    pooled_2[ends.second..end].fill(kernel.empty.second.map(i16::from));
}

/// Tiles to sum up next where so many are left: blocks of about the same size, of at most [`BLOCK`] tiles.
#[inline(always)]
fn next_block(tiles: usize) -> usize {
    tiles.div_ceil(tiles.div_ceil(BLOCK))
}

/// One slice of `TILES` tiles of the second block's output.
#[inline]
#[target_feature(enable = "avx2")]
fn second_block_at<const TILES: usize>(
    slice: &Slice<PAIRS_2, POINTS_2, STEPS_2>,
    values: &Values<POINTS_2, TILES_2, STEPS_2>,
    first: usize,
    sums: &mut Sums<POINTS_2>,
    number: usize,
    output: &mut [[i16; CHANNELS_2]],
) {
    slice.sums::<TILES, TILES_2>(values, first, sums);
    for (tile, output) in output.as_chunks_mut::<POOLED_TILE>().0[..TILES].iter_mut().enumerate() {
        let mut pooled = [[_mm256_setzero_si256(); 2]; POOLED_TILE];
        for register in 0..2 {
            let biases = load(&slice.rounding.biases[register]);
            let outputs = outputs::<PAIRS_2, POINTS_2>(sums, tile, register);
            for (pooled, outputs) in pooled.iter_mut().zip(outputs.as_chunks::<2>().0) {
                let larger = _mm256_max_epi32(outputs[0], outputs[1]);
                let larger = _mm256_srai_epi32::<{ Points::<PAIRS_2>::SHIFT }>(larger);
                pooled[register] = _mm256_add_epi32(larger, biases);
            }
        }
        for (sums, output) in pooled.into_iter().zip(output) {
            // SAFETY: as this function, for processors with AVX2.
            unsafe { i16::store(slice.rounding.words(sums), &mut output.as_chunks_mut().0[number]) };
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn third_block(kernel: &Avx2Kernel, ends: &BlockEnds, activations: &mut Activations) -> [i32; CHANNELS_3] {
    let Activations { pooled_2, values_3, sums_3, .. } = activations;
    let empty_positions = (POSITIONS_3 - ends.third) as i32;
    let mut totals = kernel.empty.third.map(|value| empty_positions * i32::from(value));
    let tiles = ends.third.div_ceil(TILE);
    values_3.fill::<PAIRS_3, CHANNELS_2>(pooled_2, tiles);
    for (slice, totals) in kernel.third.iter().zip(totals.as_chunks_mut::<SLICE>().0) {
        let mut tile = 0;
        while tile < tiles {
            let positions = ends.third - tile * TILE;
            let block = next_block(tiles - tile);
            match block {
                1 => third_block_at::<1>(slice, values_3, tile, sums_3, positions, totals),
                2 => third_block_at::<2>(slice, values_3, tile, sums_3, positions, totals),
                3 => third_block_at::<3>(slice, values_3, tile, sums_3, positions, totals),
                4 => third_block_at::<4>(slice, values_3, tile, sums_3, positions, totals),
                5 => third_block_at::<5>(slice, values_3, tile, sums_3, positions, totals),
                _ => third_block_at::<BLOCK>(slice, values_3, tile, sums_3, positions, totals),
            }
            tile += block;
        }
    }
    totals
}

/// Adds one slice of `TILES` tiles of the third block's output, of which at most `positions` positions, to the sums over
/// positions.
#[inline]
#[target_feature(enable = "avx2")]
fn third_block_at<const TILES: usize>(
    slice: &Slice<PAIRS_3, POINTS_3, STEPS_3>,
    values: &Values<POINTS_3, TILES_3, STEPS_3>,
    first: usize,
    sums: &mut Sums<POINTS_3>,
    positions: usize,
    totals: &mut [i32; SLICE],
) {
    slice.sums::<TILES, TILES_3>(values, first, sums);
    let mut words = _mm256_setzero_si256();
    for tile in 0..TILES {
        let mut tile_sums = [[_mm256_setzero_si256(); 2]; TILE];
        for register in 0..2 {
            let biases = load(&slice.rounding.biases[register]);
            let outputs = outputs::<PAIRS_3, POINTS_3>(sums, tile, register);
            for (sums, output) in tile_sums.iter_mut().zip(outputs) {
                let output = _mm256_srai_epi32::<{ Points::<PAIRS_3>::SHIFT }>(output);
                sums[register] = _mm256_add_epi32(output, biases);
            }
        }
        for (position, sums) in tile_sums.into_iter().enumerate() {
            let counts = _mm256_set1_epi16(-i16::from(tile * TILE + position < positions));
            let values = slice.rounding.words(sums).limited();
            words = _mm256_add_epi16(words, _mm256_and_si256(values, counts));
        }
    }
    add_totals(words, totals);
}

/// As many sums as the kernel has, each of which waits for nothing but itself.
#[target_feature(enable = "avx2")]
fn multiply_only() -> usize {
    const ROUNDS: usize = 2000;
    let ones = std::hint::black_box(_mm256_set1_epi32(0x0101_0101));
    let mut sums = [_mm256_setzero_si256(); 12];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = _mm256_madd_epi16(*sum, ones);
        }
    }
    std::hint::black_box(sums);
    ROUNDS * sums.len() * LANES * GROUP
}
