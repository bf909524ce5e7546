//! The stages in their order, over a chunk of reads.

use bwa_mem4_chain::{MemChain, build_chains_from_resolved, mem_chain_flt};
use bwa_mem4_core::opt::flags;
use bwa_mem4_mem::{
    MemAlnReg, PairRescueData, batch_mate_rescue, mem_pestat, mem_sam_pe, seedflt::mem_flt_chained_seeds,
};
use bwa_seed::MemSeed;
use rayon::prelude::*;

use crate::gates::{self, ExtensionGate, GateBatch, Gates};
use crate::observe::{Observer, Seed, SeedExtension};
use crate::sam::single_end_records;
use crate::stages::containment::Candidate;
use crate::stages::extension::ExtensionBatch;
use crate::stages::regions::{candidates, deduplicate, extend_chains, plain_seed, reference_window};
use crate::stages::rescue::rescue_mates;
use crate::stages::seeding::SeededReads;
use crate::trace::{trace_regions, trace_seeds};
use crate::{AlignOptions, AlignerError, ComputeContext, FilterStatistics, Read, ReferenceIndex, Stage, Statistics};

/// Reads of all workers whose intermediate results are in memory at once.
const READS_IN_FLIGHT: usize = 4_096;
/// Reads that a worker takes at least: enough to hide the latency of the FM-index, and to fill the filter's batches.
const MIN_READS_PER_BATCH: usize = 512;
/// Pairs that a worker rescues at least in one batch.
const MIN_PAIRS_PER_RESCUE: usize = 256;

/// Aligns reads to one reference with one set of options. Runs on the current rayon thread pool.
pub struct Aligner<'a> {
    index: &'a ReferenceIndex,
    options: &'a AlignOptions,
    gates: Gates,
}

/// Alignments of a chunk of reads.
#[derive(Debug)]
pub struct ChunkOutput {
    /// SAM records as text, one element a read (or a pair), in the order of the input.
    pub sam: Vec<Vec<u8>>,
    /// Counts and times.
    pub statistics: Statistics,
}

