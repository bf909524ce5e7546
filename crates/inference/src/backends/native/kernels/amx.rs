//! AMX for bytes: one instruction multiplies 16 rows of 64 unsigned activations with 16 columns of 64 signed weights and adds
//! to 256 sums of 32 bits, without rounding or saturation.
//!
//! A convolution's row is a position with the ones after it that its taps look at. Positions lie one after the other, channel
//! by channel, so that a row is a piece of memory, and the tile unit's distance between rows is the size of a position: no
//! activation is copied. The seeds of a group follow one another as one long row of positions; the rows at the end of a seed
//! that look into the next are computed and not used. A third-block position belongs to two of the second block and four
//! one-hot ones, and seeds keep these proportions with all their rows, used or not: a seed starts at the same row of each
//! block, times one, two and four.

use std::arch::x86_64::*;

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::avx512_vnni::store_packed;
use super::head512::{self, viabilities};
use super::tiles::{
    BLOCK, Biases, BlockProduct, COLUMNS, Hardware, ROW_BYTES, ROWS, Tiles, WeightTile, has_tile_unit, multiply_only,
};
use super::{BlockEnds, Kernel};
use crate::backends::native::head::Head;
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{Convolution, EmptyOutputs, Network};
use crate::backends::native::shape::{CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS, POSITIONS_3};
use crate::backends::native::windows::{occupied_bytes, position_bytes};

pub const ENTRY: Entry = Entry {
    level: Level::Amx,
    is_supported,
    prepare: |network| Box::new(AmxKernel::<Hardware>::new(network)),
    multiply_only: Some(multiply_only),
};

fn is_supported() -> bool {
    has_vectors() && has_tile_unit()
}

/// What is not multiplied in tiles is computed with AVX-512.
fn has_vectors() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

/// Seeds that are computed block by block together. With fewer, tiles are loaded so soon after their bytes were stored that
/// the loads wait.
const GROUP: usize = head512::SEEDS;
/// Rows of the third block of a seed beyond its positions: what the taps of all three blocks look at.
const EXTRA_ROWS: usize = 6;
/// Most rows of the third block of a group, and a block of rows more, which the last block of tiles may reach into.
const MAX_ROWS: usize = GROUP * (POSITIONS_3 + EXTRA_ROWS) + BLOCK;
/// Bytes of a one-hot position.
const BASES: usize = CONVOLUTIONS[0].inputs;
/// Chunks of 64 products of a convolution.
const CHUNKS: [usize; 3] = [1, 3, 3];
const _: () = {
    assert!(CHANNELS_1 == BLOCK && CHANNELS_2 == 2 * BLOCK && CHANNELS_3 == CHANNELS_2);
    // The windows of a seed whose positions are all needed have exactly as many positions as its rows.
    assert!(4 * (POSITIONS_3 + EXTRA_ROWS) == seedsieve_encoding::WINDOW_SIZE);
};

#[repr(C, align(64))]
struct Aligned<T>(T);

struct Layer {
    /// Output by output, 16 at a time; of each, the chunks in the order of products.
    tiles: Vec<WeightTile>,
    chunks: usize,
    biases: Vec<Biases>,
    multipliers: Vec<Aligned<[f32; COLUMNS]>>,
}

struct AmxKernel<T> {
    layers: [Layer; 3],
    empty: EmptyOutputs,
    head: Head,
    tiles: std::marker::PhantomData<T>,
}

/// Activations of a group of seeds, row by row.
#[repr(C, align(64))]
struct Activations {
    one_hot: [[u8; BASES]; 4 * MAX_ROWS + 64 / BASES],
    first: [[u8; CHANNELS_1]; 2 * MAX_ROWS + 6],
    second: [[u8; CHANNELS_2]; MAX_ROWS + 3],
    third: [[u8; CHANNELS_3]; MAX_ROWS],
    /// Of two blocks of rows: one is being multiplied while the other is rounded.
    sums: [[i32; BLOCK * CHANNELS_3]; 2],
}

impl Layer {
    fn new(convolution: &Convolution, chunks: usize) -> Self {
        let shape = convolution.shape;
        assert!(shape.depth() <= chunks * ROW_BYTES);
        let weight = |column: usize, product: usize| match product < shape.depth() {
            true => convolution.weight(product, column),
            false => 0,
        };
        let tile = |number: usize| {
            let (columns, chunk) = (number / chunks * COLUMNS, number % chunks);
            let row = |row: usize| {
                let product = (chunk * ROWS + row) * 4;
                std::array::from_fn(|byte| weight(columns + byte / 4, product + byte % 4))
            };
            WeightTile(std::array::from_fn(row))
        };
        let biases = convolution.biases.as_chunks().0.iter().map(|&lanes| Biases(lanes)).collect();
        let multipliers = convolution.multipliers.as_chunks().0.iter().map(|&lanes| Aligned(lanes)).collect();
        Self { tiles: (0..shape.outputs / COLUMNS * chunks).map(tile).collect(), chunks, biases, multipliers }
    }
}

