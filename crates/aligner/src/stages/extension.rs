//! Banded Smith-Waterman from a seed to both sides, in batches across reads.
//!
//! A seed is extended to the left first, and to the right from the score that the left side reached. A side is tried in
//! bwa's band (-w) and, where the optimum strays too close to the band's edge, once more in a band twice as wide. A side
//! that reaches the end of the read within the clipping penalty of the best local score is taken to the end.

use std::ops::Range;

use bwa_mem4_core::MemOpt;
use bwa_mem4_extend::{ExtendJob, ExtendResult, SwBackend};
use bwa_neon::NeonBackend;

use crate::{Seed, SeedExtension};

/// Bands tried for each side: -w, then twice as wide.
const BANDS: i32 = 2;
/// Letters of the scoring matrix: A, C, G, T, N.
const ALPHABET: usize = 5;

/// A sequence stored forward and reversed, so that either side of a seed is a slice that starts at the seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    forward: usize,
    reversed: usize,
    length: usize,
}

impl Stored {
    /// The bases before `position`, the nearest first.
    fn before(self, position: usize) -> Range<usize> {
        self.reversed + self.length - position..self.reversed + self.length
    }

    /// The bases from `position` on.
    fn from(self, position: usize) -> Range<usize> {
        self.forward + position..self.forward + self.length
    }
}

/// One side of one seed.
struct Side {
    /// Number of the seed in the batch.
    seed: usize,
    query: Range<usize>,
    target: Range<usize>,
    /// Score at the seed's edge, which the side starts from.
    start_score: i32,
    /// Score in the band before, or what bwa starts the comparison with.
    last_score: i32,
}

impl Side {
    fn longest(&self) -> usize {
        self.query.len().max(self.target.len())
    }

    fn flank(&self, is_left: bool) -> Flank {
        Flank { is_left, length: self.query.len(), start: self.start_score, last: self.last_score }
    }
}

/// One side of one seed that needs no Smith-Waterman.
struct KnownSide {
    /// Number of the seed in the batch.
    seed: usize,
    /// Bases of the read.
    length: usize,
    /// Score that the result starts from.
    start: i32,
    result: ExtendResult,
}

/// Seeds collected for extension, and the sequences that they lie in.
pub(crate) struct ExtensionBatch<'a> {
    options: &'a MemOpt,
    sequences: Vec<u8>,
    extensions: Vec<SeedExtension>,
    left: Vec<Side>,
    right: Vec<Side>,
    known_left: Vec<KnownSide>,
    known_right: Vec<KnownSide>,
}

impl<'a> ExtensionBatch<'a> {
    pub(crate) fn new(options: &'a MemOpt) -> Self {
        Self {
            options,
            sequences: Vec::new(),
            extensions: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            known_left: Vec::new(),
            known_right: Vec::new(),
        }
    }

    /// Stores a read or a reference window (base codes) for the seeds that follow.
    pub(crate) fn store(&mut self, codes: &[u8]) -> Stored {
        let forward = self.sequences.len();
        self.sequences.extend_from_slice(codes);
        let reversed = self.sequences.len();
        self.sequences.extend(codes.iter().rev());
        Stored { forward, reversed, length: codes.len() }
    }

    /// Adds a seed; `window` starts at `window_start` of the 2L coordinate. Returns the seed's number among
    /// those added since the last run.
    pub(crate) fn add(&mut self, seed: Seed, read: Stored, window: Stored, window_start: i64) -> usize {
        self.add_known(seed, read.length, [None; 2], Some((read, window, window_start)))
    }

    /// The same for a seed in a read of `read_length` bases of which some sides are known, as they are from the seed's own
    /// score; `place` is what [`ExtensionBatch::add`] takes, and has to be there when one is not.
    pub(crate) fn add_known(
        &mut self,
        seed: Seed,
        read_length: usize,
        known: [Option<ExtendResult>; 2],
        place: Option<(Stored, Stored, i64)>,
    ) -> usize {
        let number = self.extensions.len();
        let (query_start, query_end) = (seed.query_start as usize, (seed.query_start + seed.length) as usize);
        let seed_score = seed.length * self.options.a;
        self.extensions.push(SeedExtension::of_seed(&seed, self.options));
        let (has_left, has_right) = (query_start > 0, query_end < read_length);
        let known_side = |length, result| KnownSide { seed: number, length, start: seed_score, result };
        let [left, right] = known;
        self.known_left.extend(left.filter(|_| has_left).map(|result| known_side(query_start, result)));
        self.known_right.extend(right.filter(|_| has_right).map(|result| known_side(read_length - query_end, result)));
        let (left, right) = (has_left && left.is_none(), has_right && right.is_none());
        if !left && !right {
            return number;
        }
        let (read, window, window_start) = place.expect("a side that is not known lies in a read and a window");
        let target_start = (seed.reference_start - window_start) as usize;
        let target_end = target_start + seed.length as usize;
        if left {
            self.left.push(Side {
                seed: number,
                query: read.before(query_start),
                target: window.before(target_start),
                start_score: seed_score,
                last_score: -1,
            });
        }
        if right {
            self.right.push(Side {
                seed: number,
                query: read.from(query_end),
                target: window.from(target_end),
                start_score: seed_score,
                last_score: seed_score,
            });
        }
        number
    }

