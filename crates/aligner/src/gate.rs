//! The seed gate: what the filter needs of a batch of located seeds, and its verdict.

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_filter::{FilterStatistics, SeedBatch, SeedFacts, SeedFilter};

use crate::stages::seeding::SeededReads;
use crate::stages::ungapped::ungapped_score;
use crate::{AlignOptions, AlignerError, ReferenceIndex, Seed};

/// Decides for each seed of `seeded` whether it is kept.
pub(crate) fn decide(
    filter: &SeedFilter,
    index: &ReferenceIndex,
    options: &AlignOptions,
    reads: &[&[u8]],
    seeded: &SeededReads,
) -> Result<(Vec<bool>, FilterStatistics), AlignerError> {
    let mut seeds: Vec<(usize, Seed)> = Vec::with_capacity(seeded.len());
    let mut facts = Vec::with_capacity(seeded.len());
    let mut reference = Vec::new();
    for (read, codes) in reads.iter().enumerate() {
        for seed in seeded.seeds_of(read) {
            facts.push(SeedFacts {
                length: seed.length as u32,
                ungapped_score: ungapped(index, options, codes, &seed, &mut reference),
            });
            seeds.push((read, seed));
        }
    }
    let encode = |number: usize, packed: &mut [u8; PACKED_SEED_BYTES]| {
        let (read, seed) = seeds[number];
        if is_whole(index, &seed) {
            index.encode_seed(reads[read], &seed, packed);
        } else {
            packed.fill(0);
        }
    };
    let mut keep = vec![true; seeds.len()];
    let batch = SeedBatch { read_offsets: seeded.offsets(), facts: &facts, encode: &encode };
    let statistics = filter.retain(&batch, &mut keep)?;
    Ok((keep, statistics))
}

/// Whether the seed lies on one contig and strand. bwa finds seeds across their ends, too, and drops them when chaining.
pub(crate) fn is_whole(index: &ReferenceIndex, seed: &Seed) -> bool {
    index.bns.intv2rid(seed.reference_start, seed.reference_start + i64::from(seed.length)) >= 0
}

/// The ungapped score of a seed to both ends of the read or of its contig and strand; 0 for a seed across their ends.
pub(crate) fn ungapped(
    index: &ReferenceIndex,
    options: &AlignOptions,
    codes: &[u8],
    seed: &Seed,
    reference: &mut Vec<u8>,
) -> i32 {
    if !is_whole(index, seed) {
        return 0;
    }
    let (start, length) = (seed.query_start as usize, seed.length as usize);
    let after = codes.len() as i64 - i64::from(seed.query_start + seed.length);
    let before = index.codes_around(seed, i64::from(seed.query_start), after, reference);
    ungapped_score(codes, start, reference, before, length, options.mem.a, options.mem.b)
}
