//! Errors and qualities as NovaSeq makes them.
//!
//! The instrument reports four qualities: 2 for no call, 12, 23 and 37. Errors follow the quality, and low qualities
//! become more frequent towards the 3' end and in a minority of poor reads.

use crate::random::{MILLION, Random};
use crate::sequence::{BASES, substitute};

/// Errors of a base of quality 12, 23 and 37, in parts per million: 10^(-Q/10).
const ERRORS_Q12: u64 = 63_100;
const ERRORS_Q23: u64 = 5_010;
const ERRORS_Q37: u64 = 200;
/// Bases without a call, in parts per million.
const NO_CALLS: u64 = 30;
/// One error in so many is an insertion or deletion of one base.
const ERRORS_PER_INDEL: u64 = 50;
/// Deletions in one read; keeps a read within its fragment.
pub(crate) const MOST_DELETIONS: u64 = 8;
/// Highest mean error rate, in parts per million, that four qualities can express in the last cycle of a poor read.
pub(crate) const MOST_ERRORS: u64 = 10_000;

/// Makes the errors of reads of one length and mean error rate.
pub(crate) struct Sequencer {
    read_length: u64,
    /// Mean errors in parts per million.
    errors: u64,
}

/// A read as it comes from the instrument, and how many bases of the template it took.
pub(crate) struct Sequenced {
    pub(crate) bases: Vec<u8>,
    /// ASCII, offset 33.
    pub(crate) qualities: Vec<u8>,
    pub(crate) template_length: usize,
}

impl Sequencer {
    pub(crate) fn new(read_length: u64, errors: u64) -> Self {
        Self { read_length, errors }
    }

    /// Reads `template`, which runs in the direction of sequencing and has at least `MOST_DELETIONS` spare bases.
    pub(crate) fn read(&self, random: &mut Random, template: impl Fn(usize) -> u8) -> Sequenced {
        // Three reads in twenty have 2.7 times the mean error rate, the others 0.7 times: the mean stays.
        let read_factor = if random.below(20) < 3 { 27 } else { 7 };
        let length = self.read_length as usize;
        let mut read =
            Sequenced { bases: Vec::with_capacity(length), qualities: Vec::with_capacity(length), template_length: 0 };
        let mut deletions = 0;
        for cycle in 0..self.read_length {
            let (quality, error_rate) = self.quality(random, cycle, read_factor);
            let mut base = template(read.template_length);
            let mut quality = quality;
            if random.chance(NO_CALLS) {
                (base, quality) = (b'N', 2);
                read.template_length += 1;
            } else if !random.chance(error_rate) {
                read.template_length += 1;
            } else if random.below(ERRORS_PER_INDEL) != 0 {
                base = substitute(random, base);
                read.template_length += 1;
            } else if random.coin() || deletions == MOST_DELETIONS {
                base = *random.pick(&BASES);
            } else {
                deletions += 1;
                base = template(read.template_length + 1);
                read.template_length += 2;
            }
            read.bases.push(base);
            read.qualities.push(quality + 33);
        }
        read
    }

    /// Quality of a base and its chance of an error.
    fn quality(&self, random: &mut Random, cycle: u64, read_factor: u64) -> (u8, u64) {
        let expected = self.expected_errors(cycle) * read_factor / 10;
        let (q12, q23) = shares(expected);
        match random.below(MILLION) {
            draw if draw < q12 => (12, ERRORS_Q12),
            draw if draw < q12 + q23 => (23, ERRORS_Q23),
            _ => (37, ERRORS_Q37.min(expected)),
        }
    }

    /// Mean errors of a cycle: half of the mean at the 5' end, twice the mean at the 3' end, growing with the square.
    fn expected_errors(&self, cycle: u64) -> u64 {
        let (cycle, length) = (2 * cycle + 1, 2 * self.read_length);
        self.errors / 2 + self.errors * 3 * cycle * cycle / (2 * length * length)
    }
}

/// Shares of the qualities 12 and 23, in parts per million, whose mean error rate is `expected`: twice as many of 23 as
/// of 12 until none of 37 are left.
fn shares(expected: u64) -> (u64, u64) {
    let excess = ERRORS_Q12 - ERRORS_Q37 + 2 * (ERRORS_Q23 - ERRORS_Q37);
    let q12 = expected.saturating_sub(ERRORS_Q37) * MILLION / excess;
    if 3 * q12 <= MILLION {
        return (q12, 2 * q12);
    }
    let q12 = (expected.min(ERRORS_Q12) - ERRORS_Q23) * MILLION / (ERRORS_Q12 - ERRORS_Q23);
    (q12, MILLION - q12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_have_the_expected_mean_error_rate(expected in ERRORS_Q37..ERRORS_Q12) {
            let (q12, q23) = shares(expected);
            prop_assert!(q12 + q23 <= MILLION);
            let mean = (q12 * ERRORS_Q12 + q23 * ERRORS_Q23 + (MILLION - q12 - q23) * ERRORS_Q37) / MILLION;
            prop_assert!(mean.abs_diff(expected) <= 2, "{} for {}", mean, expected);
        }
    }

    #[test]
    fn errors_rise_to_the_3_prime_end_and_keep_their_mean() {
        let sequencer = Sequencer::new(150, 4_000);
        let cycles: Vec<u64> = (0..150).map(|cycle| sequencer.expected_errors(cycle)).collect();
        assert!(cycles.is_sorted());
        assert!(cycles[149] > 3 * cycles[0]);
        assert!((cycles.iter().sum::<u64>() / 150).abs_diff(4_000) < 20);
    }

    #[test]
    fn bases_of_low_quality_are_wrong_as_often_as_their_quality_says() {
        let sequencer = Sequencer::new(150, 8_000);
        let mut random = Random::new(4, 0);
        let (mut bases, mut wrong) = ([0u32; 64], [0u32; 64]);
        for _ in 0..4_000 {
            let read = sequencer.read(&mut random, |_| b'A');
            for (&base, &quality) in read.bases.iter().zip(&read.qualities) {
                bases[usize::from(quality - 33)] += 1;
                wrong[usize::from(quality - 33)] += u32::from(base != b'A');
            }
        }
        let rate = |quality: usize| f64::from(wrong[quality]) / f64::from(bases[quality]);
        assert!((0.055..0.070).contains(&rate(12)), "Q12: {}", rate(12));
        assert!((0.004..0.006).contains(&rate(23)), "Q23: {}", rate(23));
        assert!(rate(37) < 0.0004, "Q37: {}", rate(37));
        assert!(rate(2) == 1.0, "Q2 is no call");
        assert_eq!(bases.iter().filter(|&&count| count > 0).count(), 4, "four qualities and no other");
    }

    #[test]
    fn a_rate_of_zero_leaves_only_missing_calls() {
        let read = Sequencer::new(150, 0).read(&mut Random::new(1, 1), |_| b'C');
        assert!(read.bases.iter().all(|base| b"CN".contains(base)));
        assert_eq!(read.template_length, 150);
    }
}
