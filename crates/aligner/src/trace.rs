//! Traces for the observer: seeds joined with their chains, regions with their roles.

use bwa_mem4_chain::{MemChain, mem_chain_weight};
use bwa_mem4_mem::MemAlnReg;

use crate::observe::{RegionRole, RegionTrace, Seed, SeedExtension, SeedTrace};

type SeedKey = (i32, i64, i32);

fn key(query_start: i32, reference_start: i64, length: i32) -> SeedKey {
    (query_start, reference_start, length)
}

/// What became of one read's seeds.
///
/// `seeds` come with their round and the gate's decision. `chains` are those that survived the chain filter; `extended`
/// names chain and seed of each seed that was extended. A seed that its chain absorbed as contained is in no chain.
pub(crate) fn trace_seeds(
    seeds: impl Iterator<Item = (Seed, u8, bool)>,
    chains: &[MemChain],
    extended: impl Iterator<Item = (usize, usize, SeedExtension)>,
) -> Vec<SeedTrace> {
    // A read's chains hold few seeds: searching a sorted list takes less than hashing.
    let mut chained: Vec<(SeedKey, (usize, i32))> = Vec::new();
    for (number, chain) in chains.iter().enumerate() {
        let weight = mem_chain_weight(chain);
        chained.extend(chain.seeds.iter().map(|seed| (key(seed.qbeg, seed.rbeg, seed.len), (number, weight))));
    }
    let mut extensions: Vec<(SeedKey, SeedExtension)> = extended
        .map(|(chain, seed, extension)| (chains[chain].seeds[seed], extension))
        .map(|(seed, extension)| (key(seed.qbeg, seed.rbeg, seed.len), extension))
        .collect();
    // Of a seed in several chains the first counts: the sorts are stable.
    chained.sort_by_key(|(key, _)| *key);
    extensions.sort_by_key(|(key, _)| *key);
    seeds
        .map(|(seed, round, kept_by_gate)| {
            let key = key(seed.query_start, seed.reference_start, seed.length);
            let chain = find(&chained, &key);
            SeedTrace {
                seed,
                round,
                kept_by_gate,
                chain: chain.map(|(number, _)| number as u32),
                chain_weight: chain.map_or(0, |(_, weight)| weight),
                chain_kept: chain.is_some(),
                extension: find(&extensions, &key),
            }
        })
        .collect()
}

/// The value of the first entry with this key.
fn find<T: Copy>(sorted: &[(SeedKey, T)], key: &SeedKey) -> Option<T> {
    let place = sorted.partition_point(|(other, _)| other < key);
    sorted.get(place).filter(|(found, _)| found == key).map(|(_, value)| *value)
}

/// A read's final regions, after primary marking.
pub(crate) fn trace_regions(regions: &[MemAlnReg], report_score: i32) -> Vec<RegionTrace> {
    let mut primary_seen = false;
    regions
        .iter()
        .map(|region| {
            let role = if region.score < report_score {
                RegionRole::BelowThreshold
            } else if region.secondary >= 0 {
                RegionRole::Secondary
            } else if std::mem::replace(&mut primary_seen, true) {
                RegionRole::Supplementary
            } else {
                RegionRole::Primary
            };
            RegionTrace {
                query_start: region.qb,
                query_end: region.qe,
                reference_start: region.rb,
                reference_end: region.re,
                score: region.score,
                role,
            }
        })
        .collect()
}
