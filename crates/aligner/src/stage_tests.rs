//! Each stage of the batched pipeline against the stage crates' own functions for one read.

use std::sync::Arc;

use bwa_index::FmIndex;
use bwa_mem4_chain::{build_chains, mem_chain_flt};
use bwa_mem4_mem::{align_read_dedup, seedflt::mem_flt_chained_seeds};
use seedsieve_encoding::{AMBIGUOUS, DOWNSTREAM, PACKED_SEED_BYTES, UPSTREAM, WINDOW_SIZE, window_codes};
use seedsieve_simulate::{GenomeOptions, ReadOptions};

use crate::fastq::{Chunk, FastqReader, ReadSource};
use crate::observe::{NoObserver, Observer, Seed, SeedTrace};
use crate::stages::extension::ExtensionBatch;
use crate::stages::regions::reference_window;
use crate::stages::seeding::{SeededReads, find_matches};
use crate::{
    AlignOptions, Aligner, ComputeContext, ExtensionGate, Gates, ReferenceIndex, RescueGate, SeedGate, SeedToExtend,
    build_index,
};

/// An index of a synthetic genome, and the base codes of reads with many errors.
struct Fixture {
    _folder: tempfile::TempDir,
    index: ReferenceIndex,
    /// The FM-index as the stage crates load it.
    stage_index: FmIndex,
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
    Fixture {
        index: ReferenceIndex::load(&files.genome).unwrap(),
        stage_index: FmIndex::load(&files.genome).unwrap(),
        reads: codes(&files.first_reads),
        _folder: folder,
    }
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
fn chains_are_those_of_single_reads() {
    let Fixture { index, stage_index, reads, .. } = fixture();
    let slices: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let context = ComputeContext::unfiltered();
    for options in settings() {
        let aligner = Aligner::new(&index, &options, &context);
        let matches = find_matches(&index, &options.mem, None, &slices).of_reads;
        let seeded = SeededReads::locate(&index, &options.mem, None, &matches);
        let mut compared = 0;
        for (number, read) in reads.iter().enumerate() {
            let mut alone = mem_chain_flt(&options.mem, build_chains(&stage_index, &index.bns, &options.mem, read, 0));
            mem_flt_chained_seeds(&stage_index, &index.bns, &options.mem, read, &mut alone);
            let batched = aligner.chains(&seeded, number, read);
            assert_eq!(format!("{batched:?}"), format!("{alone:?}"), "read {number}");
            compared += alone.len();
        }
        assert!(compared > 300, "{compared} chains");
    }
}

#[test]
fn regions_are_those_of_single_reads_extended_by_the_scalar_kernel() {
    let Fixture { index, stage_index, reads, .. } = fixture();
    let context = ComputeContext::unfiltered();
    for options in settings() {
        let aligner = Aligner::new(&index, &options, &context);
        let batched = aligner.regions(&reads, false, 0, &NoObserver).unwrap();
        let mut compared = 0;
        for (number, (read, regions)) in reads.iter().zip(&batched.regions).enumerate() {
            let alone = align_read_dedup(&stage_index, &index.bns, &options.mem, read);
            assert_eq!(format!("{:?}", regions.unpack()), format!("{alone:?}"), "read {number}");
            let one = std::slice::from_ref(read);
            let in_a_batch_of_its_own = aligner.regions(one, false, number as u64, &NoObserver).unwrap().regions;
            let in_a_batch_of_its_own = in_a_batch_of_its_own[0].unpack();
            assert_eq!(format!("{in_a_batch_of_its_own:?}"), format!("{alone:?}"), "read {number} alone");
            compared += alone.len();
        }
        assert!(compared > 300, "{compared} regions");
    }
}

#[test]
fn a_read_of_a_tandem_repeat_is_extended_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = seedsieve_simulate::Random::new(5, 0);
    let mut bases = |length: usize| (0..length).map(|_| random.below(4) as u8).collect::<Vec<u8>>();
    let repeat = bases(26).repeat(16);
    let contig = [bases(1_000), repeat.clone(), bases(1_000)].concat();
    let path = folder.path().join("genome.fa");
    let letters: String = contig.iter().map(|&code| char::from(b"ACGT"[usize::from(code)])).collect();
    std::fs::write(&path, format!(">tandem\n{letters}\n")).unwrap();
    build_index(&path, &path).unwrap();
    let index = ReferenceIndex::load(&path).unwrap();
    let stage_index = FmIndex::load(&path).unwrap();
    let (options, context) = (AlignOptions::default(), ComputeContext::unfiltered());
    let aligner = Aligner::new(&index, &options, &context);
    // Each place of the repeat waits for the one before it: more of them than there are surveys and rounds.
    for start in 0..26 {
        let read = repeat[start..start + 150].to_vec();
        let alone = align_read_dedup(&stage_index, &index.bns, &options.mem, &read);
        let batched = aligner.regions(&[read], false, 0, &NoObserver).unwrap().regions;
        assert_eq!(format!("{:?}", batched[0].unpack()), format!("{alone:?}"), "from {start}");
        assert!(alone.len() > 4, "{} regions", alone.len());
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
    let context = ComputeContext::unfiltered();
    let slices: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let (mut extended_to_a_region, mut told, mut ungapped) = (0, 0, 0);
    for options in settings() {
        let aligner = Aligner::new(&index, &options, &context);
        let recorder = Recorder::default();
        let batch = aligner.regions(&reads, false, 0, &recorder).unwrap();
        let mut traces = recorder.0.into_inner().unwrap();
        traces.sort_by_key(|(read, _)| *read);
        assert_eq!(traces.len(), reads.len());
        let mut reference = Vec::new();
        for (read, seeds) in &traces {
            let number = *read as usize;
            let whole: Vec<&SeedTrace> =
                seeds.iter().filter(|trace| crate::gates::is_whole(&index, &trace.seed)).collect();
            let flanks = |trace: &&SeedTrace| index.surroundings(&reads[number], &trace.seed, &mut reference).flanks();
            let flanks: Vec<_> = whole.iter().map(flanks).collect();
            let to_extend = |gapped: bool| -> Vec<SeedToExtend> {
                let seeds = whole.iter().zip(&flanks);
                seeds.map(|(trace, &flanks)| SeedToExtend { read: number, seed: trace.seed, flanks, gapped }).collect()
            };
            let own = aligner.extend_seeds(&slices, &to_extend(true));
            let without_gaps = aligner.extend_seeds(&slices, &to_extend(false));
            for ((trace, own), without_gaps) in whole.iter().zip(&own).zip(&without_gaps) {
                let extension = own.extension;
                assert!(trace.kept_by_gate && own.computed);
                assert!(trace.extension.is_none() || trace.chain.is_some());
                // Within the reference around the chain the same score is found.
                assert!(trace.extension.is_none_or(|of_chain| of_chain.score == extension.score), "{trace:?} {own:?}");
                // The same from base to base by Smith-Waterman alone.
                let slow = by_smith_waterman(&index, &options, &reads[number], &trace.seed);
                assert_eq!(extension, slow, "{trace:?}");
                told += usize::from(without_gaps.computed);
                if without_gaps.computed {
                    assert_eq!(without_gaps.extension, slow, "{trace:?}");
                } else {
                    assert!(without_gaps.extension.score <= slow.score);
                    ungapped += 1;
                }
                let regions = batch.regions[number].unpack();
                let founded = |region: &&bwa_mem4_mem::MemAlnReg| {
                    (region.rb, region.re, region.qb, region.qe)
                        == (
                            extension.reference_start,
                            extension.reference_end,
                            extension.query_start,
                            extension.query_end,
                        )
                };
                let score = |region: &bwa_mem4_mem::MemAlnReg| region.score == extension.score;
                if trace.extension.is_some() && regions.iter().any(|region| founded(&region) && score(region)) {
                    extended_to_a_region += 1;
                }
            }
        }
    }
    assert!(extended_to_a_region > 300, "{extended_to_a_region} seeds whose own extension is a region");
    assert!(told > 300 && ungapped > 300, "{told} told by their flanks, {ungapped} not");
}

/// The seed's own extension with no side taken as known.
fn by_smith_waterman(
    index: &ReferenceIndex,
    options: &AlignOptions,
    codes: &[u8],
    seed: &Seed,
) -> crate::SeedExtension {
    let mut batch = ExtensionBatch::new(&options.mem);
    let alone =
        bwa_seed::MemSeed { rbeg: seed.reference_start, qbeg: seed.query_start, len: seed.length, score: seed.length };
    let (start, end) = reference_window(index, options, codes.len() as i32, &[alone]);
    let mut window = Vec::new();
    index.packed.bases_into(start, end, &mut window);
    let (read, window) = (batch.store(codes), batch.store(&window));
    batch.add(*seed, read, window, start);
    batch.run()[0]
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
    let gates = Gates {
        seeds: Some(Arc::new(Passive)),
        extensions: Some(Arc::new(Passive)),
        rescue: Some(Arc::new(Passive)),
        ..Gates::default()
    };
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
