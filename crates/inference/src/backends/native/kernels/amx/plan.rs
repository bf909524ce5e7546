//! Where the rows of a group of seeds lie in the kernel on tiles.

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::GROUP;
use super::pairs::{PairCodes, pair_codes};
use super::tiles::ROWS;
use crate::backends::native::kernels::BlockEnds;
use crate::backends::native::shape::{CONVOLUTIONS, POSITIONS_3};

/// Rows of the third block that are rounded and summed up together.
pub const QUAD: usize = 4;
/// Rows of the second block beyond a seed's third-block positions that the third one's taps look at; and of lines beyond
/// those that the second one's taps look at.
const EXTRA: usize = CONVOLUTIONS[2].taps - 1;
const EXTRA_LINES: usize = CONVOLUTIONS[1].taps / 2;
/// Room for the rows of a group in each block, for those that the last rows' taps look at, and for one that nothing reads.
pub const MAX_ROWS: usize = 256;
/// Most lines of a seed, rounded up to a register of places, and most quads of rows.
const ROOM: usize = 32;
const QUADS: usize = (POSITIONS_3 + EXTRA).div_ceil(QUAD);
/// Of a seed of so many positions, the rows of each quad that are summed up, one byte a row.
const MASKS: [[u32; QUADS]; POSITIONS_3 + 1] = {
    let mut masks = [[0; QUADS]; POSITIONS_3 + 1];
    let mut positions = 0;
    while positions <= POSITIONS_3 {
        let mut row = 0;
        while row < positions {
            masks[positions][row / QUAD] |= 1 << (8 * (row % QUAD));
            row += 1;
        }
        positions += 1;
    }
    masks
};
/// Rows that are computed and not used are stored there.
const NOWHERE: u16 = MAX_ROWS as u16 - 1;
const _: () = {
    let rows = (GROUP * (POSITIONS_3 + EXTRA + EXTRA_LINES)).next_multiple_of(ROWS);
    let quads = (GROUP * (POSITIONS_3 + EXTRA).next_multiple_of(QUAD)).next_multiple_of(ROWS);
    assert!(
        POSITIONS_3 + EXTRA + EXTRA_LINES <= ROOM
            && rows + EXTRA_LINES < MAX_ROWS
            && quads + EXTRA + EXTRA_LINES < MAX_ROWS
    );
};

/// The seeds of a group, one after the other. A seed has a line of the first block's output for each row of the second block
/// and `EXTRA_LINES` more, from which rows are computed, too, that are not used.
pub struct Group {
    /// Codes of pairs of positions, seed by seed.
    pub codes: [PairCodes; GROUP],
    /// Seeds with more than one base at a position.
    pub irregular: [bool; GROUP],
    /// Third-block positions of each seed that are not those of empty windows.
    pub positions: [usize; GROUP],
    /// Lines of all seeds: as many as the second block has rows.
    pub lines: usize,
    /// Of each line, the place of its first pair among `codes`.
    pub sources: [u16; MAX_ROWS + ROOM],
    /// Of each row of the second block, the third block's row. What is not used is stored where a later row will be.
    pub destinations: [u16; MAX_ROWS + ROOM],
    /// Rows of the third block, four at a time: whose they are, and which are, as the bytes of a number.
    pub quads: [(u8, u32); MAX_ROWS / QUAD + QUADS],
    /// Rows of the third block.
    pub rows: usize,
}

impl Group {
    pub const EMPTY: Self = Self {
        codes: [[0; _]; GROUP],
        irregular: [false; GROUP],
        positions: [0; GROUP],
        lines: 0,
        sources: [0; _],
        destinations: [NOWHERE; _],
        quads: [(0, 0); _],
        rows: 0,
    };

    /// Lines of a seed of so many third-block positions.
    pub fn lines_of(positions: usize) -> usize {
        positions + EXTRA + EXTRA_LINES
    }

    /// Lays out some seeds, `GROUP` at most.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn lay_out(&mut self, seeds: &[[u8; PACKED_SEED_BYTES]]) {
        (self.lines, self.rows) = (0, 0);
        for (number, seed) in seeds.iter().enumerate() {
            let (regular, occupied) = pair_codes(seed, &mut self.codes[number]);
            let positions = BlockEnds::of(occupied).third;
            self.positions[number] = positions;
            self.irregular[number] = !regular;
            let first_code = number * size_of::<PairCodes>() / 2;
            // As many as any seed has; those of the next seed are written over what is too much.
            let places = self.sources[self.lines..].first_chunk_mut::<ROOM>().expect("room for any seed");
            *places = std::array::from_fn(|line| (first_code + 2 * line) as u16);
            let places = self.destinations[self.lines..].first_chunk_mut::<ROOM>().expect("room for any seed");
            *places = std::array::from_fn(|line| (self.rows + line) as u16);
            self.lines += Self::lines_of(positions);
            let quads = self.quads[self.rows / QUAD..].first_chunk_mut::<QUADS>().expect("room for any seed");
            *quads = MASKS[positions].map(|mask| (number as u8, mask));
            self.rows += (positions + EXTRA).next_multiple_of(QUAD);
        }
        // What the last tile has beyond.
        self.destinations[self.lines..self.lines.next_multiple_of(ROWS)].fill(NOWHERE);
        self.quads[self.rows / QUAD..self.rows.next_multiple_of(ROWS) / QUAD].fill((0, 0));
    }
}
