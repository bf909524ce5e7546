//! From chains to regions: extension of the chains' seeds over a batch of reads, and what is left of it.

use bwa_mem4_chain::MemChain;
use bwa_mem4_mem::{MemAlnReg, mem_sort_dedup_patch, stamp_is_alt};
use bwa_seed::MemSeed;

use super::containment::{Candidate, is_shadowed, survey};
use super::extension::{ExtensionBatch, Stored};
use super::ungapped_optimum::UngappedOptimum;
use crate::{AlignOptions, ReferenceIndex, Seed, SeedExtension};

/// The regions of each read, and for the observer which of its chains' seeds were extended.
pub(crate) struct ExtendedReads {
    /// Regions of each read before deduplication, in the order of extension.
    pub(crate) regions: Vec<Vec<MemAlnReg>>,
    /// Seeds of each read that may found a region; those with an extension were extended.
    pub(crate) candidates: Vec<Vec<Candidate>>,
    /// Extensions that needed no Smith-Waterman.
    pub(crate) proven: u64,
    /// Of these, those that took the proof for isolated flanks.
    pub(crate) isolated: u64,
}

/// Rounds of extension. Seeds that an extended one absorbs need no extension of their own, so the seeds of a read are
/// extended in rounds; the last round takes what is left in full batches instead of one by one.
const ROUNDS: usize = 3;

/// Extends the chains' seeds of all reads. `chains` are those that survived the chain filter, in its order; `candidates`
/// what [`candidates`] makes of them, with the extensions that are known already. `isolated`: whether the proof for isolated
/// flanks is tried; it changes nothing but the time.
pub(crate) fn extend_chains(
    index: &ReferenceIndex,
    options: &AlignOptions,
    reads: &[&[u8]],
    chains: &[Vec<MemChain>],
    mut candidates: Vec<Vec<Candidate>>,
    isolated: bool,
) -> ExtendedReads {
    let mut batch = ExtensionBatch::new(&options.mem);
    let mut stored: Vec<Option<StoredRead>> = vec![None; reads.len()];
    let mut shortcuts = Shortcuts::new(index, options, isolated);
    let mut extended = Vec::new();
    let mut window = Vec::new();
    let mut open: Vec<usize> = (0..reads.len()).collect();
    // Once nothing of a read is undecided, its survivors are known.
    let mut survivors: Vec<Option<Vec<usize>>> = vec![None; reads.len()];
    for round in 1..=ROUNDS {
        let asked = extended.len();
        open.retain(|&read| {
            let codes = reads[read];
            if round == 1 {
                prefetch(index, reads, chains, read + 1);
            }
            let is_last = round == ROUNDS;
            let Next { wanted, is_open, decided } =
                shortcuts.next(is_last, codes, &chains[read], &mut candidates[read]);
            survivors[read] = decided;
            for number in wanted {
                let candidate = &candidates[read][number];
                let of_read =
                    stored[read].get_or_insert_with(|| StoredRead::new(batch.store(codes), chains[read].len()));
                let (stored_window, start) = *of_read.windows[candidate.chain].get_or_insert_with(|| {
                    let seeds = &chains[read][candidate.chain].seeds;
                    let (start, end) = reference_window(index, options, codes.len() as i32, seeds);
                    index.packed.bases_into(start, end, &mut window);
                    (batch.store(&window), start)
                });
                batch.add(plain_seed(&candidate.seed), of_read.codes, stored_window, start);
                extended.push((read, number));
            }
            is_open
        });
        if open.is_empty() {
            break;
        }
        for (&(read, number), extension) in extended[asked..].iter().zip(batch.run()) {
            candidates[read][number].extension = Some(extension);
        }
    }

    let of_reads = reads.iter().zip(chains).zip(&candidates).zip(survivors);
    let regions = of_reads.map(|(((codes, chains), candidates), survivors)| {
        let survivors = survivors.unwrap_or_else(|| survey(options, codes.len() as i32, candidates).survivors);
        let survivors = survivors.into_iter().filter_map(|number| {
            let Candidate { chain, seed, extension, .. } = &candidates[number];
            let extension = extension.filter(|extension| extension.query_end > extension.query_start)?;
            Some(region(seed, &extension, &chains[*chain]))
        });
        survivors.collect()
    });
    ExtendedReads { regions: regions.collect(), candidates, proven: shortcuts.taken, isolated: shortcuts.isolated }
}

/// Extensions that need no Smith-Waterman.
struct Shortcuts<'a> {
    index: &'a ReferenceIndex,
    options: &'a AlignOptions,
    optimum: Option<UngappedOptimum>,
    /// Extensions so far.
    taken: u64,
    /// Of these, by the proof for isolated flanks.
    isolated: u64,
    /// Candidates of the read in question for which there is none.
    refused: Vec<bool>,
    reference: Vec<u8>,
}

