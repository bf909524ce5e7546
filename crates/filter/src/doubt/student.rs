//! The student network: what it is shown of a seed in doubt, and what its answer does.

use std::ops::Range;

use seedsieve_inference::NpuResult;

use super::{Doubts, take_back};
use crate::FilterStatistics;
use crate::bound::Bound;
use crate::bounds::bases_on;
use crate::cascade::{CascadeBatch, CascadeSettings, PlacedSeed};
use crate::narrow::NarrowScores;
use crate::planes::{BLOCK, ReferencePlanes};
use crate::student_features::{STUDENT_ROW, StudentRead, StudentSeed};

/// Tells viable seeds from hopeless ones by what a student network sees of them. Shared between threads.
pub trait SeedScorer: Send + Sync {
    /// Version of the rows that it was trained on: under 1 the bounds with a gap are zeros, under 2 the narrow scores.
    fn version(&self) -> u8;

    /// Viability of each seed in [0, 1]. `rows`: shape (seeds, [`STUDENT_ROW`]), row-major. A score depends on its row alone.
    ///
    /// # Errors
    /// Whatever the network reports.
    fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()>;
}

/// Who is asked, and what the answer means.
#[derive(Clone, Copy)]
pub struct Student<'a> {
    /// The network.
    pub scorer: &'a dyn SeedScorer,
    /// Viability from which on a seed is extended.
    pub keep: f32,
    /// Viability below which a seed is surely hopeless; at most `keep`. What lies between is left in doubt.
    pub drop: f32,
    /// Occurrences of each seed's SMEM, in the order of the batch.
    pub occurrences: &'a [u32],
    /// The cascade's, by whose scores seeds are extended for a network that sees narrow scores.
    pub settings: &'a CascadeSettings,
}

/// Seeds that are scored at once.
const AT_ONCE: usize = 1_024;

impl Doubts {
    /// Asks a student network. What it finds viable is extended with its whole chain, as bwa would extend it: the stand-ins are
    /// taken back. What it finds surely hopeless is in doubt no longer.
    ///
    /// `reference`, `batch` and `stand_ins` are those that the doubts are of.
    ///
    /// # Errors
    /// Whatever the network reports.
    pub fn ask_student(
        &mut self,
        student: &Student<'_>,
        reference: &ReferencePlanes,
        batch: &CascadeBatch<'_>,
        stand_ins: &mut [Option<Bound>],
        statistics: &mut FilterStatistics,
    ) -> NpuResult<()> {
        let mut view = View::new(reference, student);
        let (mut rows, mut asked) = (Vec::new(), Vec::new());
        let mut scores = vec![0.0; self.seeds.len()];
        let (mut bounds, mut seeds) = (self.bounds.as_slice(), self.seeds.as_slice());
        let mut scored = 0;
        for read in &self.reads {
            let (of_read, others) = bounds.split_at(batch.of(read.number).len());
            let (doubtful, later) = seeds.split_at(read.doubtful);
            (bounds, seeds) = (others, later);
            view.set(batch, read.number, of_read, read.mate_best);
            for &seed in doubtful {
                view.write(student, batch, seed, &mut rows);
                asked.push(seed);
            }
            if asked.len() >= AT_ONCE {
                student.scorer.score(&rows, &mut scores[scored..scored + asked.len()])?;
                scored += asked.len();
                rows.clear();
                asked.clear();
            }
        }
        if !asked.is_empty() {
            student.scorer.score(&rows, &mut scores[scored..])?;
        }
        statistics.asked_of_student += scores.len() as u64;
        for (&seed, _) in self.seeds.iter().zip(&scores).filter(|(_, score)| **score >= student.keep) {
            let kept = take_back(batch.chain_of(seed), stand_ins);
            statistics.kept_by_student += kept;
            statistics.stand_ins -= kept;
        }
        let mut scores = scores.iter();
        self.seeds.retain(|_| scores.next().is_some_and(|score| (student.drop..student.keep).contains(score)));
        // Whoever is asked next needs no facts of the reads.
        self.reads.clear();
        self.bounds.clear();
        Ok(())
    }
}

/// One read and its seeds as the student sees them.
struct View<'a> {
    reference: &'a ReferencePlanes,
    /// Holds the read, too.
    narrow: NarrowScores<'a>,
    /// Version of the rows.
    version: u8,
    mask: Vec<u64>,
    /// Number of the read's first seed in the batch.
    first: usize,
    seeds: Vec<StudentSeed>,
    read: StudentRead,
}

impl<'a> View<'a> {
    fn new(reference: &'a ReferencePlanes, student: &Student<'_>) -> Self {
        let narrow = NarrowScores::new(reference, student.settings.scoring, i32::from(u8::MAX));
        let (version, read) = (student.scorer.version(), StudentRead::default());
        Self { reference, narrow, version, mask: Vec::new(), first: 0, seeds: Vec::new(), read }
    }

