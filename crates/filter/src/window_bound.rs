//! What a read can score at most anywhere in a stretch of the reference, from its matches in a row.
//!
//! A local alignment consists of runs of matches, and what separates two of them costs at least as much as K - 1 matches
//! score: a mismatch, or a gap. A run of r matches holds r - (K - 1) places at which K matches in a row begin, or none. So an
//! alignment with n runs scores at most n (K - 1) a for their first K - 1 bases each, and a for each of those places; the
//! n - 1 separators take (n - 1) (K - 1) a of that back. What is left is (K - 1) a, plus a for each such place on the diagonals
//! that the alignment visits, less what its gaps cost beyond (K - 1) a. Whatever way it goes from diagonal to diagonal, in
//! their order is not dearer: the best sum is found in one pass over the diagonals. N counts as a match, which it never is.
//!
//! A second pass, back, finds the diagonals that an alignment of a given score may visit, and so the part of the stretch that
//! it lies in.
//!
//! bwa-mem4's kernel leaves searches out by a sum of the same places; it takes reads without N, and the bases of the stretch.

use std::ops::Range;

use crate::diagonal::Scoring;
use crate::planes::{DIAGONALS, ReadPlanes, ReferencePlanes, RunCounts};

/// The longest K: with longer ones too little is seen of what is not nearly exact.
const LONGEST: i32 = 12;
/// With a shorter K nearly every place counts, and nothing can be left out.
const SHORTEST: i32 = 4;

/// Where in a window a read can reach a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere.
    Nowhere,
    /// Every local alignment of that score lies in this part of the window, 0-based and half-open on the forward strand.
    Within(Range<i64>),
}

/// Bounds under one set of scores. Its memory is used again.
#[derive(Debug, Clone)]
pub struct WindowBound {
    scoring: Scoring,
    /// K; nothing where the scores allow none.
    run: Option<i32>,
    /// At how many places K matches in a row begin, sixteen diagonals an element.
    counts: Vec<RunCounts>,
    /// Diagonals that have some, how many, and the best sum of what ends there.
    sums: Vec<(i32, i32, i32)>,
}

impl WindowBound {
    /// Bounds for alignments with these scores.
    pub fn new(scoring: Scoring) -> Self {
        let Scoring { matched, mismatched, gap_open, gap_extend } = scoring;
        let is_sound = matched > 0 && gap_extend >= 0;
        let run =
            is_sound.then(|| (mismatched.min(gap_open) / matched + 1).min(LONGEST)).filter(|&run| run >= SHORTEST);
        Self { scoring, run, counts: Vec::new(), sums: Vec::new() }
    }

    /// Where local alignments of the read (its reverse complement where `reverse`) with `window`, 0-based and half-open on
    /// the forward strand, may score `least` (more than 0) or more. The whole window where nothing is known: under scores that
    /// allow no bound, and near the ends of the reference.
    pub fn reach(
        &mut self,
        read: &ReadPlanes,
        reverse: bool,
        reference: &ReferencePlanes,
        window: &Range<i64>,
        least: i32,
    ) -> Reach {
        let unknown = Reach::Within(window.clone());
        let Some(run) = self.run else { return unknown };
        let missing = least - (run - 1) * self.scoring.matched;
        if missing <= 0 {
            return unknown;
        }
        let overhang = read.length().checked_sub(run as usize).map(|overhang| overhang as i64);
        let (Some(overhang), true) = (overhang, window.end - window.start >= i64::from(run)) else {
            // Fewer than K matches.
            return Reach::Nowhere;
        };
        let first = window.start - overhang;
        let diagonals = (window.end - i64::from(run) + 1 - first) as usize;
        // Where no diagonal scores more than it takes to come to it, none of them is worth visiting but one.
        let visit = self.gap_beyond_run(run) + self.scoring.gap_extend;
        let many = (visit.min(missing - 1) / self.scoring.matched) as u32;
        self.counts.resize(diagonals.div_ceil(DIAGONALS), RunCounts::default());
        match read.count_runs(reverse, reference, first, run as usize, many, &mut self.counts) {
            None => return unknown,
            Some(false) => return Reach::Nowhere,
            Some(true) => {}
        }
        match self.diagonals(run, missing) {
            None => Reach::Nowhere,
            Some(_) if self.scoring.gap_extend == 0 => unknown,
            Some((best, between)) => {
                // What leaves these diagonals for others loses a gap's extension a base, and has only so much to lose.
                let astray = i64::from((best - missing) / self.scoring.gap_extend);
                let (start, end) = (first + between.start, first + between.end);
                let end = end + read.length() as i64 + astray;
                Reach::Within((start - astray).max(window.start)..end.min(window.end))
            }
        }
    }

    /// What opening a gap costs beyond K - 1 matches.
    fn gap_beyond_run(&self, run: i32) -> i32 {
        self.scoring.gap_open - (run - 1) * self.scoring.matched
    }