/// What has to be done for a read next.
struct Next {
    /// Candidates that Smith-Waterman has to extend.
    wanted: Vec<usize>,
    /// Whether there may be more to do afterwards.
    is_open: bool,
    /// The candidates that found regions, once nothing is undecided.
    decided: Option<Vec<usize>>,
}

/// Times that a read's candidates are surveyed anew because shortcuts decided on some of them.
const SURVEYS: usize = 4;

impl<'a> Shortcuts<'a> {
    fn new(index: &'a ReferenceIndex, options: &'a AlignOptions, isolated: bool) -> Self {
        let optimum = UngappedOptimum::new(&options.mem, isolated);
        Self { index, options, optimum, taken: 0, isolated: 0, refused: Vec::new(), reference: Vec::new() }
    }

    /// What has to be done for a read next, in the `last` round for all that is undecided. Candidates of which the extension
    /// can be proven have it afterwards.
    fn next(&mut self, last: bool, codes: &[u8], chains: &[MemChain], candidates: &mut [Candidate]) -> Next {
        self.refused.clear();
        self.refused.resize(candidates.len(), false);
        for surveys in 1.. {
            let survey = survey(self.options, codes.len() as i32, candidates);
            let mut wanted = if last { survey.undecided } else { survey.wanted };
            let before = wanted.len();
            wanted.retain(|&number| !self.take(number, codes, chains, candidates));
            // The first undecided candidate is always wanted: where none was, all is decided.
            let is_open = before > 0;
            if wanted.len() == before || surveys == SURVEYS {
                let decided = (!is_open).then_some(survey.survivors);
                return Next { wanted, is_open, decided };
            }
        }
        unreachable!("the loop ends with SURVEYS");
    }

    fn take(&mut self, number: usize, codes: &[u8], chains: &[MemChain], candidates: &mut [Candidate]) -> bool {
        let candidate = &mut candidates[number];
        let Some(optimum) = self.optimum.as_ref().filter(|_| !self.refused[number]) else { return false };
        let seed = plain_seed(&candidate.seed);
        let strand = self.index.strand_of_contig(chains[candidate.chain].rid, seed.reference_start);
        let proven = optimum.extend(self.index, &self.options.mem, codes, &seed, strand, &mut self.reference);
        let taken = proven.is_some();
        self.refused[number] = !taken;
        self.taken += u64::from(taken);
        self.isolated += u64::from(proven.as_ref().is_some_and(|proven| proven.isolated));
        candidate.extension = proven.map(|proven| proven.extension);
        taken
    }
}

/// The seeds of each read that may found a region, in the order of extension.
pub(crate) fn candidates(chains: &[Vec<MemChain>]) -> Vec<Vec<Candidate>> {
    chains.iter().map(|of_read| extension_order(of_read)).collect()
}

/// Where a batch keeps a read, and the reference around each of its chains with that window's start, once asked for.
#[derive(Clone)]
struct StoredRead {
    codes: Stored,
    windows: Vec<Option<(Stored, i64)>>,
}

impl StoredRead {
    fn new(codes: Stored, chains: usize) -> Self {
        Self { codes, windows: vec![None; chains] }
    }
}

/// Removes duplicate regions, merges those that one alignment can join, and marks those on ALT contigs.
pub(crate) fn deduplicate(
    index: &ReferenceIndex,
    options: &AlignOptions,
    codes: &[u8],
    regions: Vec<MemAlnReg>,
) -> Vec<MemAlnReg> {
    let mut regions = mem_sort_dedup_patch(&index.packed, &options.mem, codes, regions);
    stamp_is_alt(&index.bns, &mut regions);
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

/// The seeds that may found a region: chain by chain, the best seed first, of equal ones the later in the chain. Left out
/// are those that are certain to be absorbed.
fn extension_order(chains: &[MemChain]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let mut order: Vec<usize> = Vec::new();
    for (chain, MemChain { seeds, .. }) in chains.iter().enumerate() {
        order.clear();
        order.extend(0..seeds.len());
        order.sort_unstable_by_key(|&number| std::cmp::Reverse((seeds[number].score as u32, number)));
        let own = order.iter().filter(|&&number| !is_shadowed(seeds, number));
        candidates.extend(own.map(|&number| Candidate {
            chain,
            number,
            seed: seeds[number],
            extension: None,
            stands_in: false,
        }));
    }
    candidates
}

pub(crate) fn plain_seed(seed: &MemSeed) -> Seed {
    Seed { query_start: seed.qbeg, length: seed.len, reference_start: seed.rbeg, occurrences: 0 }
}

fn region(founding: &MemSeed, extension: &SeedExtension, chain: &MemChain) -> MemAlnReg {
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
        seedlen0: founding.len,
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
        index.packed.prefetch_pac(start, start + reads[read].len() as i64);
    }
}