    /// Extends the seeds that were added since the last call; the results are in the order of [`ExtensionBatch::add`].
    /// The stored sequences stay.
    pub(crate) fn run(&mut self) -> Vec<SeedExtension> {
        let options = self.options;
        let mut extensions = std::mem::take(&mut self.extensions);
        for KnownSide { seed, length, start, result } in self.known_left.drain(..) {
            take_flank(options, Flank { is_left: true, length, start, last: -1 }, &result, &mut extensions[seed]);
        }
        let left = std::mem::take(&mut self.left);
        run_sides(options, options.pen_clip5, &self.sequences, left, |side, band, result| {
            take(options, side.flank(true), band, result, &mut extensions[side.seed]);
        });
        for KnownSide { seed, length, start: seed_score, mut result } in self.known_right.drain(..) {
            let extension = &mut extensions[seed];
            // The left side comes on top. A score of 0 at the read's end says that it was not reached.
            let start = extension.score;
            result.score += start - seed_score;
            result.gscore += if result.gscore > 0 { start - seed_score } else { 0 };
            take_flank(options, Flank { is_left: false, length, start, last: start }, &result, extension);
        }
        let mut right = std::mem::take(&mut self.right);
        for side in &mut right {
            side.start_score = extensions[side.seed].score;
            side.last_score = side.start_score;
        }
        run_sides(options, options.pen_clip3, &self.sequences, right, |side, band, result| {
            take(options, side.flank(false), band, result, &mut extensions[side.seed]);
        });
        extensions
    }
}

/// What a result is taken for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flank {
    /// On the seed's left side in the read.
    pub(crate) is_left: bool,
    /// Bases of the read.
    pub(crate) length: usize,
    /// Score at the seed's edge, which the flank starts from.
    pub(crate) start: i32,
    /// Score that ends the search for a wider band.
    pub(crate) last: i32,
}

/// Takes the result of a flank that stays on the seed's diagonal, in the band in which bwa accepts it.
pub(crate) fn take_flank(options: &MemOpt, flank: Flank, result: &ExtendResult, extension: &mut SeedExtension) {
    let accepted = is_inside(options.w, result) || result.score == flank.last;
    take(options, flank, if accepted { options.w } else { options.w << 1 }, result, extension);
}

/// Whether the optimum keeps away from the edge of the band.
fn is_inside(band: i32, result: &ExtendResult) -> bool {
    result.max_off < band / 2 + band / 4
}

/// Lengthens `extension` by a flank: to the end of the read where clipping does not pay, else to the best score.
fn take(options: &MemOpt, flank: Flank, band: i32, result: &ExtendResult, extension: &mut SeedExtension) {
    let clip_penalty = if flank.is_left { options.pen_clip5 } else { options.pen_clip3 };
    let clipped = result.gscore <= 0 || result.gscore <= result.score - clip_penalty;
    let (query, target, true_score) = if clipped {
        (result.qle, result.tle, result.score)
    } else {
        (flank.length as i32, result.gtle, result.gscore)
    };
    extension.score = result.score;
    extension.band = extension.band.max(band);
    if flank.is_left {
        extension.query_start -= query;
        extension.reference_start -= i64::from(target);
        extension.left_score = result.score;
        extension.true_score = true_score;
    } else {
        extension.query_end += query;
        extension.reference_end += i64::from(target);
        extension.true_score += true_score - flank.start;
    }
}

impl SeedExtension {
    /// The seed alone, before its sides.
    pub(crate) fn of_seed(seed: &Seed, options: &MemOpt) -> Self {
        let score = seed.length * options.a;
        Self {
            score,
            left_score: score,
            true_score: score,
            query_start: seed.query_start,
            query_end: seed.query_start + seed.length,
            reference_start: seed.reference_start,
            reference_end: seed.reference_start + i64::from(seed.length),
            band: options.w,
        }
    }
}

/// Extends one side of all seeds and hands each accepted result on, with the band that it was found in.
fn run_sides(
    options: &MemOpt,
    clip_penalty: i32,
    sequences: &[u8],
    mut sides: Vec<Side>,
    mut accept: impl FnMut(&Side, i32, &ExtendResult),
) {
    for attempt in 0..BANDS {
        if sides.is_empty() {
            return;
        }
        // Vector lanes run as long as their longest job, so jobs of like length belong together.
        sides.sort_by_key(|side| std::cmp::Reverse(side.longest()));
        let band = options.w << attempt;
        let jobs: Vec<ExtendJob> = sides
            .iter()
            .map(|side| ExtendJob {
                query: &sequences[side.query.clone()],
                target: &sequences[side.target.clone()],
                h0: side.start_score,
            })
            .collect();
        let results = NeonBackend.extend_batch(
            &jobs,
            ALPHABET,
            &options.mat,
            options.o_del,
            options.e_del,
            options.o_ins,
            options.e_ins,
            band,
            clip_penalty,
            options.zdrop,
        );
        let last_attempt = attempt + 1 == BANDS;
        let mut results = results.iter();
        sides.retain_mut(|side| {
            let result = results.next().expect("one result a job");
            if last_attempt || is_inside(band, result) || result.score == side.last_score {
                accept(side, band, result);
                return false;
            }
            side.last_score = result.score;
            true
        });
    }
}
