use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use seedsieve_encoding::{ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, WINDOW_SIZE, expand_one_hot};

use crate::backend::{check_packed, check_scores};
use crate::batch::pack_one_hot;
use crate::{NpuResult, SeedFilterBatch, example_windows};

/// Seeds of a full batch: CPUs reach their full rate with fewer, and the one-hot form (1 MiB) stays in the cache.
pub(super) const FULL_BATCH: usize = 256;
/// Seeds of the batches that take what is left.
pub(super) const SMALL_BATCH: usize = 32;
/// The sizes that backends on a CPU run, ascending. Two fixed sizes, padded with empty windows, so that a score cannot depend on
/// how many seeds it is computed with: libraries choose other kernels, and other roundings, for odd sizes.
pub(crate) const BATCH_SIZES: [usize; 2] = [SMALL_BATCH, FULL_BATCH];

/// The shape of a batch's one-hot form.
pub(crate) const fn one_hot_shape(seeds: usize) -> [usize; 4] {
    [seeds, 2, WINDOW_SIZE, 4]
}

/// What a network takes for a seed: values of one type, so many a seed.
pub(crate) trait InputForm: Copy + Default + Send + 'static {
    /// Values a seed.
    const VALUES: usize;
    /// Writes the form of packed windows, [`PACKED_SEED_BYTES`] bytes a seed.
    fn of_packed(packed: &[u8], output: &mut [Self]);
    /// The form of one-hot windows.
    fn of_one_hot(one_hot: &[f32]) -> NpuResult<Cow<'_, [Self]>>;
}

/// One-hot windows.
impl InputForm for f32 {
    const VALUES: usize = ONE_HOT_SEED_LEN;

    fn of_packed(packed: &[u8], output: &mut [Self]) {
        expand_one_hot(packed, output);
    }

    fn of_one_hot(one_hot: &[f32]) -> NpuResult<Cow<'_, [Self]>> {
        Ok(one_hot.into())
    }
}

/// Packed windows.
impl InputForm for u8 {
    const VALUES: usize = PACKED_SEED_BYTES;

    fn of_packed(packed: &[u8], output: &mut [Self]) {
        output.copy_from_slice(packed);
    }

    fn of_one_hot(one_hot: &[f32]) -> NpuResult<Cow<'_, [Self]>> {
        pack_one_hot(one_hot).map(Cow::Owned)
    }
}

/// A loaded network that one thread at a time can run.
pub(crate) trait BatchScorer: Send {
    /// What it takes.
    type Input: InputForm;
    /// Scores one batch of one of the pool's sizes.
    fn score(&mut self, input: &[Self::Input], scores: &mut [f32]) -> NpuResult<()>;
}

/// Scorers for concurrent callers: made when a caller finds none idle, kept for the next.
pub(super) struct ScorerPool<S: BatchScorer> {
    backend: &'static str,
    /// Ascending, and one or two: large batches, and what takes the rest.
    sizes: &'static [usize],
    make_scorer: Box<dyn Fn() -> NpuResult<S> + Send + Sync>,
    idle: Mutex<Vec<Worker<S>>>,
}

/// A scorer and the memory that its batches need.
struct Worker<S: BatchScorer> {
    scorer: S,
    input: Vec<S::Input>,
    scores: Vec<f32>,
}

impl<S: BatchScorer> ScorerPool<S> {
    /// Makes the first scorer at once, so that a model that the backend cannot run fails here.
    pub fn new(
        backend: &'static str,
        sizes: &'static [usize],
        make_scorer: impl Fn() -> NpuResult<S> + Send + Sync + 'static,
    ) -> NpuResult<Self> {
        let pool = Self { backend, sizes, make_scorer: Box::new(make_scorer), idle: Mutex::default() };
        pool.put_back(pool.take()?);
        Ok(pool)
    }

    fn full_batch(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// Scores packed windows: [`PACKED_SEED_BYTES`] bytes and one score a seed.
    pub fn score_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        check_packed(packed, scores)?;
        self.score(scores, |seeds, input| {
            S::Input::of_packed(&packed[seeds.start * PACKED_SEED_BYTES..seeds.end * PACKED_SEED_BYTES], input);
            Ok(())
        })
    }

    /// Scores windows that are one-hot already.
    pub fn score_batch(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        let values = batch.one_hot()?;
        let mut scores = vec![0.0; batch.batch_size];
        self.score(&mut scores, |seeds, input| {
            let values = &values[seeds.start * ONE_HOT_SEED_LEN..seeds.end * ONE_HOT_SEED_LEN];
            input.copy_from_slice(&S::Input::of_one_hot(values)?);
            Ok(())
        })?;
        Ok(scores)
    }

