//! The edit distance of the whole read to the reference around the seed's diagonal, by bit vectors in blocks of 64 rows
//! (Myers, J. ACM 46, 1999; Hyyrö, Nordic J. Computing 10, 2003).

use seedsieve_aligner::Seed;

use crate::reference::Reference;
use crate::scored::SeedScore;

/// Bases beside the read's diagonal where the alignment may begin and end.
const BESIDE: i64 = 5;

/// Minus the distance, in per cent of the read's bases.
pub struct Distance;

/// A read on either strand: for each block of 64 bases, and for each base, where the read has it.
#[derive(Default)]
pub struct Pattern {
    strands: [Vec<[u64; 4]>; 2],
    columns: Vec<Column>,
}

/// Rows of a block in which the distance grows, and in which it falls, from the row above.
#[derive(Clone, Copy)]
struct Column {
    grows: u64,
    falls: u64,
}

impl SeedScore for Distance {
    type Memory = Pattern;

    fn score(
        &self,
        reference: &Reference,
        codes: &[u8],
        seeds: &[Seed],
        Pattern { strands, columns }: &mut Pattern,
        scores: &mut Vec<i32>,
    ) {
        let complement = |code: &u8| if *code < 4 { 3 - code } else { *code };
        set(&mut strands[0], codes.iter().copied());
        set(&mut strands[1], codes.iter().rev().map(complement));
        scores.extend(seeds.iter().map(|seed| {
            let Some((placed, contig)) = reference.place(seed, codes.len()) else { return -100 };
            let window = reference.window(&placed, &contig, codes.len(), BESIDE);
            let distance = distance(&strands[usize::from(placed.reverse)], codes.len(), window, columns);
            -(100 * distance / codes.len().max(1) as i32)
        }));
    }
}

fn set(blocks: &mut Vec<[u64; 4]>, codes: impl ExactSizeIterator<Item = u8>) {
    blocks.clear();
    blocks.resize(codes.len().div_ceil(64), [0; 4]);
    for (row, code) in codes.enumerate().filter(|(_, code)| *code < 4) {
        blocks[row / 64][usize::from(code)] |= 1 << (row % 64);
    }
}

/// The least distance of the whole pattern to any part of the text.
fn distance(pattern: &[[u64; 4]], rows: usize, text: &[u8], columns: &mut Vec<Column>) -> i32 {
    columns.clear();
    columns.resize(pattern.len(), Column { grows: u64::MAX, falls: 0 });
    let last_row = (rows.max(1) - 1) % 64;
    let mut sum = rows as i32;
    let mut least = sum;
    for &code in text {
        // From column to column the row above the first stays 0: the alignment may begin anywhere.
        let (mut up, mut down) = (0, 0);
        let mut horizontal = Column { grows: 0, falls: 0 };
        for (block, column) in pattern.iter().zip(columns.iter_mut()) {
            let equal = if code < 4 { block[usize::from(code)] } else { 0 };
            let diagonal = equal | column.falls;
            let equal = equal | down;
            let zero = (((equal & column.grows).wrapping_add(column.grows)) ^ column.grows) | equal;
            horizontal = Column { grows: column.falls | !(zero | column.grows), falls: column.grows & zero };
            let (grows, falls) = (horizontal.grows << 1 | up, horizontal.falls << 1 | down);
            (up, down) = (horizontal.grows >> 63, horizontal.falls >> 63);
            *column = Column { grows: falls | !(diagonal | grows), falls: grows & diagonal };
        }
        sum += (horizontal.grows >> last_row & 1) as i32 - (horizontal.falls >> last_row & 1) as i32;
        least = least.min(sum);
    }
    least
}
