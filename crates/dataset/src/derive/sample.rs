use super::mix::mix;
use super::writer::{DerivedWriter, identity};
use crate::row_view::{LabelFacts, label_facts};
use crate::schema::column_number;
use crate::{Dataset, DatasetError, Derivation, DeriveOptions, LabelPolicy, Manifest};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, RecordBatch};
use arrow_select::filter::filter_record_batch;
use serde_json::{Map, json};
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;

/// Score that a hopeless seed may lack and still be a near miss.
const NEAR_MISS: i32 = 10;
/// Occurrences from which on a seed is of a repeat.
const REPEAT: u32 = 20;

/// How seeds are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Seeds wanted in all.
    pub seeds: u64,
    /// Share of viable seeds, between 0 and 1; `None`: as they come, every seed with the same chance.
    pub viable: Option<f64>,
    /// Of the hopeless ones, the share that are hard: near misses and repeats, as many of the one as of the other.
    pub hard: f64,
    /// What makes a seed viable.
    pub policy: LabelPolicy,
    /// Another seed chooses other rows.
    pub seed: u64,
}

/// A class of seeds that is sampled for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stratum {
    /// Viable seeds; without a share of them, all seeds.
    Viable,
    /// Hopeless ones that would be viable with 10 more of own and region score.
    NearMiss,
    /// Other hopeless ones that occur at least 20 times.
    Repeat,
    /// All other hopeless ones.
    Plain,
}

impl Stratum {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Viable, Self::NearMiss, Self::Repeat, Self::Plain];

    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viable => "viable",
            Self::NearMiss => "hopeless, near miss",
            Self::Repeat => "hopeless, repeat",
            Self::Plain => "hopeless, plain",
        }
    }

    fn of(facts: &LabelFacts, policy: LabelPolicy, threshold: i32) -> Self {
        let viable = |more: i32| {
            let region = facts.region_score.map(|score| score.saturating_add(more));
            policy.viable(threshold, facts.own_score.saturating_add(more), facts.read_best, region, facts.role)
        };
        if viable(0) {
            Self::Viable
        } else if viable(NEAR_MISS) {
            Self::NearMiss
        } else if facts.occurrences >= REPEAT {
            Self::Repeat
        } else {
            Self::Plain
        }
    }
}

/// Seeds of each class in the order of [`Stratum::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleReport {
    /// In the data set.
    pub population: [u64; 4],
    /// In the sample.
    pub sampled: [u64; 4],
}

