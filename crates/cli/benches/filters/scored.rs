//! A filter that gives every seed a number and keeps those that reach one.

use std::sync::Mutex;

use seedsieve_aligner::{AlignerError, FilterStatistics, GateBatch, Seed, SeedGate};

use crate::reference::Reference;

/// Numbers of the seeds of one read; the higher, the more viable.
pub trait SeedScore: Send + Sync {
    /// What is kept from read to read.
    type Memory: Default + Send;

    /// Adds a number for each seed to `scores`. `codes` are the read's base codes.
    fn score(
        &self,
        reference: &Reference,
        codes: &[u8],
        seeds: &[Seed],
        memory: &mut Self::Memory,
        scores: &mut Vec<i32>,
    );
}

/// Keeps the seeds whose number is `least` or more, and those with the highest number of their read.
pub struct ScoreGate<S: SeedScore> {
    reference: Reference,
    score: S,
    least: i32,
    /// Runs are of one thread.
    memory: Mutex<S::Memory>,
}

impl<S: SeedScore> ScoreGate<S> {
    pub fn new(reference: Reference, score: S, least: i32) -> Self {
        Self { reference, score, least, memory: Mutex::default() }
    }
}

impl<S: SeedScore> SeedGate for ScoreGate<S> {
    fn retain(&self, batch: &GateBatch<'_>, keep: &mut [bool]) -> Result<FilterStatistics, AlignerError> {
        let mut memory = self.memory.lock().expect("no thread has panicked");
        let mut scores = Vec::new();
        for (read, codes) in batch.reads.iter().enumerate() {
            let seeds = batch.offsets[read]..batch.offsets[read + 1];
            scores.clear();
            self.score.score(&self.reference, codes, &batch.seeds[seeds.clone()], &mut memory, &mut scores);
            let best = scores.iter().copied().max().unwrap_or(0);
            for (keep, &score) in keep[seeds].iter_mut().zip(&scores) {
                *keep = score >= self.least || score == best;
            }
        }
        let dropped = keep.iter().filter(|keep| !**keep).count() as u64;
        Ok(FilterStatistics { seeds_in: keep.len() as u64, dropped, ..FilterStatistics::default() })
    }
}
