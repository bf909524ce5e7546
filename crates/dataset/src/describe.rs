use crate::{Dataset, DatasetError, LabelPolicy, OwnExtensions, Role, RoleCounts, SeedRow};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

/// Bins of seed lengths, in bases: finest where chance matches end, around bwa's shortest seed of 19.
const LENGTHS: [RangeInclusive<u32>; 8] =
    [0..=16, 17..=18, 19..=20, 21..=24, 25..=31, 32..=49, 50..=99, 100..=u32::MAX];
/// Bins of occurrences; bwa samples at most 500 of a seed.
const OCCURRENCES: [RangeInclusive<u32>; 6] = [0..=1, 2..=4, 5..=19, 20..=99, 100..=500, 501..=u32::MAX];

/// Seeds whose value lies in one range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    /// The values, both ends included.
    pub range: RangeInclusive<u32>,
    /// Seeds by the role of their region.
    pub roles: RoleCounts,
    /// Seeds that are viable by [`LabelPolicy::OwnExtension`], of those of which that is known.
    pub viable: u64,
    /// Seeds of which it is known whether they are.
    pub labelled: u64,
    /// All seeds.
    pub seeds: u64,
}

/// What a data set holds, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Reads that the seeds came from, those without a seed included.
    pub reads: u64,
    /// All seeds.
    pub seeds: u64,
    /// Seeds of chains that bwa's chain filter keeps.
    pub in_kept_chains: u64,
    /// Seeds that the aligner extended by Smith-Waterman.
    pub extended: u64,
    /// Seeds by the role of their region.
    pub roles: RoleCounts,
    /// Viable seeds by policy, in the order of [`LabelPolicy::ALL`], of those of which that is known.
    pub viable: [u64; LabelPolicy::ALL.len()],
    /// Seeds of which it is known whether they are viable, by policy.
    pub labelled: [u64; LabelPolicy::ALL.len()],
    /// Seeds by sample.
    pub samples: BTreeMap<String, u64>,
    /// Seeds by what the source says: on the path of its alignment, not on it, nothing.
    pub source: [u64; 3],
    /// Seeds by the round of seeding that found them, 1 to 3; at the end those of which it is not known.
    pub rounds: [u64; 4],
    /// Seeds whose own extension was not computed.
    pub own_not_computed: u64,
    /// Seeds by length, in bases.
    pub lengths: Vec<Bin>,
    /// Seeds by how often they occur.
    pub occurrences: Vec<Bin>,
}

impl Description {
    /// Counts over all rows of a data set.
    ///
    /// # Errors
    /// Those of [`Dataset::for_each_row`].
    pub fn of(dataset: &Dataset) -> Result<Self, DatasetError> {
        let (threshold, own) = (dataset.manifest().reporting_threshold, dataset.manifest().own_extensions());
        let mut description = Self {
            reads: dataset.manifest().counts.reads,
            seeds: 0,
            in_kept_chains: 0,
            extended: 0,
            roles: RoleCounts::default(),
            viable: [0; LabelPolicy::ALL.len()],
            labelled: [0; LabelPolicy::ALL.len()],
            samples: BTreeMap::new(),
            source: [0; 3],
            rounds: [0; 4],
            own_not_computed: 0,
            lengths: LENGTHS.map(Bin::empty).into(),
            occurrences: OCCURRENCES.map(Bin::empty).into(),
        };
        dataset.for_each_row(|_, _, row| {
            description.add(row, threshold, own);
            Ok(())
        })?;
        Ok(description)
    }

    fn add(&mut self, row: &SeedRow<'_>, threshold: i32, own: OwnExtensions) {
        self.seeds += 1;
        self.in_kept_chains += u64::from(row.chain_kept);
        self.extended += u64::from(row.extended);
        *self.roles.of_mut(row.role) += 1;
        let label = LabelPolicy::ALL.map(|policy| {
            own.tell(policy, row.read_hash, row.chain_kept)
                .then(|| policy.viable(threshold, row.own_score, row.read_best, row.region_score, row.role))
        });
        for ((viable, labelled), label) in self.viable.iter_mut().zip(&mut self.labelled).zip(label) {
            *viable += u64::from(label == Some(true));
            *labelled += u64::from(label.is_some());
        }
        match self.samples.get_mut(row.sample) {
            Some(count) => *count += 1,
            None => drop(self.samples.insert(row.sample.to_owned(), 1)),
        }
        self.source[match row.source_on_path {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        }] += 1;
        self.rounds[match row.seeding_round {
            Some(round @ 1..=3) => usize::from(round) - 1,
            _ => 3,
        }] += 1;
        self.own_not_computed += u64::from(row.own_computed == Some(false));
        for (bins, value) in [(&mut self.lengths, u32::from(row.length)), (&mut self.occurrences, row.occurrences)] {
            if let Some(bin) = bins.iter_mut().find(|bin| bin.range.contains(&value)) {
                bin.seeds += 1;
                bin.viable += u64::from(label[0] == Some(true));
                bin.labelled += u64::from(label[0].is_some());
                *bin.roles.of_mut(row.role) += 1;
            }
        }
    }
}

