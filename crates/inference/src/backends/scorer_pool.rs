use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use seedsieve_encoding::{ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, WINDOW_SIZE, expand_one_hot};

use crate::backend::{check_packed, check_scores};
use crate::{NpuResult, SeedFilterBatch, example_windows};

/// Seeds of a full batch: CPUs reach their full rate with fewer, and the one-hot form (1 MiB) stays in the cache.
pub(super) const FULL_BATCH: usize = 256;
/// Seeds of the batches that take what is left.
pub(super) const SMALL_BATCH: usize = 32;
/// The sizes that backends run, ascending. Two fixed sizes, padded with empty windows, so that a score cannot depend on
/// how many seeds it is computed with: libraries choose other kernels, and other roundings, for odd sizes.
pub(super) const BATCH_SIZES: [usize; 2] = [SMALL_BATCH, FULL_BATCH];

/// The shape of a batch's one-hot form.
pub(super) const fn one_hot_shape(seeds: usize) -> [usize; 4] {
    [seeds, 2, WINDOW_SIZE, 4]
}

/// A loaded network that one thread at a time can run.
pub(super) trait BatchScorer: Send {
    /// Scores one batch of one of [`BATCH_SIZES`]: [`ONE_HOT_SEED_LEN`] values and one score a seed.
    fn score(&mut self, one_hot: &[f32], scores: &mut [f32]) -> NpuResult<()>;
}

/// Scorers for concurrent callers: made when a caller finds none idle, kept for the next.
pub(super) struct ScorerPool<S> {
    backend: &'static str,
    make_scorer: Box<dyn Fn() -> NpuResult<S> + Send + Sync>,
    idle: Mutex<Vec<Worker<S>>>,
}

/// A scorer and the memory that its batches need.
struct Worker<S> {
    scorer: S,
    one_hot: Vec<f32>,
    scores: [f32; FULL_BATCH],
}

impl<S: BatchScorer> ScorerPool<S> {
    /// Makes the first scorer at once, so that a model that the backend cannot run fails here.
    pub fn new(
        backend: &'static str,
        make_scorer: impl Fn() -> NpuResult<S> + Send + Sync + 'static,
    ) -> NpuResult<Self> {
        let pool = Self { backend, make_scorer: Box::new(make_scorer), idle: Mutex::default() };
        pool.put_back(pool.take()?);
        Ok(pool)
    }

    /// Scores packed windows: [`PACKED_SEED_BYTES`] bytes and one score a seed.
    pub fn score_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        check_packed(packed, scores)?;
        self.score(scores, |seeds, one_hot| {
            expand_one_hot(&packed[seeds.start * PACKED_SEED_BYTES..seeds.end * PACKED_SEED_BYTES], one_hot);
        })
    }

    /// Scores windows that are one-hot already.
    pub fn score_batch(&self, batch: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        let values = batch.one_hot()?;
        let mut scores = vec![0.0; batch.batch_size];
        self.score(&mut scores, |seeds, one_hot| {
            one_hot.copy_from_slice(&values[seeds.start * ONE_HOT_SEED_LEN..seeds.end * ONE_HOT_SEED_LEN]);
        })?;
        Ok(scores)
    }

    /// Runs every batch size once.
    pub fn warmup(&self) -> NpuResult<()> {
        let seeds = FULL_BATCH + SMALL_BATCH;
        self.score_packed(&example_windows(seeds, 1), &mut vec![0.0; seeds])
    }

    fn score(&self, scores: &mut [f32], fill_one_hot: impl Fn(Range<usize>, &mut [f32])) -> NpuResult<()> {
        if scores.is_empty() {
            return Ok(());
        }
        let mut worker = self.take()?;
        let mut start = 0;
        while start < scores.len() {
            let left = scores.len() - start;
            let size = if left >= FULL_BATCH { FULL_BATCH } else { SMALL_BATCH };
            let end = start + size.min(left);
            let one_hot = &mut worker.one_hot[..size * ONE_HOT_SEED_LEN];
            let (filled, padding) = one_hot.split_at_mut((end - start) * ONE_HOT_SEED_LEN);
            fill_one_hot(start..end, filled);
            padding.fill(0.0);
            worker.scorer.score(one_hot, &mut worker.scores[..size])?;
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
                one_hot: vec![0.0; FULL_BATCH * ONE_HOT_SEED_LEN],
                scores: [0.0; FULL_BATCH],
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
        (ScorerPool::new("summing", move || Ok(SummingScorer(Arc::clone(&shared)))).unwrap(), sizes)
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
            fn score(&mut self, _: &[f32], scores: &mut [f32]) -> NpuResult<()> {
                self.0.wait();
                scores.fill(0.5);
                Ok(())
            }
        }
        let made = Arc::new(AtomicUsize::new(0));
        let (counter, barrier) = (Arc::clone(&made), Arc::new(std::sync::Barrier::new(3)));
        let pool = ScorerPool::new("waiting", move || {
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
