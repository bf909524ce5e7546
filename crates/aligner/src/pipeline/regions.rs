//! From reads to their regions: seeds, gates, chains, extension, batch by batch.

use bwa_mem4_chain::{MemChain, build_chains_from_resolved, mem_chain_flt};
use bwa_mem4_mem::seedflt::mem_flt_chained_seeds;
use rayon::prelude::*;

use super::Aligner;
use crate::gates::{ExtensionGate, GateBatch};
use crate::observe::{Observer, Seed};
use crate::stages::containment::Candidate;
use crate::stages::packed_regions::PackedRegions;
use crate::stages::regions::{candidates, deduplicate, extend_chains, plain_seed};
use crate::stages::repeated_reads::RepeatedReads;
use crate::stages::seeding::{Match, SeededReads, find_matches, runs_of_reads, seeds_of_matches};
use crate::{AlignerError, FilterStatistics, Gate, Stage, Statistics};

/// Reads of all workers whose intermediate results are in memory at once.
const READS_IN_FLIGHT: usize = 4_096;
/// Reads that a worker takes at least: enough to hide the latency of the FM-index, and to fill the filter's batches.
const MIN_READS_PER_BATCH: usize = 512;
/// Reads that are seeded at a time, an even number: a low-complexity read has thousands of matches.
const READS_SEEDED_TOGETHER: usize = 512;
/// Seeds of all workers that are chained and extended at once: some hundred bytes each with what is made of them. Reads of
/// ordinary sequence stay below it; those of low-complexity repeats have thousands each, and would otherwise need gigabytes.
const SEEDS_IN_FLIGHT: u64 = 1 << 16;
/// Seeds of one worker that are, at least: enough to fill the kernels' lanes and the filter's batches.
const MIN_SEEDS_AT_ONCE: u64 = 1 << 14;

/// What the batches of a chunk have in common.
#[derive(Clone, Copy)]
pub(crate) struct ChunkFacts {
    /// Whether reads 2p and 2p + 1 are mates.
    paired: bool,
    /// Reads of the whole chunk.
    reads: usize,
}

/// What the stages up to the regions give for some reads.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) regions: Vec<PackedRegions>,
    pub(super) statistics: Statistics,
    /// Reads over the limit, by their number in the run, and how many seeds they have.
    pub(super) capped: Vec<(u64, u64)>,
}

impl Batch {
    fn append(&mut self, mut other: Self) {
        self.regions.append(&mut other.regions);
        self.statistics.add(&other.statistics);
        self.capped.append(&mut other.capped);
    }

    /// From the reads that repeat none to all of them, the first of which has the number `first` in the run.
    fn repeat(&mut self, repeated: &RepeatedReads, first: u64) {
        let mut capped = vec![None; self.regions.len()];
        self.capped.iter().for_each(|&(read, seeds)| capped[read as usize] = Some(seeds));
        let numbered = repeated.for_all(capped).into_iter().zip(first..);
        self.capped = numbered.filter_map(|(seeds, read)| Some((read, seeds?))).collect();
        self.regions = repeated.for_all(std::mem::take(&mut self.regions));
        let repeats = repeated.repeats() as u64;
        self.statistics.reads += repeats;
        self.statistics.reads_repeated += repeats;
        self.statistics.reads_capped = self.capped.len() as u64;
    }
}

