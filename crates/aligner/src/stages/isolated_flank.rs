//! Flanks beside which nothing is good enough to pay for a gap: most of those of chance seeds. `--filter exact` proves it
//! and leaves Smith-Waterman out.
//!
//! The words are those of [`super::ungapped_optimum`]: flank, position, seed's score h, diagonal scores D, of which P(k) is
//! the best of h and D(0..k), P the best of all until the diagonal dies (D <= 0). A gap of g bases costs o + e g.
//!
//! A path that leaves the seed's diagonal is a prefix of it, worth at most P, and then pairs of a gap and a segment on
//! another diagonal (or on the seed's own, come back to). Let every segment on every diagonal within reach score at most
//! o + e - 1, so that no segment pays for the gap before it. Then:
//!
//! 1. A path that left at p scores less than P(p) ever after. So no cell beside the diagonal (nor one of it that was come
//!    back to) is better than what was found before, or becomes the best of all: score and end are the diagonal's.
//! 2. Reach: before the j-th gap is paid, j gaps of together G bases and j - 1 segments leave at most
//!    P - j o - e G + (j - 1) (o + e - 1), which has to stay above 0. With G >= j that gives G <= P - o - e. No path gets
//!    further from the seed's diagonal.
//! 3. A path that ends in the read's last column, s diagonals away, scores at most P - o - e - (|s| - 1) + E(s), E being the
//!    best segment that ends there (0 if none does): by the sum above without its last segment, as j <= G and G >= |s|.
//!    The seed's own diagonal takes two gaps to come back to: P - o - e - 1 + E(0). Where this neither beats what the
//!    diagonal scores there nor makes reaching the read's end pay, the extension is clipped, or not, as the diagonal says.
//!
//! Coming back to the seed's diagonal before its first mismatch is no better than staying on it. Bands only take paths away.
//! A row's best is at least 0, so P up to the z-drop never ends the search. Reads with N in the flank are left to
//! Smith-Waterman.

use bwa_mem4_core::MemOpt;
use bwa_mem4_extend::ExtendResult;

/// Bases of a flank and what can be reached beyond it: the bits of a word.
const CAPACITY: usize = u128::BITS as usize;
/// Furthest reach for which the look at all diagonals is cheaper than Smith-Waterman.
pub(crate) const LONGEST_REACH: usize = 24;

/// The proof's constants under the scores in force.
pub(crate) struct IsolatedFlank {
    matched: i32,
    mismatched: i32,
    open: i32,
    extend: i32,
    z_drop: i32,
    /// Penalty of clipping before and behind the seed.
    clip: [i32; 2],
    /// Matches in a row that neither pay for a mismatch nor for a gap: where no run is longer, no segment scores more.
    short_run: usize,
}

/// Segments of one diagonal.
struct Segments {
    /// The best score.
    best: i32,
    /// The best of those that end at the last base; 0 if none is better.
    last: i32,
}

impl IsolatedFlank {
    /// `mismatched` is what a mismatch loses; the scores are those that [`super::ungapped_optimum`] accepts.
    pub(crate) fn new(options: &MemOpt, matched: i32, mismatched: i32) -> Self {
        let open = options.o_del.min(options.o_ins);
        let extend = options.e_del.min(options.e_ins);
        Self {
            matched,
            mismatched,
            open,
            extend,
            z_drop: options.zdrop,
            clip: [options.pen_clip5, options.pen_clip3],
            short_run: (mismatched.min(open + extend - 1) / matched).max(0) as usize,
        }
    }

    /// What Smith-Waterman would report of a flank, as far as the extension depends on it, if that is proven. The bases
    /// nearest to the seed are the last ones of `query` and `target` where the flank is `LEFT`, else the first; `target` is
    /// at least as long as `query`, and what is missing beyond is the contig's end.
    pub(crate) fn flank<const LEFT: bool>(&self, query: &[u8], target: &[u8], start: i32) -> Option<ExtendResult> {
        let length = query.len();
        if length > CAPACITY {
            return None;
        }
        let query = Planes::new::<LEFT>(query)?;
        let target = side::<LEFT>(target, target.len().min(length + LONGEST_REACH).min(CAPACITY));
        let known = target.len();
        let target = Planes::new::<LEFT>(target)?;
        let own = query.matches(&target) & ones(length);
        let walk = self.walk(own, length, start);
        let reach = (walk.best - self.open - self.extend).max(0) as usize;
        if reach > LONGEST_REACH || length + reach > CAPACITY || self.z_drop > 0 && walk.best > self.z_drop {
            return None;
        }
        let end = walk.end.unwrap_or(0);
        // What a path may score in the last column without a consequence.
        let unclipped = walk.best - self.clip[usize::from(!LEFT)];
        let harmless = if end <= unclipped.max(0) { unclipped.max(0) } else { end - 1 };
        let is_isolated = |matches: u128, cost: i32| {
            let Segments { best, last } = self.segments(matches, length);
            best < self.open + self.extend && walk.best - cost + last <= harmless
        };
        // From its first mismatch on.
        let first = own.trailing_ones() as usize;
        let behind_first = if first >= length { 0 } else { own & !ones(first) };
        if reach > 0 && !is_isolated(behind_first, self.open + self.extend + 1) {
            return None;
        }
        for gap in 1..=reach {
            let cost = self.open + self.extend + gap as i32 - 1;
            let deletion = query.matches(&target.ahead(gap)) & ones(length.min(known.saturating_sub(gap)));
            let insertion = query.matches(&target.behind(gap)) & ones(length) & !ones(gap.min(length));
            if !is_isolated(deletion, cost) || !is_isolated(insertion, cost) {
                return None;
            }
        }
        let best_length = walk.best_length as i32;
        Some(ExtendResult {
            score: walk.best,
            qle: best_length,
            tle: best_length,
            gtle: length as i32,
            gscore: end,
            max_off: 0,
        })
    }

