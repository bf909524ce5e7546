//! One side of a seed's own diagonal as a bit for each base, and what it scores without a gap.

use std::ops::Range;

use bwa_mem4_core::MemOpt;
use bwa_mem4_extend::ExtendResult;

use crate::stages::ungapped::X_DROP;

/// Bytes of a match mask.
pub const MATCH_MASK_BYTES: usize = 32;

/// Bases beside a seed that match, outward: bit i (byte i / 8, bit i % 8 from the lowest) is the base at distance i + 1.
/// N matches nothing, and neither does what lies beyond the read or the reference.
pub type MatchMask = [u8; MATCH_MASK_BYTES];

/// Bases that a mask has room for.
const CAPACITY: usize = 8 * MATCH_MASK_BYTES;

/// One side of a seed's own diagonal, outward from the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flank {
    matches: [u64; CAPACITY / 64],
    /// Bases of the read; `compared` of them face one of the reference.
    read_bases: usize,
    compared: usize,
    /// There is an N on either side.
    ambiguous: bool,
}

/// Matches of a whole read, of no more bases than a mask has room for and without N, on one diagonal.
pub(crate) struct DiagonalMatches {
    /// Bit i: base i of the read matches.
    forward: [u64; CAPACITY / 64],
    /// The same the other way round.
    reversed: [u64; CAPACITY / 64],
    bases: usize,
}

impl DiagonalMatches {
    /// `None` where the read has more bases, or there is an N on either side. Both sequences have the same length.
    pub(crate) fn new(read: &[u8], reference: &[u8]) -> Option<Self> {
        if read.len() > CAPACITY {
            return None;
        }
        let (forward, ambiguous) = compare(read, reference);
        let [a, b, c, d] = forward.map(u64::reverse_bits);
        (!ambiguous).then_some(Self { forward, reversed: [d, c, b, a], bases: read.len() })
    }

    /// The sides of a seed.
    pub(crate) fn flanks(&self, seed: Range<usize>) -> [Flank; 2] {
        let flank = |matches, bases| Flank { matches, read_bases: bases, compared: bases, ambiguous: false };
        [
            flank(shift_down(self.reversed, CAPACITY - seed.start), seed.start),
            flank(shift_down(self.forward, seed.end), self.bases - seed.end),
        ]
    }
}

/// What a side scores without a gap, relative to the score that it starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UngappedSide {
    /// The most, and how many bases it takes.
    best: i32,
    best_bases: i32,
    /// Score of all bases, where it goes so far, and their number.
    end: Option<i32>,
    end_bases: i32,
}

impl Flank {
    /// The side before a seed: `read` and `reference` end at it.
    pub(crate) fn before(read: &[u8], reference: &[u8]) -> Self {
        let compared = read.len().min(reference.len());
        let kept = compared.min(CAPACITY);
        let (forward, ambiguous) = compare(&read[read.len() - kept..], &reference[reference.len() - kept..]);
        // Turned round, the bases stand at the upper end of the mask.
        let [a, b, c, d] = forward.map(u64::reverse_bits);
        let matches = shift_down([d, c, b, a], CAPACITY - kept);
        Self { matches, read_bases: read.len(), compared, ambiguous }
    }

    /// The side behind a seed: `read` and `reference` start behind it.
    pub(crate) fn behind(read: &[u8], reference: &[u8]) -> Self {
        let compared = read.len().min(reference.len());
        let kept = compared.min(CAPACITY);
        let (matches, ambiguous) = compare(&read[..kept], &reference[..kept]);
        Self { matches, read_bases: read.len(), compared, ambiguous }
    }

    /// Which bases match.
    #[must_use]
    pub fn matches(&self) -> MatchMask {
        let mut mask = [0; MATCH_MASK_BYTES];
        for (bytes, word) in mask.chunks_exact_mut(8).zip(self.matches) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        mask
    }

    /// Bases next to the seed that match without a break, as far as the mask tells.
    #[must_use]
    pub fn leading_matches(&self) -> usize {
        self.next_mismatch(0)
    }

