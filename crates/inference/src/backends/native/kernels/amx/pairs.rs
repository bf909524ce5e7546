//! The first block of the kernel on tiles: a table of pairs of positions, on AVX-512.
//!
//! A value of the first block after its pool looks at eight positions: four pairs, each a byte of both packed windows. A pair
//! is one of 625 things: five in the read (four bases, nothing) times five in the reference, twice. What it adds to the sums
//! of an even position and of the odd one after it, between which the pool chooses, is looked up: 8 additions of 32 values
//! instead of 14 with a table of single positions. Most pairs of a real window agree, so that a few kilobytes of the table
//! are in use.

use std::arch::x86_64::*;

use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES};

use super::rounding::Scale;
use super::{Aligned, Line, Vector, load};
use crate::backends::native::first_block::{FirstBlock, TAPS_1};
use crate::backends::native::network::{Convolution, LARGEST, requantised};
use crate::backends::native::shape::{CHANNELS_1, CONVOLUTIONS};
use crate::backends::native::windows::position_codes;

/// Pairs that a value looks at.
const PAIRS: usize = TAPS_1.div_ceil(2);
/// Codes of pairs, and more, so that no index has to be checked.
const CODES: usize = 1024;
/// Bases of a position: four, and nothing.
const BASES: usize = 5;

/// What a pair adds to the sums of an even position, and of the odd one after it.
type Sums = [Aligned<[i16; CHANNELS_1]>; 2];

/// The codes of a seed's pairs, and some of pairs after the window.
pub type PairCodes = [u16; PACKED_WINDOW_BYTES + PAIRS];

/// The first block, laid out for windows of which each position has one base at most; others, which no encoder makes, are
/// computed from [`FirstBlock`].
pub struct PairTable {
    /// By code, and by place among the pairs that a value looks at. The first one's sums start from the biases.
    sums: Box<[[Sums; PAIRS]; CODES]>,
    /// Of channels 0 to 3, 8 to 11, 16 to 19 and 24 to 27; and of the others.
    scales: [Scale; 2],
    single: FirstBlock,
    biases: Vec<i32>,
    multipliers: Vec<f32>,
}

impl PairTable {
    /// `None` if sums with their biases leave 16 bits.
    pub fn new(convolution: &Convolution) -> Option<Self> {
        let single = FirstBlock::new(convolution);
        // One base of the read and one of the reference at each tap.
        let largest = 2 * TAPS_1 as i64 * 128;
        if convolution.biases.iter().any(|&bias| i64::from(bias).abs() + largest > i64::from(i16::MAX)) {
            return None;
        }
        let mut sums = vec![[[Aligned([0i16; CHANNELS_1]); 2]; PAIRS]; CODES];
        for (code, sums) in sums.iter_mut().enumerate().take(BASES.pow(4)) {
            let base = |place: u32| code / BASES.pow(place) % BASES;
            let nibble = |base: usize| if base == 0 { 0 } else { 1 << (base - 1) };
            let position = |read: u32, reference: u32| nibble(base(read)) | nibble(base(reference)) << 4;
            let positions = [position(3, 1), position(2, 0)];
            for (pair, sums) in sums.iter_mut().enumerate() {
                for (odd, sums) in sums.iter_mut().enumerate() {
                    for (channel, sum) in sums.0.iter_mut().enumerate() {
                        *sum = if pair == 0 { convolution.biases[channel] as i16 } else { 0 };
                        for (second, position) in positions.iter().enumerate() {
                            let tap = (2 * pair + second).checked_sub(odd).filter(|&tap| tap < TAPS_1);
                            *sum += tap.map_or(0, |tap| single.rows[position * TAPS_1 + tap].0[channel]);
                        }
                    }
                }
            }
        }
        let scale = |half: usize| {
            Scale::new(|lane| {
                let channel = lane / 4 * 8 + half * 4 + lane % 4;
                (0, convolution.multipliers[channel])
            })
        };
        Some(Self {
            sums: sums.try_into().ok().expect("as many as there are codes"),
            scales: [scale(0), scale(1)],
            single,
            biases: convolution.biases.clone(),
            multipliers: convolution.multipliers.clone(),
        })
    }

