//! Extensions whose optimum is proven to have no gap, so that they need no Smith-Waterman.
//!
//! A *flank* is what lies on one side of a seed: n bases of the read, and at least as many of the reference. Position k is
//! the k-th base outwards from the seed, from 0; the seed has scored h > 0 so far. On the seed's own diagonal let x(k) be
//! the mismatches at positions 0 to k, and m the position of the first of all X; a match scores a, a mismatch loses b, a gap
//! of g bases costs o + e g.
//!
//! bwa's extension (`ksw_extend2`) reports the best score over all cells and where it was first reached, the best score in
//! the read's last column (of equal ones, that of the latest row), and how far from the diagonal the best cells were.
//! Without gaps a cell of the diagonal scores D(k) = h + a (k + 1) - (a + b) x(k), and P(k) is the best of h and D(0..k).
//! The report is that of the diagonal alone if in no row a cell beside it reaches P, and none in the last column
//! D(n - 1). A path to a cell beside the diagonal has left it before some position p. At position c of the shorter of its
//! two coordinates it scores at most h + a (c + 1) - (a + b) (x(p - 1) + y) - (its gaps), y being its mismatches since, and
//! its row is not before c. To reach P, so D(c), it has to pay for its gaps with mismatches that it avoids:
//!
//! 1. If (a + b) X < o + e, no gap can be paid for.
//! 2. If (a + b) X is at least that, but (a + b) (X - 1) < o + e and (a + b) X < 2 (o + e), then a path has to avoid all
//!    mismatches, has none of its own, and one gap. So it leaves before m, and from m on its pairs match. P is at least
//!    h + a m there, so it needs ceil((o + e g) / a) such pairs to reach P, or all up to the last column to reach D(n - 1).
//!    Whether there are so many on another diagonal is looked at; the gaps that can be paid for are few.
//!
//! Bands only take paths away. The diagonal must not die (D > 0), and the z-drop must not end the search: a row's best is
//! at least D, so P - D up to the z-drop suffices. N scores otherwise and is left to Smith-Waterman.

use bwa_mem4_core::MemOpt;
use bwa_mem4_extend::ExtendResult;

use super::extension::{Flank, take_flank};
use super::isolated_flank::{IsolatedFlank, LONGEST_REACH};
use crate::flank::Flank as MatchedFlank;
use crate::{ReferenceIndex, Seed, SeedExtension};

/// Letters of the scoring matrix: A, C, G, T, N.
const ALPHABET: usize = 5;
/// Most mismatches of a flank that are looked at, whatever the scores.
const MOST_MISMATCHES: usize = 8;
/// Longest gap that is looked for on other diagonals.
const LONGEST_GAP: i32 = 16;

/// The proofs' constants under the scores in force.
pub(crate) struct UngappedOptimum {
    matched: i32,
    /// What a mismatch loses against a match: a + b.
    swing: i32,
    deletion: (i32, i32),
    insertion: (i32, i32),
    z_drop: i32,
    /// Mismatches that no gap can pay for.
    few: usize,
    /// Whether one mismatch more leaves but one gap, which can be looked for.
    one_more: bool,
    /// Bases beyond the read that a gap can reach.
    margin: i64,
    /// The other proof, for flanks of which nothing is worth a gap, where it is asked for.
    isolated: Option<IsolatedFlank>,
}

/// An extension that needed no Smith-Waterman.
pub(crate) struct ProvenExtension {
    pub(crate) extension: SeedExtension,
    /// Whether it took the proof for isolated flanks.
    pub(crate) isolated: bool,
}

