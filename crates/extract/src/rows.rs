use crate::facts::SeedRegion;
use crate::source::SourceRead;
use crate::truth::Truth;
use seedsieve_aligner::{Contig, MatchMask, OwnExtension, SeedTrace};
use seedsieve_dataset::{ColumnBuilder, Role, SeedRow};
use seedsieve_encoding::PACKED_SEED_BYTES;
use std::ops::Range;

/// Rows that are handed over together: few, so that they stay in the nearest cache while each column takes its values.
const ROWS_AT_ONCE: usize = 64;

/// The rows of one read, complete but for what they share.
pub(crate) struct ReadRows<'a> {
    pub read_hash: u64,
    pub read_length: u16,
    pub read_best: i32,
    pub read_second: i32,
    /// Contig number and 0-based leftmost position of the best region.
    pub locus: Option<(usize, u32)>,
    /// Where the read comes from, if it is simulated.
    pub truth: Option<Truth>,
    /// Leftmost position and strand there.
    pub true_place: Option<(u32, bool)>,
    pub seeds: Vec<SeedFacts<'a>>,
    /// The maximal exact matches that they lie in, by their numbers among those of all reads.
    pub matches: Range<usize>,
    /// Seeds across the end of a contig or strand, which no stage after seeding uses.
    pub bridging: u64,
    /// Whether the index has the place where the source has the read mapped.
    pub source_covered: bool,
    /// Whether a seed lies on the path of the source's alignment.
    pub source_found: bool,
}

pub(crate) struct SeedFacts<'a> {
    pub trace: &'a SeedTrace,
    /// Number of the maximal exact match that it lies in, among those of all reads.
    pub of_match: usize,
    /// Number of its own extension among those that the pipeline has not made.
    pub of_extension: usize,
    pub ungapped_score: i32,
    pub gap_bound: i32,
    pub narrow_score: i32,
    pub own: OwnExtension,
    pub contig: usize,
    pub position: u32,
    pub reverse: bool,
    pub region: Option<SeedRegion>,
    pub on_path: Option<bool>,
    pub true_on_path: Option<bool>,
    pub seed_quality: Option<u8>,
    pub flank_quality: Option<u8>,
    pub rescue_anchor: Option<bool>,
    pub matches: [MatchMask; 2],
    pub windows: [u8; PACKED_SEED_BYTES],
}

/// Lengths of an extension: at most the read's and its longest gap's, unless the band is set absurdly wide.
fn clamped(bases: i64) -> u16 {
    u16::try_from(bases.max(0)).unwrap_or(u16::MAX)
}

impl ReadRows<'_> {
    /// Appends the rows to `columns`.
    pub(crate) fn append_to(&self, read: &SourceRead, contigs: &[Contig], columns: &mut ColumnBuilder) {
        let alignment = read.alignment.as_ref();
        let row = |facts| {
            let facts: &SeedFacts<'_> = facts;
            let (seed, trace, own) = (&facts.trace.seed, facts.trace, &facts.own.extension);
            SeedRow {
                sample: &read.sample,
                read_hash: self.read_hash,
                mate: read.mate,
                read_length: self.read_length,
                // A read's intervals fit as its length does.
                query_start: seed.query_start as u16,
                length: seed.length as u16,
                contig: &contigs[facts.contig].name,
                position: facts.position,
                reverse: facts.reverse,
                occurrences: u32::try_from(seed.occurrences).unwrap_or(u32::MAX),
                chain: trace.chain.map(|chain| chain as i32),
                chain_weight: trace.chain.map(|_| trace.chain_weight),
                chain_kept: trace.chain_kept,
                extended: trace.extension.is_some(),
                ungapped_score: facts.ungapped_score,
                own_score: own.score,
                own_query_start: own.query_start as u16,
                own_query_end: own.query_end as u16,
                region_score: facts.region.map(|region| region.score),
                region_distance: facts.region.map(|region| region.distance),
                role: facts.region.map_or(Role::None, |region| region.role),
                read_best: self.read_best,
                read_second: self.read_second,
                locus_contig: self.locus.map(|(contig, _)| contigs[contig].name.as_str()),
                locus_position: self.locus.map(|(_, position)| position),
                source_mapped: alignment.map(|alignment| alignment.path.is_some()),
                source_mapq: alignment.and_then(|alignment| alignment.mapping_quality),
                source_on_path: facts.on_path,
                own_left_score: Some(own.left_score),
                own_band: Some(clamped(own.band.into())),
                own_reference_before: Some(clamped(seed.reference_start - own.reference_start)),
                own_reference_after: Some(clamped(own.reference_end - seed.reference_start - i64::from(seed.length))),
                seed_quality: facts.seed_quality,
                flank_quality: facts.flank_quality,
                true_contig: self.truth.as_ref().and_then(Truth::contig),
                true_position: self.true_place.map(|(position, _)| position),
                true_reverse: self.true_place.map(|(_, reverse)| reverse),
                true_on_path: facts.true_on_path,
                weight: None,
                left_matches: Some(&facts.matches[0]),
                right_matches: Some(&facts.matches[1]),
                seeding_round: Some(trace.round),
                rescue_anchor: facts.rescue_anchor,
                own_computed: Some(facts.own.computed),
                gap_bound: Some(facts.gap_bound),
                narrow_score: Some(facts.narrow_score),
                windows: &facts.windows,
            }
        };
        let mut rows = Vec::with_capacity(ROWS_AT_ONCE.min(self.seeds.len()));
        for seeds in self.seeds.chunks(ROWS_AT_ONCE) {
            rows.clear();
            rows.extend(seeds.iter().map(row));
            columns.push_read(&rows);
        }
    }
}
