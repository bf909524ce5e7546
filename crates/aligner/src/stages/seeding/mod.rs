//! Exact matches between reads and the reference, and their places: bwa's seeds.
//!
//! bwa seeds in three rounds:
//!
//! 1. Super-maximal exact matches (SMEMs): those that lie within no other match.
//! 2. Re-seeding: through the middle of a long and rare SMEM, the matches that occur more often than it and cannot be made
//!    longer without occurring too seldom (-r).
//! 3. From left to right, the shortest matches that occur less often than a limit (-y).
//!
//! The same matches are found here (`walk.rs` says how) with far fewer steps in the FM-index:
//!
//! - A match has to have -k bases. Whether one begins at a base is asked backwards from its last base, and a window that does
//!   not occur rules out all windows up to the base that ended it.
//! - Every search begins with a word of eight bases whose interval is known (`prefixes.rs`).
//! - A match that occurs once is looked up at once, and made longer by comparing read and reference.
//! - A match of the third round that lies within an earlier one and occurs no more often has the places of that one.
//!
//! A gate may leave out the second and third round of a read ([`SeedingGate`]).

mod located;
mod prefixes;
mod settings;
#[cfg(test)]
mod tests;
mod walk;

use bwa_mem4_core::MemOpt;

use crate::ReferenceIndex;
use crate::gates::SeedingGate;
use settings::Settings;
use walk::{Search, Step, Walk};

pub(crate) use located::{SeededReads, runs_of_reads, seeds_of_matches};
pub(crate) use prefixes::Prefixes;

/// Reads whose searches take turns, so that the cache misses of one pass while the others go on.
const IN_TURN: usize = 32;
/// Matches that occur once are looked up so many at a time, for the same reason.
const LOOKED_UP_TOGETHER: usize = 96;

/// An exact match of a part of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// 0-based start in the read.
    pub(crate) start: u32,
    /// End in the read, exclusive.
    pub(crate) end: u32,
    /// How often it occurs in the reference and its reverse complement.
    pub(crate) occurrences: i64,
    /// Where.
    pub(crate) places: Places,
    /// The round of seeding that found it, from 1.
    pub(crate) round: u8,
}

/// Where a match occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// In the suffix-array rows from this one on, as many as there are occurrences.
    Rows(i64),
    /// Once, at this place of the 2L coordinate.
    At(i64),
    /// Wherever the read's match of this number does, which it lies within.
    Within(u32),
}

/// What seeding found.
#[derive(Debug, Default)]
pub(crate) struct FoundMatches {
    /// The matches of each read, round by round.
    pub(crate) of_reads: Vec<Vec<Match>>,
    /// Reads whose further rounds the gate left out.
    pub(crate) first_round_enough: u64,
}

/// The matches of each read, but for what `gate` leaves out.
pub(crate) fn find_matches(
    index: &ReferenceIndex,
    options: &MemOpt,
    gate: Option<&dyn SeedingGate>,
    reads: &[&[u8]],
) -> FoundMatches {
    let settings = Settings::new(options, gate);
    let search = Search { fm: &index.fm, prefixes: index.prefixes(), settings: &settings };
    let mut found = FoundMatches { of_reads: vec![Vec::new(); reads.len()], first_round_enough: 0 };
    let mut new = (0..reads.len()).map(Walk::new);
    let (mut in_turn, mut waiting, mut looked_up) = (Vec::with_capacity(IN_TURN), Vec::new(), Vec::new());
    let mut reference = Vec::new();
    loop {
        while in_turn.len() < IN_TURN
            && let Some(walk) = looked_up.pop().or_else(|| new.next())
        {
            in_turn.push(walk);
        }
        if waiting.len() >= LOOKED_UP_TOGETHER || in_turn.is_empty() && !waiting.is_empty() {
            look_up(index, reads, &mut waiting, &mut reference);
            looked_up.append(&mut waiting);
            continue;
        }
        if in_turn.is_empty() {
            return found;
        }
        let mut turn = 0;
        while let Some(walk) = in_turn.get_mut(turn) {
            match walk.step(&search, reads[walk.read()]) {
                Step::Again => turn += 1,
                Step::LookUp => waiting.push(in_turn.swap_remove(turn)),
                Step::Done => {
                    let walk: Walk = in_turn.swap_remove(turn);
                    let read = walk.read();
                    found.first_round_enough += u64::from(walk.is_first_round_enough());
                    found.of_reads[read] = walk.into_matches();
                }
            }
        }
    }
}

/// Looks up the single places that these walks wait for, and makes their matches as long as read and reference agree.
fn look_up(index: &ReferenceIndex, reads: &[&[u8]], walks: &mut [Walk], reference: &mut Vec<u8>) {
    let rows: Vec<i64> = walks.iter().map(Walk::row).collect();
    let mut places = vec![0; rows.len()];
    index.fm.places_into(&rows, &mut places);
    let both_strands = 2 * index.length();
    let ends = |walk: &Walk, place: i64| {
        let behind = place + walk.matched() as i64;
        (behind, both_strands.min(behind + (reads[walk.read()].len() - walk.end()) as i64))
    };
    for (walk, &place) in walks.iter().zip(&places) {
        let (start, end) = ends(walk, place);
        index.packed.prefetch_pac(start, end);
    }
    for (walk, &place) in walks.iter_mut().zip(&places) {
        let (start, end) = ends(walk, place);
        index.packed.bases_into(start, end, reference);
        let rest = &reads[walk.read()][walk.end()..];
        let longer = rest.iter().zip(&*reference).take_while(|(base, there)| base == there).count();
        walk.looked_up(place, longer);
    }
}
