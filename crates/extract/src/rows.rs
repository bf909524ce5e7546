use crate::ExtractError;
use crate::facts::{SeedRegion, best_regions, region_of_seed};
use crate::quality::mean_qualities;
use crate::recorder::ReadTrace;
use crate::sampling::read_hash;
use crate::source::{SourceAlignment, SourceRead};
use crate::truth::Truth;
use seedsieve_aligner::{
    Aligner, Contig, Flank, MatchMask, OwnExtension, ReferenceIndex, SeedExtension, SeedToExtend, SeedTrace,
};
use seedsieve_dataset::{ColumnBuilder, OwnExtensions, Role, SeedRow};
use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES};

/// The rows of one read, complete but for what they share.
pub(crate) struct ReadRows {
    read_hash: u64,
    read_length: u16,
    read_best: i32,
    read_second: i32,
    /// Contig number and 0-based leftmost position of the best region.
    locus: Option<(usize, u32)>,
    /// Where the read comes from, if it is simulated.
    truth: Option<Truth>,
    /// Leftmost position and strand there.
    true_place: Option<(u32, bool)>,
    seeds: Vec<SeedFacts>,
    /// Seeds across the end of a contig or strand, which no stage after seeding uses.
    pub bridging: u64,
    /// Whether the index has the place where the source has the read mapped.
    pub source_covered: bool,
    /// Whether a seed lies on the path of the source's alignment.
    pub source_found: bool,
}

struct SeedFacts {
    trace: SeedTrace,
    ungapped_score: i32,
    gap_bound: i32,
    own: OwnExtension,
    contig: usize,
    position: u32,
    reverse: bool,
    region: Option<SeedRegion>,
    on_path: Option<bool>,
    true_on_path: Option<bool>,
    seed_quality: Option<u8>,
    flank_quality: Option<u8>,
    rescue_anchor: Option<bool>,
    matches: [MatchMask; 2],
    windows: [u8; PACKED_SEED_BYTES],
}

/// Where the own extension of a read's seed comes from.
enum OwnSource {
    /// The pipeline extended the seed.
    Pipeline(SeedExtension),
    /// The same seed, found in another round, so many rows before.
    Before(usize),
    /// The next of those that are extended here.
    Next,
}

/// Completes the rows of some reads: each seed's own extension, its region, its windows, its place in the source.
/// `own_extensions` says of which reads the own extensions are computed where the pipeline has none.
pub(crate) fn complete(
    index: &ReferenceIndex,
    aligner: &Aligner<'_>,
    own_extensions: OwnExtensions,
    reads: &[SourceRead],
    traces: &[ReadTrace],
) -> Result<Vec<ReadRows>, ExtractError> {
    let mut to_extend = Vec::new();
    let mut sources = Vec::new();
    let mut rows = Vec::with_capacity(reads.len());
    for (number, (read, trace)) in reads.iter().zip(traces).enumerate() {
        let of_read = ReadFacts { index, aligner, read, trace };
        let read_hash = read_hash(read.read.name.as_bytes());
        rows.push(of_read.complete(read_hash, |traced, before, flanks| {
            sources.push(match (traced.extension, before) {
                (Some(extension), _) => OwnSource::Pipeline(extension),
                (None, Some(rows)) => OwnSource::Before(rows),
                (None, None) => {
                    let gapped = own_extensions.includes(read_hash, traced.chain_kept);
                    to_extend.push(SeedToExtend { read: number, seed: traced.seed, flanks, gapped });
                    OwnSource::Next
                }
            });
        })?);
    }
    let codes: Vec<&[u8]> = traces.iter().map(|trace| trace.codes.as_slice()).collect();
    let mut bounds = aligner
        .gap_bounds(codes.iter().zip(&rows).map(|(codes, rows)| {
            let seeds = rows.seeds.iter().map(|facts| facts.trace.seed);
            (*codes, seeds)
        }))
        .into_iter();
    let mut extended = aligner.extend_seeds(&codes, &to_extend).into_iter();
    let mut sources = sources.into_iter();
    for read in &mut rows {
        for number in 0..read.seeds.len() {
            read.seeds[number].gap_bound = bounds.next().expect("one bound a seed");
            read.seeds[number].own = match sources.next().expect("one source a seed") {
                OwnSource::Pipeline(extension) => OwnExtension { extension, computed: true },
                OwnSource::Before(rows) => read.seeds[number - rows].own,
                OwnSource::Next => extended.next().expect("one extension a seed that needs one"),
            };
        }
    }
    Ok(rows)
}

/// What is known of one read.
struct ReadFacts<'a> {
    index: &'a ReferenceIndex,
    aligner: &'a Aligner<'a>,
    read: &'a SourceRead,
    trace: &'a ReadTrace,
}

/// What the occurrences of one match in the read share.
struct Match {
    query: (i32, i32),
    /// Row of the first occurrence.
    first_row: usize,
    seed_quality: Option<u8>,
    flank_quality: Option<u8>,
    window: [u8; PACKED_WINDOW_BYTES],
}

