//! The network at the seed gate: every seed that its guard rails do not keep.

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_filter::{FilterStatistics, SeedBatch, SeedFacts, SeedFilter};

use super::{GateBatch, SeedGate, ungapped, windows};
use crate::AlignerError;

/// Asks the network about every seed that its guard rails do not keep.
pub(super) struct NetworkGate {
    filter: SeedFilter,
}

impl NetworkGate {
    pub(super) fn new(filter: SeedFilter) -> Self {
        Self { filter }
    }
}

impl SeedGate for NetworkGate {
    fn retain(&self, batch: &GateBatch<'_>, keep: &mut [bool]) -> Result<FilterStatistics, AlignerError> {
        let GateBatch { index, options, reads, chunk_reads, offsets, seeds, .. } = *batch;
        let mut facts = Vec::with_capacity(seeds.len());
        let mut reference = Vec::new();
        for (read, codes) in reads.iter().enumerate() {
            for seed in &seeds[offsets[read]..offsets[read + 1]] {
                facts.push(SeedFacts {
                    length: seed.length as u32,
                    ungapped_score: ungapped(index, options, codes, seed, &mut reference),
                });
            }
        }
        let encode = |number: usize, packed: &mut [u8; PACKED_SEED_BYTES]| windows::encode(batch, number, packed);
        let batch = SeedBatch { chunk_reads, read_offsets: offsets, facts: &facts, encode: &encode };
        Ok(self.filter.retain(&batch, keep)?)
    }
}