    /// The seed's own diagonal from the seed on, until its score is gone.
    fn walk(&self, matches: u128, length: usize, start: i32) -> Walk {
        let mut walk = Walk { best: start, best_length: 0, end: None };
        let (mut score, mut at) = (start, 0);
        loop {
            let run = run_at(matches, at).min(length - at);
            (score, at) = (score + self.matched * run as i32, at + run);
            if score > walk.best {
                (walk.best, walk.best_length) = (score, at);
            }
            if at == length {
                walk.end = Some(score);
                return walk;
            }
            (score, at) = (score - self.mismatched, at + 1);
            if score <= 0 {
                return walk;
            }
            if at == length {
                walk.end = Some(score);
                return walk;
            }
        }
    }

    /// The segments of a diagonal whose bases match where a bit is set.
    fn segments(&self, matches: u128, length: usize) -> Segments {
        let mut long_runs = matches;
        for _ in 0..self.short_run {
            long_runs &= long_runs >> 1;
        }
        if long_runs == 0 {
            let last = if length == 0 { 0 } else { (matches << (CAPACITY - length)).leading_ones() as i32 };
            return Segments { best: self.matched * self.short_run as i32, last: self.matched * last };
        }
        let (mut best, mut score, mut at) = (0, 0, 0);
        while at < length {
            let run = run_at(matches, at).min(length - at);
            score += self.matched * run as i32;
            best = best.max(score);
            at += run;
            if at < length {
                score = (score - self.mismatched).max(0);
                at += 1;
            }
        }
        Segments { best, last: score }
    }
}

/// The seed's own diagonal.
struct Walk {
    best: i32,
    best_length: usize,
    /// Score at the read's end, where it gets there.
    end: Option<i32>,
}

/// Bases outward from the seed as two bits each.
struct Planes([u128; 2]);

impl Planes {
    /// `None` where there is an N. At most 128 bases.
    fn new<const LEFT: bool>(codes: &[u8]) -> Option<Self> {
        /// Moves the lowest bits of eight bytes side by side into the highest byte.
        const GATHER: u64 = 0x0102_0408_1020_4080;
        const LOWEST: u64 = 0x0101_0101_0101_0101;
        let (mut low, mut high, mut all) = (0u128, 0u128, 0);
        let mut add = |number: usize, eight: [u8; 8]| {
            let bytes = u64::from_le_bytes(eight);
            let plane = |bit: u32| u128::from((bytes >> bit & LOWEST).wrapping_mul(GATHER) >> 56) << (8 * number);
            low |= plane(0);
            high |= plane(1);
            all |= bytes;
        };
        let (whole, rest) = codes.as_chunks();
        whole.iter().enumerate().for_each(|(number, eight)| add(number, *eight));
        if !rest.is_empty() {
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            add(whole.len(), eight);
        }
        if all & (LOWEST << 2) != 0 {
            return None;
        }
        // Turned round, the bases stand at the upper end.
        let outward = |plane: u128| match CAPACITY - codes.len() {
            CAPACITY => 0,
            unused => plane.reverse_bits() >> unused,
        };
        Some(Self(if LEFT { [low, high].map(outward) } else { [low, high] }))
    }

    fn matches(&self, other: &Self) -> u128 {
        !((self.0[0] ^ other.0[0]) | (self.0[1] ^ other.0[1]))
    }

    fn ahead(&self, bases: usize) -> Self {
        Self(self.0.map(|plane| plane >> bases))
    }

    fn behind(&self, bases: usize) -> Self {
        Self(self.0.map(|plane| plane << bases))
    }
}

/// The bases of a sequence nearest to the seed.
fn side<const LEFT: bool>(sequence: &[u8], bases: usize) -> &[u8] {
    if LEFT { &sequence[sequence.len() - bases..] } else { &sequence[..bases] }
}

/// The lowest bits set.
fn ones(bits: usize) -> u128 {
    if bits >= CAPACITY { u128::MAX } else { (1 << bits) - 1 }
}

