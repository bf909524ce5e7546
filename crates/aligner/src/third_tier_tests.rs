//! The networks behind the extension gate: that the library's cascade asks its student; what the convolutional network is
//! shown, and what is said where it fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{NpuBackend, NpuCapabilities, NpuError, NpuResult, SeedFilterBatch};
use seedsieve_simulate::{GenomeOptions, ReadOptions};

use crate::fastq::{Chunk, FastqReader, ReadSource};
use crate::{
    AlignOptions, Aligner, AlignerError, Bands, ChunkOutput, ComputeContext, NetworkBand, NoObserver, Read,
    ReferenceIndex, build_index,
};

/// Finds nothing viable, or fails; counts windows, and those of which read and reference do not agree in the seed.
#[derive(Default)]
struct Backend {
    fails: bool,
    windows: AtomicUsize,
    disagree: AtomicUsize,
}

impl NpuBackend for Backend {
    fn name(&self) -> &'static str {
        "test"
    }

    fn is_available() -> bool {
        true
    }

    fn capabilities(&self) -> NpuCapabilities {
        unreachable!("not asked for")
    }

    fn predict_seed_viability(&self, _: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        unreachable!("packed windows are asked about")
    }

    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        if self.fails {
            return Err(NpuError::InferenceFailed("the device is gone".into()));
        }
        scores.fill(0.0);
        self.windows.fetch_add(scores.len(), Ordering::Relaxed);
        for window in packed.chunks(PACKED_SEED_BYTES) {
            let (read, reference) = window.split_at(PACKED_SEED_BYTES / 2);
            // A seed begins behind 32 bases, two a byte, and has more than eight.
            let agree = read[16..20] == reference[16..20] && read[16..20] != [0; 4];
            self.disagree.fetch_add(usize::from(!agree), Ordering::Relaxed);
        }
        Ok(())
    }

    fn optimal_batch_size(&self) -> usize {
        64
    }

    fn supported_batch_sizes(&self) -> &[usize] {
        &[64]
    }

    fn warmup(&self) -> NpuResult<()> {
        Ok(())
    }
}

/// Pairs with errors, and an index of the genome that they are of; below a folder.
fn fixture(folder: &Path) -> (ReferenceIndex, Vec<[Read; 2]>) {
    let genome = GenomeOptions { size: 120_000, contigs: 3, ..GenomeOptions::default() };
    let reads = ReadOptions { pairs: 300, error_rate: 10_000, ..ReadOptions::default() };
    let files = seedsieve_simulate::write_data_set(folder, &genome, &reads).unwrap();
    build_index(&files.genome, &files.genome).unwrap();
    let index = ReferenceIndex::load(&files.genome).unwrap();
    let [one, two] = [&files.first_reads, &files.second_reads].map(|path| FastqReader::open(path).unwrap());
    let Chunk::Pairs(pairs) = ReadSource::Paired(one, two).next_chunk(u64::MAX).unwrap() else { panic!("pairs") };
    (index, pairs)
}

/// With short seeds, of which many are chance ones.
fn sensitive() -> AlignOptions {
    let mut options = AlignOptions::default();
    options.mem.min_seed_len = 11;
    options
}

/// With the bands that are built in, and with narrower ones whose doubts it resolves.
#[test]
fn the_cascade_of_the_library_asks_the_student_that_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let (index, pairs) = fixture(folder.path());
    let align = |context: &ComputeContext| {
        let options = sensitive();
        Aligner::new(&index, &options, context).align_pairs(&pairs, 0, &NoObserver).unwrap().statistics
    };
    let asked = align(&ComputeContext::cascade()).filter.asked_of_student;
    let alone = align(&ComputeContext { student: None, ..ComputeContext::cascade() });
    assert_eq!((alone.filter.asked_of_student, alone.filter.kept_by_student), (0, 0));
    if !cfg!(feature = "native") {
        assert_eq!(asked, 0, "there is none");
        return;
    }
    assert!(asked > 0);
    let narrow = Bands { near_best: 4, ..Bands::built_in() };
    let filter = align(&ComputeContext { bands: narrow, ..ComputeContext::cascade() }).filter;
    assert!(filter.asked_of_student > 0 && filter.kept_by_student > 0, "its answers have an effect: {filter:?}");
}

#[test]
fn the_network_sees_the_seeds_in_doubt_and_its_failure_ends_the_run_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (index, pairs) = fixture(folder.path());
    let options = sensitive();
    let network = Some(NetworkBand { points: Some(100), keep: 500, tolerance: 20 });
    let bands = Bands { near_best: 4, student: None, network, ..Bands::built_in() };
    let align = |backend: &Arc<Backend>| -> Result<ChunkOutput, AlignerError> {
        let npu_backend = Some(Arc::clone(backend) as Arc<dyn NpuBackend>);
        let context = ComputeContext { bands, npu_backend, ..ComputeContext::cascade() };
        Aligner::new(&index, &options, &context).align_pairs(&pairs, 0, &NoObserver)
    };
    let hopeless = Arc::new(Backend::default());
    let statistics = align(&hopeless).unwrap().statistics;
    let [windows, disagree] = [&hopeless.windows, &hopeless.disagree].map(|count| count.load(Ordering::Relaxed));
    assert_eq!((statistics.filter.asked_of_network, statistics.filter.kept_by_network), (windows as u64, 0));
    assert!(windows > 300 && disagree == 0, "{disagree} of {windows} windows are of no seed");
    assert!(statistics.tier_times()[2] > std::time::Duration::ZERO);

    let error = align(&Arc::new(Backend { fails: true, ..Backend::default() })).unwrap_err().to_string();
    for part in ["third tier", "the device is gone", "--npu-backend", "--cascade-tiers 2"] {
        assert!(error.contains(part), "{error}");
    }
}
