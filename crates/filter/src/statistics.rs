use std::time::Duration;

use serde::Serialize;

/// What the filter did with some seeds, and what its networks took; additive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FilterStatistics {
    /// Seeding gate: reads of which only the longest matches are seeds.
    pub reads_explained: u64,
    /// Seeds that came in.
    pub seeds_in: u64,
    /// Seeds in chunks of too few reads to be filtered.
    pub unfiltered: u64,
    /// Seeds kept by the guard rails, without asking the network.
    pub kept_by_guard_rails: u64,
    /// Seeds that the network scored.
    pub scored: u64,
    /// Seeds dropped.
    pub dropped: u64,
    /// Cascade: seeds for which gaps beside their diagonal were tried.
    pub gaps_tried: u64,
    /// Cascade: kept as the best seed of a part of a read.
    pub kept_best: u64,
    /// Cascade: kept as near the best.
    pub kept_near_best: u64,
    /// Cascade: kept as the best of those further below.
    pub kept_runners_up: u64,
    /// Cascade: kept beside a good seed of the mate.
    pub kept_beside_mate: u64,
    /// Cascade: kept as of one chain with a seed that stays.
    pub kept_in_chain: u64,
    /// Cascade: kept as one of the best seeds of a read whose mate is worth reporting.
    pub kept_for_mate: u64,
    /// Cascade: kept as the best seed of a read that has none worth reporting.
    pub kept_hopeless: u64,
    /// Cascade: kept for its place on the primary assembly, where another seed lies on an ALT contig.
    pub kept_beside_alt: u64,
    /// Cascade: kept before chaining, as the seeds of a read or its mate that is worth reporting.
    pub kept_reportable: u64,
    /// Extension gate: seeds of chains that came in.
    pub candidates_in: u64,
    /// Extension gate: those extended without a comparison, as there were so few.
    pub extended_few: u64,
    /// Extension gate: those whose ungapped alignment stands in for an extension.
    pub stand_ins: u64,
    /// Extension gate: seeds in doubt that the student network was asked about.
    pub asked_of_student: u64,
    /// Extension gate: seeds extended because the student found one of their chain viable.
    pub kept_by_student: u64,
    /// Extension gate: seeds in doubt that the convolutional network was asked about.
    pub asked_of_network: u64,
    /// Extension gate: seeds extended because the network found one of their chain viable.
    pub kept_by_network: u64,
    /// CPU time of the student, with what it is shown of a seed. No count: reports have it with the times of the gates.
    #[serde(skip)]
    pub student_time: Duration,
    /// CPU time of the calling threads for the convolutional network, with its windows.
    #[serde(skip)]
    pub network_time: Duration,
    /// Extensions that Smith-Waterman was proven to agree with, by the proof that the filter adds: they change nothing.
    pub proven: u64,
    /// Rescue gate: pairs that came in.
    pub pairs_in: u64,
    /// Rescue gate: those of which no mate is looked for.
    pub pairs_not_rescued: u64,
    /// Rescue gate: searches for a mate, one for each region and orientation.
    pub rescues_in: u64,
    /// Rescue gate: those left out.
    pub rescues_skipped: u64,
    /// Rescue gate: those in which a mate has to score more than without the gate.
    pub rescues_raised: u64,
    /// Mate rescue: searches that were proven to find nothing, and left out.
    pub rescues_proven: u64,
}

impl FilterStatistics {
    /// Decisions that are proven to change no record, in seeds.
    pub fn decisions_proven(&self) -> u64 {
        self.proven
    }

    /// Decisions by rule or by the network, which may change records: seeds dropped, and seeds not extended.
    pub fn decisions_by_rule(&self) -> u64 {
        self.dropped + self.stand_ins
    }

    /// Adds another part's counts.
    pub fn add(&mut self, other: &Self) {
        self.reads_explained += other.reads_explained;
        self.seeds_in += other.seeds_in;
        self.unfiltered += other.unfiltered;
        self.kept_by_guard_rails += other.kept_by_guard_rails;
        self.scored += other.scored;
        self.dropped += other.dropped;
        self.gaps_tried += other.gaps_tried;
        self.kept_best += other.kept_best;
        self.kept_near_best += other.kept_near_best;
        self.kept_runners_up += other.kept_runners_up;
        self.kept_beside_mate += other.kept_beside_mate;
        self.kept_in_chain += other.kept_in_chain;
        self.kept_for_mate += other.kept_for_mate;
        self.kept_hopeless += other.kept_hopeless;
        self.kept_beside_alt += other.kept_beside_alt;
        self.kept_reportable += other.kept_reportable;
        self.candidates_in += other.candidates_in;
        self.extended_few += other.extended_few;
        self.stand_ins += other.stand_ins;
        self.asked_of_student += other.asked_of_student;
        self.kept_by_student += other.kept_by_student;
        self.asked_of_network += other.asked_of_network;
        self.kept_by_network += other.kept_by_network;
        self.student_time += other.student_time;
        self.network_time += other.network_time;
        self.proven += other.proven;
        self.pairs_in += other.pairs_in;
        self.pairs_not_rescued += other.pairs_not_rescued;
        self.rescues_in += other.rescues_in;
        self.rescues_skipped += other.rescues_skipped;
        self.rescues_raised += other.rescues_raised;
        self.rescues_proven += other.rescues_proven;
    }
}