impl ReadFacts<'_> {
    /// The rows but for the own extensions. `see` is shown each seed, how many rows before it the same seed stands where
    /// it was found twice, and its flanks.
    fn complete(
        &self,
        read_hash: u64,
        mut see: impl FnMut(&SeedTrace, Option<usize>, [Flank; 2]),
    ) -> Result<ReadRows, ExtractError> {
        let Self { index, read, trace, .. } = *self;
        let bases = read.read.bases.len();
        let read_length = u16::try_from(bases)
            .map_err(|_| too_large(read, "the number of its bases", bases as u64, u64::from(u16::MAX)))?;
        let fits = |position: u64| {
            u32::try_from(position).map_err(|_| too_large(read, "a position", position, u64::from(u32::MAX)))
        };
        let (best, read_best, read_second) = best_regions(&trace.regions);
        let locus = match best {
            Some(region) => {
                let length = region.reference_end - region.reference_start;
                let (contig, position, _) = index.locate(region.reference_start, length as usize);
                Some((contig, fits(position)?))
            }
            None => None,
        };
        let source_path = read.alignment.as_ref().and_then(|alignment| covered_path(alignment));
        let truth = Truth::of_read(&read.read, read.mate, index.contigs());
        let true_place = match truth.as_ref().and_then(Truth::place) {
            Some((_, start, reverse)) => Some((fits(start)?, reverse)),
            None => None,
        };
        let mut seeds: Vec<SeedFacts> = Vec::with_capacity(trace.seeds.len());
        let mut reference = Vec::new();
        let mut of_match: Option<Match> = None;
        for traced in &trace.seeds {
            let seed = traced.seed;
            let (contig, position, reverse) = index.locate(seed.reference_start, seed.length as usize);
            if position + seed.length as u64 > index.contigs()[contig].length {
                continue;
            }
            let (start, length) = (seed.query_start as usize, seed.length as usize);
            let surroundings = index.surroundings(&trace.codes, &seed, &mut reference);
            let of_match = match &mut of_match {
                Some(found) if found.query == (seed.query_start, seed.length) => found,
                other => {
                    let (seed_quality, flank_quality) =
                        mean_qualities(read.read.qualities.as_deref(), start..start + length);
                    let mut window = [0; PACKED_WINDOW_BYTES];
                    surroundings.encode_query(&mut window);
                    let query = (seed.query_start, seed.length);
                    other.insert(Match { query, first_row: seeds.len(), seed_quality, flank_quality, window })
                }
            };
            // A match that two rounds found has its occurrences twice, in the same order.
            let first = &seeds[of_match.first_row..];
            let period =
                first.iter().skip(1).position(|facts| facts.trace.seed == first[0].trace.seed).map(|at| at + 1);
            let period = period.or_else(|| (first.first()?.trace.seed == seed).then_some(first.len()));
            see(traced, period, surroundings.flanks());
            let on_path = source_path.map(|(alignment, path)| {
                alignment.contigs.to_source(contig, position).is_some_and(|(source_contig, source_position)| {
                    source_contig == path.contig()
                        && path.holds(seed.query_start as u64, seed.length as u64, source_position, reverse)
                })
            });
            let true_on_path = truth.as_ref().map(|truth| {
                let place = (index.contigs()[contig].name.as_str(), position, reverse);
                truth.holds((start as u64, length as u64, bases as u64), place)
            });
            let mut windows = [0; PACKED_SEED_BYTES];
            let (query_window, reference_window) = windows.split_at_mut(PACKED_WINDOW_BYTES);
            query_window.copy_from_slice(&of_match.window);
            surroundings.encode_reference(reference_window.try_into().expect("half of a packed seed"));
            seeds.push(SeedFacts {
                trace: *traced,
                ungapped_score: surroundings.ungapped_score(self.aligner.options()),
                gap_bound: 0,
                own: UNKNOWN,
                contig,
                position: fits(position)?,
                reverse,
                region: region_of_seed(&seed, &trace.regions),
                on_path,
                true_on_path,
                seed_quality: of_match.seed_quality,
                flank_quality: of_match.flank_quality,
                rescue_anchor: trace.anchors.as_ref().map(|anchors| region_of_seed(&seed, anchors).is_some()),
                matches: surroundings.flanks().map(|flank| flank.matches()),
                windows,
            });
        }
        Ok(ReadRows {
            read_hash,
            read_length,
            read_best,
            read_second,
            locus,
            truth,
            true_place,
            bridging: (trace.seeds.len() - seeds.len()) as u64,
            source_covered: source_path.is_some(),
            source_found: seeds.iter().any(|facts| facts.on_path == Some(true)),
            seeds,
        })
    }
}

/// Stands in until all seeds of some reads are extended together.
const UNKNOWN: OwnExtension = OwnExtension {
    extension: SeedExtension {
        score: 0,
        left_score: 0,
        true_score: 0,
        query_start: 0,
        query_end: 0,
        reference_start: 0,
        reference_end: 0,
        band: 0,
    },
    computed: false,
};

/// The source's alignment, where the index has its place at all: elsewhere nothing can be said of a seed.
fn covered_path(alignment: &SourceAlignment) -> Option<(&SourceAlignment, &crate::AlignmentPath)> {
    let path = alignment.path.as_ref()?;
    alignment.contigs.covers(path.contig(), &path.span()).then_some((alignment, path))
}

fn too_large(read: &SourceRead, what: &'static str, value: u64, maximum: u64) -> ExtractError {
    ExtractError::TooLarge { path: read.path.to_path_buf(), read: read.read.name.clone(), what, value, maximum }
}

/// Lengths of an extension: at most the read's and its longest gap's, unless the band is set absurdly wide.
fn clamped(bases: i64) -> u16 {
    u16::try_from(bases.max(0)).unwrap_or(u16::MAX)
}

impl ReadRows {
    /// Appends the rows to `columns`.
    pub(crate) fn append_to(&self, read: &SourceRead, contigs: &[Contig], columns: &mut ColumnBuilder) {
        let alignment = read.alignment.as_ref();
        for facts in &self.seeds {
            let (seed, trace, own) = (&facts.trace.seed, &facts.trace, &facts.own.extension);
            columns.push(&SeedRow {
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
                windows: &facts.windows,
            });
        }
    }
}