    /// Best score of a prefix, which ends where the sum lies more than the X-drop under the best; `None` where the mask
    /// does not tell: the side is longer than it, or has an N.
    pub(crate) fn best_score(&self, matched: i32, mismatched: i32) -> Option<i32> {
        self.is_told().then(|| self.walk(matched, mismatched, i32::MIN, X_DROP).best)
    }

    /// The side without a gap, as far as Smith-Waterman would follow it from `start_score`: not where nothing is left of
    /// that, nor beyond the Z-drop. `None` where the mask does not tell, or the reference ends before the read.
    pub(crate) fn ungapped(&self, options: &MemOpt, start_score: i32) -> Option<UngappedSide> {
        self.is_whole().then(|| self.walk(options.a, options.b, -start_score, options.zdrop))
    }

    /// Distances of the bases that do not match, outward, the base beside the seed being at 0. `None` where the mask does
    /// not tell, or the reference ends before the read.
    pub(crate) fn mismatches(&self) -> Option<impl Iterator<Item = usize>> {
        let next = |from| Some(self.next_mismatch(from)).filter(|&found| found < self.compared);
        self.is_whole().then(|| std::iter::successors(next(0), move |&found| next(found + 1)))
    }

    /// Bases of the read on this side.
    pub(crate) fn read_bases(&self) -> usize {
        self.read_bases
    }

    fn is_whole(&self) -> bool {
        self.is_told() && self.compared == self.read_bases
    }

    fn is_told(&self) -> bool {
        !self.ambiguous && self.compared <= CAPACITY
    }

    /// Sums up outward, until the sum is `floor` or less, or more than `drop` under the best.
    fn walk(&self, matched: i32, mismatched: i32, floor: i32, drop: i32) -> UngappedSide {
        let (mut sum, mut best, mut best_bases) = (0, 0, 0);
        let mut reaches_end = true;
        let mut at = 0;
        while at < self.compared {
            let mismatch = self.next_mismatch(at);
            sum += (mismatch - at) as i32 * matched;
            if sum > best {
                (best, best_bases) = (sum, mismatch as i32);
            }
            if mismatch == self.compared {
                break;
            }
            sum -= mismatched;
            if sum <= floor || sum < best.saturating_sub(drop) {
                reaches_end = false;
                break;
            }
            at = mismatch + 1;
        }
        let end = reaches_end.then_some(sum);
        UngappedSide { best, best_bases, end, end_bases: self.read_bases as i32 }
    }

    fn next_mismatch(&self, from: usize) -> usize {
        if from >= self.compared {
            return self.compared;
        }
        let mut word = from / 64;
        let mut bits = !self.matches[word] >> (from % 64) << (from % 64);
        while bits == 0 && word + 1 < self.matches.len() {
            word += 1;
            bits = !self.matches[word];
        }
        let found = if bits == 0 { CAPACITY } else { 64 * word + bits.trailing_zeros() as usize };
        found.min(self.compared)
    }
}

impl UngappedSide {
    /// As Smith-Waterman states it.
    pub(crate) fn result(&self, start_score: i32) -> ExtendResult {
        ExtendResult {
            score: start_score + self.best,
            qle: self.best_bases,
            tle: self.best_bases,
            gtle: self.end_bases,
            // A score of 0 or less at the read's end is none.
            gscore: self.end.map_or(0, |end| start_score + end),
            max_off: 0,
        }
    }
}

/// Bit i: the bases i are equal and no N; and whether there is an N.
fn compare(read: &[u8], reference: &[u8]) -> ([u64; CAPACITY / 64], bool) {
    /// Moves the lowest bits of eight bytes side by side into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    let mut matches = [0; CAPACITY / 64];
    let mut all = 0;
    for (number, (read, reference)) in read.chunks(8).zip(reference.chunks(8)).enumerate() {
        let word = |codes: &[u8], missing: u8| match codes.try_into() {
            Ok(eight) => u64::from_le_bytes(eight),
            Err(_) => {
                let mut bytes = [missing; 8];
                bytes[..codes.len()].copy_from_slice(codes);
                u64::from_le_bytes(bytes)
            }
        };
        // What is missing in the last eight differs: A on C.
        let (read, reference) = (word(read, 0), word(reference, 1));
        all |= read | reference;
        // Codes have three bits, and only N has the third.
        let differs = (read ^ reference) | ((read | reference) & (LOWEST << 2));
        let equal = !(differs | differs >> 1 | differs >> 2) & LOWEST;
        matches[number / 8] |= equal.wrapping_mul(GATHER) >> 56 << (8 * (number % 8));
    }
    (matches, all & (LOWEST << 2) != 0)
}