impl Aligner<'_> {
    /// Regions of all reads, deduplicated, before mate rescue. Where `paired`, reads 2p and 2p + 1 are mates.
    pub(crate) fn regions(
        &self,
        codes: &[Vec<u8>],
        paired: bool,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<Batch, AlignerError> {
        let of_all = |paired| ChunkFacts { paired, reads: codes.len() };
        // An observer is to see every read. Gates look at mates together, the stages themselves at single reads.
        if observer.wants_traces() {
            let reads: Vec<&[u8]> = codes.iter().map(Vec::as_slice).collect();
            return self.regions_in_batches(&reads, of_all(paired), first, observer);
        }
        let paired = paired && (self.gates.seeds.is_some() || self.gates.extensions.is_some());
        let mut looking = Statistics::default();
        let repeated = looking.time(Stage::Seeding, || RepeatedReads::find(codes, if paired { 2 } else { 1 }));
        let numbers = repeated.distinct();
        let reads: Vec<&[u8]> = numbers.iter().map(|&number| codes[number].as_slice()).collect();
        let mut batch = self.regions_in_batches(&reads, of_all(paired), 0, observer)?;
        batch.repeat(&repeated, first);
        batch.statistics.add(&looking);
        Ok(batch)
    }

    /// Regions of reads, in batches spread over the threads.
    fn regions_in_batches(
        &self,
        reads: &[&[u8]],
        chunk: ChunkFacts,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<Batch, AlignerError> {
        let workers = rayon::current_num_threads().max(1);
        let most = (READS_IN_FLIGHT / workers).max(MIN_READS_PER_BATCH);
        let batch_size = reads.len().div_ceil(workers).clamp(1, most).next_multiple_of(2); // mates stay together
        let batches: Vec<Batch> = reads
            .par_chunks(batch_size)
            .enumerate()
            .map(|(number, reads)| self.batch_regions(reads, chunk, first + (number * batch_size) as u64, observer))
            .collect::<Result<_, _>>()?;
        let mut all = Batch { regions: Vec::with_capacity(reads.len()), ..Batch::default() };
        batches.into_iter().for_each(|batch| all.append(batch));
        Ok(all)
    }

    /// One worker's batch. Matches are found for a few hundred reads at a time; the other stages take all reads of the batch, in
    /// parts where there are many seeds.
    fn batch_regions(
        &self,
        reads: &[&[u8]],
        chunk: ChunkFacts,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<Batch, AlignerError> {
        let mem = &self.options.mem;
        let workers = rayon::current_num_threads().max(1) as u64;
        let at_once = (SEEDS_IN_FLIGHT / workers).max(MIN_SEEDS_AT_ONCE);
        let mut batch = Batch { regions: Vec::with_capacity(reads.len()), ..Batch::default() };
        batch.statistics.reads = reads.len() as u64;
        // Matches that wait for more of them, and how many seeds each read has.
        let (mut matches, mut seeds): (Vec<Vec<Match>>, Vec<u64>) = (Vec::new(), Vec::new());
        for group in reads.chunks(READS_SEEDED_TOGETHER) {
            // What one place on an ALT contig explains still has to be looked for on the primary assembly.
            let gate = self.gates.seeding.as_deref().filter(|_| !self.index.has_alt());
            let mut found = batch.statistics.time(Stage::Seeding, || find_matches(self.index, mem, gate, group));
            matches.append(&mut found.of_reads);
            batch.statistics.filter.reads_explained += found.first_round_enough;
            for of_read in &matches[seeds.len()..] {
                let found = seeds_of_matches(mem.max_occ, of_read);
                let most = self.options.max_seeds_per_read.unwrap_or(u64::MAX);
                if found > most {
                    batch.capped.push((first + (batch.regions.len() + seeds.len()) as u64, found));
                }
                seeds.push(found.min(most));
            }
            let is_last = batch.regions.len() + seeds.len() == reads.len();
            if !is_last && seeds.iter().sum::<u64>() < at_once {
                continue;
            }
            for run in runs_of_reads(&seeds, chunk.paired, at_once) {
                let start = batch.regions.len();
                let of_reads = &reads[start..start + run.len()];
                let of_run = &matches[run];
                batch.append(self.regions_of_matches(of_run, of_reads, chunk, first + start as u64, observer)?);
            }
            matches.clear();
            seeds.clear();
        }
        batch.statistics.reads_capped = batch.capped.len() as u64;
        Ok(batch)
    }

    /// From the matches of some reads to their regions: seeds, gate, chains, extension.
    fn regions_of_matches(
        &self,
        matches: &[Vec<Match>],
        reads: &[&[u8]],
        chunk: ChunkFacts,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<Batch, AlignerError> {
        let (index, options) = (self.index, self.options);
        let mut statistics = Statistics::default();
        let mut seeded = statistics
            .time(Stage::Locating, || SeededReads::locate(index, &options.mem, options.max_seeds_per_read, matches));
        statistics.seeds = seeded.len() as u64;

        let watched: Option<Vec<Vec<(Seed, u8)>>> = observer.wants_traces().then(|| {
            let seeds = |read: usize| seeded.seeds_of(read).zip(seeded.rounds_of(read)).collect();
            (0..reads.len()).map(seeds).collect()
        });
        let mut keep = None;
        if let Some(gate) = &self.gates.seeds {
            let decisions = statistics.time_gate(Gate::Seeds, |statistics| {
                let mut seeds = Vec::with_capacity(seeded.len());
                (0..reads.len()).for_each(|read| seeds.extend(seeded.seeds_of(read)));
                let offsets = seeded.offsets();
                let ChunkFacts { paired, reads: chunk_reads } = chunk;
                let seeds = seeds.as_slice();
                let batch = GateBatch { index, options, reads, paired, chunk_reads, offsets, seeds, chains: &[] };
                let mut decisions = vec![true; seeds.len()];
                statistics.filter.add(&gate.retain(&batch, &mut decisions)?);
                if decisions.contains(&false) {
                    seeded.retain(&decisions);
                }
                Ok::<_, AlignerError>(decisions)
            })?;
            keep = Some(decisions);
        }
        statistics.seeds_kept = seeded.len() as u64;

        let chains: Vec<Vec<MemChain>> = statistics.time(Stage::Chaining, || {
            reads.iter().enumerate().map(|(read, codes)| self.chains(&seeded, read, codes)).collect()
        });
        statistics.chains = chains.iter().map(|of_read| of_read.len() as u64).sum();

        let mut candidates = candidates(&chains);
        if let Some(gate) = &self.gates.extensions {
            statistics.time_gate(Gate::Extensions, |statistics| {
                let counts = self.put_stand_ins(gate.as_ref(), reads, chunk, &seeded, &mut candidates)?;
                statistics.filter.add(&counts);
                Ok::<_, AlignerError>(())
            })?;
        }
        let extended = statistics
            .time(Stage::Extension, || extend_chains(index, options, reads, &chains, candidates, self.gates.proofs));
        let is_extended = |candidate: &&Candidate| candidate.is_extended();
        statistics.extensions = extended.candidates.iter().flatten().filter(is_extended).count() as u64;
        statistics.proven_extensions = extended.proven;
        statistics.filter.proven = extended.isolated;
        if let Some(watched) = watched {
            self.show_seeds(observer, first, reads, &watched, keep.as_deref(), &chains, &extended.candidates);
        }
        let regions: Vec<PackedRegions> = statistics.time_counting(Stage::Extension, |statistics| {
            let of_reads = extended.regions.into_iter().zip(reads);
            let packed = of_reads.map(|(regions, codes)| {
                let regions = deduplicate(index, options, codes, regions);
                statistics.regions += regions.len() as u64;
                PackedRegions::new(regions)
            });
            packed.collect()
        });
        Ok(Batch { regions, statistics, capped: Vec::new() })
    }

    /// Asks the extension gate, and puts its stand-ins where they belong.
    fn put_stand_ins(
        &self,
        gate: &dyn ExtensionGate,
        reads: &[&[u8]],
        chunk: ChunkFacts,
        seeded: &SeededReads,
        candidates: &mut [Vec<Candidate>],
    ) -> Result<FilterStatistics, AlignerError> {
        let (index, options) = (self.index, self.options);
        let mut offsets = vec![0];
        let count = candidates.iter().map(Vec::len).sum();
        let (mut seeds, mut chains) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (read, of_read) in candidates.iter().enumerate() {
            chains.extend(of_read.iter().map(|candidate| candidate.chain as u32));
            seeds.extend(of_read.iter().map(|candidate| {
                let seed = plain_seed(&candidate.seed);
                Seed { occurrences: seeded.occurrences(read, &seed), ..seed }
            }));
            offsets.push(seeds.len());
        }
        let mut stand_ins = vec![None; seeds.len()];
        let ChunkFacts { paired, reads: chunk_reads } = chunk;
        let (offsets, seeds, chains) = (offsets.as_slice(), seeds.as_slice(), chains.as_slice());
        let batch = GateBatch { index, options, reads, paired, chunk_reads, offsets, seeds, chains };
        let counts = gate.stand_ins(&batch, &mut stand_ins)?;
        for (candidate, stand_in) in candidates.iter_mut().flatten().zip(stand_ins) {
            candidate.stands_in = stand_in.is_some();
            candidate.extension = stand_in;
        }
        Ok(counts)
    }

    /// The chains of one read that survive the chain filter.
    pub(crate) fn chains(&self, seeded: &SeededReads, read: usize, codes: &[u8]) -> Vec<MemChain> {
        let (smems, counts, starts) = seeded.for_chaining(read);
        let bns = &self.index.bns;
        let all = build_chains_from_resolved(bns, &self.options.mem, codes, 0, smems, counts, starts);
        let mut chains = mem_chain_flt(&self.options.mem, all);
        mem_flt_chained_seeds(&self.index.packed, bns, &self.options.mem, codes, &mut chains);
        chains
    }
}
