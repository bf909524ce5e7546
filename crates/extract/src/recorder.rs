use seedsieve_aligner::{Observer, RegionTrace, SeedTrace};
use std::sync::OnceLock;

/// What the aligner showed of one read.
#[derive(Debug, Default)]
pub(crate) struct ReadTrace {
    /// Base codes.
    pub codes: Vec<u8>,
    pub seeds: Vec<SeedTrace>,
    pub regions: Vec<RegionTrace>,
    /// Regions from which mate rescue looked for the mate; `None` for a single read.
    pub anchors: Option<Vec<RegionTrace>>,
}

/// Keeps what the aligner shows of a chunk's reads, each at its place, so that the order in which worker threads report
/// does not matter.
pub(crate) struct Recorder {
    first: u64,
    seeds: Vec<OnceLock<(Vec<u8>, Vec<SeedTrace>)>>,
    regions: Vec<OnceLock<Vec<RegionTrace>>>,
    /// Of single reads empty.
    anchors: Vec<OnceLock<Vec<RegionTrace>>>,
}

impl Recorder {
    /// For `reads` reads from number `first` of the run on, all of them in pairs or all single.
    pub(crate) fn new(first: u64, reads: usize, paired: bool) -> Self {
        Self {
            first,
            seeds: (0..reads).map(|_| OnceLock::new()).collect(),
            regions: (0..reads).map(|_| OnceLock::new()).collect(),
            anchors: (0..if paired { reads } else { 0 }).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The traces in the order of the reads.
    pub(crate) fn into_traces(self) -> Vec<ReadTrace> {
        let mut anchors = self.anchors.into_iter();
        self.seeds
            .into_iter()
            .zip(self.regions)
            .map(|(seeds, regions)| {
                let (codes, seeds) = seeds.into_inner().unwrap_or_default();
                let anchors = anchors.next().map(|anchors| anchors.into_inner().unwrap_or_default());
                ReadTrace { codes, seeds, regions: regions.into_inner().unwrap_or_default(), anchors }
            })
            .collect()
    }

    fn place<'a, T>(&self, slots: &'a [OnceLock<T>], read: u64) -> &'a OnceLock<T> {
        let place = read.checked_sub(self.first).and_then(|place| slots.get(place as usize));
        place.unwrap_or_else(|| panic!("the aligner reported read {read}, which is not of this chunk"))
    }
}

impl Observer for Recorder {
    fn wants_traces(&self) -> bool {
        true
    }

    fn wants_records(&self) -> bool {
        false
    }

    fn seeds(&self, read: u64, codes: &[u8], seeds: Vec<SeedTrace>) {
        let fresh = self.place(&self.seeds, read).set((codes.to_vec(), seeds)).is_ok();
        assert!(fresh, "the aligner reported the seeds of read {read} twice");
    }

    fn rescue_anchors(&self, read: u64, anchors: Vec<RegionTrace>) {
        let fresh = self.place(&self.anchors, read).set(anchors).is_ok();
        assert!(fresh, "the aligner reported the anchors of read {read} twice");
    }

    fn regions(&self, read: u64, regions: Vec<RegionTrace>) {
        let fresh = self.place(&self.regions, read).set(regions).is_ok();
        assert!(fresh, "the aligner reported the regions of read {read} twice");
    }
}
