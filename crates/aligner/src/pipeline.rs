//! The stages in their order, over a chunk of reads.

use std::time::Duration;

use bwa_mem4_chain::{MemChain, build_chains_from_resolved, mem_chain_flt};
use bwa_mem4_core::opt::flags;
use bwa_mem4_mem::{
    MemAlnReg, PairRescueData, batch_mate_rescue, mem_pestat, mem_sam_pe, seedflt::mem_flt_chained_seeds,
};
use rayon::prelude::*;

use crate::cpu_time::thread_cpu_time;
use crate::gates::{ExtensionGate, GateBatch, Gates};
use crate::observe::{Observer, Seed};
use crate::sam::single_end_records;
use crate::stages::containment::Candidate;
use crate::stages::regions::{candidates, deduplicate, extend_chains, plain_seed};
use crate::stages::repeated_reads::RepeatedReads;
use crate::stages::rescue::rescue_mates;
use crate::stages::seeding::{Match, SeededReads, find_matches, runs_of_reads, seeds_of_matches};
use crate::trace::{trace_regions, trace_seeds};
use crate::{
    AlignOptions, AlignerError, ComputeContext, FilterStatistics, Gate, Read, ReferenceIndex, Stage, Statistics,
};

/// Reads of all workers whose intermediate results are in memory at once.
const READS_IN_FLIGHT: usize = 4_096;
/// Reads that a worker takes at least: enough to hide the latency of the FM-index, and to fill the filter's batches.
const MIN_READS_PER_BATCH: usize = 512;
/// Reads that are seeded at a time, an even number: a low-complexity read has thousands of matches.
const READS_SEEDED_TOGETHER: usize = 512;
/// Seeds of all workers that are chained and extended at once. Reads of ordinary sequence stay below it; those of
/// low-complexity repeats have thousands each, and would otherwise need gigabytes.
const SEEDS_IN_FLIGHT: u64 = 1 << 18;
/// Pairs that a worker rescues at least in one batch.
const MIN_PAIRS_PER_RESCUE: usize = 256;

/// Aligns reads to one reference with one set of options. Runs on the current rayon thread pool.
pub struct Aligner<'a> {
    pub(crate) index: &'a ReferenceIndex,
    pub(crate) options: &'a AlignOptions,
    gates: Gates,
}

/// Alignments of a chunk of reads.
#[derive(Debug)]
pub struct ChunkOutput {
    /// SAM records as text, one element a read (or a pair), in the order of the input.
    pub sam: Vec<Vec<u8>>,
    /// Counts and times.
    pub statistics: Statistics,
    /// Reads that had more seeds than [`AlignOptions::max_seeds_per_read`] allows, in the order of the input.
    pub capped: Vec<CappedRead>,
}

/// A read of which not all seeds were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappedRead {
    /// 0-based number in the run; pair p has the reads 2p and 2p + 1.
    pub read: u64,
    /// Its name.
    pub name: String,
    /// Seeds that it has.
    pub seeds: u64,
}

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
    pub(crate) regions: Vec<Vec<MemAlnReg>>,
    statistics: Statistics,
    /// Reads over the limit, by their number in the run, and how many seeds they have.
    capped: Vec<(u64, u64)>,
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

impl<'a> Aligner<'a> {
    /// An aligner whose seeds are filtered where `context` says so. Under -a (all alignments are wanted) they never are.
    pub fn new(index: &'a ReferenceIndex, options: &'a AlignOptions, context: &'a ComputeContext) -> Self {
        Self::with_gates(index, options, Gates::new(options, context))
    }

    /// An aligner with these gates, whatever the options say.
    pub fn with_gates(index: &'a ReferenceIndex, options: &'a AlignOptions, gates: Gates) -> Self {
        Self { index, options, gates }
    }

    /// The options that it aligns with.
    #[must_use]
    pub fn options(&self) -> &AlignOptions {
        self.options
    }

    /// Aligns single reads; `first` is the number of the first of them in the run (bwa breaks ties with it).
    ///
    /// # Errors
    /// Whatever the filter's backend reports.
    pub fn align_single(
        &self,
        reads: &[Read],
        first: u64,
        observer: &dyn Observer,
    ) -> Result<ChunkOutput, AlignerError> {
        let codes: Vec<Vec<u8>> = reads.par_iter().map(Read::codes).collect();
        let Batch { regions, mut statistics, capped } = self.regions(&codes, false, first, observer)?;
        let records: Vec<(Vec<u8>, Duration)> = (reads, &codes, regions)
            .into_par_iter()
            .enumerate()
            .map(|(number, (read, codes, mut regions))| {
                let id = first + number as u64;
                let mut statistics = Statistics::default();
                let records = statistics.time(Stage::Output, || {
                    single_end_records(self.index, self.options, read, codes, &mut regions, id)
                });
                self.show_regions(observer, id, &regions);
                (records, statistics.cpu_time(Stage::Output))
            })
            .collect();
        let sam = collect_records(records, &mut statistics);
        let name = |read: u64| reads[(read - first) as usize].name.clone();
        Ok(ChunkOutput { sam, statistics, capped: named(&capped, name) })
    }