impl UngappedOptimum {
    /// `None` where the scores do not fit the proofs. `isolated`: with the proof for isolated flanks.
    pub(crate) fn new(options: &MemOpt, isolated: bool) -> Option<Self> {
        let (matched, mismatched) = (i32::from(options.mat[0]), i32::from(options.mat[1]));
        let is_uniform = (0..4).all(|one| {
            (0..4).all(|other| {
                let expected = if one == other { matched } else { mismatched };
                i32::from(options.mat[one * ALPHABET + other]) == expected
            })
        });
        let gap_open = options.o_del.min(options.o_ins);
        let gap_extend = options.e_del.min(options.e_ins);
        if !is_uniform || matched <= 0 || mismatched >= matched || gap_open < 0 || gap_extend <= 0 || options.w < 1 {
            return None;
        }
        let swing = matched - mismatched;
        let gap = gap_open + gap_extend;
        let few = ((gap - 1) / swing) as usize;
        let paid = (few as i32 + 1) * swing;
        let longest = ((paid - options.o_del) / options.e_del).max((paid - options.o_ins) / options.e_ins).max(0);
        let one_more = few < MOST_MISMATCHES && paid < 2 * gap && longest <= LONGEST_GAP;
        let margin = if one_more { i64::from(longest) } else { 0 };
        let isolated = (isolated && mismatched <= 0).then(|| IsolatedFlank::new(options, matched, -mismatched));
        Some(Self {
            matched,
            swing,
            deletion: (options.o_del, options.e_del),
            insertion: (options.o_ins, options.e_ins),
            z_drop: options.zdrop,
            few: few.min(MOST_MISMATCHES),
            one_more,
            margin: if isolated.is_some() { margin.max(LONGEST_REACH as i64) } else { margin },
            isolated,
        })
    }

    /// The extension of `seed`, if the optimum of both sides is proven to have no gap. `codes` are the read's, and
    /// `[first, last)` of the 2L coordinate is the strand of the contig that the seed lies on. `reference` is scratch.
    pub(crate) fn extend(
        &self,
        index: &ReferenceIndex,
        options: &MemOpt,
        codes: &[u8],
        seed: &Seed,
        (first, last): (i64, i64),
        reference: &mut Vec<u8>,
    ) -> Option<ProvenExtension> {
        let query_end = seed.query_start + seed.length;
        let reference_end = seed.reference_start + i64::from(seed.length);
        let (before, after) = (i64::from(seed.query_start), codes.len() as i64 - i64::from(query_end));
        if seed.reference_start - before < first || reference_end + after > last {
            return None;
        }
        let from = (seed.reference_start - before - self.margin).max(first);
        index.packed.bases_into(from, (reference_end + after + self.margin).min(last), reference);
        let seed_start = (seed.reference_start - from) as usize;
        let mut extension = SeedExtension::of_seed(seed, options);
        let mut isolated = false;
        if before > 0 {
            let (query, target) = (&codes[..seed.query_start as usize], &reference[..seed_start]);
            let start = extension.score;
            let result = self.either::<true>(query, target, start, &mut isolated)?;
            take_flank(options, Flank { is_left: true, length: query.len(), start, last: -1 }, &result, &mut extension);
        }
        if after > 0 {
            let target = &reference[seed_start + seed.length as usize..];
            let query = &codes[query_end as usize..];
            let start = extension.score;
            let result = self.either::<false>(query, target, start, &mut isolated)?;
            let flank = Flank { is_left: false, length: query.len(), start, last: start };
            take_flank(options, flank, &result, &mut extension);
        }
        Some(ProvenExtension { extension, isolated })
    }

    /// What the extension takes from Smith-Waterman of a flank, by either proof.
    fn either<const LEFT: bool>(
        &self,
        query: &[u8],
        target: &[u8],
        start: i32,
        isolated: &mut bool,
    ) -> Option<ExtendResult> {
        self.flank::<LEFT>(query, target, start).or_else(|| {
            let result = self.isolated.as_ref()?.flank::<LEFT>(query, target, start)?;
            *isolated = true;
            Some(result)
        })
    }

