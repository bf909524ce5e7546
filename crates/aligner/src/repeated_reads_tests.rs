//! Reads that repeat earlier ones against the same reads, each worked on by itself.

use seedsieve_simulate::{GenomeOptions, ReadOptions};

use crate::fastq::{Chunk, FastqReader, ReadSource};
use crate::{
    AlignOptions, Aligner, ChunkOutput, ComputeContext, NoObserver, Observer, Read, ReferenceIndex, build_index,
};

/// Wants to see every read, so that none takes its regions from another.
struct Watching;

impl Observer for Watching {
    fn wants_traces(&self) -> bool {
        true
    }
}

/// Every pair, then every third one again, and pairs of mates that come from two pairs.
fn with_repeats(pairs: &[[Read; 2]]) -> Vec<[Read; 2]> {
    let mut all = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        all.push(pair.clone());
        if number % 3 == 0 {
            all.push(pairs[number / 2].clone());
        }
        if number % 5 == 0 {
            all.push([pairs[number / 3].clone()[0].clone(), pair[1].clone()]);
        }
    }
    for (number, [one, two]) in all.iter_mut().enumerate() {
        one.name = format!("pair{number}");
        two.name.clone_from(&one.name);
    }
    all
}

#[test]
fn repeated_reads_have_the_records_that_they_have_alone() {
    let folder = tempfile::tempdir().unwrap();
    let genome = GenomeOptions { size: 120_000, contigs: 3, ..GenomeOptions::default() };
    let reads = ReadOptions { pairs: 300, error_rate: 10_000, foreign_rate: 300_000, ..ReadOptions::default() };
    let files = seedsieve_simulate::write_data_set(folder.path(), &genome, &reads).unwrap();
    build_index(&files.genome, &files.genome).unwrap();
    let index = ReferenceIndex::load(&files.genome).unwrap();
    let [one, two] = [&files.first_reads, &files.second_reads].map(|path| FastqReader::open(path).unwrap());
    let Chunk::Pairs(pairs) = ReadSource::Paired(one, two).next_chunk(u64::MAX).unwrap() else { panic!("pairs") };
    let pairs = with_repeats(&pairs);
    let singles = pairs.as_flattened();
    let mut options = AlignOptions { max_seeds_per_read: Some(40), ..AlignOptions::default() };
    options.mem.min_seed_len = 11;
    for context in [ComputeContext::unfiltered(), ComputeContext::exact(), ComputeContext::cascade()] {
        let aligner = Aligner::new(&index, &options, &context);
        let same = |once: ChunkOutput, each: ChunkOutput, least: u64| {
            assert_eq!(String::from_utf8(once.sam.concat()).unwrap(), String::from_utf8(each.sam.concat()).unwrap());
            assert_eq!(once.capped, each.capped);
            assert!(once.capped.len() > 20, "{} reads over the limit", once.capped.len());
            let (once, each) = (once.statistics, each.statistics);
            assert_eq!((once.reads, once.reads_capped), (each.reads, each.reads_capped));
            assert!(once.reads_repeated >= least && each.reads_repeated == 0, "{once:?}");
            assert!(once.seeds < each.seeds);
        };
        let once = aligner.align_pairs(&pairs, 5, &NoObserver).unwrap();
        same(once, aligner.align_pairs(&pairs, 5, &Watching).unwrap(), 200);
        let once = aligner.align_single(singles, 5, &NoObserver).unwrap();
        same(once, aligner.align_single(singles, 5, &Watching).unwrap(), 320);
    }
}
