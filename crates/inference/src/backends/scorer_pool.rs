use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
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
pub(crate) trait InputForm: Copy + Default + Send + Sync + 'static {
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
    /// Memory for the input of the largest batch, where its library or device reads it best.
    fn input(&mut self) -> &mut [Self::Input];
    /// Scores the batch, of one of the pool's sizes, at the start of that memory.
    fn score(&mut self, scores: &mut [f32]) -> NpuResult<()>;
}

/// Scorers for concurrent callers: made when a caller finds none idle, kept for the next.
pub(super) struct ScorerPool<S: BatchScorer> {
    backend: &'static str,
    /// Ascending, and one or two: large batches, and what takes the rest.
    sizes: &'static [usize],
    /// Batches that are under way at the same time, if there are as many; each further caller adds one.
    in_flight: AtomicUsize,
    make_scorer: Box<dyn Fn() -> NpuResult<S> + Send + Sync>,
    /// Workers that score.
    busy: AtomicUsize,
    idle: Mutex<Vec<Worker<S>>>,
}

/// A scorer and the memory for a batch's scores.
struct Worker<S: BatchScorer> {
    scorer: S,
    scores: Vec<f32>,
}

/// What is left of a call: batches, each by its first seed and with the place of its scores.
type Batches<'a> = Mutex<std::vec::IntoIter<(usize, &'a mut [f32])>>;

impl<S: BatchScorer> ScorerPool<S> {
    /// Makes the first scorer at once, so that a model that the backend cannot run fails here.
    pub fn new(
        backend: &'static str,
        sizes: &'static [usize],
        make_scorer: impl Fn() -> NpuResult<S> + Send + Sync + 'static,
    ) -> NpuResult<Self> {
        let (in_flight, busy, idle) = (AtomicUsize::new(1), AtomicUsize::new(0), Mutex::default());
        let pool = Self { backend, sizes, in_flight, make_scorer: Box::new(make_scorer), busy, idle };
        pool.put_back(pool.take()?);
        Ok(pool)
    }

