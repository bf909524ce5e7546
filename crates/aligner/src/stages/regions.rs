//! From chains to regions: extension of the chains' seeds over a batch of reads, and what is left of it.

use bwa_mem4_chain::MemChain;
use bwa_mem4_mem::{MemAlnReg, mem_sort_dedup_patch, stamp_is_alt};
use bwa_seed::MemSeed;

use super::containment::{Founded, is_shadowed, surviving};
use super::extension::ExtensionBatch;
use crate::{AlignOptions, ReferenceIndex, Seed};

/// The regions of each read, and for the observer which of its chains' seeds were extended.
pub(crate) struct ExtendedReads {
    /// Regions of each read before deduplication, in the order of extension.
    pub(crate) regions: Vec<Vec<MemAlnReg>>,
    /// Seeds that were extended: read, chain, seed of the chain.
    pub(crate) extended: Vec<(usize, usize, usize)>,
}

/// Extends the chains' seeds of all reads. `chains` are those that survived the chain filter, in its order.
pub(crate) fn extend_chains(
    index: &ReferenceIndex,
    options: &AlignOptions,
    reads: &[&[u8]],
    chains: &[Vec<MemChain>],
) -> ExtendedReads {
    let mut batch = ExtensionBatch::new(&options.mem);
    let mut extended = Vec::new();
    let mut window = Vec::new();
    for (read, codes) in reads.iter().enumerate() {
        prefetch(index, reads, chains, read + 1);
        let stored_read = batch.store(codes);
        for (number, chain) in chains[read].iter().enumerate().filter(|(_, chain)| !chain.seeds.is_empty()) {
            let (start, end) = reference_window(index, options, codes.len() as i32, &chain.seeds);
            index.fm.bases_into(start, end, &mut window);
            let stored_window = batch.store(&window);
            for seed in extension_order(&chain.seeds) {
                if !is_shadowed(&chain.seeds, seed) {
                    batch.add(plain_seed(&chain.seeds[seed]), stored_read, stored_window, start);
                    extended.push((read, number, seed));
                }
            }
        }
    }
    let extensions = batch.run();

    let mut regions = vec![Vec::new(); reads.len()];
    for of_read in extended.iter().zip(extensions).collect::<Vec<_>>().chunk_by(|(a, _), (b, _)| a.0 == b.0) {
        let read = of_read[0].0.0;
        let founded: Vec<Founded> = of_read
            .iter()
            .map(|&(&(_, chain, seed), extension)| Founded { chain, seed: chains[read][chain].seeds[seed], extension })
            .collect();
        let stays = surviving(options, reads[read].len() as i32, &founded);
        regions[read] = founded
            .iter()
            .zip(stays)
            .filter(|(founded, stays)| *stays && founded.extension.query_end > founded.extension.query_start)
            .map(|(founded, _)| region(founded, &chains[read][founded.chain]))
            .collect();
    }
    ExtendedReads { regions, extended }
}

/// Removes duplicate regions, merges those that one alignment can join, and marks those on ALT contigs.
pub(crate) fn deduplicate(
    index: &ReferenceIndex,
    options: &AlignOptions,
    codes: &[u8],
    regions: Vec<MemAlnReg>,
) -> Vec<MemAlnReg> {
    let mut regions = mem_sort_dedup_patch(&index.fm, &options.mem, codes, regions);
    stamp_is_alt(&index.bns, &mut regions);
    regions.shrink_to_fit();
    regions
}

/// The reference that any extension of these seeds can reach, in the 2L coordinate: on one strand of one contig.
pub(crate) fn reference_window(
    index: &ReferenceIndex,
    options: &AlignOptions,
    read_length: i32,
    seeds: &[MemSeed],
) -> (i64, i64) {
    let l_pac = index.bns.l_pac;
    let reach = |bases: i32| i64::from(bases) + i64::from(options.longest_gap(bases));
    let start = seeds.iter().map(|seed| seed.rbeg - reach(seed.qbeg)).min().unwrap_or(0);
    let end = seeds
        .iter()
        .map(|seed| seed.rbeg + i64::from(seed.len) + reach(read_length - seed.qbeg - seed.len))
        .max()
        .unwrap_or(0);
    let anchor = seeds[0].rbeg;
    let strand = if anchor < l_pac { 0..l_pac } else { l_pac..2 * l_pac };
    let (start, end, _) = index.bns.fetch_bounds(start.max(strand.start), end.min(strand.end), anchor);
    (start, end)
}

/// Best seed first; of equal ones the later in the chain.
fn extension_order(seeds: &[MemSeed]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..seeds.len()).collect();
    order.sort_unstable_by_key(|&number| std::cmp::Reverse((seeds[number].score as u32, number)));
    order
}

fn plain_seed(seed: &MemSeed) -> Seed {
    Seed { query_start: seed.qbeg, length: seed.len, reference_start: seed.rbeg, occurrences: 0 }
}

fn region(founded: &Founded, chain: &MemChain) -> MemAlnReg {
    let extension = &founded.extension;
    let covered = chain.seeds.iter().filter(|seed| {
        extension.query_start <= seed.qbeg
            && seed.qbeg + seed.len <= extension.query_end
            && extension.reference_start <= seed.rbeg
            && seed.rbeg + i64::from(seed.len) <= extension.reference_end
    });
    MemAlnReg {
        rb: extension.reference_start,
        re: extension.reference_end,
        qb: extension.query_start,
        qe: extension.query_end,
        rid: chain.rid,
        score: extension.score,
        truesc: extension.true_score,
        sub: 0,
        csub: 0,
        sub_n: 0,
        seedcov: covered.map(|seed| seed.len).sum(),
        seedlen0: founded.seed.len,
        secondary: -1,
        secondary_all: -1,
        w: extension.band,
        frac_rep: chain.frac_rep,
        is_alt: chain.is_alt,
        alt_sc: 0,
        hash: 0,
        n_comp: 1,
    }
}

/// Asks for the cache lines of a read's first chains while the read before it is worked on.
fn prefetch(index: &ReferenceIndex, reads: &[&[u8]], chains: &[Vec<MemChain>], read: usize) {
    const CHAINS: usize = 4;
    let Some(next) = chains.get(read) else { return };
    for seed in next.iter().take(CHAINS).filter_map(|chain| chain.seeds.first()) {
        let start = seed.rbeg - i64::from(seed.qbeg);
        index.fm.prefetch_pac(start, start + reads[read].len() as i64);
    }
}