impl<T: Tiles> AmxKernel<T> {
    fn new(network: &Network) -> Self {
        assert!(has_vectors(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        Self {
            layers: [Layer::new(first, CHUNKS[0]), Layer::new(second, CHUNKS[1]), Layer::new(third, CHUNKS[2])],
            empty: EmptyOutputs::of(network),
            head: network.head.clone(),
            tiles: std::marker::PhantomData,
        }
    }
}

impl<T: Tiles> Kernel for AmxKernel<T> {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the vector instructions.
        unsafe { score(self, seeds, scores) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn score<T: Tiles>(kernel: &AmxKernel<T>, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
    let tiles = T::configure();
    let mut activations = Activations {
        one_hot: [[0; BASES]; _],
        first: [[0; CHANNELS_1]; _],
        second: [[0; CHANNELS_2]; _],
        third: [[0; CHANNELS_3]; _],
        sums: [[0; _]; 2],
    };
    for (seeds, scores) in seeds.chunks(GROUP).zip(scores.chunks_mut(GROUP)) {
        let totals = blocks(kernel, &tiles, &mut activations, seeds);
        scores.copy_from_slice(&viabilities(&kernel.head, &totals)[..scores.len()]);
    }
}

/// The three blocks of a group of seeds: the sums over positions of the third one's output, one row a seed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn blocks<T: Tiles>(
    kernel: &AmxKernel<T>,
    tiles: &T,
    Activations { one_hot, first, second, third, sums }: &mut Activations,
    seeds: &[[u8; PACKED_SEED_BYTES]],
) -> [[i32; CHANNELS_3]; GROUP] {
    // Third-block positions of each seed that are not those of empty windows.
    let mut positions = [0; GROUP];
    let mut rows = 0;
    for (seed, positions) in seeds.iter().zip(&mut positions) {
        *positions = BlockEnds::of(occupied_bytes(seed)).third;
        let seed_rows = *positions + EXTRA_ROWS;
        write_one_hot(seed, &mut one_hot[4 * rows..], 4 * seed_rows);
        rows += seed_rows;
    }
    let [layer_1, layer_2, layer_3] = &kernel.layers;
    convolution::<T, BASES, 2, true>(tiles, layer_1, one_hot, 4 * rows, sums, first.as_flattened_mut());
    convolution::<T, CHANNELS_1, 4, true>(tiles, layer_2, first, 2 * rows, sums, second.as_flattened_mut());
    convolution::<T, CHANNELS_2, 4, false>(tiles, layer_3, second, rows, sums, third.as_flattened_mut());
    let mut totals_of_seeds = [[0; CHANNELS_3]; GROUP];
    let mut row = 0;
    for (&positions, sums) in positions[..seeds.len()].iter().zip(&mut totals_of_seeds) {
        *sums = totals(kernel, &third[row..row + positions]);
        row += positions + EXTRA_ROWS;
    }
    totals_of_seeds
}

/// The first positions of a seed, at least `positions` of them, one byte a base: eight positions are the bits of 64 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn write_one_hot(seed: &[u8; PACKED_SEED_BYTES], output: &mut [[u8; BASES]], positions: usize) {
    let codes = position_bytes(seed);
    let eights = output.as_chunks_mut::<8>().0.iter_mut().zip(codes.as_chunks().0);
    for (output, &codes) in eights.take(positions.div_ceil(8)) {
        let ones = _mm512_maskz_set1_epi8(u64::from_le_bytes(codes), 1);
        // SAFETY: eight positions have the size of a register; no alignment is asked for.
        unsafe { _mm512_storeu_si512(output.as_mut_ptr().cast(), ones) }
    }
}

/// A convolution of `rows` positions of `INPUTS` channels to 16 times `REGISTERS`, and its rounding; with `POOL` the larger of
/// two neighbours is kept. Whole blocks of rows are computed. While the tile unit multiplies a block, the one before is
/// rounded, piece by piece.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn convolution<T: Tiles, const INPUTS: usize, const REGISTERS: usize, const POOL: bool>(
    tiles: &T,
    layer: &Layer,
    input: &[[u8; INPUTS]],
    rows: usize,
    sums: &mut [[i32; BLOCK * CHANNELS_3]; 2],
    output: &mut [u8],
) {
    let row_length = REGISTERS * COLUMNS;
    let halves = row_length / BLOCK;
    let output_bytes = if POOL { BLOCK / 2 } else { BLOCK } * row_length;
    // Pieces of rounding after each chunk of products.
    let pieces = (output_bytes / 64).div_ceil(halves * layer.chunks);
    let mut outputs = output.chunks_exact_mut(output_bytes);
    let [mut current, mut previous] = sums.each_mut();
    let mut to_round: &mut [u8] = &mut [];
    for block in 0..rows.div_ceil(BLOCK) {
        let input = input[block * BLOCK..].as_flattened();
        let mut rounding = Rounding::<REGISTERS, POOL>::new(layer, previous, to_round);
        for half in 0..halves {
            let weights = layer.tiles[2 * half * layer.chunks..][..2 * layer.chunks].split_at(layer.chunks);
            let biases = &layer.biases[2 * half..][..2];
            let product = BlockProduct {
                input,
                stride: INPUTS,
                weights: [weights.0, weights.1],
                biases: [&biases[0], &biases[1]],
            };
            let between = || rounding.advance(pieces);
            tiles.multiply(&product, &mut current[half * BLOCK..], row_length, between);
        }
        to_round = outputs.next().expect("room for whole blocks");
        (current, previous) = (previous, current);
    }
    Rounding::<REGISTERS, POOL>::new(layer, previous, to_round).advance(usize::MAX);
}

/// Sums of a block of rows on their way to eight bits, as `network::requantised` does it.
struct Rounding<'a, const REGISTERS: usize, const POOL: bool> {
    layer: &'a Layer,
    /// Four registers of sums make one of bytes: one row of 64 channels, or two of 32.
    pieces: std::iter::Zip<std::slice::IterMut<'a, [u8; 64]>, std::slice::ChunksExact<'a, i32>>,
}