    /// Runs every batch size once.
    pub fn warmup(&self) -> NpuResult<()> {
        let seeds = self.sizes.iter().sum();
        self.score_packed(&example_windows(seeds, 1), &mut vec![0.0; seeds])
    }

    fn score(
        &self,
        scores: &mut [f32],
        fill: impl Fn(Range<usize>, &mut [S::Input]) -> NpuResult<()>,
    ) -> NpuResult<()> {
        if scores.is_empty() {
            return Ok(());
        }
        let mut worker = self.take()?;
        let mut start = 0;
        while start < scores.len() {
            let left = scores.len() - start;
            let size = if left >= self.full_batch() { self.full_batch() } else { self.sizes[0] };
            let end = start + size.min(left);
            let input = &mut worker.input[..size * S::Input::VALUES];
            let (filled, padding) = input.split_at_mut((end - start) * S::Input::VALUES);
            fill(start..end, filled)?;
            padding.fill(S::Input::default());
            worker.scorer.score(input, &mut worker.scores[..size])?;
            scores[start..end].copy_from_slice(&worker.scores[..end - start]);
            start = end;
        }
        self.put_back(worker);
        check_scores(self.backend, scores)
    }

    fn take(&self) -> NpuResult<Worker<S>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(worker) => Ok(worker),
            None => Ok(Worker {
                scorer: (self.make_scorer)()?,
                input: vec![S::Input::default(); self.full_batch() * S::Input::VALUES],
                scores: vec![0.0; self.full_batch()],
            }),
        }
    }

    fn put_back(&self, worker: Worker<S>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Scores a seed by the sum of its one-hot values and notes the sizes that it is asked for.
    struct SummingScorer(Arc<Mutex<Vec<usize>>>);

    impl BatchScorer for SummingScorer {
        type Input = f32;
        fn score(&mut self, one_hot: &[f32], scores: &mut [f32]) -> NpuResult<()> {
            assert_eq!(one_hot.len(), scores.len() * ONE_HOT_SEED_LEN);
            self.0.lock().unwrap().push(scores.len());
            for (score, seed) in scores.iter_mut().zip(one_hot.chunks(ONE_HOT_SEED_LEN)) {
                *score = seed.iter().sum::<f32>() / 256.0;
            }
            Ok(())
        }
    }

    fn summing_pool() -> (ScorerPool<SummingScorer>, Arc<Mutex<Vec<usize>>>) {
        let sizes = Arc::default();
        let shared = Arc::clone(&sizes);
        (ScorerPool::new("summing", &BATCH_SIZES, move || Ok(SummingScorer(Arc::clone(&shared)))).unwrap(), sizes)
    }

    #[test]
    fn every_number_of_seeds_is_scored_in_batches_of_the_two_sizes() {
        for count in [0, 1, 31, 32, 33, 255, 256, 257, 600] {
            let (pool, sizes) = summing_pool();
            let packed = example_windows(count, 3);
            let expected: Vec<f32> = packed
                .chunks(PACKED_SEED_BYTES)
                .map(|seed| seed.iter().map(|b| b.count_ones()).sum::<u32>() as f32 / 256.0)
                .collect();
            let mut scores = vec![-1.0; count];
            pool.score_packed(&packed, &mut scores).unwrap();
            assert_eq!(scores, expected, "{count} seeds");
            assert_eq!(pool.score_batch(&SeedFilterBatch::from_packed(&packed)).unwrap(), expected);
            let sizes = sizes.lock().unwrap();
            assert!(sizes.iter().all(|size| BATCH_SIZES.contains(size)), "{sizes:?}");
            assert!(sizes.iter().sum::<usize>() < 2 * (count + SMALL_BATCH), "{sizes:?}");
        }
    }

    #[test]
    fn scorers_are_made_for_concurrent_callers_only() {
        struct Waiting(Arc<std::sync::Barrier>);
        impl BatchScorer for Waiting {
            type Input = u8;
            fn score(&mut self, _: &[u8], scores: &mut [f32]) -> NpuResult<()> {
                self.0.wait();
                scores.fill(0.5);
                Ok(())
            }
        }
        let made = Arc::new(AtomicUsize::new(0));
        let (counter, barrier) = (Arc::clone(&made), Arc::new(std::sync::Barrier::new(3)));
        let pool = ScorerPool::new("waiting", &BATCH_SIZES, move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(Waiting(Arc::clone(&barrier)))
        })
        .unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 1);
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| pool.score_packed(&[0; PACKED_SEED_BYTES], &mut [0.0]).unwrap());
                }
            });
            assert_eq!(made.load(Ordering::Relaxed), 3);
        }
    }
}
