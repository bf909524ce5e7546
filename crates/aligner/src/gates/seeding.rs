//! The gate within seeding: which reads need more than their longest matches.

use std::ops::Range;

use bwa_mem4_core::MemOpt;

/// A match of the first round of seeding, and where it lies if it occurs once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstMatch {
    /// 0-based start in the read.
    pub start: u32,
    /// End in the read, exclusive.
    pub end: u32,
    /// How often it occurs in the reference and its reverse complement.
    pub occurrences: i64,
    /// 0-based start in bwa's 2L coordinate of what occurs once, before it was made as long as it is at the latest.
    pub place: Option<i64>,
}

/// What becomes of a read's further rounds of seeding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedingVerdict {
    /// They take place.
    Further,
    /// They are left out.
    Enough,
    /// They are left out if none of these parts of the read occurs twice. Each lies within a match that occurs once.
    EnoughIfUnique(Vec<Range<u32>>),
}

/// Decides which reads are seeded further than by their super-maximal matches: bwa looks for shorter matches that occur more
/// often, so as to find other places of a read. Called from worker threads; not asked where the reference has ALT contigs, whose
/// matches explain nothing of the primary assembly.
pub trait SeedingGate: Send + Sync {
    /// What becomes of the further rounds for a read of `bases` bases; the decision depends on that read alone.
    fn judge(&self, bases: usize, matches: &[FirstMatch]) -> SeedingVerdict {
        let _ = (bases, matches);
        SeedingVerdict::Further
    }
}

/// The filter's own: a read that one place explains, and of which no other place can come near it.
///
/// Matches that occur once lie on one diagonal and leave few bases open. Elsewhere the read can score as much, or less by
/// what is still near, only with few differences: a part of the read for each of them, and one more, and one part has to
/// match there without any. Where none of the parts occurs twice there is no such place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Explained {
    /// Differences that another place can have more than this one has bases open, and still be near.
    differences: u32,
    /// Bases at each end of the read that belong to no part: clipping them costs as much as a difference.
    margin: u32,
}

/// Bases that the matches may leave open.
const OPEN: u32 = 3;
/// Bases of the shortest part: shorter ones occur twice by chance.
const SHORTEST_PART: u32 = 17;

impl Explained {
    /// Near is what pairing may prefer (-U), which is also about as far as a rival lowers MAPQ.
    pub(crate) fn new(options: &MemOpt) -> Self {
        let gap = (options.o_del + options.e_del).min(options.o_ins + options.e_ins);
        let difference = (options.a + options.b).min(gap).max(1);
        let near = options.pen_unpaired.max(0);
        Self { differences: (near / difference) as u32, margin: (difference / options.a.max(1)) as u32 }
    }

    /// Cuts a read of `bases` bases into parts, each of which lies within one of `matches`.
    fn parts(&self, bases: u32, open: u32, matches: &[FirstMatch]) -> Option<Vec<Range<u32>>> {
        let (inner, count) = (bases.checked_sub(2 * self.margin)?, self.differences + open + 1);
        let part = |number: u32| {
            let [start, end] = [number, number + 1].map(|number| self.margin + inner * number / count);
            let within = matches.iter().map(|of| of.start.max(start)..of.end.min(end));
            within.filter(|part| part.start + SHORTEST_PART <= part.end).max_by_key(|part| part.end - part.start)
        };
        (0..count).map(part).collect()
    }
}

impl SeedingGate for Explained {
    fn judge(&self, bases: usize, matches: &[FirstMatch]) -> SeedingVerdict {
        let bases = bases as u32;
        let diagonal = |of: &FirstMatch| of.place.map(|place| place - i64::from(of.start));
        let Some(own) = matches.first().and_then(diagonal) else { return SeedingVerdict::Further };
        if matches.iter().any(|of| diagonal(of) != Some(own)) {
            return SeedingVerdict::Further;
        }
        let (mut covered, mut end) = (0, 0);
        for of in matches {
            covered += of.end.saturating_sub(of.start.max(end));
            end = end.max(of.end);
        }
        match bases - covered {
            open @ 0..=OPEN => {
                self.parts(bases, open, matches).map_or(SeedingVerdict::Further, SeedingVerdict::EnoughIfUnique)
            }
            _ => SeedingVerdict::Further,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique(start: u32, end: u32, diagonal: i64) -> FirstMatch {
        FirstMatch { start, end, occurrences: 1, place: Some(diagonal + i64::from(start)) }
    }

    fn judge(bases: usize, matches: &[FirstMatch]) -> SeedingVerdict {
        Explained::new(&MemOpt::default()).judge(bases, matches)
    }

    #[test]
    fn a_part_more_than_another_place_may_have_differences() {
        // -U is 17 and a difference costs five: three of them.
        let parts = SeedingVerdict::EnoughIfUnique(vec![5..40, 40..75, 75..110, 110..145]);
        assert_eq!(judge(150, &[unique(0, 150, 9)]), parts);
        // At base 60 this place has a difference that the other one need not have.
        let parts = SeedingVerdict::EnoughIfUnique(vec![5..33, 33..60, 61..89, 89..117, 117..145]);
        assert_eq!(judge(150, &[unique(0, 60, 9), unique(61, 150, 9)]), parts);
    }

    #[test]
    fn what_is_not_explained_by_one_place_is_seeded_further() {
        let repeat = FirstMatch { start: 0, end: 150, occurrences: 2, place: None };
        let short = [unique(0, 75, 9), unique(79, 150, 9)];
        for (bases, matches) in [
            (150, &[][..]),
            (150, &[repeat]),
            (150, &[unique(0, 100, 9), unique(101, 150, 10)]),
            (150, &[unique(0, 100, 9), FirstMatch { start: 101, ..repeat }]),
            (150, &short),
            (70, &[unique(0, 70, 9)]),
        ] {
            assert_eq!(judge(bases, matches), SeedingVerdict::Further, "{matches:?}");
        }
    }
}
