//! Primary regions without records, for observers that look at regions alone.

use bwa_mem4_core::{MemOpt, opt::flags};
use bwa_mem4_mem::primary::mem_reorder_primary5;
use bwa_mem4_mem::{MemAlnReg, mem_mark_primary_se};

/// Marks the primary regions of a read with the number `id`, and puts them first. Returns how many lie on the primary assembly.
pub(crate) fn mark_primary(options: &MemOpt, regions: &mut [MemAlnReg], id: u64) -> usize {
    let on_primary_assembly = mem_mark_primary_se(options, regions, id);
    if options.flag & flags::PRIMARY5 != 0 {
        mem_reorder_primary5(options.t, regions);
    }
    on_primary_assembly as usize
}

/// Marks the primary regions of the mates of pair `id` as writing their records does; `false`, with nothing changed, where only
/// that can tell.
///
/// Pairing may make a secondary region primary. bwa pairs mates that both have regions on the primary assembly, none of them a
/// second primary one that is reported.
pub(super) fn mark_unpaired(options: &MemOpt, id: u64, mates: [&mut Vec<MemAlnReg>; 2]) -> bool {
    let mut marked = [mates[0].clone(), mates[1].clone()];
    let [first, second] = &mut marked;
    let counts = [mark_primary(options, first, id << 1), mark_primary(options, second, id << 1 | 1)];
    let is_pairable = |(regions, count): (&Vec<MemAlnReg>, usize)| {
        let reported = |region: &MemAlnReg| region.secondary < 0 && region.score >= options.t;
        count > 0 && !regions[1..count].iter().any(reported)
    };
    let paired = options.flag & flags::NOPAIRING == 0 && marked.iter().zip(counts).all(is_pairable);
    if paired && marked.iter().flatten().any(|region| region.secondary >= 0) {
        return false;
    }
    let [first, second] = marked;
    (*mates[0], *mates[1]) = (first, second);
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use seedsieve_simulate::{GenomeOptions, ReadOptions};

    use super::*;
    use crate::fastq::{Chunk, FastqReader, ReadSource};
    use crate::{AlignOptions, Aligner, ComputeContext, Observer, ReferenceIndex, RegionTrace, build_index};

    /// Keeps the final regions, by the numbers of the reads.
    struct Watching {
        wants_records: bool,
        regions: Mutex<Vec<(u64, Vec<RegionTrace>)>>,
    }

    impl Observer for Watching {
        fn wants_traces(&self) -> bool {
            true
        }

        fn wants_records(&self) -> bool {
            self.wants_records
        }

        fn regions(&self, read: u64, regions: Vec<RegionTrace>) {
            self.regions.lock().unwrap().push((read, regions));
        }
    }

    #[test]
    fn regions_without_records_are_those_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let genome = GenomeOptions { size: 120_000, contigs: 3, ..GenomeOptions::default() };
        let reads = ReadOptions { pairs: 2_000, error_rate: 10_000, foreign_rate: 100_000, ..ReadOptions::default() };
        let files = seedsieve_simulate::write_data_set(folder.path(), &genome, &reads).unwrap();
        build_index(&files.genome, &files.genome).unwrap();
        let index = ReferenceIndex::load(&files.genome).unwrap();
        let [one, two] = [&files.first_reads, &files.second_reads].map(|path| FastqReader::open(path).unwrap());
        let Chunk::Pairs(pairs) = ReadSource::Paired(one, two).next_chunk(u64::MAX).unwrap() else { panic!("pairs") };
        let context = ComputeContext::unfiltered();
        for flag in [0, flags::PRIMARY5, flags::NOPAIRING] {
            let mut options = AlignOptions::default();
            options.mem.min_seed_len = 12;
            options.mem.flag |= flag;
            let aligner = Aligner::new(&index, &options, &context);
            let run = |wants_records: bool, paired: bool| {
                let observer = Watching { wants_records, regions: Mutex::new(Vec::new()) };
                let output = match paired {
                    true => aligner.align_pairs(&pairs, 7, &observer).unwrap(),
                    false => aligner.align_single(pairs.as_flattened(), 7, &observer).unwrap(),
                };
                assert!(output.sam.iter().all(|records| records.is_empty() != wants_records));
                let mut regions = observer.regions.into_inner().unwrap();
                regions.sort_by_key(|(read, _)| *read);
                regions
            };
            for paired in [true, false] {
                let (without, with) = (run(false, paired), run(true, paired));
                assert_eq!(with.len(), 2 * pairs.len());
                assert!(without == with, "flag {flag:#x}, paired: {paired}");
            }
        }
    }
}
