//! How many reads one run changes of another's.

use std::collections::HashSet;

use crate::interval::upper_bound;
use crate::outcome::Outcome;

/// Bases of a locus: about an insert, beyond which two reads share no sequence.
pub const LOCUS: u64 = 1_000;
/// Bases of the blocks of which every second one, by a hash, is learned from: so many loci that few reads lie on an edge.
const BLOCK: u64 = 10 * LOCUS;

/// A half of the loci.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The bands are learned from it.
    Learn,
    /// What they lose is checked on it.
    Check,
}

/// Reads whose primary record reaches -T without a filter, and what became of them with one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Such reads.
    pub reported: u64,
    /// Loci at which they begin.
    pub loci: u64,
    /// Of the reads, those that are unmapped or at another place or strand.
    pub changed: u64,
    /// Of the changed ones, the unmapped.
    pub lost: u64,
    /// Reads with MAPQ 20 or more, without the filter.
    pub confident: u64,
    /// Of these, the changed ones.
    pub confident_changed: u64,
    /// Of these, in place but with another CIGAR, or a MAPQ that differs by more than 5.
    pub confident_altered: u64,
}

/// MAPQ from which a read counts as confident.
const CONFIDENT: u8 = 20;

impl Tally {
    /// Compares the runs `off` and `on` of the same reads, on one half of the loci or, where none is named, on all.
    pub fn new(off: &[Outcome], on: &[Outcome], report_score: i32, half: Option<Half>) -> Self {
        let mut tally = Self::default();
        let mut loci = HashSet::new();
        for (off, on) in off.iter().zip(on) {
            let Some(contig) = off.contig.as_deref().filter(|_| off.score >= report_score) else { continue };
            if half.is_some_and(|half| half != half_of(contig, off.position)) {
                continue;
            }
            loci.insert((contig, off.position / LOCUS));
            tally.reported += 1;
            let changed = !off.is_in_place_of(on);
            tally.changed += u64::from(changed);
            tally.lost += u64::from(on.contig.is_none());
            if off.mapping_quality >= CONFIDENT {
                tally.confident += 1;
                tally.confident_changed += u64::from(changed);
                let altered = off.cigar != on.cigar || off.mapping_quality.abs_diff(on.mapping_quality) > 5;
                tally.confident_altered += u64::from(altered && !changed);
            }
        }
        tally.loci = loci.len() as u64;
        tally
    }

    /// The share of reads that are changed; 0 where there are none.
    #[must_use]
    pub fn loss(&self) -> f64 {
        if self.reported == 0 { 0.0 } else { self.changed as f64 / self.reported as f64 }
    }

    /// Its upper bound at this confidence, as if each locus were one read: a share of the loci as large as that of the reads,
    /// rounded up.
    #[must_use]
    pub fn loss_at_most(&self, confidence: f64) -> f64 {
        let changed_loci = (self.changed as u128 * u128::from(self.loci)).div_ceil(u128::from(self.reported.max(1)));
        upper_bound(changed_loci as u64, self.loci, confidence)
    }
}

/// The half that a place belongs to.
fn half_of(contig: &[u8], position: u64) -> Half {
    // FNV-1a: the same on every machine.
    let bytes = contig.iter().copied().chain((position / BLOCK).to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    if (hash >> 32).count_ones().is_multiple_of(2) { Half::Learn } else { Half::Check }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(position: u64, score: i32, mapping_quality: u8) -> Outcome {
        let (contig, cigar) = (Some(b"chr1"[..].into()), b"50M"[..].into());
        Outcome { contig, position, reverse: false, mapping_quality, cigar, score }
    }

    #[test]
    fn reads_are_counted_by_what_became_of_them() {
        let off = [outcome(100, 50, 60), outcome(300, 50, 60), outcome(90_000, 40, 0), outcome(5, 29, 60)];
        let mut on = off.clone();
        on[0].position = 200_000;
        on[1].cigar = b"49M1S"[..].into();
        on[2].contig = None;
        on[3].contig = None;
        let tally = Tally::new(&off, &on, 30, None);
        let expected = Tally {
            reported: 3,
            loci: 2,
            changed: 2,
            lost: 1,
            confident: 2,
            confident_changed: 1,
            confident_altered: 1,
        };
        assert_eq!(tally, expected);
        let halves = [Half::Learn, Half::Check].map(|half| Tally::new(&off, &on, 30, Some(half)).reported);
        assert_eq!(halves.iter().sum::<u64>(), 3);
    }

    #[test]
    fn halves_are_about_as_large_and_of_whole_blocks() {
        let learned = (0..2_000).filter(|block| half_of(b"chr7", block * BLOCK) == Half::Learn).count();
        assert!((900..1_100).contains(&learned), "{learned}");
        assert!((0..BLOCK).all(|place| half_of(b"chr7", 3 * BLOCK + place) == half_of(b"chr7", 3 * BLOCK)));
    }

    #[test]
    fn many_reads_of_one_locus_are_one_witness() {
        let tally = Tally { reported: 1_000, loci: 1_000, changed: 5, ..Tally::default() };
        assert_eq!(tally.loss_at_most(0.95), upper_bound(5, 1_000, 0.95));
        let deep = Tally { reported: 100_000, changed: 500, ..tally };
        assert_eq!(deep.loss_at_most(0.95), tally.loss_at_most(0.95));
        assert_eq!(Tally { changed: 1, ..deep }.loss_at_most(0.95), upper_bound(1, 1_000, 0.95), "rounded up");
    }
}