    /// Aligns pairs; `first` is the number of the first pair in the run. The insert size is measured on this chunk, as in
    /// bwa, so the chunk's size is part of the result.
    ///
    /// # Errors
    /// Whatever the filter's backend reports.
    pub fn align_pairs(
        &self,
        pairs: &[[Read; 2]],
        first: u64,
        observer: &dyn Observer,
    ) -> Result<ChunkOutput, AlignerError> {
        let codes: Vec<Vec<u8>> = pairs.as_flattened().par_iter().map(Read::codes).collect();
        let Batch { mut regions, mut statistics, capped } = self.regions(&codes, true, 2 * first, observer)?;
        let (index, options) = (self.index, &self.options.mem);
        let all: Vec<&[MemAlnReg]> = regions.iter().map(Vec::as_slice).collect();
        let insert_size = self.options.insert_size.unwrap_or_else(|| mem_pestat(options, index.bns.l_pac, &all));
        if options.flag & flags::NO_RESCUE == 0 {
            if observer.wants_traces() {
                self.show_anchors(observer, 2 * first, &regions);
            }
            statistics.add(&self.rescue_mates(&codes, &mut regions, &insert_size));
        }
        // Records wait for those of the whole chunk, so that they take no more memory than they have bytes.
        let records: Vec<(Vec<u8>, Duration)> = pairs
            .par_iter()
            .zip(codes.par_chunks_exact(2))
            .zip(regions.par_chunks_exact_mut(2))
            .enumerate()
            .map_init(Vec::new, |records, (number, (([one, two], codes), regions))| {
                let id = first + number as u64;
                let [first_regions, second_regions] = regions else { unreachable!("chunks of two") };
                let mut statistics = Statistics::default();
                records.clear();
                let written = statistics.time(Stage::Output, || {
                    mem_sam_pe(
                        &index.fm,
                        &index.bns,
                        options,
                        &insert_size,
                        id,
                        &[&one.name, &two.name],
                        &[&codes[0], &codes[1]],
                        &[one.qualities.as_deref(), two.qualities.as_deref()],
                        &[one.comment.as_deref(), two.comment.as_deref()],
                        first_regions,
                        second_regions,
                        true,
                        records,
                    )
                });
                written.expect("a Vec takes every write");
                self.show_regions(observer, 2 * id, first_regions);
                self.show_regions(observer, 2 * id + 1, second_regions);
                // The records of the pairs to come take the place of these.
                (*first_regions, *second_regions) = Default::default();
                (records.as_slice().to_vec(), statistics.cpu_time(Stage::Output))
            })
            .collect();
        let sam = collect_records(records, &mut statistics);
        let name = |read: u64| pairs.as_flattened()[(read - 2 * first) as usize].name.clone();
        Ok(ChunkOutput { sam, statistics, capped: named(&capped, name) })
    }

