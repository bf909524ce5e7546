use std::time::Duration;

use seedsieve_filter::FilterStatistics;

use crate::cpu_time::thread_cpu_time;

/// Stages of the pipeline, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Search for matches in the FM-index, and look-up of the places of those that occur once.
    Seeding,
    /// Suffix-array look-up of the others' occurrences.
    Locating,
    /// The seed gate: windows, scores, guard rails.
    Filter,
    /// Chains and the chain filter.
    Chaining,
    /// Banded Smith-Waterman and the regions that come of it.
    Extension,
    /// Mate rescue.
    Rescue,
    /// Primary marking, pairing, CIGAR, SAM text.
    Output,
}

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Self; 7] =
        [Self::Seeding, Self::Locating, Self::Filter, Self::Chaining, Self::Extension, Self::Rescue, Self::Output];

    /// The stage's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seeding => "seeding",
            Self::Locating => "locating",
            Self::Filter => "filter",
            Self::Chaining => "chaining",
            Self::Extension => "extension",
            Self::Rescue => "rescue",
            Self::Output => "output",
        }
    }
}

/// The gates, in the order of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Before chaining.
    Seeds,
    /// Before extension.
    Extensions,
    /// Before mate rescue: which pairs are worth it. What is asked of single searches is part of the rescue.
    Rescue,
}

impl Gate {
    /// All gates, in their order.
    pub const ALL: [Self; 3] = [Self::Seeds, Self::Extensions, Self::Rescue];

    /// The gate's name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seeds => "seeds",
            Self::Extensions => "extensions",
            Self::Rescue => "rescue",
        }
    }
}

/// Counts and CPU times of some reads; additive.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics {
    /// Reads (mates count one each).
    pub reads: u64,
    /// Reads that had more seeds than [`crate::AlignOptions::max_seeds_per_read`] allows.
    pub reads_capped: u64,
    /// Reads that took the regions of an earlier read with the same bases. What was done for these regions is counted once.
    pub reads_repeated: u64,
    /// Occurrences of SMEMs in the reference.
    pub seeds: u64,
    /// Seeds that the gate let pass.
    pub seeds_kept: u64,
    /// Chains that survived the chain filter.
    pub chains: u64,
    /// Seeds that were extended.
    pub extensions: u64,
    /// Of these, extensions whose optimum is proven to have no gap and needed no Smith-Waterman.
    pub proven_extensions: u64,
    /// Regions after deduplication.
    pub regions: u64,
    /// What the filter did; all zero without one.
    pub filter: FilterStatistics,
    pub(crate) cpu: [Duration; Stage::ALL.len()],
    pub(crate) gates: [Duration; Gate::ALL.len()],
}

impl Statistics {
    /// CPU time of a stage, summed over the threads.
    pub fn cpu_time(&self, stage: Stage) -> Duration {
        self.cpu[stage as usize]
    }

    /// CPU time of a gate, summed over the threads. Those of seeds and extensions make up [`Stage::Filter`]; that of rescue
    /// is a part of [`Stage::Rescue`].
    pub fn gate_time(&self, gate: Gate) -> Duration {
        self.gates[gate as usize]
    }

    /// CPU time of the three tiers of the cascade: integers, the student, the convolutional network (what the calling threads
    /// took; a backend may have threads or a device of its own). Together they are [`Stage::Filter`].
    pub fn tier_times(&self) -> [Duration; 3] {
        let FilterStatistics { student_time, network_time, .. } = self.filter;
        let integers = self.cpu_time(Stage::Filter).saturating_sub(student_time + network_time);
        [integers, student_time, network_time]
    }

    /// Adds another part's counts and times.
    pub fn add(&mut self, other: &Self) {
        self.reads += other.reads;
        self.reads_capped += other.reads_capped;
        self.reads_repeated += other.reads_repeated;
        self.seeds += other.seeds;
        self.seeds_kept += other.seeds_kept;
        self.chains += other.chains;
        self.extensions += other.extensions;
        self.proven_extensions += other.proven_extensions;
        self.regions += other.regions;
        self.filter.add(&other.filter);
        for (sum, part) in self.cpu.iter_mut().zip(other.cpu) {
            *sum += part;
        }
        for (sum, part) in self.gates.iter_mut().zip(other.gates) {
            *sum += part;
        }
    }

    /// Runs `work` and books the calling thread's CPU time to `stage`.
    pub(crate) fn time<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = thread_cpu_time();
        let result = work();
        self.cpu[stage as usize] += thread_cpu_time() - start;
        result
    }

    /// Runs the work of a gate before chaining or extension, and books its time to the gate and to [`Stage::Filter`].
    pub(crate) fn time_gate<T>(&mut self, gate: Gate, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.cpu_time(Stage::Filter);
        let result = self.time_counting(Stage::Filter, work);
        self.gates[gate as usize] += self.cpu_time(Stage::Filter) - before;
        result
    }

    /// As [`Self::time`], where the work counts as well.
    pub(crate) fn time_counting<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> T) -> T {
        let start = thread_cpu_time();
        let result = work(self);
        self.cpu[stage as usize] += thread_cpu_time() - start;
        result
    }
}