/// Bits in a row from this one on.
fn run_at(matches: u128, at: usize) -> usize {
    if at >= CAPACITY { 0 } else { (matches >> at).trailing_ones() as usize }
}

#[cfg(test)]
mod tests {
    use bwa_mem4_extend::ksw_extend2;
    use seedsieve_simulate::Random;

    use super::*;

    /// Letters of the scoring matrix: A, C, G, T, N.
    const ALPHABET: usize = 5;

    /// What [`super::super::extension`] makes of a result: score, bases of read and reference, and whether it is clipped.
    fn extension(result: &ExtendResult, clip: i32) -> (i32, i32, i32, i32, bool) {
        let clipped = result.gscore <= 0 || result.gscore <= result.score - clip;
        let (query, target) = if clipped { (result.qle, result.tle) } else { (-1, result.gtle) };
        (result.score, query, target, if clipped { 0 } else { result.gscore }, clipped)
    }

    /// Flanks at random, as those of chance seeds are, some with a repeat, a true gap, or a matching end; compared with
    /// bwa's kernel. Returns how many were proven, how many of them unclipped, and how many refused.
    fn compare(cases: u64, seed: u64) -> [u64; 3] {
        let mut random = Random::new(seed, 0);
        let mut counts = [0; 3];
        for number in 0..cases {
            let below = |random: &mut Random, end: i32| random.below(end as u64) as i32;
            let mut options = MemOpt::default();
            if below(&mut random, 3) == 0 {
                options.a = 1 + below(&mut random, 3);
                options.b = below(&mut random, 8);
                (options.o_del, options.o_ins) = (below(&mut random, 12), below(&mut random, 12));
                (options.e_del, options.e_ins) = (1 + below(&mut random, 3), 1 + below(&mut random, 3));
                options.zdrop = below(&mut random, 40);
                options.w = 1 + below(&mut random, 60);
            }
            options.pen_clip3 = below(&mut random, 12);
            options.pen_clip5 = options.pen_clip3;
            options.fill_scmat();
            let letters = if below(&mut random, 4) == 0 { 2 } else { 4 };
            let codes = |random: &mut Random, length: usize| -> Vec<u8> {
                (0..length).map(|_| random.below(letters) as u8).collect()
            };
            let longest = if below(&mut random, 2) == 0 { 12 } else { 100 };
            let length = 1 + below(&mut random, longest) as usize;
            let beyond = below(&mut random, 40) as usize;
            let mut query = codes(&mut random, length);
            let mut target = codes(&mut random, length + beyond);
            // Stretches of the read on some diagonal, at some place, so that others than the seed's have something to offer.
            for _ in 0..below(&mut random, 4) {
                let stretch = 1 + below(&mut random, 12) as usize;
                let [from, to] = [query.len(), target.len()].map(|end| below(&mut random, end as i32) as usize);
                let to = if below(&mut random, 2) == 0 { from } else { to };
                let stretch = stretch.min(query.len() - from).min(target.len() - to);
                target[to..to + stretch].copy_from_slice(&query[from..from + stretch]);
            }
            if below(&mut random, 30) == 0 {
                query[below(&mut random, length as i32) as usize] = 4;
            }
            let start = 1 + below(&mut random, 24);
            let isolated = IsolatedFlank::new(&options, options.a, options.b);
            let found = isolated.flank::<false>(&query, &target, start);
            let reversed = |sequence: &[u8]| sequence.iter().rev().copied().collect::<Vec<u8>>();
            let left = isolated.flank::<true>(&reversed(&query), &reversed(&target), start);
            assert_eq!(
                format!("{found:?}"),
                format!("{left:?}"),
                "case {number}: the left side is not the mirror image"
            );
            let Some(found) = found else {
                counts[2] += 1;
                continue;
            };
            let MemOpt { mat, o_del, e_del, o_ins, e_ins, w, zdrop, pen_clip3: clip, .. } = &options;
            let expected =
                ksw_extend2(&query, &target, ALPHABET, mat, *o_del, *e_del, *o_ins, *e_ins, *w, *clip, *zdrop, start);
            let found_extension = extension(&found, *clip);
            assert_eq!(
                (found_extension, found.max_off),
                (extension(&expected, *clip), expected.max_off),
                "case {number}: {query:?} {target:?} from {start}, {options:?}"
            );
            counts[0] += 1;
            counts[1] += u64::from(!found_extension.4);
        }
        counts
    }

    #[test]
    fn proven_flanks_give_the_extension_of_the_kernel() {
        let [proven, unclipped, refused] = compare(60_000, 3);
        assert!(
            proven > 15_000 && unclipped > 1_000 && refused > 5_000,
            "{proven} proven, {unclipped} of them to the read's end, {refused} refused"
        );
    }

    #[test]
    #[ignore = "minutes; for changes of the proof"]
    fn proven_flanks_give_the_extension_of_the_kernel_in_millions() {
        println!("proven, to the read's end, refused: {:?}", compare(20_000_000, 4));
    }
}
