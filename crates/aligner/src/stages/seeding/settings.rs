//! What the search for matches is asked for.

use bwa_mem4_core::MemOpt;

/// What bwa adds before it cuts -k times -r down to whole bases.
const ROUNDING: f32 = 0.499;

/// bwa's options for seeding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// Bases of the shortest match (-k).
    pub(super) shortest: usize,
    /// Matches from so many bases on are seeded once more from their middle (-r times -k)...
    pub(super) long: usize,
    /// ...where they occur at most this often.
    pub(super) rare: i64,
    /// Matches of the third round occur less often than this (-y); 0: there is none.
    pub(super) third_round_below: i64,
}

impl Settings {
    pub(super) fn new(options: &MemOpt) -> Self {
        let shortest = options.min_seed_len.max(1);
        Self {
            shortest: shortest as usize,
            long: ((shortest as f32 * options.split_factor + ROUNDING) as i32).max(0) as usize,
            rare: i64::from(options.split_width),
            third_round_below: options.max_mem_intv.max(0),
        }
    }

    /// Bases of the shortest match of the third round: one more than of the others.
    pub(super) fn shortest_of_third_round(&self) -> usize {
        self.shortest + 1
    }
}
