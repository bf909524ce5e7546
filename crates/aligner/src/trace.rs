//! Traces for the observer: seeds joined with their chains, regions with their roles.

use std::collections::{HashMap, HashSet};

use bwa_mem4_chain::{MemChain, mem_chain_weight};
use bwa_mem4_mem::MemAlnReg;

use crate::observe::{RegionRole, RegionTrace, Seed, SeedTrace};

type SeedKey = (i32, i64, i32);

fn key(query_start: i32, reference_start: i64, length: i32) -> SeedKey {
    (query_start, reference_start, length)
}

/// What became of one read's seeds.
///
/// `seeds` come with their ungapped score, their round and the gate's decision. `chains` are those that survived the chain filter;
/// `extended` names chain and seed of each seed that was extended. A seed that its chain absorbed as contained is in no
/// chain.
pub(crate) fn trace_seeds(
    seeds: impl Iterator<Item = (Seed, i32, u8, bool)>,
    chains: &[MemChain],
    extended: impl Iterator<Item = (usize, usize)>,
) -> Vec<SeedTrace> {
    let mut chain_of = HashMap::new();
    for (number, chain) in chains.iter().enumerate() {
        let weight = mem_chain_weight(chain);
        for seed in &chain.seeds {
            chain_of.entry(key(seed.qbeg, seed.rbeg, seed.len)).or_insert((number, weight));
        }
    }
    let extended: HashSet<SeedKey> = extended
        .map(|(chain, seed)| chains[chain].seeds[seed])
        .map(|seed| key(seed.qbeg, seed.rbeg, seed.len))
        .collect();
    seeds
        .map(|(seed, ungapped_score, round, kept_by_gate)| {
            let key = key(seed.query_start, seed.reference_start, seed.length);
            let chain = chain_of.get(&key);
            SeedTrace {
                seed,
                ungapped_score,
                round,
                kept_by_gate,
                chain: chain.map(|&(number, _)| number as u32),
                chain_weight: chain.map_or(0, |&(_, weight)| weight),
                chain_kept: chain.is_some(),
                extended: extended.contains(&key),
            }
        })
        .collect()
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
