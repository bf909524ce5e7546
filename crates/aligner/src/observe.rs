//! What the pipeline shows of its work: every seed with its fate, and the regions that remain.

/// One occurrence of an SMEM in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// 0-based start in the read.
    pub query_start: i32,
    /// Bases that match exactly.
    pub length: i32,
    /// 0-based start in bwa's coordinate: the forward strand (length L), then its reverse complement (2L in all).
    pub reference_start: i64,
    /// Size of the SMEM's interval in the FM-index: how often it occurs in the 2L text.
    pub occurrences: i64,
}

impl Seed {
    /// The diagonal: reference start less query start. Two seeds on one diagonal need no gap between them.
    pub fn diagonal(&self) -> i64 {
        self.reference_start - i64::from(self.query_start)
    }
}

/// The banded extension of one seed to both sides, half-open intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedExtension {
    /// Best local score, the seed included.
    pub score: i32,
    /// Best score behind the left side, before the right one: the seed's own where nothing precedes it.
    pub left_score: i32,
    /// Score of the alignment that is taken: to the end of the read where clipping does not pay.
    pub true_score: i32,
    /// 0-based start in the read.
    pub query_start: i32,
    /// End in the read, exclusive.
    pub query_end: i32,
    /// 0-based start in bwa's 2L coordinate.
    pub reference_start: i64,
    /// End in bwa's 2L coordinate, exclusive.
    pub reference_end: i64,
    /// Half-width of the widest band that was used.
    pub band: i32,
}

/// A seed and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedTrace {
    /// The seed.
    pub seed: Seed,
    /// The round of seeding that found it: 1 SMEMs, 2 re-seeding inside long ones (-r), 3 rare short matches (-y).
    pub round: u8,
    /// False where the seed gate dropped it.
    pub kept_by_gate: bool,
    /// Number, within the read, of the surviving chain that holds the seed.
    pub chain: Option<u32>,
    /// Weight of that chain: read bases covered by its seeds; 0 without one.
    pub chain_weight: i32,
    /// The seed's chain survived the chain filter.
    pub chain_kept: bool,
    /// Its extension to both sides within the reference around its chain, where the pipeline extended it.
    pub extension: Option<SeedExtension>,
}

/// What a final region is to its read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionRole {
    /// Its score is below the reporting threshold (-T).
    BelowThreshold,
    /// It overlaps a better region of the read.
    Secondary,
    /// A further part of the read's alignment.
    Supplementary,
    /// The read's best region.
    Primary,
}

/// A region that is left after deduplication, mate rescue and primary marking; half-open intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionTrace {
    /// 0-based start in the read.
    pub query_start: i32,
    /// End in the read, exclusive.
    pub query_end: i32,
    /// 0-based start in bwa's 2L coordinate.
    pub reference_start: i64,
    /// End in bwa's 2L coordinate, exclusive.
    pub reference_end: i64,
    /// Alignment score (SAM's AS).
    pub score: i32,
    /// What it is to the read.
    pub role: RegionRole,
}

/// Sees every seed and its outcome. The methods are called from worker threads, once for each read.
///
/// `read` is 0-based in the run; pair p has the reads 2p and 2p + 1.
pub trait Observer: Sync {
    /// Whether [`Observer::seeds`] and [`Observer::regions`] are to be called: tracing costs time.
    fn wants_traces(&self) -> bool {
        false
    }

    /// Whether records are to be made; without them [`crate::ChunkOutput::sam`] holds none, and most pairs need no CIGAR.
    fn wants_records(&self) -> bool {
        true
    }

    /// All seeds of a read, in the order of seeding. `codes` are the read's base codes (0 to 3, 4 for N).
    fn seeds(&self, read: u64, codes: &[u8], seeds: Vec<SeedTrace>) {
        let _ = (read, codes, seeds);
    }

    /// The regions of a read of a pair from which mate rescue looks for the other read, before it does; none where it does
    /// not run. An anchor whose mate is already in place is one, too.
    fn rescue_anchors(&self, read: u64, anchors: Vec<RegionTrace>) {
        let _ = (read, anchors);
    }

    /// The final regions of a read, best first; the primary is the first with that role.
    fn regions(&self, read: u64, regions: Vec<RegionTrace>) {
        let _ = (read, regions);
    }
}

/// An observer that looks away: the pipeline does no extra work for it.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoObserver;

impl Observer for NoObserver {}
