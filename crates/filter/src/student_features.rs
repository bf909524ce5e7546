//! What the student network sees of a seed: 288 bytes, matches outwards from the seed, and facts of the seed, its read and
//! its mate. `python/seedsieve_train/student/features.py` defines each; a test compares the two.

use crate::planes::{BLOCK, byte_of_each_bit};

/// Bytes of a row.
pub const STUDENT_ROW: usize = 288;
/// Bases on each side whose matches are seen.
const MASK_BITS: usize = 2 * BLOCK;
/// Diagonals within which another seed supports this one.
const REACHES: [i64; 2] = [10, 100];
/// Bases next to the seed, on either side, whose matches are counted.
const COUNTED: [u32; 3] = [8, 16, 32];

/// A seed of a read, in the direction in which the read was sequenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StudentSeed {
    /// Bit i: the base at distance i + 1 before the seed is the reference's. 0 beyond the read and the contig, and for N.
    pub before: u128,
    /// The same behind the seed.
    pub behind: u128,
    /// Bases.
    pub length: u32,
    /// 0-based start in the read.
    pub query_start: u32,
    /// Bases of the contig before the seed, in the read's direction.
    pub room_before: u64,
    /// Bases of the contig behind it.
    pub room_behind: u64,
    /// How often the seed's SMEM occurs.
    pub occurrences: u64,
    /// Best score of an ungapped extension.
    pub ungapped_score: i32,
    /// Best score with at most one gap.
    pub gap_bound: i32,
    /// Of its own extension, by [`crate::NarrowScores`].
    pub narrow_score: i32,
    /// A number for contig and strand.
    pub strand_of_contig: u64,
    /// Start on the reference less start in the read, on that strand.
    pub diagonal: i64,
}

/// The seeds of one read, which see each other.
#[derive(Debug, Default)]
pub struct StudentRead {
    read_length: u32,
    /// Best and second best over all seeds, of the ungapped scores, of the bounds and of the narrow scores.
    ungapped: [i32; 2],
    bounds: [i32; 2],
    narrow: [i32; 2],
    mate_bound: i32,
    /// Places of all seeds, ascending.
    places: Vec<(u64, i64)>,
}

impl StudentRead {
    /// Takes the seeds of a read of `read_length` bases, whose mate's best bound is `mate_bound` (0 without a mate).
    pub fn set(&mut self, seeds: &[StudentSeed], read_length: u32, mate_bound: i32) {
        (self.read_length, self.mate_bound) = (read_length, mate_bound);
        self.ungapped = best_two(seeds.iter().map(|seed| seed.ungapped_score));
        self.bounds = best_two(seeds.iter().map(|seed| seed.gap_bound));
        self.narrow = best_two(seeds.iter().map(|seed| seed.narrow_score));
        self.places.clear();
        self.places.extend(seeds.iter().map(|seed| (seed.strand_of_contig, seed.diagonal)));
        self.places.sort_unstable();
    }

    /// Writes the row of one of the seeds, in this version of the layout (1 to 3).
    pub fn write(&self, seed: &StudentSeed, version: u8, row: &mut [u8; STUDENT_ROW]) {
        let (masks, facts) = row.split_at_mut(2 * MASK_BITS);
        let (before, behind) = masks.split_at_mut(MASK_BITS);
        spread(seed.before, before);
        spread(seed.behind, behind);
        facts.fill(0);
        let of_others = |best: [i32; 2], own: i32| if own == best[0] { best[1] } else { best[0] };
        let [near, far] = REACHES.map(|reach| self.others_within(seed, reach));
        let StudentSeed { length, query_start, ungapped_score, gap_bound, narrow_score, .. } = *seed;
        let bases = self.read_length;
        let all = [
            u64::from(length),
            u64::from(query_start).min(seed.room_before),
            u64::from(bases - query_start - length).min(seed.room_behind),
            eighths_of_log2(seed.occurrences),
            score(ungapped_score),
            score(of_others(self.ungapped, ungapped_score)),
            near,
            far,
            self.places.len() as u64 / 4,
            u64::from(bases / 2),
            u64::from(query_start) * 255 / u64::from(bases.max(1)),
            longest_run(seed.before).max(longest_run(seed.behind)).into(),
        ];
        let counts = COUNTED.into_iter().flat_map(|bases| {
            let first = (1 << bases) - 1;
            [seed.before & first, seed.behind & first].map(|mask| u64::from(mask.count_ones()))
        });
        let bounds = [gap_bound, of_others(self.bounds, gap_bound), self.mate_bound].map(score);
        let bounds = bounds.into_iter().filter(|_| version >= 2);
        let narrow = [narrow_score, of_others(self.narrow, narrow_score)].map(score);
        let narrow = narrow.into_iter().filter(|_| version >= 3);
        for (byte, fact) in facts.iter_mut().zip(all.into_iter().chain(counts).chain(bounds).chain(narrow)) {
            *byte = fact.min(255) as u8;
        }
    }

    /// Other seeds of the read on this strand within so many diagonals.
    fn others_within(&self, seed: &StudentSeed, reach: i64) -> u64 {
        let (strand, diagonal) = (seed.strand_of_contig, seed.diagonal);
        let first = self.places.partition_point(|&place| place < (strand, diagonal - reach));
        let end = self.places.partition_point(|&place| place <= (strand, diagonal + reach));
        (end - first) as u64 - 1
    }
}

fn score(score: i32) -> u64 {
    score.max(0) as u64
}

/// The best of some scores and the second best; 0 where there is none.
fn best_two(scores: impl Iterator<Item = i32>) -> [i32; 2] {
    scores.fold([0; 2], |[best, second], score| [best.max(score), second.max(score.min(best))])
}

/// A byte for each bit, 0 or 1.
fn spread(bits: u128, bytes: &mut [u8]) {
    for (eight, byte) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(bits.to_le_bytes()) {
        *eight = byte_of_each_bit(byte).to_le_bytes();
    }
}

/// Most ones in a row.
fn longest_run(mut bits: u128) -> u32 {
    let mut run = 0;
    while bits != 0 {
        bits &= bits << 1;
        run += 1;
    }
    run
}

/// 8 log2 of a number, rounded down; 0 for 0. Integers only: the same on every machine.
fn eighths_of_log2(number: u64) -> u64 {
    /// 2^(j/8) for j from 1 to 7, in units of 2^-30.
    const STEPS: [u64; 7] =
        [1_170_923_762, 1_276_901_417, 1_392_470_869, 1_518_500_250, 1_655_936_265, 1_805_811_301, 1_969_251_188];
    let number = number.max(1);
    let exponent = number.ilog2();
    let scaled = ((u128::from(number) << 30) >> exponent) as u64;
    8 * u64::from(exponent) + STEPS.iter().filter(|&&step| scaled >= step).count() as u64
}