impl<'a, const REGISTERS: usize, const POOL: bool> Rounding<'a, REGISTERS, POOL> {
    /// Rows that one row of the output is made from.
    const ROWS: usize = if POOL { 2 } else { 1 };

    #[inline(always)]
    fn new(layer: &'a Layer, sums: &'a [i32], output: &'a mut [u8]) -> Self {
        let sums = sums.chunks_exact(4 * COLUMNS * Self::ROWS);
        Self { layer, pieces: output.as_chunks_mut().0.iter_mut().zip(sums) }
    }

    /// Rounds up to so many pieces more.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn advance(&mut self, pieces: usize) {
        for (output, sums) in self.pieces.by_ref().take(pieces) {
            let rounded = |number: usize| {
                let (row, register) = (number / REGISTERS * Self::ROWS, number % REGISTERS);
                let at = |row: usize| load(&sums[(row * REGISTERS + register) * COLUMNS..][..COLUMNS]);
                let sum = if POOL { _mm512_max_epi32(at(row), at(row + 1)) } else { at(row) };
                // SAFETY: an array of the size of a register; no alignment is asked for.
                let multipliers = unsafe { _mm512_loadu_ps(self.layer.multipliers[register].0.as_ptr()) };
                _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), multipliers))
            };
            store_packed([rounded(0), rounded(1), rounded(2), rounded(3)], output);
        }
    }
}

/// Sums over positions of the third block's output, with those of empty positions.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn totals<T: Tiles>(kernel: &AmxKernel<T>, rows: &[[u8; CHANNELS_3]]) -> [i32; CHANNELS_3] {
    let mut sums = [_mm512_setzero_si512(); 2];
    for row in rows {
        for (sum, half) in sums.iter_mut().zip(row.as_chunks::<32>().0) {
            // SAFETY: the array has the size of what is loaded; no alignment is asked for.
            let half = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
            *sum = _mm512_add_epi16(*sum, _mm512_cvtepu8_epi16(half));
        }
    }
    // At most 26 * 255: 16 bits suffice.
    let mut words = [0u16; CHANNELS_3];
    for (words, sum) in words.as_chunks_mut::<32>().0.iter_mut().zip(sums) {
        // SAFETY: the array has the size of a register; no alignment is asked for.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), sum) }
    }
    let empty_positions = (POSITIONS_3 - rows.len()) as i32;
    std::array::from_fn(|channel| i32::from(words[channel]) + empty_positions * i32::from(kernel.empty.third[channel]))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load(values: &[i32]) -> __m512i {
    let values: &[i32; COLUMNS] = values.try_into().expect("a register's worth");
    // SAFETY: the array has the size of a register; no alignment is asked for.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// The kernel with products in plain Rust: all of it but the instructions of the tile unit.
#[cfg(test)]
pub fn with_emulated_tiles(network: &Network) -> Option<Box<dyn Kernel>> {
    has_vectors().then(|| -> Box<dyn Kernel> { Box::new(AmxKernel::<super::tiles::Emulated>::new(network)) })
}
