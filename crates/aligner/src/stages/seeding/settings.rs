//! What the search for matches is asked for.

use bwa_mem4_core::MemOpt;

use crate::gates::SeedingGate;

/// What bwa adds before it cuts -k times -r down to whole bases.
const ROUNDING: f32 = 0.499;

/// bwa's options for seeding, and who decides after the first round.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    /// Bases of the shortest match (-k).
    pub(super) shortest: usize,
    /// Matches from so many bases on are seeded once more from their middle (-r times -k)...
    pub(super) long: usize,
    /// ...where they occur at most this often.
    pub(super) rare: i64,
    /// Matches of the third round occur less often than this (-y); 0: there is none.
    pub(super) third_round_below: i64,
    /// Decides which reads are seeded further than by the first round.
    pub(super) gate: Option<&'a dyn SeedingGate>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(options: &MemOpt, gate: Option<&'a dyn SeedingGate>) -> Self {
        let shortest = options.min_seed_len.max(1);
        Self {
            shortest: shortest as usize,
            long: ((shortest as f32 * options.split_factor + ROUNDING) as i32).max(0) as usize,
            rare: i64::from(options.split_width),
            third_round_below: options.max_mem_intv.max(0),
            gate,
        }
    }

    /// Bases of the shortest match of the third round: one more than of the others.
    pub(super) fn shortest_of_third_round(&self) -> usize {
        self.shortest + 1
    }
}
