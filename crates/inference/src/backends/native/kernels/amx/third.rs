//! The third block on tiles.

use std::arch::x86_64::*;

use super::layer::{Layer, Lines, chain, rows};
use super::plan::{Group, QUAD};
use super::rounding::packed;
use super::tiles::{COLUMNS, ROW_BYTES, ROWS, SumTile, Tiles};
use super::{Aligned, GROUP, OUTPUT_TILES, Sums, load, store};
use crate::backends::native::shape::{CHANNELS_3, POSITIONS_3};

/// The block's output at an empty position.
pub type EmptyOutput = [Aligned<[i32; COLUMNS]>; OUTPUT_TILES];

/// The sums over positions of the third block's output, one row a seed. While sixteen rows are multiplied, the sixteen before are
/// rounded and added up, four rows of sixteen channels at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn third_block<T: Tiles>(
    Layer { weights, scales }: &Layer<OUTPUT_TILES>,
    empty: &EmptyOutput,
    tiles: &T,
    group: &Group,
    second: &Lines,
    sums: &mut Sums,
) -> [[i32; CHANNELS_3]; GROUP] {
    let mut totals = [[Aligned([0i32; COLUMNS]); OUTPUT_TILES]; GROUP];
    // Of four rows' channels, four at a time, to four rows of a channel.
    let order: [u8; ROW_BYTES] = std::array::from_fn(|at| (at / 16 * 16 + at % 4 * 4 + at / 4 % 4) as u8);
    let order = load(&order);
    let items = group.rows.div_ceil(ROWS);
    // Four rows of a tile of sums, and whose they are.
    macro_rules! round {
        ($sums:expr, $quad:expr, $tile:expr, $owner:expr) => {{
            let sums: &SumTile = &$sums[$tile];
            macro_rules! rounded {
                ($row:expr) => {
                    scales[$tile].rounded(load(&sums.0[$quad * QUAD + $row]))
                };
            }
            let values = _mm512_shuffle_epi8(packed([rounded!(0), rounded!(1), rounded!(2), rounded!(3)]), order);
            let (seed, mask): (u8, u32) = $owner;
            let total = &mut totals[usize::from(seed) % GROUP][$tile];
            store(_mm512_dpbusd_epi32(load(total), values, _mm512_set1_epi32(mask as i32)), total);
        }};
    }
    for item in 0..items {
        tiles.load::<0>(rows(second, item * ROWS));
        tiles.load::<1>(rows(second, item * ROWS + 1));
        tiles.load::<2>(rows(second, item * ROWS + 2));
        let [this, before] = if item % 2 == 0 { [0, 1] } else { [1, 0] };
        let quads: &[(u8, u32); ROWS / QUAD] =
            group.quads[item.saturating_sub(1) * (ROWS / QUAD)..].first_chunk().expect("room");
        macro_rules! work {
            ($($quad:literal, $tile:literal),+) => {
                if item > 0 {
                    $(round!(sums[before], $quad, $tile, quads[$quad]);)+
                }
            };
        }
        chain!(tiles, weights[0], 3, 5 to &mut sums[before][2], {} { work!(0, 0) } { work!(1, 0, 2, 0) });
        chain!(tiles, weights[1], 4, 6 to &mut sums[before][3], { work!(3, 0) } { work!(0, 1) } { work!(1, 1, 2, 1) });
        chain!(tiles, weights[2], 5, 3 to &mut sums[this][0], { work!(3, 1) } { work!(0, 2) } { work!(1, 2, 2, 2) });
        chain!(tiles, weights[3], 6, 4 to &mut sums[this][1], { work!(3, 2, 0, 3) } { work!(1, 3) } { work!(2, 3, 3, 3) });
    }
    if items > 0 {
        let last = &mut sums[(items + 1) % 2];
        tiles.store::<5>(&mut last[2]);
        tiles.store::<6>(&mut last[3]);
        let quads: &[(u8, u32); ROWS / QUAD] = group.quads[(items - 1) * (ROWS / QUAD)..].first_chunk().expect("room");
        for (quad, &owner) in quads.iter().enumerate() {
            for tile in 0..OUTPUT_TILES {
                round!(last, quad, tile, owner);
            }
        }
    }
    let mut sums = [[0; CHANNELS_3]; GROUP];
    for ((sums, totals), positions) in sums.iter_mut().zip(&totals).zip(group.positions) {
        let empty_positions = _mm512_set1_epi32((POSITIONS_3 - positions) as i32);
        let tiles = sums.as_chunks_mut::<COLUMNS>().0.iter_mut().zip(totals).zip(empty);
        for ((sums, total), value) in tiles {
            store(_mm512_add_epi32(load(total), _mm512_mullo_epi32(empty_positions, load(value))), sums);
        }
    }
    sums
}
