//! Each stage of the batched pipeline against the stage crates' own functions for one read.

use std::sync::Arc;

use bwa_mem4_chain::{build_chains, mem_chain_flt};
use bwa_mem4_mem::{align_read_dedup, seedflt::mem_flt_chained_seeds};
use bwa_seed::mem_collect_smem;
use seedsieve_encoding::{AMBIGUOUS, DOWNSTREAM, PACKED_SEED_BYTES, UPSTREAM, WINDOW_SIZE, window_codes};
use seedsieve_simulate::{GenomeOptions, ReadOptions};

use crate::fastq::{Chunk, FastqReader, ReadSource};
use crate::observe::{NoObserver, Observer, Seed, SeedTrace};
use crate::stages::seeding::SeededReads;
use crate::{
    AlignOptions, Aligner, ComputeContext, ExtensionGate, Gates, ReferenceIndex, RescueGate, SeedGate, build_index,
};

/// An index of a synthetic genome, and the base codes of reads with many errors.
struct Fixture {
    _folder: tempfile::TempDir,
    index: ReferenceIndex,
    reads: Vec<Vec<u8>>,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let genome = GenomeOptions { size: 120_000, contigs: 3, ..GenomeOptions::default() };
    let reads = ReadOptions {
        pairs: 400,
        error_rate: 10_000,
        snp_rate: 20_000,
        foreign_rate: 100_000,
        ..ReadOptions::default()
    };
    let files = seedsieve_simulate::write_data_set(folder.path(), &genome, &reads).unwrap();
    build_index(&files.genome, &files.genome).unwrap();
    let codes = |path: &std::path::Path| match ReadSource::Single(FastqReader::open(path).unwrap()).next_chunk(u64::MAX)
    {
        Ok(Chunk::Single(reads)) => reads.iter().map(crate::Read::codes).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    Fixture { index: ReferenceIndex::load(&files.genome).unwrap(), reads: codes(&files.first_reads), _folder: folder }
}

fn settings() -> [AlignOptions; 2] {
    let sensitive = |options: &mut AlignOptions| {
        options.mem.min_seed_len = 12;
        options.mem.max_occ = 60;
    };
    let mut settings = [AlignOptions::default(), AlignOptions::default()];
    sensitive(&mut settings[1]);
    settings
}

#[test]
fn smems_are_those_of_single_reads() {
    let Fixture { index, reads, .. } = fixture();
    let slices: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    for options in settings() {
        let batched = SeededReads::find(&index, &options.mem, &slices);
        for (read, smems) in reads.iter().zip(&batched.smems) {
            let alone = mem_collect_smem(&index.fm, read, &options.mem);
            let interval = |smem: &bwa_index::Smem| (smem.m, smem.n, smem.k, smem.l, smem.s);
            assert_eq!(smems.iter().map(interval).collect::<Vec<_>>(), alone.iter().map(interval).collect::<Vec<_>>());
        }
    }
}

#[test]
fn chains_are_those_of_single_reads() {
    let Fixture { index, reads, .. } = fixture();
    let slices: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let context = ComputeContext::unfiltered();
    for options in settings() {
        let aligner = Aligner::new(&index, &options, &context);
        let mut seeded = SeededReads::find(&index, &options.mem, &slices);
        seeded.locate(&index, &options.mem);
        let mut compared = 0;
        for (number, read) in reads.iter().enumerate() {
            let mut alone = mem_chain_flt(&options.mem, build_chains(&index.fm, &index.bns, &options.mem, read, 0));
            mem_flt_chained_seeds(&index.fm, &index.bns, &options.mem, read, &mut alone);
            let batched = aligner.chains(&seeded, number, read);
            assert_eq!(format!("{batched:?}"), format!("{alone:?}"), "read {number}");
            compared += alone.len();
        }
        assert!(compared > 300, "{compared} chains");
    }
}

#[test]
fn regions_are_those_of_single_reads_extended_by_the_scalar_kernel() {
    let Fixture { index, reads, .. } = fixture();
    let context = ComputeContext::unfiltered();
    for options in settings() {
        let batched = Aligner::new(&index, &options, &context).regions(&reads, false, 0, &NoObserver).unwrap();
        let mut compared = 0;
        for (number, (read, regions)) in reads.iter().zip(&batched.regions).enumerate() {
            let alone = align_read_dedup(&index.fm, &index.bns, &options.mem, read);
            assert_eq!(format!("{regions:?}"), format!("{alone:?}"), "read {number}");
            compared += alone.len();
        }
        assert!(compared > 300, "{compared} regions");
    }
}

/// Keeps the traces of all reads.
#[derive(Default)]
struct Recorder(std::sync::Mutex<Vec<(u64, Vec<SeedTrace>)>>);

impl Observer for Recorder {
    fn wants_traces(&self) -> bool {
        true
    }