    fn is_worth_rescue(&self, regions: &[Vec<MemAlnReg>]) -> bool {
        self.gates.rescue.as_ref().is_none_or(|gate| {
            let best = [0, 1].map(|read| regions[read].first().map(|best| best.score));
            gate.is_worth_rescue(best, self.options.mem.t)
        })
    }

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
        let at_once = (SEEDS_IN_FLIGHT / rayon::current_num_threads().max(1) as u64).max(1);
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
                let seeds: Vec<Seed> = (0..reads.len()).flat_map(|read| seeded.seeds_of(read)).collect();
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
        let mut extended = statistics
            .time(Stage::Extension, || extend_chains(index, options, reads, &chains, candidates, self.gates.proofs));
        let is_extended = |candidate: &&Candidate| candidate.is_extended();
        statistics.extensions = extended.candidates.iter().flatten().filter(is_extended).count() as u64;
        statistics.proven_extensions = extended.proven;
        statistics.filter.proven = extended.isolated;
        if let Some(watched) = watched {
            self.show_seeds(observer, first, reads, &watched, keep.as_deref(), &chains, &extended.candidates);
        }
        statistics.time(Stage::Extension, || {
            for (regions, codes) in extended.regions.iter_mut().zip(reads) {
                *regions = deduplicate(index, options, codes, std::mem::take(regions));
            }
        });
        statistics.regions = extended.regions.iter().map(|of_read| of_read.len() as u64).sum();
        Ok(Batch { regions: extended.regions, statistics, capped: Vec::new() })
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
        let (mut seeds, mut chains) = (Vec::new(), Vec::new());
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
        mem_flt_chained_seeds(&self.index.fm, bns, &self.options.mem, codes, &mut chains);
        chains
    }

    /// Looks for the mates of well-placed reads where the insert size expects them.
    fn rescue_mates(
        &self,
        codes: &[Vec<u8>],
        regions: &mut [Vec<MemAlnReg>],
        insert_size: &[bwa_mem4_mem::PeStat; 4],
    ) -> Statistics {
        let started = thread_cpu_time();
        let is_worth: Vec<bool> = regions.chunks_exact(2).map(|regions| self.is_worth_rescue(regions)).collect();
        let deciding = thread_cpu_time() - started;
        let mut pairs: Vec<PairRescueData<'_>> = codes
            .chunks_exact(2)
            .zip(regions.chunks_exact_mut(2))
            .zip(&is_worth)
            .filter(|(_, is_worth)| **is_worth)
            .map(|((codes, regions), _)| {
                let [a0, a1] = regions else { unreachable!("chunks of two") };
                PairRescueData { seq0: &codes[0], seq1: &codes[1], a0, a1 }
            })
            .collect();
        let batch_size = pairs.len().div_ceil(2 * rayon::current_num_threads().max(1)).max(MIN_PAIRS_PER_RESCUE);
        let mut all = pairs
            .par_chunks_mut(batch_size)
            .map(|batch| {
                let mut statistics = Statistics::default();
                statistics.time_counting(Stage::Rescue, |statistics| match &self.gates.rescue {
                    None => batch_mate_rescue(&self.index.fm, &self.index.bns, &self.options.mem, insert_size, batch),
                    Some(gate) => {
                        let counts = rescue_mates(self.index, self.options, insert_size, gate.as_ref(), batch);
                        statistics.filter.add(&counts);
                    }
                });
                statistics
            })
            .reduce(Statistics::default, |mut sum, part| {
                sum.add(&part);
                sum
            });
        if self.gates.rescue.is_some() {
            all.filter.pairs_in += is_worth.len() as u64;
            all.filter.pairs_not_rescued += is_worth.iter().filter(|is_worth| !**is_worth).count() as u64;
            all.gates[Gate::Rescue as usize] += deciding;
            all.cpu[Stage::Rescue as usize] += deciding;
        }
        all
    }

    #[allow(clippy::too_many_arguments)] // one call, and a type for it would only repeat the names
    fn show_seeds(
        &self,
        observer: &dyn Observer,
        first: u64,
        reads: &[&[u8]],
        seeds: &[Vec<(Seed, u8)>],
        keep: Option<&[bool]>,
        chains: &[Vec<MemChain>],
        candidates: &[Vec<Candidate>],
    ) {
        let mut seeds_before = 0;
        for (read, codes) in reads.iter().enumerate() {
            let observed = seeds[read].iter().enumerate().map(|(number, (seed, round))| {
                let kept = keep.is_none_or(|keep| keep[seeds_before + number]);
                (*seed, *round, kept)
            });
            let mine = candidates[read].iter().filter(|candidate| candidate.is_extended()).filter_map(|candidate| {
                candidate.extension.map(|extension| (candidate.chain, candidate.number, extension))
            });
            observer.seeds(first + read as u64, codes, trace_seeds(observed, &chains[read], mine));
            seeds_before += seeds[read].len();
        }
    }

    /// The anchors are those of bwa: of the pairs that are rescued at all, the regions near the read's best, up to -m.
    fn show_anchors(&self, observer: &dyn Observer, first: u64, regions: &[Vec<MemAlnReg>]) {
        let options = &self.options.mem;
        for (pair, regions) in regions.chunks_exact(2).enumerate().filter(|(_, pair)| self.is_worth_rescue(pair)) {
            for (mate, regions) in regions.iter().enumerate() {
                let least = regions.first().map_or(0, |best| best.score - options.pen_unpaired);
                let near_best = regions.iter().filter(|region| region.score >= least);
                let anchors: Vec<MemAlnReg> = near_best.take(options.max_matesw.max(0) as usize).cloned().collect();
                observer.rescue_anchors(first + (2 * pair + mate) as u64, trace_regions(&anchors, options.t));
            }
        }
    }

    fn show_regions(&self, observer: &dyn Observer, read: u64, regions: &[MemAlnReg]) {
        if observer.wants_traces() {
            observer.regions(read, trace_regions(regions, self.options.mem.t));
        }
    }
}

fn named(capped: &[(u64, u64)], name: impl Fn(u64) -> String) -> Vec<CappedRead> {
    capped.iter().map(|&(read, seeds)| CappedRead { read, name: name(read), seeds }).collect()
}

fn collect_records(records: Vec<(Vec<u8>, Duration)>, statistics: &mut Statistics) -> Vec<Vec<u8>> {
    records
        .into_iter()
        .map(|(records, output)| {
            statistics.cpu[Stage::Output as usize] += output;
            records
        })
        .collect()
}
