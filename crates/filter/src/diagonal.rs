//! What one diagonal can score, from its mismatch mask: integers only, the same on every machine.

use std::ops::Range;

use crate::planes::BLOCK;

/// bwa's scoring; penalties are positive. Of bwa's two gap penalties the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scoring {
    /// Score of two equal bases (-A).
    pub matched: i32,
    /// Penalty of two different bases (-B).
    pub mismatched: i32,
    /// Penalty of opening a gap (-O).
    pub gap_open: i32,
    /// Penalty of each base of a gap (-E).
    pub gap_extend: i32,
}

impl Default for Scoring {
    /// bwa's defaults.
    fn default() -> Self {
        Self { matched: 1, mismatched: 4, gap_open: 6, gap_extend: 1 }
    }
}

impl Scoring {
    /// What a gap of `length` bases costs.
    pub(crate) fn gap(&self, length: i32) -> i32 {
        self.gap_open + self.gap_extend * length
    }
}

/// An ungapped local alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Segment {
    /// Its score.
    pub score: i32,
    /// First base of the (oriented) read in it.
    pub start: u32,
    /// End in the read, exclusive.
    pub end: u32,
}

/// The best ungapped extension of `seed` within `bases`, where a side ends once its sum lies more than `drop` under its
/// best. `mask` has a bit for each base of the read; those in `seed` are taken to match.
pub fn extend(mask: &[u64], seed: &Range<usize>, bases: &Range<usize>, scoring: &Scoring, drop: i32) -> Segment {
    let (right, end) = extend_right(mask, seed.end, bases.end, scoring, drop);
    let (left, start) = extend_left(mask, seed.start, bases.start, scoring, drop);
    let score = seed.len() as i32 * scoring.matched + left + right;
    Segment { score, start: start as u32, end: end as u32 }
}

/// Best score of a prefix of `[from, to)`, and where it ends.
pub(crate) fn extend_right(mask: &[u64], from: usize, to: usize, scoring: &Scoring, drop: i32) -> (i32, usize) {
    let (mut sum, mut best, mut best_end) = (0, 0, from);
    let mut position = from;
    while position < to {
        let mismatch = next_set(mask, position, to);
        sum += (mismatch - position) as i32 * scoring.matched;
        if sum > best {
            (best, best_end) = (sum, mismatch);
        }
        sum -= scoring.mismatched;
        position = mismatch + 1;
        if sum + to.saturating_sub(position) as i32 * scoring.matched <= best || sum < best - drop {
            break;
        }
    }
    (best, best_end)
}

/// Best score of a suffix of `[to, from)`, and where it starts.
pub(crate) fn extend_left(mask: &[u64], from: usize, to: usize, scoring: &Scoring, drop: i32) -> (i32, usize) {
    let (mut sum, mut best, mut best_start) = (0, 0, from);
    let mut position = from;
    while position > to {
        // Everything in [mismatch, position) matches.
        let mismatch = last_set(mask, position, to).map_or(to, |set| set + 1);
        sum += (position - mismatch) as i32 * scoring.matched;
        if sum > best {
            (best, best_start) = (sum, mismatch);
        }
        if mismatch == to {
            break;
        }
        sum -= scoring.mismatched;
        position = mismatch - 1;
        if sum + (position - to) as i32 * scoring.matched <= best || sum < best - drop {
            break;
        }
    }
    (best, best_start)
}

/// The first set bit at or after `from`; `end` where none lies before it.
#[inline]
fn next_set(mask: &[u64], from: usize, end: usize) -> usize {
    let mut word = from / BLOCK;
    let mut bits = mask[word] >> (from % BLOCK) << (from % BLOCK);
    let last = (end - 1) / BLOCK;
    while bits == 0 && word < last {
        word += 1;
        bits = mask[word];
    }
    if bits == 0 { end } else { (word * BLOCK + bits.trailing_zeros() as usize).min(end) }
}

/// The last set bit before `end` and not before `from`.
#[inline]
fn last_set(mask: &[u64], end: usize, from: usize) -> Option<usize> {
    let mut word = (end - 1) / BLOCK;
    let unused = BLOCK - 1 - (end - 1) % BLOCK;
    let mut bits = mask[word] << unused >> unused;
    let first = from / BLOCK;
    while bits == 0 && word > first {
        word -= 1;
        bits = mask[word];
    }
    let found = (word * BLOCK + BLOCK - 1).checked_sub(bits.leading_zeros() as usize)?;
    (bits != 0 && found >= from).then_some(found)
}