    /// What `ksw_extend2` reports of a flank, if that is proven. The bases nearest to the seed are the last ones of `query`
    /// and `target` where the flank is `LEFT`, else the first; `target` is at least as long as `query`.
    fn flank<const LEFT: bool>(&self, query: &[u8], target: &[u8], start: i32) -> Option<ExtendResult> {
        let mut positions = [0; MOST_MISMATCHES + 1];
        let mismatches = mismatches::<LEFT>(query, target, &mut positions[..=self.most_mismatches()])?;
        let positions = &positions[..mismatches];
        if positions.iter().any(|&position| query[at::<LEFT>(query.len(), position)] > 3) {
            return None;
        }
        self.prove(positions, query.len(), start, || self.may_have_a_gap::<LEFT>(query, target, positions))
    }

    /// The same for a flank of which only the matches are known; `bases` gives its `query` and `target`, and is asked only
    /// where other diagonals have to be looked at. From a higher score than `start` the flank gains the same.
    pub(crate) fn matched_flank<'a, const LEFT: bool>(
        &self,
        flank: &MatchedFlank,
        start: i32,
        bases: impl FnOnce() -> (&'a [u8], &'a [u8]),
    ) -> Option<ExtendResult> {
        let mut positions = [0; MOST_MISMATCHES + 1];
        let mut mismatches = 0;
        for position in flank.mismatches()? {
            *positions.get_mut(mismatches).filter(|_| mismatches < self.most_mismatches())? = position;
            mismatches += 1;
        }
        let positions = &positions[..mismatches];
        self.prove(positions, flank.read_bases(), start, || {
            let (query, target) = bases();
            self.may_have_a_gap::<LEFT>(query, target, positions)
        })
    }

    fn most_mismatches(&self) -> usize {
        (self.few + usize::from(self.one_more)).min(MOST_MISMATCHES)
    }

    /// The report on a flank of `length` bases with mismatches, none of them an N, at `positions`.
    fn prove(
        &self,
        positions: &[usize],
        length: usize,
        start: i32,
        may_have_a_gap: impl FnOnce() -> bool,
    ) -> Option<ExtendResult> {
        if positions.len() > self.few && may_have_a_gap() {
            return None;
        }
        let (mut best, mut best_length) = (start, 0);
        let mut score = start;
        let mut next = 0;
        for &position in positions {
            score += self.matched * (position - next) as i32;
            if score > best {
                (best, best_length) = (score, position);
            }
            score -= self.swing - self.matched;
            if score <= 0 || self.z_drop > 0 && best - score > self.z_drop {
                return None;
            }
            next = position + 1;
        }
        score += self.matched * (length - next) as i32;
        if score > best {
            (best, best_length) = (score, length);
        }
        Some(ExtendResult {
            score: best,
            qle: best_length as i32,
            tle: best_length as i32,
            gtle: length as i32,
            gscore: score,
            max_off: 0,
        })
    }

    /// Whether on another diagonal the pairs from the first mismatch on match for so long that a path there may reach what
    /// the seed's diagonal scores.
    fn may_have_a_gap<const LEFT: bool>(&self, query: &[u8], target: &[u8], positions: &[usize]) -> bool {
        let paid = positions.len() as i32 * self.swing;
        let first = positions[0];
        let length = query.len();
        let base = |sequence: &[u8], position: usize| {
            (position < sequence.len()).then(|| sequence[at::<LEFT>(sequence.len(), position)])
        };
        let pairs_needed = |cost: i32| ((cost + self.matched - 1) / self.matched) as usize;
        let (open, extend) = self.deletion;
        let deletion = (1..=(paid - open) / extend).any(|gap| {
            let end = (first + pairs_needed(open + extend * gap)).min(length);
            (first..end).all(|position| base(query, position) == base(target, position + gap as usize))
        });
        let (open, extend) = self.insertion;
        deletion
            || (1..=(paid - open) / extend).any(|gap| {
                let end = (first + pairs_needed(open + extend * gap)).min(length.saturating_sub(gap as usize));
                (first..end).all(|position| base(query, position + gap as usize) == base(target, position))
            })
    }
}