    /// Two neighbouring values of each channel from the codes of five pairs: the first one's channels, eight of them, then the
    /// second one's, in each quarter of the line.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn line(&self, codes: &[u16; PAIRS + 1]) -> Vector {
        // SAFETY: `pair_codes`, which alone writes codes, writes none that is larger.
        let rows = codes.map(|code| unsafe { self.sums.get_unchecked(usize::from(code)) });
        let value = |first: usize| {
            let sum = |odd: usize| {
                let at = |pair: usize| load(&rows[first + pair][pair][odd]);
                _mm512_add_epi16(_mm512_add_epi16(at(0), at(1)), _mm512_add_epi16(at(2), at(3)))
            };
            let larger = _mm512_max_epi16(_mm512_max_epi16(sum(0), sum(1)), _mm512_setzero_si512());
            // With these upper halves, 32 bits are the floating-point number 2^23 + sum.
            let upper = _mm512_set1_epi16((Scale::INTEGERS >> 16) as i16);
            let low = self.scales[0].rounded_float(_mm512_unpacklo_epi16(larger, upper));
            let high = self.scales[1].rounded_float(_mm512_unpackhi_epi16(larger, upper));
            _mm512_packs_epi32(low, high)
        };
        _mm512_packus_epi16(value(0), value(1))
    }

    /// Channel of byte `at` of a line, and whether it is of the second of the line's positions.
    pub fn place(at: usize) -> (usize, usize) {
        (at / 16 * 8 + at % 8, at / 8 % 2)
    }

    /// All lines of any window.
    pub fn lines_of_any(&self, seed: &[u8; PACKED_SEED_BYTES], lines: &mut [Line]) {
        // Positions after the window are empty.
        let mut codes = [0; 2 * PACKED_WINDOW_BYTES + TAPS_1 + 1];
        codes[..2 * PACKED_WINDOW_BYTES].copy_from_slice(&position_codes(seed, TAPS_1 as u16));
        let sum = |position: usize, channel: usize| -> i32 {
            let at = |tap: usize| self.single.rows[usize::from(codes[position + tap]) + tap].0[channel];
            (0..TAPS_1).map(|tap| i32::from(at(tap))).sum()
        };
        for (number, line) in lines.iter_mut().enumerate() {
            for (at, byte) in line.iter_mut().enumerate() {
                let (channel, second) = Self::place(at);
                let position = 2 * (2 * number + second);
                let larger = sum(position, channel).max(sum(position + 1, channel));
                *byte = requantised(larger + self.biases[channel], self.multipliers[channel]);
            }
        }
    }
}

const _: () = assert!(LARGEST == 255.0 && CHANNELS_1 == 32 && CONVOLUTIONS[0].taps == 7 && PAIRS == 4);

/// Writes the codes of a seed's pairs. False if a position has more than one base; and `windows::occupied_bytes` of the seed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn pair_codes(seed: &[u8; PACKED_SEED_BYTES], codes: &mut PairCodes) -> (bool, usize) {
    /// By nibble; the highest bit where there are several bases.
    const NUMBERS: [u8; 16] = [0, 1, 2, 128, 3, 128, 128, 128, 4, 128, 128, 128, 128, 128, 128, 128];
    /// Five times that.
    const FIVES: [u8; 16] = [0, 5, 10, 128, 15, 128, 128, 128, 20, 128, 128, 128, 128, 128, 128, 128];
    let table = |values: &[u8; 16]| {
        // SAFETY: the array has the size of what is loaded; no alignment is asked for.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(values.as_ptr().cast()) })
    };
    let nibbles = _mm512_set1_epi8(0x0f);
    let mut wrong = _mm512_setzero_si512();
    let mut either = _mm512_setzero_si512();
    let [read, reference] = [0, PACKED_WINDOW_BYTES].map(|start| {
        let window: &[u8; PACKED_WINDOW_BYTES] = seed[start..][..PACKED_WINDOW_BYTES].try_into().expect("a window");
        let window = load(window);
        either = _mm512_or_si512(either, window);
        let first = _mm512_and_si512(_mm512_srli_epi16::<4>(window), nibbles);
        let first = _mm512_shuffle_epi8(table(&FIVES), first);
        let second = _mm512_shuffle_epi8(table(&NUMBERS), _mm512_and_si512(window, nibbles));
        wrong = _mm512_or_si512(wrong, _mm512_or_si512(first, second));
        _mm512_add_epi8(first, second)
    });
    let wide = |bytes: __m512i, half: usize| {
        let bytes = if half == 0 { _mm512_castsi512_si256(bytes) } else { _mm512_extracti64x4_epi64::<1>(bytes) };
        _mm512_cvtepu8_epi16(bytes)
    };
    for half in 0..2 {
        let read = _mm512_mullo_epi16(wide(read, half), _mm512_set1_epi16((BASES * BASES) as i16));
        let half_codes = _mm512_add_epi16(read, wide(reference, half));
        // Those of several bases at a position, which are not used, are in the table, too.
        let half_codes = _mm512_and_si512(half_codes, _mm512_set1_epi16(CODES as i16 - 1));
        let codes: &mut [u16; 32] = (&mut codes[half * 32..][..32]).try_into().expect("half a window");
        // SAFETY: the array has the size of a register; no alignment is asked for.
        unsafe { _mm512_storeu_si512(codes.as_mut_ptr().cast(), half_codes) }
    }
    codes[PACKED_WINDOW_BYTES..].fill(0);
    let occupied = PACKED_WINDOW_BYTES - _mm512_test_epi8_mask(either, either).leading_zeros() as usize;
    (_mm512_movepi8_mask(wrong) == 0, occupied)
}