/// Writes a sample of a data set to `output`, in the order of the rows. Each class is sampled for itself, every seed of it
/// with the same chance, and the column `weight` says how many seeds one stands for: weighted, the sample has the natural
/// distribution again (that of the seeds of which the data set can tell, see [`crate::OwnExtensions`]). Where a class has too few seeds the whole sample is smaller, so that the shares hold.
///
/// Memory: 16 bytes for each seed wanted, up to four times where the classes' sizes are not known yet.
///
/// # Errors
/// [`DatasetError::Sample`] when a share is not between 0 and 1, no seed is wanted, or a class that is wanted is empty;
/// those of [`Dataset::verify_checksums`], [`Dataset::part_batches`] and [`crate::DatasetWriter::create`].
pub fn sample(
    dataset: &Dataset,
    sample: &SampleOptions,
    output: &Path,
    options: &DeriveOptions,
) -> Result<(Manifest, SampleReport), DatasetError> {
    let refusal = |problem: String| DatasetError::Sample { path: dataset.manifest_path(), problem };
    for (name, share) in [("viable", sample.viable.unwrap_or(0.5)), ("hard", sample.hard)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(refusal(format!("the share of {name} seeds is {share}, valid is 0 to 1")));
        }
    }
    if sample.seeds == 0 {
        return Err(refusal("0 seeds are wanted, valid is 1 and more".into()));
    }
    dataset.verify_checksums()?;
    let manifest = dataset.manifest();
    let threshold = manifest.reporting_threshold;
    let own_extensions = manifest.own_extensions();
    // Where classes are told apart, seeds of which the data set cannot tell are of none.
    let stratum = |facts: &LabelFacts| match sample.viable {
        Some(_) => own_extensions
            .tell(sample.policy, facts.read_hash, facts.chain_kept)
            .then(|| Stratum::of(facts, sample.policy, threshold) as usize),
        None => Some(Stratum::Viable as usize),
    };

    let mut reservoirs = bounds(sample).map(Reservoir::new);
    let mut population = [0; 4];
    let mut row = 0;
    for batch in dataset.batches() {
        for facts in label_facts(&batch?) {
            if let Some(stratum) = stratum(&facts) {
                population[stratum] += 1;
                reservoirs[stratum].see(key(sample.seed, row));
            }
            row += 1;
        }
    }
    let sampled = quotas(sample, population).map_err(refusal)?;
    // Keys are all different: mixing is a bijection of the row's number.
    let limits: Vec<Option<u64>> =
        reservoirs.into_iter().zip(sampled).map(|(reservoir, quota)| reservoir.smallest(quota)).collect();

    let mut writer = DerivedWriter::create(output, options, threshold, dataset.schema())?;
    let mut row = 0;
    for part in &manifest.parts {
        for batch in dataset.part_batches(part)? {
            let batch = batch?;
            let mut chosen = Vec::with_capacity(batch.num_rows());
            let mut weights = Vec::with_capacity(batch.num_rows());
            let before = batch.column(const { column_number("weight") }).as_primitive::<Float64Type>();
            for (index, facts) in label_facts(&batch).enumerate() {
                let stratum = stratum(&facts);
                let limit = stratum.and_then(|stratum| limits[stratum]);
                chosen.push(limit.is_some_and(|limit| key(sample.seed, row) <= limit));
                let of_sampled = if before.is_valid(index) { before.value(index) } else { 1.0 };
                let factor = stratum.map_or(0.0, |stratum| population[stratum] as f64 / sampled[stratum].max(1) as f64);
                weights.push(of_sampled * factor);
                row += 1;
            }
            let weighted = with_weights(&batch, weights);
            let chosen = weighted.and_then(|batch| filter_record_batch(&batch, &BooleanArray::from(chosen)));
            writer.write(part.partition(), &chosen.map_err(|error| refusal(error.to_string()))?)?;
        }
    }
    let classes: Map<_, _> = Stratum::ALL
        .into_iter()
        .zip(population.into_iter().zip(sampled))
        .filter(|(_, (population, _))| *population > 0)
        .map(|(stratum, (population, sampled))| {
            let name = if sample.viable.is_some() { stratum.name() } else { "all" };
            (name.to_owned(), json!({"population": population, "sampled": sampled}))
        })
        .collect();
    let settings = Map::from_iter([
        ("seeds".to_owned(), json!(sample.seeds)),
        ("viable".to_owned(), json!(sample.viable)),
        ("hard".to_owned(), json!(sample.hard)),
        ("policy".to_owned(), json!(sample.policy.name())),
        ("seed".to_owned(), json!(sample.seed)),
        ("classes".to_owned(), json!(classes)),
    ]);
    let step = Derivation { command: "sample".into(), from: vec![identity(dataset)?], settings };
    let written = writer.finish(manifest.clone(), options.producer.clone(), step, manifest.counts.reads)?;
    Ok((written, SampleReport { population, sampled }))
}

fn with_weights(batch: &RecordBatch, weights: Vec<f64>) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns[const { column_number("weight") }] = Arc::new(Float64Array::from(weights));
    RecordBatch::try_new(batch.schema(), columns)
}

fn key(seed: u64, row: u64) -> u64 {
    mix(mix(seed) ^ row)
}

/// Most seeds that a class can be asked for.
fn bounds(sample: &SampleOptions) -> [u64; 4] {
    let Some(viable) = sample.viable else { return [sample.seeds, 0, 0, 0] };
    let of_viable = share(sample.seeds, viable);
    let hopeless = sample.seeds - of_viable;
    [of_viable, hopeless, hopeless, hopeless]
}

fn share(seeds: u64, share: f64) -> u64 {
    ((seeds as f64 * share).round() as u64).min(seeds)
}

/// Seeds of each class; the error says which class is lacking.
fn quotas(sample: &SampleOptions, population: [u64; 4]) -> Result<[u64; 4], String> {
    let Some(viable_share) = sample.viable else {
        return match population[0] {
            0 => Err("the data set holds no seed".into()),
            all => Ok([sample.seeds.min(all), 0, 0, 0]),
        };
    };
    let [viable, near, repeat, plain] = population;
    let hopeless = near + repeat + plain;
    let mut seeds = sample.seeds as f64;
    for (name, there, share) in [("viable", viable, viable_share), ("hopeless", hopeless, 1.0 - viable_share)] {
        if share > 0.0 && there == 0 {
            return Err(format!("{} % of the sample are to be {name}, but the data set has none", 100.0 * share));
        }
        if share > 0.0 {
            seeds = seeds.min(there as f64 / share);
        }
    }
    let seeds = (seeds + 1e-9) as u64;
    let of_viable = share(seeds, viable_share).min(viable);
    let of_hopeless = (seeds - of_viable).min(hopeless);
    let hard = share(of_hopeless, sample.hard).min(near + repeat);
    let of_near = near.min((hard / 2).max(hard.saturating_sub(repeat)));
    let of_repeat = hard - of_near;
    let of_plain = plain.min(of_hopeless - hard);
    // Too few plain ones: hard ones fill the gap.
    let lacking = of_hopeless - hard - of_plain;
    let more_near = lacking.min(near - of_near);
    Ok([of_viable, of_near + more_near, of_repeat + (lacking - more_near), of_plain])
}