/// All words together shifted towards the lowest bit.
fn shift_down(words: [u64; CAPACITY / 64], by: usize) -> [u64; CAPACITY / 64] {
    let (whole, part) = (by / 64, by % 64);
    std::array::from_fn(|number| {
        let word = |at: usize| words.get(at).copied().unwrap_or(0);
        let low = word(number + whole) >> part;
        if part == 0 { low } else { low | word(number + whole + 1) << (64 - part) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::ungapped::ungapped_score;
    use seedsieve_simulate::Random;

    fn codes(random: &mut Random, length: usize, letters: u64) -> Vec<u8> {
        (0..length).map(|_| random.below(letters) as u8).collect()
    }

    #[test]
    fn masks_are_those_of_comparing_base_by_base() {
        let mut random = Random::new(5, 0);
        for round in 0..600 {
            let letters = if round % 2 == 0 { 2 } else { 5 };
            let lengths = [(); 2].map(|()| random.below(300) as usize);
            let [read, reference] = lengths.map(|length| codes(&mut random, length, letters));
            let equal = |(a, b): (&u8, &u8)| a == b && *a < 4;
            let outward = [
                read.iter().rev().zip(reference.iter().rev()).map(equal).collect::<Vec<_>>(),
                read.iter().zip(&reference).map(equal).collect(),
            ];
            for (flank, expected) in
                [Flank::before(&read, &reference), Flank::behind(&read, &reference)].iter().zip(outward)
            {
                let mask = flank.matches();
                for base in 0..CAPACITY {
                    let found = mask[base / 8] >> (base % 8) & 1 == 1;
                    assert_eq!(found, expected.get(base) == Some(&true), "base {base} of {lengths:?}");
                }
            }
        }
    }

    #[test]
    fn sides_cut_from_a_whole_diagonal_are_those_of_their_own_look() {
        let mut random = Random::new(7, 0);
        for _ in 0..400 {
            let length = 1 + random.below(CAPACITY as u64) as usize;
            let [read, mut reference] = [codes(&mut random, length, 4), codes(&mut random, length, 2)];
            let start = random.below(length as u64) as usize;
            let end = start + random.below((length - start + 1) as u64) as usize;
            let found = DiagonalMatches::new(&read, &reference).unwrap().flanks(start..end);
            let expected =
                [Flank::before(&read[..start], &reference[..start]), Flank::behind(&read[end..], &reference[end..])];
            assert_eq!(found, expected, "{start}..{end} of {length}");
            let leading = read[end..].iter().zip(&reference[end..]).take_while(|(one, other)| one == other).count();
            assert_eq!(found[1].leading_matches(), leading);
            reference[start] = 4;
            assert!(DiagonalMatches::new(&read, &reference).is_none(), "an N");
        }
        assert!(DiagonalMatches::new(&[0; CAPACITY + 1], &[0; CAPACITY + 1]).is_none());
    }

    #[test]
    fn scores_are_those_of_summing_base_by_base() {
        let mut random = Random::new(6, 0);
        let mut told = 0;
        for _ in 0..600 {
            let length = random.below(280) as usize;
            let read = codes(&mut random, length, 4);
            let mut reference = read.clone();
            for base in &mut reference {
                if random.below(9) == 0 {
                    *base = random.below(4) as u8;
                }
            }
            let expected = ungapped_score(&read, 0, &reference, 0, 0, 1, 4);
            let found = Flank::behind(&read, &reference).best_score(1, 4);
            assert_eq!(found.is_some(), length <= CAPACITY);
            if let Some(found) = found {
                assert_eq!(found, expected, "{length} bases");
                told += 1;
            }
        }
        assert!(told > 400, "{told}");
    }
}
