//! A block on tiles: how its weights are laid out, and the chain of products that both blocks are made of.

use super::pairs::PairTable;
use super::plan::MAX_ROWS;
use super::rounding::{Scale, can_round};
use super::tiles::{ByteRows, COLUMNS, WeightTile};
use super::{Aligned, CHUNKS, Line, OUTPUT_TILES};
use crate::backends::native::network::{Convolution, LARGEST};
use crate::backends::native::shape::{CHANNELS_1, CHANNELS_2};

/// A block on tiles.
pub struct Layer<const TILES: usize> {
    /// In the order of products: the chunks of each tile of sums.
    pub weights: Box<[[WeightTile; CHUNKS]; TILES]>,
    pub scales: [Scale; OUTPUT_TILES],
}

impl<const TILES: usize> Layer<TILES> {
    /// `outputs`: of a tile of sums, which sixteen channels it has. `place`: of a tile of sums, and of chunk and byte of a row,
    /// the product of the convolution, if there is one. `None` if sums may be larger than can be rounded.
    fn new(
        convolution: &Convolution,
        outputs: impl Fn(usize) -> usize,
        place: impl Fn(usize, usize, usize) -> Option<usize>,
    ) -> Option<Self> {
        let fits = |output: usize| {
            let weights = (0..convolution.shape.depth()).map(|product| convolution.weight(product, output));
            let largest: i64 = weights.map(|weight| i64::from(weight.unsigned_abs()) * LARGEST as i64).sum();
            can_round(largest + i64::from(convolution.biases[output].unsigned_abs()))
        };
        if !(0..convolution.shape.outputs).all(fits) {
            return None;
        }
        let tile = |number: usize, chunk: usize| {
            let weight = |at: usize, column: usize| {
                let output = outputs(number) * COLUMNS + column;
                place(number, chunk, at).map_or(0, |product| convolution.weight(product, output) as u8)
            };
            WeightTile(std::array::from_fn(|row| std::array::from_fn(|byte| weight(4 * row + byte % 4, byte / 4))))
        };
        let scale = |number: usize| {
            let output = |lane: usize| number * COLUMNS + lane;
            Scale::new(|lane| (convolution.biases[output(lane)], convolution.multipliers[output(lane)]))
        };
        let weights: Vec<_> = (0..TILES).map(|number| std::array::from_fn(|chunk| tile(number, chunk))).collect();
        let weights = weights.try_into().ok().expect("as many tiles");
        Some(Self { weights, scales: std::array::from_fn(scale) })
    }

    /// The second block: sixteen channels of even positions, the same of odd ones, the next sixteen.
    pub fn second(convolution: &Convolution) -> Option<Self> {
        Self::new(
            convolution,
            |tile| tile / 2,
            |tile, chunk, at| {
                let (channel, second) = PairTable::place(at);
                let tap = (2 * chunk + second).checked_sub(tile % 2)?;
                (tap < convolution.shape.taps).then_some(tap * CHANNELS_1 + channel)
            },
        )
    }

    /// The third block: sixteen channels after sixteen.
    pub fn third(convolution: &Convolution) -> Option<Self> {
        // As `packed` leaves the channels of four registers.
        let channel = |at: usize| at / 4 % 4 * COLUMNS + at / 16 * 4 + at % 4;
        Self::new(convolution, |tile| tile, |_, chunk, at| Some(chunk * CHANNELS_2 + channel(at)))
    }
}

/// Three products into tile `$sums`, in one chain, which does not wait for itself. Tile `$older`, whose chain is two chains old,
/// is stored meanwhile: a store that waits for its sums would hold up what stands after it. Other work stands after each product.
macro_rules! chain {
    ($tiles:expr, $weights:expr, $sums:literal, $older:literal to $to:expr, $work_1:block $work_2:block $work_3:block) => {{
        $tiles.zero::<$sums>();
        $tiles.load::<7>(&$weights[0].0);
        $tiles.multiply::<$sums, 0, 7>();
        $tiles.store::<$older>($to);
        $work_1
        $tiles.load::<7>(&$weights[1].0);
        $tiles.multiply::<$sums, 1, 7>();
        $work_2
        $tiles.load::<7>(&$weights[2].0);
        $tiles.multiply::<$sums, 2, 7>();
        $work_3
    }};
}
pub(super) use chain;

/// Activations of a group of seeds.
pub type Lines = Aligned<[Line; MAX_ROWS]>;

/// Sixteen rows.
#[inline(always)]
pub fn rows(lines: &Lines, start: usize) -> &ByteRows {
    lines.0[start..].first_chunk().expect("room for whole tiles")
}
