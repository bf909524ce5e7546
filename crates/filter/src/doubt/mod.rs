//! Seeds about which the competition is in doubt: they lose by little, and networks are asked. First a small one, the student;
//! what it leaves in doubt, or all of it where there is none, may go to the convolutional network.

mod network;
mod student;

use std::ops::Range;

use crate::bound::Bound;
use crate::cascade::CascadeBatch;

pub use network::Network;
pub use student::{SeedScorer, Student};

/// Seeds in doubt, of all reads of a batch, whose ungapped alignments stand in for extensions so far.
#[derive(Debug, Default)]
pub struct Doubts {
    reads: Vec<DoubtfulRead>,
    /// What all seeds of these reads can score.
    bounds: Vec<Bound>,
    /// Numbers of the seeds in doubt, ascending.
    seeds: Vec<usize>,
}

/// A read with seeds in doubt.
#[derive(Debug)]
struct DoubtfulRead {
    /// Number in the batch.
    number: usize,
    /// Best bound of the mate; 0 without one.
    mate_best: i32,
    /// How many of its seeds are in doubt.
    doubtful: usize,
}

impl Doubts {
    /// How many seeds are in doubt.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seeds.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seeds.is_empty()
    }

    /// Takes seeds of the read of this number, of which `first` is the first seed in the batch.
    pub(crate) fn add(&mut self, number: usize, first: usize, doubtful: &[usize], bounds: &[Bound], mate_best: i32) {
        if doubtful.is_empty() {
            return;
        }
        self.reads.push(DoubtfulRead { number, mate_best, doubtful: doubtful.len() });
        self.bounds.extend(bounds);
        self.seeds.extend(doubtful.iter().map(|seed| first + seed));
    }
}

impl CascadeBatch<'_> {
    /// The seeds of one chain with this one; the seed alone before chaining.
    fn chain_of(&self, seed: usize) -> Range<usize> {
        let Some(chain) = self.chains.get(seed) else { return seed..seed + 1 };
        let read = self.of(self.read_offsets.partition_point(|&first| first <= seed) - 1);
        let same = |other: &usize| self.chains[*other] == *chain;
        let before = (read.start..seed).rev().take_while(same).count();
        let behind = (seed..read.end).take_while(same).count();
        seed - before..seed + behind
    }
}

/// Lets these seeds be extended after all; says how many of them would not have been.
fn take_back(seeds: Range<usize>, stand_ins: &mut [Option<Bound>]) -> u64 {
    stand_ins[seeds].iter_mut().filter_map(Option::take).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_the_run_of_its_number_within_the_read() {
        // The second read has no seed; the chains of the first and the third have the same number.
        let batch = CascadeBatch {
            reads: &[&[], &[], &[]],
            read_offsets: &[0, 3, 3, 6],
            seeds: &[],
            chains: &[0, 1, 1, 1, 1, 2],
            paired: false,
        };
        let ranges: Vec<_> = (0..6).map(|seed| batch.chain_of(seed)).collect();
        assert_eq!(ranges, [0..1, 1..3, 1..3, 3..5, 3..5, 5..6]);
        assert_eq!(CascadeBatch { chains: &[], ..batch }.chain_of(3), 3..4);
    }
}