/// Where the first `length` bases in a row match in `bases` (1 <= `length` <= 64).
pub(crate) fn find_run(mask: &[u64], bases: &Range<usize>, length: usize) -> Option<usize> {
    if bases.len() < length {
        return None;
    }
    let last_start = bases.end - length;
    let words = bases.start / BLOCK..bases.end.div_ceil(BLOCK);
    for word in words.clone() {
        // Bit i of `runs`: the bases from i on match, as many as `covered` says. The next word's first bases count, too.
        let next = if word + 1 < words.end { !mask[word + 1] } else { 0 };
        let mut runs = u128::from(!mask[word]) | u128::from(next) << BLOCK;
        let mut covered = 1;
        while covered < length {
            let step = covered.min(length - covered);
            runs &= runs >> step;
            covered += step;
        }
        let mut runs = runs as u64;
        if word == words.start {
            runs = runs >> (bases.start % BLOCK) << (bases.start % BLOCK);
        }
        if runs != 0 {
            let start = word * BLOCK + runs.trailing_zeros() as usize;
            return (start <= last_start).then_some(start);
        }
    }
    None
}

/// Score of two segments with one gap between them; `further` lies `shift` (> 0) bases further on the reference. 0 where
/// the one does not follow the other.
pub(crate) fn join(nearer: &Segment, further: &Segment, shift: i32, scoring: &Scoring) -> i32 {
    let [near_start, near_end] = [nearer.start as i32, nearer.end as i32];
    let [far_start, far_end] = [further.start as i32, further.end as i32];
    // From the nearer to the further diagonal the reference has bases more; the other way round the read has.
    let overlap = if near_start <= far_start && near_end <= far_end {
        near_end - far_start
    } else if far_start <= near_start && far_end <= near_end {
        far_end + shift - near_start
    } else {
        return 0;
    };
    nearer.score + further.score - overlap.max(0) * scoring.matched - scoring.gap(shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(matches: &[bool]) -> Vec<u64> {
        let mut words = vec![u64::MAX; matches.len().div_ceil(BLOCK)];
        for (i, _) in matches.iter().enumerate().filter(|(_, matched)| **matched) {
            words[i / BLOCK] &= !(1 << (i % BLOCK));
        }
        words
    }

    /// Best prefix sum, base by base.
    fn best_prefix(matches: impl Iterator<Item = bool>, drop: i32) -> i32 {
        let (mut sum, mut best) = (0, 0);
        for matched in matches {
            sum += if matched { 1 } else { -4 };
            best = best.max(sum);
            if sum < best - drop {
                break;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn extension_is_the_best_sum_to_both_sides(
            matches in proptest::collection::vec(proptest::bool::weighted(0.8), 3..260),
            place in (0.0f64..1.0, 0.0f64..1.0),
            clip in (0.0f64..1.0, 0.0f64..1.0),
            drop in 5i32..60,
        ) {
            let mut matches = matches;
            let length = matches.len();
            let start = (place.0 * length as f64) as usize;
            let end = start + 1 + (place.1 * (length - start - 1) as f64) as usize;
            let bases = (clip.0 * start as f64) as usize..end + (clip.1 * (length - end) as f64) as usize;
            matches[start..end].fill(true);
            let found = extend(&mask(&matches), &(start..end), &bases, &Scoring::default(), drop);
            let right = best_prefix(matches[end..bases.end].iter().copied(), drop);
            let left = best_prefix(matches[bases.start..start].iter().rev().copied(), drop);
            prop_assert_eq!(found.score, (end - start) as i32 + left + right);
            let inside = &matches[found.start as usize..found.end as usize];
            let sum: i32 = inside.iter().map(|&matched| if matched { 1 } else { -4 }).sum();
            prop_assert_eq!(found.score, sum, "the bounds are those of the score");
        }

        #[test]
        fn runs_are_found_across_words(
            matches in proptest::collection::vec(proptest::bool::weighted(0.7), 1..200),
            length in 1usize..20,
            part in (0.0f64..1.0, 0.0f64..1.0),
        ) {
            let start = (part.0 * matches.len() as f64) as usize;
            let end = start + (part.1 * (matches.len() - start) as f64) as usize;
            let expected = matches[start..end].windows(length).position(|run| run.iter().all(|&matched| matched));
            prop_assert_eq!(find_run(&mask(&matches), &(start..end), length), expected.map(|first| start + first));
        }
    }

    #[test]
    fn one_gap_joins_two_segments() {
        let segment = |start: u32, end: u32| Segment { score: (end - start) as i32, start, end };
        let join = |near, far, shift| join(&near, &far, shift, &Scoring::default());
        assert_eq!(join(segment(0, 60), segment(60, 100), 3), 100 - 9, "deletion of three bases");
        assert_eq!(join(segment(63, 100), segment(0, 60), 3), 97 - 9, "insertion of three bases");
        assert_eq!(join(segment(0, 60), segment(58, 100), 3), 100 - 9, "what overlaps counts once");
        assert_eq!(join(segment(60, 100), segment(0, 60), 3), 97 - 9, "so it does on the reference");
        assert_eq!(join(segment(0, 100), segment(20, 60), 3), 0, "one inside the other");
    }
}
