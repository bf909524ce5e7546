//! Seeds of reads: the places of their matches.

use std::ops::Range;

use bwa_index::Smem;
use bwa_mem4_core::MemOpt;

use super::{Match, Places};
use crate::{ReferenceIndex, Seed};

/// Seeds of a read with these matches: their occurrences, of each match at most about `max_occ` (-c).
pub(crate) fn seeds_of_matches(max_occ: i32, matches: &[Match]) -> u64 {
    matches.iter().map(|of| Sample::of(max_occ, of.occurrences).count).sum::<i64>() as u64
}

/// Which occurrences of a match are looked at: evenly spaced ones where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    step: i64,
    count: i64,
}

impl Sample {
    fn of(max_occ: i32, occurrences: i64) -> Self {
        let most = i64::from(max_occ);
        let step = if occurrences > most { occurrences / most } else { 1 };
        Self { step, count: ((occurrences + step - 1) / step).clamp(0, most) }
    }
}

/// Runs of neighbouring reads that have at most `most` seeds together, or are but one read (one pair where `paired`).
/// Together they are all reads; `seeds` holds the number of each.
pub(crate) fn runs_of_reads(seeds: &[u64], paired: bool, most: u64) -> Vec<Range<usize>> {
    let unit = if paired { 2 } else { 1 };
    let mut runs = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (number, unit_seeds) in seeds.chunks(unit).enumerate() {
        let of_unit: u64 = unit_seeds.iter().sum();
        let at = number * unit;
        if at > start && sum + of_unit > most {
            runs.push(start..at);
            (start, sum) = (at, 0);
        }
        sum += of_unit;
    }
    if start < seeds.len() {
        runs.push(start..seeds.len());
    }
    runs
}

/// The seeds of a batch of reads, in bwa's order: by start and end of the match, then by suffix-array row.
pub(crate) struct SeededReads {
    /// Matches of each read, as the chaining stage takes them.
    matches: Vec<Vec<Smem>>,
    /// The round of seeding that found each.
    rounds: Vec<Vec<u8>>,
    /// How many occurrences of each match are looked at (-c caps them).
    counts: Vec<Vec<i64>>,
    /// Reference start of every occurrence, all reads one after the other.
    reference_starts: Vec<i64>,
    /// First occurrence of each read in `reference_starts`, and the end.
    offsets: Vec<usize>,
}

impl SeededReads {
    /// Looks up where matches occur, in one batch. Places that are known, or those of another match, are not looked up. Of a
    /// read with more than `most` seeds only those of its rarest matches are.
    pub(crate) fn locate(index: &ReferenceIndex, options: &MemOpt, most: Option<u64>, matches: &[Vec<Match>]) -> Self {
        let mut rows = Vec::new();
        let plans: Vec<Plan> = matches.iter().map(|of_read| Plan::new(options, most, of_read, &mut rows)).collect();
        let mut looked_up = vec![0; rows.len()];
        index.fm.places_into(&rows, &mut looked_up);
        let mut seeded = Self {
            matches: Vec::with_capacity(matches.len()),
            rounds: Vec::with_capacity(matches.len()),
            counts: Vec::with_capacity(matches.len()),
            reference_starts: Vec::with_capacity(rows.len()),
            offsets: vec![0],
        };
        for (of_read, plan) in matches.iter().zip(plans) {
            let in_order = || plan.order.iter().map(|&number| &of_read[number as usize]);
            seeded.matches.push(in_order().map(smem).collect());
            seeded.rounds.push(in_order().map(|of| of.round).collect());
            let starts = &mut seeded.reference_starts;
            for (&number, &count) in plan.order.iter().zip(&plan.counts) {
                plan.places(of_read, number, count as usize, &looked_up, starts);
            }
            seeded.counts.push(plan.counts);
            seeded.offsets.push(seeded.reference_starts.len());
        }
        seeded
    }

    /// Seeds of all reads together.
    pub(crate) fn len(&self) -> usize {
        self.reference_starts.len()
    }

