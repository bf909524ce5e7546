//! The seeds of a data set with the scores of each model.

use rayon::prelude::*;
use seedsieve_dataset::{Dataset, DatasetError, LabelPolicy};
use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::NpuBackend;

use crate::EvaluateError;
use crate::places::Places;

/// Seeds that are scored at once.
const SEEDS_AT_ONCE: usize = 1 << 16;

/// The seeds of a data set: what is needed of each, and each model's scores. Vectors have one element a seed, in the
/// order of the data set.
#[derive(Debug, Clone, Default)]
pub struct ScoredSeeds {
    /// For each model, its scores in [0, 1].
    pub scores: Vec<Vec<f32>>,
    /// What the label policy says.
    pub viable: Vec<bool>,
    /// Hash of the read's name: the same for both mates.
    pub read: Vec<u64>,
    /// Number of the place of its pair: see [`Resampled::Places`](crate::Resampled).
    pub place: Vec<u64>,
    /// Seeds that this one stands for; 1 in a data set that was not sampled.
    pub weight: Vec<f32>,
    /// Bases of the seed.
    pub length: Vec<u16>,
    /// Occurrences in the reference, both strands.
    pub occurrences: Vec<u32>,
    /// Bases of the read.
    pub read_length: Vec<u16>,
    /// Best ungapped score to both ends of the read: a scorer that needs no network.
    pub ungapped_score: Vec<i32>,
}

impl ScoredSeeds {
    /// How many seeds there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.viable.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.viable.is_empty()
    }

    /// Appends the seeds of another data set, scored by the same models.
    ///
    /// # Panics
    /// If the numbers of models differ.
    pub fn append(&mut self, mut other: Self) {
        assert_eq!(self.scores.len(), other.scores.len(), "the same models");
        for (mine, theirs) in self.scores.iter_mut().zip(&mut other.scores) {
            mine.append(theirs);
        }
        self.viable.append(&mut other.viable);
        self.read.append(&mut other.read);
        self.place.append(&mut other.place);
        self.weight.append(&mut other.weight);
        self.length.append(&mut other.length);
        self.occurrences.append(&mut other.occurrences);
        self.read_length.append(&mut other.read_length);
        self.ungapped_score.append(&mut other.ungapped_score);
    }
}

/// Scores every seed of `dataset` of which the policy can tell (see [`seedsieve_dataset::OwnExtensions`]) with each backend, on the current rayon thread pool. Takes about 40 bytes a seed, and
/// 4 more a model. `see` is told how many seeds are done.
///
/// # Errors
/// What the data set's files or a backend report.
pub fn collect(
    dataset: &Dataset,
    policy: LabelPolicy,
    backends: &[&dyn NpuBackend],
    mut see: impl FnMut(usize),
) -> Result<ScoredSeeds, EvaluateError> {
    let (threshold, own) = (dataset.manifest().reporting_threshold, dataset.manifest().own_extensions());
    let mut seeds = ScoredSeeds { scores: vec![Vec::new(); backends.len()], ..ScoredSeeds::default() };
    let mut windows: Vec<u8> = Vec::new();
    let mut places = Places::default();
    // The reader's closure knows errors of data sets only; one of a backend waits here.
    let mut failed = None;
    let read = dataset.for_each_row(|_, _, row| {
        if !own.tell(policy, row.read_hash, row.chain_kept) {
            return Ok(());
        }
        seeds.viable.push(policy.viable(threshold, row.own_score, row.read_best, row.region_score, row.role));
        seeds.read.push(row.read_hash);
        places.push(row.read_hash, row.locus_contig.zip(row.locus_position));
        seeds.weight.push(row.weight.unwrap_or(1.0) as f32);
        seeds.length.push(row.length);
        seeds.occurrences.push(row.occurrences);
        seeds.read_length.push(row.read_length);
        seeds.ungapped_score.push(row.ungapped_score);
        windows.extend_from_slice(row.windows);
        if windows.len() == SEEDS_AT_ONCE * PACKED_SEED_BYTES && failed.is_none() {
            failed = score(backends, &mut windows, &mut seeds.scores).err();
            see(seeds.viable.len());
        }
        // A data set goes on to be read after a backend has failed: that is rare, and over soon where it matters.
        windows.truncate(if failed.is_some() { 0 } else { windows.len() });
        Ok::<(), DatasetError>(())
    });
    if let Some(error) = failed {
        return Err(error);
    }
    read.map_err(EvaluateError::Dataset)?;
    score(backends, &mut windows, &mut seeds.scores)?;
    seeds.place = places.into_inner();
    see(seeds.len());
    Ok(seeds)
}

/// Scores the collected windows with each backend, and empties them.
fn score(backends: &[&dyn NpuBackend], windows: &mut Vec<u8>, scores: &mut [Vec<f32>]) -> Result<(), EvaluateError> {
    let seeds = windows.len() / PACKED_SEED_BYTES;
    for (backend, scores) in backends.iter().zip(scores) {
        let before = scores.len();
        scores.resize(before + seeds, 0.0);
        let piece = backend.optimal_batch_size().clamp(64, 1 << 14);
        scores[before..]
            .par_chunks_mut(piece)
            .zip(windows.par_chunks(piece * PACKED_SEED_BYTES))
            .try_for_each(|(scores, windows)| backend.predict_packed(windows, scores))?;
    }
    windows.clear();
    Ok(())
}
