//! The first convolution as a table.
//!
//! A position is one of few things: five in the read (four bases, nothing) times five in the reference. What it adds to the
//! convolution's 32 sums at each of the seven taps is looked up: 7 additions of 32 values a position instead of 56 x 32
//! multiplications, most of which are with zero.

use super::network::Convolution;
use super::shape::{CHANNELS_1, CONVOLUTIONS};

/// Rows of a position code: one a tap.
pub const TAPS_1: usize = CONVOLUTIONS[0].taps;
/// All values of two nibbles: windows that no encoder makes, with several bases at one position, have scores, too.
const CODES: usize = 256;

/// What one position adds to the sums at one tap. At most 8 * 127 a row and 7 rows a sum: 16 bits suffice.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Row(pub [i16; CHANNELS_1]);

/// The table's rows: code by code (`windows::position_codes`), in each tap by tap. The rows that real windows need, 11 KiB,
/// lie in places that do not displace one another in a cache.
pub struct FirstBlock {
    /// `CODES` times `TAPS_1` rows.
    pub rows: Box<[Row; CODES * TAPS_1]>,
}

impl FirstBlock {
    /// Sums up the weights of the bits of each code.
    pub fn new(convolution: &Convolution) -> Self {
        let row = |number: usize| {
            let (code, tap) = (number / TAPS_1, number % TAPS_1);
            Row(std::array::from_fn(|output| {
                let bases = (0..CONVOLUTIONS[0].inputs).filter(|base| code >> base & 1 == 1);
                let weights =
                    bases.map(|base| i16::from(convolution.weight(tap * CONVOLUTIONS[0].inputs + base, output)));
                weights.sum()
            }))
        };
        let rows: Vec<Row> = (0..CODES * TAPS_1).map(row).collect();
        Self { rows: rows.try_into().ok().expect("as many rows as the table has") }
    }
}