    /// First seed of each read, and the end: `reads + 1` numbers.
    pub(crate) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The seeds of read `read`, those included that lie across the end of a contig or strand.
    pub(crate) fn seeds_of(&self, read: usize) -> impl Iterator<Item = Seed> + '_ {
        let starts = &self.reference_starts[self.offsets[read]..self.offsets[read + 1]];
        let match_of_each = self.matches[read].iter().zip(&self.counts[read]);
        match_of_each.flat_map(|(smem, &count)| std::iter::repeat_n(smem, count as usize)).zip(starts).map(
            |(smem, &reference_start)| Seed {
                query_start: smem.m as i32,
                length: (smem.n + 1 - smem.m) as i32,
                reference_start,
                occurrences: smem.s,
            },
        )
    }

    /// Occurrences of the match that this seed of read `read` belongs to; 0 where there is none.
    pub(crate) fn occurrences(&self, read: usize, seed: &Seed) -> i64 {
        let matches = &self.matches[read];
        let key = (seed.query_start as u32, (seed.query_start + seed.length - 1) as u32);
        let place = matches.partition_point(|of| (of.m, of.n) < key);
        matches.get(place).filter(|of| (of.m, of.n) == key).map_or(0, |of| of.s)
    }

    /// The round of seeding that found each of the seeds of read `read`.
    pub(crate) fn rounds_of(&self, read: usize) -> impl Iterator<Item = u8> + '_ {
        let counts = self.counts[read].iter();
        self.rounds[read].iter().zip(counts).flat_map(|(&round, &count)| std::iter::repeat_n(round, count as usize))
    }

    /// What chaining needs of read `read`: its matches, occurrences of each, reference start of each occurrence.
    pub(crate) fn for_chaining(&self, read: usize) -> (&[Smem], &[i64], &[i64]) {
        let starts = &self.reference_starts[self.offsets[read]..self.offsets[read + 1]];
        (&self.matches[read], &self.counts[read], starts)
    }

    /// Drops the seeds whose `keep` is false. The matches stay: how repetitive a read is does not depend on the filter.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut seed = 0;
        let mut kept = 0;
        for (read, counts) in self.counts.iter_mut().enumerate() {
            for count in counts {
                let mut left = 0;
                for _ in 0..*count {
                    if keep[seed] {
                        self.reference_starts[kept] = self.reference_starts[seed];
                        kept += 1;
                        left += 1;
                    }
                    seed += 1;
                }
                *count = left;
            }
            self.offsets[read + 1] = kept;
        }
        self.reference_starts.truncate(kept);
    }
}

/// How the places of a read's matches come together.
struct Plan {
    /// Its matches in bwa's order: by start, then by end; of equal ones the earlier round's first.
    order: Vec<u32>,
    /// How many places each has, in this order.
    counts: Vec<i64>,
    /// For each match in the order in which it was found: its first row among all that are looked up.
    rows_at: Vec<usize>,
}

impl Plan {
    fn new(options: &MemOpt, most: Option<u64>, matches: &[Match], rows: &mut Vec<i64>) -> Self {
        let mut order: Vec<u32> = (0..matches.len() as u32).collect();
        order.sort_by_key(|&number| {
            let Match { start, end, .. } = matches[number as usize];
            u64::from(start) << 32 | u64::from(end)
        });
        let sample = |number: u32| Sample::of(options.max_occ, matches[number as usize].occurrences);
        let mut counts: Vec<i64> = order.iter().map(|&number| sample(number).count).collect();
        if let Some(most) = most.filter(|&most| counts.iter().sum::<i64>() as u64 > most) {
            leave_out_all_but_rarest(matches, &order, &mut counts, most);
        }
        let mut rows_at = vec![usize::MAX; matches.len()];
        let mut previous: Option<u32> = None;
        for (&number, _) in order.iter().zip(&counts).filter(|(_, count)| **count > 0) {
            let of = &matches[number as usize];
            let owner = if let Places::Within(other) = of.places { other } else { number };
            let Places::Rows(first) = matches[owner as usize].places else { continue };
            let same = |other: &u32| {
                let other = &matches[*other as usize];
                (other.start, other.end) == (of.start, of.end) && matches!(other.places, Places::Rows(_))
            };
            if rows_at[owner as usize] == usize::MAX {
                rows_at[owner as usize] = match previous.filter(same).filter(|_| owner == number) {
                    // Re-seeding finds some matches twice.
                    Some(twin) => rows_at[twin as usize],
                    None => {
                        let Sample { step, count } = sample(number);
                        rows.extend((0..count).map(|place| first + place * step));
                        rows.len() - count as usize
                    }
                };
            }
            previous = Some(number);
        }
        Self { order, counts, rows_at }
    }