    /// Has so many batches under way at the same time where there are fewer callers: for devices that are idle while a batch of
    /// one caller is copied.
    #[cfg(any(test, feature = "ort"))]
    pub fn with_in_flight(self, in_flight: usize) -> Self {
        Self { in_flight: in_flight.into(), ..self }
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
        fill: impl Fn(Range<usize>, &mut [S::Input]) -> NpuResult<()> + Sync,
    ) -> NpuResult<()> {
        if scores.is_empty() {
            return Ok(());
        }
        let first = self.take()?;
        self.busy.fetch_add(1, Ordering::Relaxed);
        let batches = self.batches(scores);
        let helpers = self.in_flight.load(Ordering::Relaxed).min(batches.len()) - 1;
        let batches = Mutex::new(batches.into_iter());
        std::thread::scope(|scope| {
            let help = || self.spare().map_or(Ok(()), |worker| self.score_batches(worker, &batches, &fill));
            let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(help)).collect();
            let scored = self.score_batches(first, &batches, &fill);
            helpers.into_iter().map(|helper| helper.join().expect("scoring does not panic")).fold(scored, Result::and)
        })?;
        check_scores(self.backend, scores)
    }

    /// Cuts a call: full batches, then the smallest size.
    fn batches<'a>(&self, scores: &'a mut [f32]) -> Vec<(usize, &'a mut [f32])> {
        let full = scores.len() / self.full_batch() * self.full_batch();
        let (full_batches, rest) = scores.split_at_mut(full);
        let full_batches = full_batches.chunks_mut(self.full_batch()).enumerate();
        let rest = rest.chunks_mut(self.sizes[0]).enumerate();
        let full_batches = full_batches.map(|(number, batch)| (number * self.full_batch(), batch));
        full_batches.chain(rest.map(|(number, batch)| (full + number * self.sizes[0], batch))).collect()
    }

    /// Scores batches until none is left, and gives the worker back.
    fn score_batches(
        &self,
        mut worker: Worker<S>,
        batches: &Batches,
        fill: impl Fn(Range<usize>, &mut [S::Input]) -> NpuResult<()>,
    ) -> NpuResult<()> {
        let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
        let mut score = || {
            while let Some((start, batch)) = next() {
                let seeds = batch.len();
                let size = if seeds > self.sizes[0] { self.full_batch() } else { self.sizes[0] };
                let input = &mut worker.scorer.input()[..size * S::Input::VALUES];
                let (filled, padding) = input.split_at_mut(seeds * S::Input::VALUES);
                fill(start..start + seeds, filled)?;
                padding.fill(S::Input::default());
                worker.scorer.score(&mut worker.scores[..size])?;
                batch.copy_from_slice(&worker.scores[..seeds]);
            }
            Ok(())
        };
        let scored = score();
        self.busy.fetch_sub(1, Ordering::Relaxed);
        if scored.is_ok() {
            self.put_back(worker);
        }
        scored
    }

    fn take(&self) -> NpuResult<Worker<S>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(worker) => Ok(worker),
            None => Ok(Worker { scorer: (self.make_scorer)()?, scores: vec![0.0; self.full_batch()] }),
        }
    }

    /// A worker beside a caller's own, if fewer are busy than may be.
    fn spare(&self) -> Option<Worker<S>> {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        let one_more = |busy| (busy < in_flight).then_some(busy + 1);
        self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        match self.take() {
            Ok(worker) => Some(worker),
            Err(error) => {
                // The callers have theirs: no reason to fail, but to do without more.
                tracing::debug!(backend = self.backend, "no further batches in flight: {error}");
                self.in_flight.store(1, Ordering::Relaxed);
                self.busy.fetch_sub(1, Ordering::Relaxed);
                None
            }
        }
    }

    fn put_back(&self, worker: Worker<S>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NpuError;
    use std::sync::Arc;

    /// Scores a seed by the sum of its one-hot values and notes the sizes that it is asked for.
    struct SummingScorer(Vec<f32>, Arc<Mutex<Vec<usize>>>);

    impl BatchScorer for SummingScorer {
        type Input = f32;
        fn input(&mut self) -> &mut [f32] {
            &mut self.0
        }
        fn score(&mut self, scores: &mut [f32]) -> NpuResult<()> {
            self.1.lock().unwrap().push(scores.len());
            for (score, seed) in scores.iter_mut().zip(self.0.chunks(ONE_HOT_SEED_LEN)) {
                *score = seed.iter().sum::<f32>() / 256.0;
            }
            Ok(())
        }
    }

    fn summing_pool() -> (ScorerPool<SummingScorer>, Arc<Mutex<Vec<usize>>>) {
        let sizes = Arc::default();
        let shared = Arc::clone(&sizes);
        let input = || vec![f32::NAN; FULL_BATCH * ONE_HOT_SEED_LEN];
        let make = move || Ok(SummingScorer(input(), Arc::clone(&shared)));
        (ScorerPool::new("summing", &BATCH_SIZES, make).unwrap(), sizes)
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

    /// Scores a seed by the first of its bytes, once as many batches are under way as the barrier says.
    struct Waiting(Vec<u8>, Arc<std::sync::Barrier>);

    impl Waiting {
        fn new(barrier: &Arc<std::sync::Barrier>) -> Self {
            Self(vec![0; FULL_BATCH * PACKED_SEED_BYTES], Arc::clone(barrier))
        }
    }

    impl BatchScorer for Waiting {
        type Input = u8;
        fn input(&mut self) -> &mut [u8] {
            &mut self.0
        }
        fn score(&mut self, scores: &mut [f32]) -> NpuResult<()> {
            self.1.wait();
            for (score, seed) in scores.iter_mut().zip(self.0.chunks(PACKED_SEED_BYTES)) {
                *score = f32::from(seed[0]) / 256.0;
            }
            Ok(())
        }
    }

    #[test]
    fn scorers_are_made_for_concurrent_callers_only() {
        let made = Arc::new(AtomicUsize::new(0));
        let (counter, barrier) = (Arc::clone(&made), Arc::new(std::sync::Barrier::new(3)));
        let pool = ScorerPool::new("waiting", &BATCH_SIZES, move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(Waiting::new(&barrier))
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

    /// Twelve batches of one caller, three at a time: with fewer the barrier would wait for ever.
    #[test]
    fn batches_of_one_call_are_in_flight_together() {
        let made = Arc::new(AtomicUsize::new(0));
        let (counter, barrier) = (Arc::clone(&made), Arc::new(std::sync::Barrier::new(3)));
        let make = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(Waiting::new(&barrier))
        };
        let pool = ScorerPool::new("waiting", &[256], make).unwrap().with_in_flight(3);
        let mut packed = vec![0; 12 * 256 * PACKED_SEED_BYTES];
        for (number, seed) in packed.chunks_mut(PACKED_SEED_BYTES).enumerate() {
            seed[0] = (number * 7 % 256) as u8;
        }
        packed.truncate((12 * 256 - 100) * PACKED_SEED_BYTES);
        let mut scores = vec![-1.0; 12 * 256 - 100];
        for _ in 0..2 {
            pool.score_packed(&packed, &mut scores).unwrap();
            let expected = packed.chunks(PACKED_SEED_BYTES).map(|seed| f32::from(seed[0]) / 256.0);
            assert!(expected.eq(scores.iter().copied()));
            assert_eq!(made.load(Ordering::Relaxed), 3);
        }
    }

    /// A helper that cannot be made is done without; one that fails at a batch fails the call.
    #[test]
    fn a_failing_helper_never_leaves_seeds_without_a_score() {
        struct Failing(Vec<u8>, bool);
        impl BatchScorer for Failing {
            type Input = u8;
            fn input(&mut self) -> &mut [u8] {
                &mut self.0
            }
            fn score(&mut self, scores: &mut [f32]) -> NpuResult<()> {
                std::thread::sleep(std::time::Duration::from_millis(1));
                scores.fill(0.5);
                if self.1 { Err(NpuError::InferenceFailed("the helper's".into())) } else { Ok(()) }
            }
        }
        for can_be_made in [false, true] {
            let made = AtomicUsize::new(0);
            let make = move || match made.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(Failing(vec![0; 256 * PACKED_SEED_BYTES], false)),
                _ if can_be_made => Ok(Failing(vec![0; 256 * PACKED_SEED_BYTES], true)),
                _ => Err(NpuError::DeviceOutOfMemory { backend: "failing", why: "full".into() }),
            };
            let pool = ScorerPool::new("failing", &[256], make).unwrap().with_in_flight(2);
            // What a caller's memory holds may look like scores.
            let mut scores = vec![0.25; 100 * 256];
            let scored = pool.score_packed(&vec![0; scores.len() * PACKED_SEED_BYTES], &mut scores);
            assert_eq!(scored.is_ok(), !can_be_made, "{scored:?}");
            assert!(scored.is_err() || scores.iter().all(|&score| score == 0.5));
        }
    }
}
