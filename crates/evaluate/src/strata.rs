//! Seeds by length, by occurrences, and by the length of their read.

use serde::Serialize;

use crate::ScoredSeeds;

/// What seeds are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    /// Bases of the seed.
    SeedLength,
    /// Occurrences of the seed in the reference, both strands.
    Occurrences,
    /// Bases of the read.
    ReadLength,
}

impl Stratum {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SeedLength, Self::Occurrences, Self::ReadLength];

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeedLength => "seed length",
            Self::Occurrences => "occurrences",
            Self::ReadLength => "read length",
        }
    }

    /// First values of the classes; each ends before the next.
    const fn bounds(self) -> &'static [u32] {
        match self {
            Self::SeedLength => &[0, 16, 19, 25, 32, 48, 64, 100],
            Self::Occurrences => &[0, 2, 3, 10, 100],
            Self::ReadLength => &[0, 61, 101, 126, 151],
        }
    }

    fn value(self, seeds: &ScoredSeeds, seed: usize) -> u32 {
        match self {
            Self::SeedLength => u32::from(seeds.length[seed]),
            Self::Occurrences => seeds.occurrences[seed],
            Self::ReadLength => u32::from(seeds.read_length[seed]),
        }
    }
}

/// What a threshold keeps of the seeds of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StratumFigures {
    /// What the seeds are divided by.
    pub by: Stratum,
    /// Least value of the class.
    pub from: u32,
    /// Greatest value of the class; none: there is no limit.
    pub to: Option<u32>,
    /// Viable seeds, weighted.
    pub viable: f64,
    /// Hopeless seeds, weighted.
    pub hopeless: f64,
    /// Share of the viable seeds kept; none where there are none.
    pub tpr: Option<f64>,
    /// Share of the hopeless seeds kept.
    pub fpr: Option<f64>,
}

/// What `threshold` keeps in each class that has seeds.
pub(crate) fn strata(seeds: &ScoredSeeds, scores: &[f32], threshold: f32) -> Vec<StratumFigures> {
    let mut figures = Vec::new();
    for by in Stratum::ALL {
        let bounds = by.bounds();
        // Kept and all, hopeless and viable.
        let mut sums = vec![[[0.0; 2]; 2]; bounds.len()];
        for (seed, &score) in scores.iter().enumerate() {
            let class = bounds.partition_point(|&from| from <= by.value(seeds, seed)) - 1;
            let sum = &mut sums[class][usize::from(seeds.viable[seed])];
            let weight = f64::from(seeds.weight[seed]);
            sum[0] += if score >= threshold { weight } else { 0.0 };
            sum[1] += weight;
        }
        for (class, [hopeless, viable]) in sums.into_iter().enumerate() {
            if hopeless[1] + viable[1] <= 0.0 {
                continue;
            }
            let share = |[kept, all]: [f64; 2]| (all > 0.0).then(|| kept / all);
            figures.push(StratumFigures {
                by,
                from: bounds[class],
                to: bounds.get(class + 1).map(|next| next - 1),
                viable: viable[1],
                hopeless: hopeless[1],
                tpr: share(viable),
                fpr: share(hopeless),
            });
        }
    }
    figures
}