    /// Adds the places of match `number`, of which `count` are looked at.
    fn places(&self, matches: &[Match], number: u32, count: usize, looked_up: &[i64], starts: &mut Vec<i64>) {
        if count == 0 {
            return;
        }
        let of = &matches[number as usize];
        let owner = if let Places::Within(other) = of.places { other } else { number } as usize;
        let further = i64::from(of.start - matches[owner].start);
        match matches[owner].places {
            Places::At(place) => starts.push(place + further),
            _ => {
                let first = self.rows_at[owner];
                starts.extend(looked_up[first..first + count].iter().map(|place| place + further));
            }
        }
    }
}

/// Leaves as many of the rarest matches as have at most `most` occurrences together, and the rarest one in any case; the
/// others have none. `counts` and `order` are in bwa's order of matches.
fn leave_out_all_but_rarest(matches: &[Match], order: &[u32], counts: &mut [i64], most: u64) {
    let mut rarest: Vec<usize> = (0..order.len()).collect();
    rarest.sort_by_key(|&place| (matches[order[place] as usize].occurrences, place));
    let mut left = most as i64;
    let mut first_left_out = rarest.len();
    for (rank, &place) in rarest.iter().enumerate() {
        left -= counts[place];
        if left < 0 && rank > 0 {
            first_left_out = rank;
            break;
        }
    }
    rarest[first_left_out..].iter().for_each(|&place| counts[place] = 0);
}

fn smem(of: &Match) -> Smem {
    Smem { rid: 0, m: of.start, n: of.end - 1, k: 0, l: 0, s: of.occurrences }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(start: u32, row: i64, occurrences: i64) -> Match {
        Match { start, end: start + 19, occurrences, places: Places::Rows(row), round: 1 }
    }

    #[test]
    fn the_number_of_seeds_is_that_of_the_rows() {
        for max_occ in [1, 3, 500] {
            for occurrences in [1, 2, 3, 4, 7, 499, 500, 501, 999, 1000, 1501] {
                let (mut smems, mut rows) = (vec![smem(&found(0, 0, occurrences))], Vec::new());
                let options = MemOpt { max_occ, ..MemOpt::default() };
                bwa_mem4_chain::sa_positions_for_read(&options, &mut smems, &mut rows, &mut Vec::new());
                let Sample { step, count } = Sample::of(max_occ, occurrences);
                let sampled: Vec<i64> = (0..count).map(|place| place * step).collect();
                assert_eq!(sampled, rows, "-c {max_occ}, {occurrences}");
            }
        }
    }

    #[test]
    fn runs_hold_whole_pairs_and_no_more_seeds_than_asked_for() {
        assert_eq!(runs_of_reads(&[3, 3, 3, 9, 1], false, 6), [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(runs_of_reads(&[3, 3, 3, 9, 1, 1], true, 6), [0..2, 2..4, 4..6]);
        assert_eq!(runs_of_reads(&[1, 1, 1, 1, 1, 1], true, 4), [0..4, 4..6]);
        assert!(runs_of_reads(&[], false, 6).is_empty());
    }

    fn planned(most: u64, matches: &[Match]) -> (Vec<i64>, Vec<i64>) {
        let mut rows = Vec::new();
        let plan = Plan::new(&MemOpt::default(), Some(most), matches, &mut rows);
        (plan.counts, rows)
    }

    #[test]
    fn over_the_limit_the_rarest_matches_stay_in_their_order() {
        let matches = [found(0, 100, 4), found(5, 200, 2), found(9, 300, 1), found(12, 400, 2)];
        assert_eq!(planned(4, &matches), (vec![0, 2, 1, 0], vec![200, 201, 300]));
        let matches = [found(0, 100, 4), found(5, 200, 3)];
        assert_eq!(planned(1, &matches), (vec![0, 3], vec![200, 201, 202]), "a read keeps its rarest");
    }

    #[test]
    fn what_lies_within_another_match_has_its_places_even_where_that_one_is_left_out() {
        let within = |start: u32| Match { start, end: start + 10, places: Places::Within(0), ..found(0, 0, 2) };
        let matches = [found(0, 100, 2), within(3), within(0), found(0, 100, 2)];
        let mut rows = Vec::new();
        // The shorter of those that begin at 0 comes first.
        for (most, expected) in [(9, vec![70, 80, 70, 80, 70, 80, 73, 83]), (2, vec![70, 80])] {
            rows.clear();
            let plan = Plan::new(&MemOpt::default(), Some(most), &matches, &mut rows);
            assert_eq!(rows, [100, 101]);
            let mut starts = Vec::new();
            for (&number, &count) in plan.order.iter().zip(&plan.counts) {
                plan.places(&matches, number, count as usize, &[70, 80], &mut starts);
            }
            assert_eq!(starts, expected);
        }
    }
}