/// Index of a flank's position in its sequence of `length` bases.
fn at<const LEFT: bool>(length: usize, position: usize) -> usize {
    if LEFT { length - 1 - position } else { position }
}

/// Writes the positions of the mismatches of a flank, outwards; `None` if there are as many as `positions` can hold.
fn mismatches<const LEFT: bool>(query: &[u8], target: &[u8], positions: &mut [usize]) -> Option<usize> {
    const WORD: usize = 8;
    let length = query.len();
    let target = if LEFT { &target[target.len() - length..] } else { &target[..length] };
    let mut found = 0;
    let mut add = |position: usize| {
        *positions.get_mut(found)? = position;
        found += 1;
        (found < positions.len()).then_some(())
    };
    let mut position = 0;
    while position + WORD <= length {
        let start = if LEFT { length - position - WORD } else { position };
        let word = |sequence: &[u8]| u64::from_le_bytes(sequence[start..start + WORD].try_into().expect("eight bases"));
        let mut unequal = word(query) ^ word(target);
        while unequal != 0 {
            let byte = if LEFT { unequal.leading_zeros() } else { unequal.trailing_zeros() } as usize / 8;
            add(position + byte)?;
            unequal &= !(0xff << (8 * if LEFT { WORD - 1 - byte } else { byte }));
        }
        position += WORD;
    }
    for position in position..length {
        let index = at::<LEFT>(length, position);
        if query[index] != target[index] {
            add(position)?;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use bwa_mem4_extend::ksw_extend2;
    use seedsieve_simulate::Random;

    use super::*;

    /// A flank, scores and a seed's score at random, near what decides: few mismatches, near each other or in repeats.
    struct Case {
        options: MemOpt,
        query: Vec<u8>,
        target: Vec<u8>,
        start: i32,
        clip: i32,
    }

    fn case(random: &mut Random) -> Case {
        let mut options = MemOpt::default();
        let below = |random: &mut Random, end: i32| random.below(end as u64) as i32;
        if below(random, 3) > 0 {
            options.a = 1 + below(random, 3);
            options.b = below(random, 8);
            (options.o_del, options.o_ins) = (below(random, 12), below(random, 12));
            (options.e_del, options.e_ins) = (1 + below(random, 3), 1 + below(random, 3));
            options.zdrop = below(random, 40);
            options.w = 1 + below(random, 60);
        }
        options.fill_scmat();
        let letters = if below(random, 2) == 0 { 4 } else { 2 };
        let length = 1 + below(random, 60) as usize;
        let period = if below(random, 2) == 0 { 1 + below(random, 6) as usize } else { length + 40 };
        let mut target: Vec<u8> = (0..period.min(length + 40)).map(|_| below(random, letters) as u8).collect();
        for position in target.len()..length + 40 {
            target.push(target[position - period]);
        }
        let mut query = target[..length].to_vec();
        let first = below(random, length as i32) as usize;
        for _ in 0..below(random, 5) {
            let near = first + below(random, 8) as usize;
            let anywhere = below(random, length as i32) as usize;
            let position = if below(random, 2) == 0 { near.min(length - 1) } else { anywhere };
            let codes = if below(random, 20) == 0 { 5 } else { letters };
            query[position] = below(random, codes) as u8;
        }
        if below(random, 4) == 0 {
            // A true gap behind the mismatches.
            let gap = 1 + below(random, 4) as usize;
            query = [&target[..first], &target[first + gap..length + gap]].concat();
        }
        target.truncate(length + below(random, 40) as usize);
        Case { options, query, target, start: 1 + below(random, 50), clip: below(random, 12) }
    }

    /// Compares the proven flanks of random cases with bwa's kernel; returns how many were proven, and how many of them with
    /// more mismatches than no gap can pay for.
    fn compare(cases: u64, seed: u64) -> (u64, u64) {
        let mut random = Random::new(seed, 0);
        let (mut proven, mut looked_at) = (0, 0);
        for number in 0..cases {
            let Case { options, query, target, start, clip } = case(&mut random);
            let Some(optimum) = UngappedOptimum::new(&options, false) else { continue };
            let reversed = |sequence: &[u8]| sequence.iter().rev().copied().collect::<Vec<u8>>();
            let result = optimum.flank::<false>(&query, &target, start);
            let left = optimum.flank::<true>(&reversed(&query), &reversed(&target), start);
            assert_eq!(
                format!("{result:?}"),
                format!("{left:?}"),
                "case {number}: the left side is not the mirror image"
            );
            // Of the matches alone as much is known, but for flanks with an N, and from a higher score the same is gained.
            let matched = MatchedFlank::behind(&query, &target);
            let by_matches = optimum.matched_flank::<false>(&matched, start, || (query.as_slice(), target.as_slice()));
            let has_n = query.contains(&4) || target[..query.len().min(target.len())].contains(&4);
            if !has_n {
                assert_eq!(format!("{result:?}"), format!("{by_matches:?}"), "case {number}: by its matches");
            }
            let higher = optimum.matched_flank::<false>(&matched, start + 7, || (query.as_slice(), target.as_slice()));
            if let (Some(low), Some(high)) = (by_matches, higher) {
                assert_eq!(
                    (low.score + 7, low.gscore + 7, low.qle),
                    (high.score, high.gscore, high.qle),
                    "case {number}"
                );
            }
            let Some(result) = result else { continue };
            let MemOpt { mat, o_del, e_del, o_ins, e_ins, w, zdrop, .. } = &options;
            let expected =
                ksw_extend2(&query, &target, ALPHABET, mat, *o_del, *e_del, *o_ins, *e_ins, *w, clip, *zdrop, start);
            assert_eq!(
                format!("{result:?}"),
                format!("{expected:?}"),
                "case {number}: {query:?} {target:?} from {start}, {options:?}"
            );
            proven += 1;
            let unequal = query.iter().zip(&target).filter(|(one, other)| one != other).count();
            looked_at += u64::from(unequal > optimum.few);
        }
        (proven, looked_at)
    }

    #[test]
    fn proven_flanks_are_those_of_the_kernel() {
        let (proven, looked_at) = compare(40_000, 1);
        assert!(
            proven > 10_000 && looked_at > 400,
            "{proven} proven, {looked_at} of them by looking at other diagonals"
        );
    }

    #[test]
    #[ignore = "minutes; for changes of the proof"]
    fn proven_flanks_are_those_of_the_kernel_in_millions() {
        let (proven, looked_at) = compare(20_000_000, 2);
        println!("{proven} proven, {looked_at} of them by looking at other diagonals");
    }

    #[test]
    fn bwas_defaults_prove_one_mismatch_and_look_at_two() {
        let optimum = UngappedOptimum::new(&MemOpt::default(), false).unwrap();
        assert_eq!((optimum.few, optimum.one_more, optimum.margin), (1, true, 4));
        let target: Vec<u8> = b"0123210032102313021032101".iter().map(|letter| letter - b'0').collect();
        let with = |positions: &[usize]| {
            let mut query = target[..20].to_vec();
            positions.iter().for_each(|&position| query[position] ^= 1);
            optimum.flank::<false>(&query, &target, 30).map(|result| (result.score, result.qle, result.gscore))
        };
        assert_eq!(with(&[]), Some((50, 20, 50)));
        assert_eq!(with(&[18]), Some((48, 18, 45)));
        assert_eq!(with(&[4, 12]), Some((40, 20, 40)));
        assert_eq!(with(&[4, 9, 12]), None, "three mismatches");
        assert_eq!(with(&[18, 19]), None, "an insertion at the end may be as good");
    }
}