    fn seeds(&self, read: u64, _codes: &[u8], seeds: Vec<SeedTrace>) {
        self.0.lock().unwrap().push((read, seeds));
    }
}

#[test]
fn the_observer_sees_every_seed_with_its_extension() {
    let Fixture { index, reads, .. } = fixture();
    let (context, options) = (ComputeContext::unfiltered(), AlignOptions::default());
    let aligner = Aligner::new(&index, &options, &context);
    let recorder = Recorder::default();
    let batch = aligner.regions(&reads, false, 0, &recorder).unwrap();
    let mut traces = recorder.0.into_inner().unwrap();
    traces.sort_by_key(|(read, _)| *read);
    assert_eq!(traces.len(), reads.len());
    let slices: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let mut extended_to_a_region = 0;
    for (read, seeds) in &traces {
        let of_read: Vec<(usize, Seed)> = seeds.iter().map(|trace| (*read as usize, trace.seed)).collect();
        let extensions = aligner.extend_seeds(&slices, &of_read);
        for (trace, extension) in seeds.iter().zip(&extensions) {
            assert!(trace.kept_by_gate);
            assert!(!trace.extended || trace.chain.is_some());
            assert!(extension.score >= trace.ungapped_score.min(trace.seed.length), "{trace:?} {extension:?}");
            let regions = &batch.regions[*read as usize];
            let founded = |region: &&bwa_mem4_mem::MemAlnReg| {
                (region.rb, region.re, region.qb, region.qe)
                    == (extension.reference_start, extension.reference_end, extension.query_start, extension.query_end)
            };
            if trace.extended && regions.iter().any(|region| founded(&region) && region.score == extension.score) {
                extended_to_a_region += 1;
            }
        }
    }
    assert!(extended_to_a_region > 300, "{extended_to_a_region} seeds whose own extension is a region");
}

/// An index of three short contigs with runs of N, and their base codes.
fn genome_with_gaps() -> (tempfile::TempDir, ReferenceIndex, Vec<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = seedsieve_simulate::Random::new(11, 0);
    let mut contig = |length: usize, gaps: &[(usize, usize)]| {
        let mut codes: Vec<u8> = (0..length).map(|_| random.below(4) as u8).collect();
        gaps.iter().for_each(|&(from, to)| codes[from..to].fill(AMBIGUOUS));
        codes
    };
    let contigs =
        vec![contig(900, &[(0, 3), (200, 260), (261, 262)]), contig(500, &[(498, 500)]), contig(701, &[(100, 101)])];
    let mut fasta = String::new();
    for (number, codes) in contigs.iter().enumerate() {
        let bases: String = codes.iter().map(|&code| char::from(b"ACGTN"[usize::from(code)])).collect();
        fasta += &format!(">contig{number}\n{bases}\n");
    }
    let path = folder.path().join("genome.fa");
    std::fs::write(&path, fasta).unwrap();
    build_index(&path, &path).unwrap();
    let index = ReferenceIndex::load(&path).unwrap();
    (folder, index, contigs)
}

#[test]
fn windows_hold_the_reference_on_both_strands_and_stop_at_the_contig() {
    let (_folder, index, contigs) = genome_with_gaps();
    let length = 20;
    let read = vec![0; 150];
    let mut offset = 0;
    for (number, contig) in contigs.iter().enumerate() {
        let reverse_complement: Vec<u8> = contig.iter().rev().map(|&c| if c < 4 { 3 - c } else { c }).collect();
        for start in 0..=contig.len() - length {
            for reverse in [false, true] {
                let forward = offset + start as i64;
                let reference_start = if reverse { 2 * index.length() - forward - length as i64 } else { forward };
                assert_eq!(index.locate(reference_start, length), (number, start as u64, reverse));
                let seed = Seed { query_start: 60, length: length as i32, reference_start, occurrences: 1 };
                let mut packed = [0; PACKED_SEED_BYTES];
                index.encode_seed(&read, &seed, &mut packed);
                let (strand, start) =
                    if reverse { (&reverse_complement, contig.len() - start - length) } else { (contig, start) };
                for (position, code) in window_codes(&packed[WINDOW_SIZE / 2..]).into_iter().enumerate() {
                    let shown = position < UPSTREAM + length + DOWNSTREAM;
                    let at = (start + position).checked_sub(UPSTREAM).filter(|_| shown);
                    let expected = at.and_then(|at| strand.get(at)).copied().unwrap_or(AMBIGUOUS);
                    assert_eq!(code, expected, "contig {number}, {start}, reverse {reverse}, position {position}");
                }
            }
        }
        offset += contig.len() as i64;
    }
}

/// Gates that ask for nothing.
struct Passive;

impl SeedGate for Passive {}
impl ExtensionGate for Passive {}
impl RescueGate for Passive {}

#[test]
fn gates_that_ask_for_nothing_change_no_byte() {
    let Fixture { index, reads, .. } = fixture();
    let bases = |codes: &[u8]| codes.iter().map(|&code| b"ACGTN"[usize::from(code)]).collect::<Vec<u8>>();
    let read =
        |name: usize, codes: &[u8]| crate::Read { name: name.to_string(), bases: bases(codes), ..Default::default() };
    // Mates are the other end of fragments of several lengths; half of them are too short for a seed, so that only rescue
    // finds them.
    let pairs: Vec<[crate::Read; 2]> = reads
        .iter()
        .enumerate()
        .map(|(number, codes)| {
            let fragment = &codes[..codes.len() - 8 * (number % 9)];
            let mate: Vec<u8> = fragment.iter().rev().map(|&code| if code < 4 { 3 - code } else { 4 }).collect();
            let bases = if number.is_multiple_of(2) { mate.len() } else { 17 };
            [read(number, fragment), read(number, &mate[..bases])]
        })
        .collect();
    let mut options = AlignOptions::default();
    options.mem.t = 15;
    options.mem.max_ins = 10_000;
    let gates =
        Gates { seeds: Some(Arc::new(Passive)), extensions: Some(Arc::new(Passive)), rescue: Some(Arc::new(Passive)) };
    let context = ComputeContext::unfiltered();
    let run = |aligner: Aligner<'_>| {
        let chunk = aligner.align_pairs(&pairs, 0, &NoObserver).unwrap();
        (String::from_utf8(chunk.sam.concat()).unwrap(), chunk.statistics.filter.rescues_in)
    };
    let (without, _) = run(Aligner::new(&index, &options, &context));
    let (with, searches) = run(Aligner::with_gates(&index, &options, gates));
    assert_eq!(with, without);
    assert!(searches > 100, "{searches} searches for mates");
}