/// Keeps the smallest keys that it was shown, which are a sample where keys are spread evenly.
struct Reservoir {
    capacity: usize,
    kept: BinaryHeap<u64>,
}

impl Reservoir {
    fn new(capacity: u64) -> Self {
        Self { capacity: usize::try_from(capacity).unwrap_or(usize::MAX), kept: BinaryHeap::new() }
    }

    fn see(&mut self, key: u64) {
        if self.kept.len() < self.capacity {
            self.kept.push(key);
        } else if self.kept.peek().is_some_and(|&largest| key < largest) {
            self.kept.pop();
            self.kept.push(key);
        }
    }

    /// The largest of the `count` smallest keys; `None` for 0.
    fn smallest(self, count: u64) -> Option<u64> {
        let sorted = self.kept.into_sorted_vec();
        usize::try_from(count).ok()?.checked_sub(1).and_then(|last| sorted.get(last).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(seeds: u64, viable: f64, hard: f64) -> SampleOptions {
        SampleOptions { seeds, viable: Some(viable), hard, policy: LabelPolicy::OwnExtension, seed: 1 }
    }

    #[test]
    fn shares_hold_and_hard_ones_are_halved() {
        assert_eq!(quotas(&options(1000, 0.5, 0.4), [5000, 5000, 5000, 5000]), Ok([500, 100, 100, 300]));
        assert_eq!(quotas(&options(1000, 0.6, 0.0), [5000, 5000, 5000, 5000]), Ok([600, 0, 0, 400]));
        // Few of one hard kind: the other stands in; few plain ones: hard ones do.
        assert_eq!(quotas(&options(1000, 0.5, 0.4), [5000, 30, 5000, 5000]), Ok([500, 30, 170, 300]));
        assert_eq!(quotas(&options(1000, 0.5, 0.4), [5000, 5000, 30, 5000]), Ok([500, 170, 30, 300]));
        assert_eq!(quotas(&options(1000, 0.5, 0.4), [5000, 150, 5000, 10]), Ok([500, 150, 340, 10]));
    }

    #[test]
    fn too_few_of_a_class_make_the_sample_smaller() {
        assert_eq!(quotas(&options(1000, 0.5, 0.5), [100, 5000, 5000, 5000]), Ok([100, 25, 25, 50]));
        assert_eq!(quotas(&options(1000, 0.75, 0.0), [5000, 0, 0, 100]), Ok([300, 0, 0, 100]));
        assert!(quotas(&options(1000, 0.5, 0.5), [0, 5000, 5000, 5000]).unwrap_err().contains("viable"));
        assert_eq!(quotas(&options(1000, 1.0, 0.5), [700, 0, 0, 0]), Ok([700, 0, 0, 0]));
    }

    #[test]
    fn a_reservoir_knows_the_largest_of_the_smallest() {
        let mut reservoir = Reservoir::new(5);
        (0..100).for_each(|row| reservoir.see(key(3, row)));
        let mut keys: Vec<u64> = (0..100).map(|row| key(3, row)).collect();
        keys.sort_unstable();
        assert_eq!(reservoir.smallest(4), Some(keys[3]));
        assert_eq!(Reservoir::new(5).smallest(0), None);
    }

    #[test]
    fn classes_are_told_by_what_is_lacking_and_by_occurrences() {
        let of = |own_score, occurrences, policy| {
            let facts = LabelFacts {
                read_hash: 1,
                chain_kept: false,
                own_score,
                read_best: 60,
                region_score: None,
                role: crate::Role::None,
                occurrences,
            };
            Stratum::of(&facts, policy, 30)
        };
        let own = LabelPolicy::OwnExtension;
        assert_eq!(
            [30, 29, 20, 19].map(|score| of(score, 1, own)),
            [Stratum::Viable, Stratum::NearMiss, Stratum::NearMiss, Stratum::Plain]
        );
        assert_eq!(of(19, 20, own), Stratum::Repeat);
        assert_eq!(of(35, 1, LabelPolicy::NearBest), Stratum::NearMiss);
        assert_eq!(of(29, 1, LabelPolicy::NearBest), Stratum::Plain);
    }
}