    fn set(&mut self, batch: &CascadeBatch<'_>, read: usize, bounds: &[Bound], mate_best: i32) {
        let (codes, range) = (batch.reads[read], batch.of(read));
        self.first = range.start;
        self.narrow.set_read(codes);
        self.seeds.clear();
        self.seeds.extend(batch.seeds[range].iter().zip(bounds).map(|(seed, bound)| StudentSeed {
            ungapped_score: bound.segment.score,
            gap_bound: bound.score,
            narrow_score: if self.version >= 3 { self.narrow.of_seed(seed) } else { 0 },
            strand_of_contig: 2 * contig_of(self.reference, seed).start + u64::from(seed.reverse),
            diagonal: seed.diagonal(),
            ..StudentSeed::default()
        }));
        self.read.set(&self.seeds, codes.len() as u32, mate_best);
    }

    /// Appends the row of the batch's seed of this number.
    fn write(&mut self, student: &Student<'_>, batch: &CascadeBatch<'_>, seed: usize, rows: &mut Vec<u8>) {
        let seen = self.seed(&batch.seeds[seed], student.occurrences[seed], seed - self.first);
        let start = rows.len();
        rows.resize(start + STUDENT_ROW, 0);
        let row = (&mut rows[start..]).try_into().expect("a row");
        self.read.write(&seen, self.version, row);
    }

    /// A seed in the direction in which the read was sequenced; `number` is its number within the read.
    fn seed(&mut self, seed: &PlacedSeed, occurrences: u32, number: usize) -> StudentSeed {
        let read = self.narrow.read();
        let (query, length, contig) = (seed.query(), read.length(), contig_of(self.reference, seed));
        let bases = bases_on(&contig, seed.diagonal(), length);
        read.mismatches(seed.reverse, self.reference, seed.diagonal(), &bases, &mut self.mask);
        let mut sides = [
            first(!bits_before(&self.mask, query.start), query.start - bases.start),
            first(!bits_from(&self.mask, query.end), bases.end - query.end),
        ];
        let mut rooms = [seed.start - contig.start, contig.end - seed.start - u64::from(seed.length)];
        let mut query_start = query.start;
        if seed.reverse {
            sides.reverse();
            rooms.reverse();
            query_start = length - query.end;
        }
        StudentSeed {
            before: sides[0],
            behind: sides[1],
            length: seed.length,
            query_start: query_start as u32,
            room_before: rooms[0],
            room_behind: rooms[1],
            occurrences: occurrences.into(),
            ..self.seeds[number]
        }
    }
}

fn contig_of(reference: &ReferencePlanes, seed: &PlacedSeed) -> Range<u64> {
    reference.contig_around(seed.start, u64::from(seed.length)).unwrap_or_default()
}

/// The 128 bits from `start` on; ones behind the end.
fn bits_from(mask: &[u64], start: usize) -> u128 {
    let word = |number: usize| u128::from(mask.get(number).copied().unwrap_or(u64::MAX));
    let (number, shift) = (start / BLOCK, start % BLOCK);
    let two = word(number) | word(number + 1) << BLOCK;
    if shift == 0 { two } else { two >> shift | word(number + 2) << (2 * BLOCK - shift) }
}

/// The 128 bits before `end`, the nearest first; zeros before the start.
fn bits_before(mask: &[u64], end: usize) -> u128 {
    match (2 * BLOCK).checked_sub(end) {
        None | Some(0) => bits_from(mask, end - 2 * BLOCK).reverse_bits(),
        Some(missing) => bits_from(mask, 0).checked_shl(missing as u32).unwrap_or(0).reverse_bits(),
    }
}

