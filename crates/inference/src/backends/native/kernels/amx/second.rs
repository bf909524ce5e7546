//! The second block on tiles.

use std::arch::x86_64::*;

use super::layer::{Layer, Lines, chain, rows};
use super::plan::{Group, MAX_ROWS};
use super::rounding::packed;
use super::tiles::{ROWS, SumTile, Tiles};
use super::{OUTPUT_TILES, Sums, load, store};

/// The second block and its pool: from lines of the first block's output, rows of `group`, to the rows of the third block's input.
/// While sixteen rows are multiplied, the sixteen before are rounded.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn second_block<T: Tiles>(
    Layer { weights, scales }: &Layer<{ 2 * OUTPUT_TILES }>,
    tiles: &T,
    group: &Group,
    first: &Lines,
    sums: &mut Sums,
    second: &mut Lines,
) {
    // Sixteen rows at a time.
    let items = group.lines.div_ceil(ROWS);
    // A row of the sums, and where it goes. Macros, as closures would become calls.
    macro_rules! round {
        ($sums:expr, $row:expr, $target:expr) => {{
            let sums: &[SumTile; 2 * OUTPUT_TILES] = $sums;
            macro_rules! rounded {
                ($number:expr) => {
                    scales[$number].rounded(_mm512_max_epi32(
                        load(&sums[2 * $number].0[$row]),
                        load(&sums[2 * $number + 1].0[$row]),
                    ))
                };
            }
            let bytes = packed([rounded!(0), rounded!(1), rounded!(2), rounded!(3)]);
            store(bytes, &mut second.0[usize::from($target) % MAX_ROWS]);
        }};
    }
    for item in 0..items {
        tiles.load::<0>(rows(first, item * ROWS));
        tiles.load::<1>(rows(first, item * ROWS + 1));
        tiles.load::<2>(rows(first, item * ROWS + 2));
        let [this, before] = if item % 2 == 0 { [0, 1] } else { [1, 0] };
        let targets: &[u16; ROWS] = group.destinations[item.saturating_sub(1) * ROWS..].first_chunk().expect("room");
        // The sums of the rows before are complete in memory after two chains.
        macro_rules! work {
            ($row:literal) => {
                if item > 0 {
                    round!(&sums[before], $row, targets[$row]);
                }
            };
        }
        chain!(tiles, weights[0], 3, 5 to &mut sums[before][6], {} {} {});
        chain!(tiles, weights[1], 4, 6 to &mut sums[before][7], {} {} {});
        chain!(tiles, weights[2], 5, 3 to &mut sums[this][0], {} {} { work!(0) });
        chain!(tiles, weights[3], 6, 4 to &mut sums[this][1], { work!(1) } { work!(2) } { work!(3) });
        chain!(tiles, weights[4], 3, 5 to &mut sums[this][2], { work!(4) } { work!(5) } { work!(6) });
        chain!(tiles, weights[5], 4, 6 to &mut sums[this][3], { work!(7) } { work!(8) } { work!(9) });
        chain!(tiles, weights[6], 5, 3 to &mut sums[this][4], { work!(10) } { work!(11) } { work!(12) });
        chain!(tiles, weights[7], 6, 4 to &mut sums[this][5], { work!(13) } { work!(14) } { work!(15) });
    }
    if items > 0 {
        let last = &mut sums[(items + 1) % 2];
        tiles.store::<5>(&mut last[6]);
        tiles.store::<6>(&mut last[7]);
        let targets: &[u16; ROWS] = group.destinations[(items - 1) * ROWS..].first_chunk().expect("room");
        for (row, &target) in targets.iter().enumerate() {
            round!(last, row, target);
        }
    }
}
