//! What the convolutional network sees of a batch's seeds, at whichever gate it is asked.

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::{GateBatch, is_whole};

/// Packs the context windows of the batch's seed of this number; zeros for a seed across the ends of contigs or strands.
pub(super) fn encode(batch: &GateBatch<'_>, number: usize, packed: &mut [u8; PACKED_SEED_BYTES]) {
    let seed = &batch.seeds[number];
    if is_whole(batch.index, seed) {
        // The last read that begins at or before the seed: those without seeds begin where the next one does.
        let read = batch.offsets.partition_point(|&first| first <= number) - 1;
        batch.index.encode_seed(batch.reads[read], seed, packed);
    } else {
        packed.fill(0);
    }
}