/// The first bits, as many as `count`.
fn first(bits: u128, count: usize) -> u128 {
    if count >= 2 * BLOCK { bits } else { bits & ((1 << count) - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Base codes that look random and are the same in every run.
    fn sequence(length: usize, mut state: u64) -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 60) as u8 & 3
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    fn planes(codes: &[u8]) -> ReferencePlanes {
        ReferencePlanes::new(vec![0, codes.len() as u64], |range, piece| {
            piece.clear();
            piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
        })
    }

    #[test]
    fn a_seed_is_seen_in_the_direction_in_which_its_read_was_sequenced() {
        let reference = sequence(1_000, 3);
        let planes = planes(&reference);
        let mut read = reference[300..400].to_vec();
        [20, 27, 80].into_iter().for_each(|place| read[place] ^= 1);
        let turned: Vec<u8> = read.iter().rev().map(|code| 3 - code).collect();
        let seed = PlacedSeed { start: 330, query_start: 30, length: 19, reverse: false, alt: false };
        let see = |codes: &[u8], seed: PlacedSeed| {
            let batch =
                CascadeBatch { reads: &[codes], read_offsets: &[0, 1], seeds: &[seed], chains: &[], paired: false };
            let settings = CascadeSettings::default();
            let student =
                Student { scorer: &Shown::default(), keep: 0.5, drop: 0.5, occurrences: &[], settings: &settings };
            let mut view = View::new(&planes, &student);
            view.set(&batch, 0, &[Bound::default()], 0);
            view.seed(&seed, 7, 0)
        };
        let forward = see(&read, seed);
        let missing = |mask: u128, bases: usize| -> Vec<usize> {
            (0..bases).filter(|&distance| mask >> distance & 1 == 0).collect()
        };
        assert_eq!((missing(forward.before, 30), missing(forward.behind, 51)), (vec![2, 9], vec![31]));
        assert_eq!((forward.before >> 30, forward.behind >> 51), (0, 0), "nothing lies beyond the read");
        assert_eq!((forward.room_before, forward.room_behind, forward.query_start), (330, 651, 30));
        assert_eq!((forward.length, forward.occurrences), (19, 7));
        // Up to each side's ends: 49 bases and two mismatches, 51 and one.
        assert_eq!(forward.narrow_score, 19 + (20 + 6 + 2 - 8) + (31 + 19 - 4));
        let reverse = see(&turned, PlacedSeed { reverse: true, ..seed });
        let of_turned = StudentSeed {
            before: forward.behind,
            behind: forward.before,
            room_before: forward.room_behind,
            room_behind: forward.room_before,
            query_start: 51,
            strand_of_contig: 1,
            ..forward
        };
        assert_eq!(reverse, of_turned);
    }

    /// Keeps the rows that it is shown.
    #[derive(Default)]
    struct Shown(Mutex<Vec<[u8; STUDENT_ROW]>>);

    impl SeedScorer for Shown {
        fn version(&self) -> u8 {
            3
        }

        fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()> {
            scores.fill(0.0);
            self.0.lock().unwrap().extend_from_slice(rows.as_chunks().0);
            Ok(())
        }
    }

    #[test]
    fn the_student_is_shown_the_seed_its_occurrences_and_the_mate() {
        let reference = sequence(1_000, 4);
        let (reads, planes) = ([&reference[100..200], &reference[500..600]], planes(&reference));
        let seed = |start, length| PlacedSeed { start, query_start: 0, length, reverse: false, alt: false };
        let seeds = [seed(100, 21), seed(700, 22), seed(500, 23), seed(800, 24)];
        let batch = CascadeBatch {
            reads: &reads,
            read_offsets: &[0, 2, 4],
            seeds: &seeds,
            chains: &[0, 1, 0, 1],
            paired: true,
        };
        let bound =
            |score| Bound { score, segment: crate::Segment { score, ..Default::default() }, ..Bound::default() };
        let mut doubts = Doubts::default();
        doubts.add(0, 0, &[1], &[bound(90), bound(51)], 88);
        doubts.add(1, 2, &[0, 1], &[bound(87), bound(52)], 89);
        let (shown, mut stand_ins, settings) = (Shown::default(), [Some(bound(1)); 4], CascadeSettings::default());
        let student = Student { scorer: &shown, keep: 0.5, drop: 0.5, occurrences: &[1, 2, 4, 8], settings: &settings };
        let asked = doubts.ask_student(&student, &planes, &batch, &mut stand_ins, &mut FilterStatistics::default());
        asked.unwrap();
        // Length, eighths of log2 of the occurrences, own score, that of the best other seed, and the mate's bound.
        let rows = shown.0.into_inner().unwrap();
        let facts: Vec<_> = rows.iter().map(|row| [256, 259, 260, 261, 276].map(|byte| row[byte])).collect();
        assert_eq!(facts, [[22, 8, 51, 90, 88], [23, 16, 87, 52, 89], [24, 24, 52, 87, 89]]);
        assert!(doubts.is_empty(), "it is sure of all");
    }

    #[test]
    fn bits_are_read_outwards_from_any_place() {
        let mask: Vec<u64> = (1..=5u64).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let bit = |place: usize| mask.get(place / 64).map_or(1, |word| word >> (place % 64) & 1);
        for place in [0, 1, 63, 64, 65, 127, 128, 129, 191, 200, 319] {
            for distance in 0..128 {
                let behind = (bits_from(&mask, place) >> distance & 1) as u64;
                assert_eq!(behind, bit(place + distance), "{distance} behind {place}");
                if distance < place {
                    let before = (bits_before(&mask, place) >> distance & 1) as u64;
                    assert_eq!(before, bit(place - 1 - distance), "{distance} before {place}");
                }
            }
        }
        assert_eq!((first(u128::MAX, 3), first(u128::MAX, 128), first(u128::MAX, 0)), (7, u128::MAX, 0));
    }
}