    /// The best sum, and the diagonals between which all lie that may be part of a sum of `missing`; nothing where there is
    /// none.
    fn diagonals(&mut self, run: i32, missing: i32) -> Option<(i32, Range<i64>)> {
        let Scoring { matched, gap_extend, .. } = self.scoring;
        let gap_open = self.gap_beyond_run(run);
        // Best sum so far, plus what moving on to it would have cost from diagonal 0.
        let (mut best, mut before) = (0, i32::MIN);
        self.sums.clear();
        for (sixteen, counts) in self.counts.iter().enumerate() {
            for (number, count) in counts.iter() {
                let (diagonal, own) = ((sixteen * DIAGONALS + number) as i32, matched * count as i32);
                let moved = gap_extend * diagonal;
                let sum = own + before.saturating_sub(moved).max(0);
                self.sums.push((diagonal, own, sum));
                best = best.max(sum);
                before = before.max(sum + moved - gap_open);
            }
        }
        if best < missing {
            return None;
        }
        let mut between: Option<Range<i64>> = None;
        let mut behind = i32::MIN;
        for &(diagonal, own, sum) in self.sums.iter().rev() {
            let moved = gap_extend * diagonal;
            let further = behind.saturating_add(moved).max(0);
            if sum + further >= missing {
                let end = between.map_or(i64::from(diagonal) + 1, |between| between.end);
                between = Some(i64::from(diagonal)..end);
            }
            behind = behind.max(own + further - moved - gap_open);
        }
        between.map(|between| (best, between))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Best local score by Smith-Waterman; N scores -1, as in bwa.
    fn smith_waterman(read: &[u8], window: &[u8], scoring: &Scoring) -> i32 {
        const NEVER: i32 = -1_000_000;
        let Scoring { matched, mismatched, gap_open, gap_extend } = *scoring;
        let mut row = vec![0; read.len() + 1];
        let mut deleted = vec![NEVER; read.len() + 1];
        let mut best = 0;
        for &base in window {
            let (mut diagonal, mut inserted) = (0, NEVER);
            for (i, &code) in read.iter().enumerate() {
                let score = if code > 3 {
                    -1
                } else if code == base {
                    matched
                } else {
                    -mismatched
                };
                deleted[i + 1] = (deleted[i + 1]).max(row[i + 1] - gap_open) - gap_extend;
                inserted = inserted.max(row[i] - gap_open) - gap_extend;
                let cell = 0.max(diagonal + score).max(deleted[i + 1]).max(inserted);
                diagonal = std::mem::replace(&mut row[i + 1], cell);
                best = best.max(cell);
            }
        }
        best
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn no_alignment_is_above_the_bound(
            reference in proptest::collection::vec(0u8..4, 700),
            mut read in proptest::collection::vec(prop_oneof![9 => 0u8..4, 1 => Just(4u8)], 1..120),
            pieces in proptest::collection::vec((0usize..110, 2usize..24, -3i64..4), 0..6),
            (start, length) in (130i64..300, 1i64..120),
            scores in (1i32..3, 1i32..9, 0i32..9, 0i32..4),
            defaults: bool,
            reverse: bool,
        ) {
            let (matched, mismatched, gap_open, gap_extend) = scores;
            let of_bwa = Scoring::default();
            let scoring = if defaults { of_bwa } else { Scoring { matched, mismatched, gap_open, gap_extend } };
            // Pieces of the window, on diagonals that are near one another.
            for (from, bases, shift) in pieces {
                for i in from..(from + bases).min(read.len()) {
                    read[i] = reference[(start + i as i64 + shift) as usize];
                }
            }
            let planes = ReferencePlanes::new(vec![0, 700], |range, piece| {
                piece.clear();
                piece.extend_from_slice(&reference[range.start as usize..range.end as usize]);
            });
            let turned: Vec<u8> = read.iter().rev().map(|&code| if code < 4 { 3 - code } else { 4 }).collect();
            let mut of_read = ReadPlanes::default();
            of_read.set(if reverse { &turned } else { &read });
            let window = start..start + length;
            let bases = |range: &Range<i64>| &reference[range.start as usize..range.end as usize];
            let score = smith_waterman(&read, bases(&window), &scoring);
            let has_bound = mismatched.min(gap_open) / matched >= SHORTEST - 1 || defaults;
            let mut bound = WindowBound::new(scoring);
            for least in [score - 3, score, score + 1, score + 8].into_iter().filter(|&least| least > 0) {
                match bound.reach(&of_read, reverse, &planes, &window, least) {
                    Reach::Nowhere => prop_assert!(score < least && has_bound, "{score}, not {least}"),
                    Reach::Within(part) => {
                        prop_assert!(has_bound || part == window);
                        prop_assert!(window.start <= part.start && part.end <= window.end);
                        if score >= least {
                            prop_assert_eq!(smith_waterman(&read, bases(&part), &scoring), score);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_exact_match_is_its_own_bound_and_two_pieces_pay_for_their_gap() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 60) as u8 & 3
        };
        let reference: Vec<u8> = (0..1_800).map(|_| next()).collect();
        let planes = ReferencePlanes::new(vec![0, 1_800], |range, piece| {
            piece.clear();
            piece.extend_from_slice(&reference[range.start as usize..range.end as usize]);
        });
        let reach = |read: &[u8], least| {
            let mut planes_of_read = ReadPlanes::default();
            planes_of_read.set(read);
            WindowBound::new(Scoring::default()).reach(&planes_of_read, false, &planes, &(300..1_500), least)
        };
        let exact = &reference[820..860];
        assert_eq!(reach(exact, 41), Reach::Nowhere);
        let Reach::Within(part) = reach(exact, 40) else { panic!("it is there") };
        assert!(part.contains(&820) && part.contains(&859) && part.end - part.start <= 120, "{part:?}");
        let two_pieces = [&reference[820..850], &reference[852..880]].concat();
        assert_eq!(reach(&two_pieces, 58 - 8 + 1), Reach::Nowhere);
        assert!(matches!(reach(&two_pieces, 58 - 8), Reach::Within(_)));
        assert_eq!(reach(&reference[1_600..1_660], 25), Reach::Nowhere, "it lies elsewhere");
    }
}