/// What the stages up to the regions give for some reads.
pub(crate) struct Batch {
    pub(crate) regions: Vec<Vec<MemAlnReg>>,
    statistics: Statistics,
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
        let Batch { regions, mut statistics } = self.regions(&codes, false, first, observer)?;
        let records: Vec<(Vec<u8>, Statistics)> = (reads, &codes, regions)
            .into_par_iter()
            .enumerate()
            .map(|(number, (read, codes, mut regions))| {
                let id = first + number as u64;
                let mut statistics = Statistics::default();
                let records = statistics.time(Stage::Output, || {
                    single_end_records(self.index, self.options, read, codes, &mut regions, id)
                });
                self.show_regions(observer, id, &regions);
                (records, statistics)
            })
            .collect();
        let sam = collect_records(records, &mut statistics);
        Ok(ChunkOutput { sam, statistics })
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
        let Batch { mut regions, mut statistics } = self.regions(&codes, true, 2 * first, observer)?;
        let (index, options) = (self.index, &self.options.mem);
        let all: Vec<&[MemAlnReg]> = regions.iter().map(Vec::as_slice).collect();
        let insert_size = self.options.insert_size.unwrap_or_else(|| mem_pestat(options, index.bns.l_pac, &all));
        if options.flag & flags::NO_RESCUE == 0 {
            statistics.add(&self.rescue_mates(&codes, &mut regions, &insert_size));
        }
        let records: Vec<(Vec<u8>, Statistics)> = pairs
            .par_iter()
            .zip(codes.par_chunks_exact(2))
            .zip(regions.par_chunks_exact_mut(2))
            .enumerate()
            .map(|(number, (([one, two], codes), regions))| {
                let id = first + number as u64;
                let [first_regions, second_regions] = regions else { unreachable!("chunks of two") };
                let mut statistics = Statistics::default();
                let mut records = Vec::with_capacity(2 * (one.bases.len() + two.bases.len()) + 512);
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
                        &mut records,
                    )
                });
                written.expect("a Vec takes every write");
                self.show_regions(observer, 2 * id, first_regions);
                self.show_regions(observer, 2 * id + 1, second_regions);
                (records, statistics)
            })
            .collect();
        let sam = collect_records(records, &mut statistics);
        Ok(ChunkOutput { sam, statistics })
    }

    fn is_worth_rescue(&self, regions: &[Vec<MemAlnReg>]) -> bool {
        self.gates.rescue.as_ref().is_none_or(|gate| {
            let best = [0, 1].map(|read| regions[read].first().map(|best| best.score));
            gate.is_worth_rescue(best, self.options.mem.t)
        })
    }

    /// Extends each seed by itself, whether or not the pipeline would. `reads` are base codes; a seed comes with the
    /// number of its read. The results are in the order of `seeds`; a seed across the end of a contig or strand scores 0.
    pub fn extend_seeds(&self, reads: &[&[u8]], seeds: &[(usize, Seed)]) -> Vec<SeedExtension> {
        let mut batch = ExtensionBatch::new(&self.options.mem);
        let mut window = Vec::new();
        let mut number_of = Vec::with_capacity(seeds.len());
        let mut stored_read = None;
        for (read, seed) in seeds {
            if !gates::is_whole(self.index, seed) {
                number_of.push(None);
                continue;
            }
            let codes = reads[*read];
            let stored = match stored_read {
                Some((number, stored)) if number == *read => stored,
                _ => stored_read.insert((*read, batch.store(codes))).1,
            };
            let alone =
                MemSeed { rbeg: seed.reference_start, qbeg: seed.query_start, len: seed.length, score: seed.length };
            let (start, end) = reference_window(self.index, self.options, codes.len() as i32, &[alone]);
            self.index.fm.bases_into(start, end, &mut window);
            let stored_window = batch.store(&window);
            number_of.push(Some(batch.add(*seed, stored, stored_window, start)));
        }
        let extensions = batch.run();
        let unextended = |seed: &Seed| SeedExtension {
            score: 0,
            left_score: 0,
            true_score: 0,
            query_start: seed.query_start,
            query_end: seed.query_start + seed.length,
            reference_start: seed.reference_start,
            reference_end: seed.reference_start + i64::from(seed.length),
            band: 0,
        };
        number_of
            .iter()
            .zip(seeds)
            .map(|(number, (_, seed))| number.map_or_else(|| unextended(seed), |number| extensions[number]))
            .collect()
    }

    /// Regions of all reads, deduplicated, before mate rescue. Where `paired`, reads 2p and 2p + 1 are mates.
    pub(crate) fn regions(
        &self,
        codes: &[Vec<u8>],
        paired: bool,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<Batch, AlignerError> {
        let workers = rayon::current_num_threads().max(1);
        let most = (READS_IN_FLIGHT / workers).max(MIN_READS_PER_BATCH);
        let batch_size = codes.len().div_ceil(workers).clamp(1, most).next_multiple_of(2); // mates stay together
        let batches: Vec<Batch> = codes
            .par_chunks(batch_size)
            .enumerate()
            .map(|(number, codes)| {
                let reads: Vec<&[u8]> = codes.iter().map(Vec::as_slice).collect();
                self.batch_regions(&reads, paired, first + (number * batch_size) as u64, observer)
            })
            .collect::<Result<_, _>>()?;
        let mut all = Batch { regions: Vec::with_capacity(codes.len()), statistics: Statistics::default() };
        for mut batch in batches {
            all.regions.append(&mut batch.regions);
            all.statistics.add(&batch.statistics);
        }
        Ok(all)
    }

    /// One worker's batch: seeds, gate, chains, extension.
    fn batch_regions(
        &self,
        reads: &[&[u8]],
        paired: bool,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<Batch, AlignerError> {
        let (index, options) = (self.index, self.options);
        let mut statistics = Statistics { reads: reads.len() as u64, ..Statistics::default() };
        let mut seeded = statistics.time(Stage::Seeding, || SeededReads::find(index, &options.mem, reads));
        statistics.time(Stage::Locating, || seeded.locate(index, &options.mem));
        statistics.seeds = seeded.len() as u64;

        let watched: Option<Vec<Vec<Seed>>> =
            observer.wants_traces().then(|| (0..reads.len()).map(|read| seeded.seeds_of(read).collect()).collect());
        let mut keep = None;
        if let Some(gate) = &self.gates.seeds {
            let decisions = statistics.time_counting(Stage::Filter, |statistics| {
                let seeds: Vec<Seed> = (0..reads.len()).flat_map(|read| seeded.seeds_of(read)).collect();
                let offsets = seeded.offsets();
                let batch = GateBatch { index, options, reads, paired, offsets, seeds: &seeds, chains: &[] };
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
            statistics.time_counting(Stage::Filter, |statistics| {
                let counts = self.put_stand_ins(gate.as_ref(), reads, paired, &mut candidates)?;
                statistics.filter.add(&counts);
                Ok::<_, AlignerError>(())
            })?;
        }
        let mut extended =
            statistics.time(Stage::Extension, || extend_chains(index, options, reads, &chains, candidates));
        let is_extended = |candidate: &&Candidate| candidate.is_extended();
        statistics.extensions = extended.candidates.iter().flatten().filter(is_extended).count() as u64;
        if let Some(watched) = watched {
            self.show_seeds(observer, first, reads, &watched, keep.as_deref(), &chains, &extended.candidates);
        }
        statistics.time(Stage::Extension, || {
            for (regions, codes) in extended.regions.iter_mut().zip(reads) {
                *regions = deduplicate(index, options, codes, std::mem::take(regions));
            }
        });
        statistics.regions = extended.regions.iter().map(|of_read| of_read.len() as u64).sum();
        Ok(Batch { regions: extended.regions, statistics })
    }

    /// Asks the extension gate, and puts its stand-ins where they belong.
    fn put_stand_ins(
        &self,
        gate: &dyn ExtensionGate,
        reads: &[&[u8]],
        paired: bool,
        candidates: &mut [Vec<Candidate>],
    ) -> Result<FilterStatistics, AlignerError> {
        let (index, options) = (self.index, self.options);
        let mut offsets = vec![0];
        let (mut seeds, mut chains) = (Vec::new(), Vec::new());
        for of_read in &*candidates {
            chains.extend(of_read.iter().map(|candidate| candidate.chain as u32));
            seeds.extend(of_read.iter().map(|candidate| plain_seed(&candidate.seed)));
            offsets.push(seeds.len());
        }
        let mut stand_ins = vec![None; seeds.len()];
        let batch = GateBatch { index, options, reads, paired, offsets: &offsets, seeds: &seeds, chains: &chains };
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
        let mut pairs: Vec<PairRescueData<'_>> = codes
            .chunks_exact(2)
            .zip(regions.chunks_exact_mut(2))
            .filter(|(_, regions)| self.is_worth_rescue(regions))
            .map(|(codes, regions)| {
                let [a0, a1] = regions else { unreachable!("chunks of two") };
                PairRescueData { seq0: &codes[0], seq1: &codes[1], a0, a1 }
            })
            .collect();
        let batch_size = pairs.len().div_ceil(2 * rayon::current_num_threads().max(1)).max(MIN_PAIRS_PER_RESCUE);
        pairs
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
            })
    }

    #[allow(clippy::too_many_arguments)] // one call, and a type for it would only repeat the names
    fn show_seeds(
        &self,
        observer: &dyn Observer,
        first: u64,
        reads: &[&[u8]],
        seeds: &[Vec<Seed>],
        keep: Option<&[bool]>,
        chains: &[Vec<MemChain>],
        candidates: &[Vec<Candidate>],
    ) {
        let mut reference = Vec::new();
        let mut seeds_before = 0;
        for (read, codes) in reads.iter().enumerate() {
            let observed = seeds[read].iter().enumerate().map(|(number, seed)| {
                let kept = keep.is_none_or(|keep| keep[seeds_before + number]);
                (*seed, gates::ungapped(self.index, self.options, codes, seed, &mut reference), kept)
            });
            let extended = candidates[read].iter().filter(|candidate| candidate.is_extended());
            let mine = extended.map(|candidate| (candidate.chain, candidate.number));
            observer.seeds(first + read as u64, codes, trace_seeds(observed, &chains[read], mine));
            seeds_before += seeds[read].len();
        }
    }

    fn show_regions(&self, observer: &dyn Observer, read: u64, regions: &[MemAlnReg]) {
        if observer.wants_traces() {
            observer.regions(read, trace_regions(regions, self.options.mem.t));
        }
    }
}

fn collect_records(records: Vec<(Vec<u8>, Statistics)>, statistics: &mut Statistics) -> Vec<Vec<u8>> {
    records
        .into_iter()
        .map(|(records, part)| {
            statistics.add(&part);
            records
        })
        .collect()
}