/// How many seeds a share is of, where these are not all.
fn of_labelled(labelled: u64, seeds: u64) -> String {
    if labelled == seeds { String::new() } else { format!(" of the {labelled} seeds of which it is known") }
}

impl Bin {
    fn empty(range: RangeInclusive<u32>) -> Self {
        Self { range, roles: RoleCounts::default(), viable: 0, labelled: 0, seeds: 0 }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |count: u64, of: u64| if of == 0 { 0.0 } else { 100.0 * count as f64 / of as f64 };
        writeln!(formatter, "seeds {}", self.seeds)?;
        writeln!(formatter, "census")?;
        let per_read = |count: u64| if self.reads == 0 { 0.0 } else { count as f64 / self.reads as f64 };
        for (name, count) in
            [("seeds", self.seeds), ("in kept chains", self.in_kept_chains), ("extended", self.extended)]
        {
            writeln!(formatter, "  {name:<25} {:>12.1} a read", per_read(count))?;
        }
        for role in Role::ALL {
            let count = self.roles.of(role);
            writeln!(formatter, "  {role:<25} {count:>12} {:>6.2} %", percent(count, self.seeds))?;
        }
        for (sample, seeds) in &self.samples {
            writeln!(formatter, "  sample {sample:<18} {seeds:>12} {:>6.2} %", percent(*seeds, self.seeds))?;
        }
        writeln!(formatter, "viable by label policy")?;
        for ((policy, viable), labelled) in LabelPolicy::ALL.into_iter().zip(self.viable).zip(self.labelled) {
            write!(formatter, "  {policy:<25} {viable:>12} {:>6.2} %", percent(viable, labelled))?;
            writeln!(formatter, "{}", of_labelled(labelled, self.seeds))?;
        }
        writeln!(formatter, "on the path of the source's alignment")?;
        for (name, seeds) in ["yes", "no", "not known"].into_iter().zip(self.source) {
            writeln!(formatter, "  {name:<25} {seeds:>12} {:>6.2} %", percent(seeds, self.seeds))?;
        }
        writeln!(formatter, "found in the round of seeding")?;
        for (name, seeds) in
            ["1 (SMEMs)", "2 (re-seeding)", "3 (rare matches)", "not known"].into_iter().zip(self.rounds)
        {
            writeln!(formatter, "  {name:<25} {seeds:>12} {:>6.2} %", percent(seeds, self.seeds))?;
        }
        if self.own_not_computed > 0 {
            let share = percent(self.own_not_computed, self.seeds);
            writeln!(formatter, "own extension not computed: {} ({share:.2} %)", self.own_not_computed)?;
        }
        for (title, bins) in [("length", &self.lengths), ("occurrences", &self.occurrences)] {
            write!(formatter, "{title:<14}{:>12}{:>10}", "seeds", "viable")?;
            Role::ALL.into_iter().try_for_each(|role| write!(formatter, "{role:>16}"))?;
            writeln!(formatter)?;
            for bin in bins.iter().filter(|bin| bin.seeds > 0) {
                let range = match (*bin.range.start(), *bin.range.end()) {
                    (start, u32::MAX) => format!("{start} and more"),
                    (start, end) => format!("{start} to {end}"),
                };
                write!(formatter, "  {range:<12}{:>12}{:>8.2} %", bin.seeds, percent(bin.viable, bin.labelled))?;
                Role::ALL.into_iter().try_for_each(|role| write!(formatter, "{:>16}", bin.roles.of(role)))?;
                writeln!(formatter)?;
            }
        }
        Ok(())
    }
}
