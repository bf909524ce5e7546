use std::sync::Arc;

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{NpuBackend, NpuResult, SeedFilterConfig};

use crate::{FilterStatistics, GuardRails};

/// What the guard rails look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedFacts {
    /// Bases of the exact match.
    pub length: u32,
    /// Best score of an ungapped extension to both ends of the read, the seed included.
    pub ungapped_score: i32,
}

/// Seeds of a batch of reads, those of one read side by side.
pub struct SeedBatch<'a> {
    /// Reads of the chunk that the batch is a part of.
    pub chunk_reads: usize,
    /// First seed of each read, and the end: `reads + 1` ascending numbers.
    pub read_offsets: &'a [usize],
    /// Facts of each seed.
    pub facts: &'a [SeedFacts],
    /// Packs the context windows of the seed with this number. Called only for seeds that the network has to score.
    pub encode: &'a dyn Fn(usize, &mut [u8; PACKED_SEED_BYTES]),
}

/// Guard rails, network, threshold.
pub struct SeedFilter {
    backend: Arc<dyn NpuBackend>,
    config: SeedFilterConfig,
    rails: GuardRails,
}

impl SeedFilter {
    /// A filter that scores with `backend`.
    pub fn new(backend: Arc<dyn NpuBackend>, config: SeedFilterConfig, rails: GuardRails) -> Self {
        Self { backend, config, rails }
    }

    /// Decides for each seed of `batch` whether it is kept, and says what it did.
    ///
    /// The decision for a seed depends on its read alone, and on whether the chunk has enough reads: it is the same however
    /// the reads of a chunk are grouped into batches.
    ///
    /// # Errors
    /// Whatever the backend reports.
    ///
    /// # Panics
    /// If the lengths in `batch` and `keep` do not agree.
    pub fn retain(&self, batch: &SeedBatch<'_>, keep: &mut [bool]) -> NpuResult<FilterStatistics> {
        let seeds = batch.facts.len();
        assert_eq!(keep.len(), seeds, "one decision a seed");
        assert_eq!(batch.read_offsets.last().copied().unwrap_or(0), seeds, "the last offset is the number of seeds");
        let mut statistics = FilterStatistics { seeds_in: seeds as u64, ..FilterStatistics::default() };
        if batch.chunk_reads < self.config.min_batch_size {
            keep.fill(true);
            statistics.unfiltered = seeds as u64;
            return Ok(statistics);
        }
        for read in batch.read_offsets.windows(2) {
            self.rails.mark(&batch.facts[read[0]..read[1]], &mut keep[read[0]..read[1]]);
        }
        let doubtful: Vec<usize> = (0..seeds).filter(|&seed| !keep[seed]).collect();
        statistics.kept_by_guard_rails = (seeds - doubtful.len()) as u64;
        statistics.scored = doubtful.len() as u64;

        let chunk_size = self.backend.optimal_batch_size().max(1);
        let mut windows = vec![0; chunk_size.min(doubtful.len()) * PACKED_SEED_BYTES];
        let mut scores = vec![0.0; chunk_size.min(doubtful.len())];
        for chunk in doubtful.chunks(chunk_size) {
            let windows = &mut windows[..chunk.len() * PACKED_SEED_BYTES];
            for (&seed, window) in chunk.iter().zip(windows.as_chunks_mut().0) {
                (batch.encode)(seed, window);
            }
            let scores = &mut scores[..chunk.len()];
            self.backend.predict_packed(windows, scores)?;
            for (&seed, &score) in chunk.iter().zip(&*scores) {
                keep[seed] = score >= self.config.threshold;
                statistics.dropped += u64::from(!keep[seed]);
            }
        }
        Ok(statistics)
    }
}
