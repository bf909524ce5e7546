use serde::Serialize;

/// What the filter did with some seeds; additive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FilterStatistics {
    /// Seeds that came in.
    pub seeds_in: u64,
    /// Seeds in batches too small to be filtered.
    pub unfiltered: u64,
    /// Seeds kept by the guard rails, without asking the network.
    pub kept_by_guard_rails: u64,
    /// Seeds that the network scored.
    pub scored: u64,
    /// Seeds dropped: scored below the threshold.
    pub dropped: u64,
}

impl FilterStatistics {
    /// Adds another part's counts.
    pub fn add(&mut self, other: &Self) {
        self.seeds_in += other.seeds_in;
        self.unfiltered += other.unfiltered;
        self.kept_by_guard_rails += other.kept_by_guard_rails;
        self.scored += other.scored;
        self.dropped += other.dropped;
    }
}
