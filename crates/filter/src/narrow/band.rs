//! The alignment of one side of a seed in a band of 31 diagonals, antidiagonal by antidiagonal.
//!
//! Of one sequence i bases are behind a cell and of the other j, outwards from the seed. On antidiagonal i + j = 2a lane k
//! holds the cell with i = a + 8 - k and j = a - 8 + k, on the next, 2a + 1, that with i = a + 8 - k and j = a - 7 + k. So
//! the cells that a cell follows lie in its own lane or in the one beside it, and the bases that meet on an antidiagonal
//! lie side by side, those of the one sequence backwards.

use super::lanes::{LANES, Lanes};
use crate::diagonal::Scoring;

/// Bases that are no base's equal in front of both sequences, and behind them: what the first and the last antidiagonals
/// reach over the ends.
pub(super) const MARGIN: usize = LANES;
/// Steps of two antidiagonals for which bases are asked at once.
pub(super) const STEPS: usize = 32;
/// The code of N.
pub(super) const AMBIGUOUS: u8 = 4;
/// What N scores less, with any base (bwa's scoring matrix).
const AMBIGUOUS_LOSS: u8 = 1;

/// Scores in all lanes.
pub(super) struct Costs<L> {
    matched: L,
    mismatched: L,
    /// How much less than a mismatch N loses.
    spared: L,
    /// Of a gap's first base.
    open: L,
    /// Of each further one.
    extend: L,
}

impl<L: Lanes> Costs<L> {
    pub(super) fn new(scoring: &Scoring) -> Self {
        let all = |score: i32| L::all(score.clamp(0, 255) as u8);
        Self {
            matched: all(scoring.matched),
            mismatched: all(scoring.mismatched),
            spared: all(scoring.mismatched - i32::from(AMBIGUOUS_LOSS)),
            open: all(scoring.gap(1)),
            extend: all(scoring.gap_extend),
        }
    }
}

/// What an antidiagonal's cells score; 0 is dead, and stays so.
#[derive(Clone, Copy)]
struct Cells<L> {
    /// Behind a pair of bases.
    paired: L,
    /// Behind a gap in the one sequence, and in the other.
    gaps: [L; 2],
    /// The best of these.
    best: L,
}

/// The band, of which the last two antidiagonals are known.
pub(super) struct Band<L> {
    before: L,
    last: Cells<L>,
    best: L,
}

impl<L: Lanes> Band<L> {
    /// A band whose alignments begin with this score.
    pub(super) fn new(score: u8) -> Self {
        let none = L::all(0);
        let mut begin = [0; LANES];
        begin[LANES / 2] = score;
        let begin = L::new(&begin);
        Self { before: none, last: Cells { paired: begin, gaps: [none; 2], best: begin }, best: begin }
    }

    /// Goes on by the antidiagonal 2a. Lane k has the bases that lie before those of cell k: `same` where they are the same,
    /// `ambiguous` where the read has an N.
    #[inline(always)]
    pub(super) fn even(&mut self, same: L, ambiguous: L, costs: &Costs<L>) {
        let [one, other] = self.with_gaps(costs);
        self.advance(same, ambiguous, [one, other.raised()], costs);
    }

    /// The same for the antidiagonal 2a + 1.
    #[inline(always)]
    pub(super) fn odd(&mut self, same: L, ambiguous: L, costs: &Costs<L>) {
        let [one, other] = self.with_gaps(costs);
        self.advance(same, ambiguous, [one.lowered(), other], costs);
    }

    /// What gaps of the one sequence and of the other score behind the last antidiagonal, in its lanes. As in bwa no gap
    /// follows one of the other kind at once.
    #[inline(always)]
    fn with_gaps(&self, costs: &Costs<L>) -> [L; 2] {
        let opened = self.last.paired.minus(costs.open);
        self.last.gaps.map(|gap| opened.max(gap.minus(costs.extend)))
    }

    #[inline(always)]
    fn advance(&mut self, same: L, ambiguous: L, gaps: [L; 2], costs: &Costs<L>) {
        let dead = self.before.same(L::all(0));
        let loss = costs.mismatched.minus(costs.spared.and(ambiguous)).without(same);
        let paired = self.before.minus(loss).plus(costs.matched.and(same).without(dead));
        let best = paired.max(gaps[0]).max(gaps[1]);
        self.before = self.last.best;
        self.last = Cells { paired, gaps, best };
        self.best = self.best.max(paired);
    }

    /// Whether no alignment goes on.
    #[inline(always)]
    pub(super) fn is_dead(&self) -> bool {
        self.before.max(self.last.best).are_zero()
    }

    /// Whether a score has been more than those of `most`.
    #[inline(always)]
    pub(super) fn exceeds(&self, most: L) -> bool {
        !self.best.minus(most).are_zero()
    }

    /// The best score so far.
    pub(super) fn best(&self) -> u8 {
        self.best.numbers().into_iter().max().expect("sixteen numbers")
    }
}
