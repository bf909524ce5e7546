use crate::ExtractError;
use crate::facts::{SeedRegion, best_regions, region_of_seed};
use crate::quality::mean_qualities;
use crate::recorder::ReadTrace;
use crate::sampling::read_hash;
use crate::source::{SourceAlignment, SourceRead};
use crate::truth::Truth;
use seedsieve_aligner::{Aligner, Contig, MatchMask, ReferenceIndex, Seed, SeedExtension, SeedTrace};
use seedsieve_dataset::{DatasetError, DatasetWriter, Role, SeedRow};
use seedsieve_encoding::PACKED_SEED_BYTES;

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
    seed: Seed,
    trace: SeedTrace,
    own: SeedExtension,
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

/// Completes the rows of some reads: each seed's own extension, its region, its windows, its place in the source.
pub(crate) fn complete(
    index: &ReferenceIndex,
    aligner: &Aligner<'_>,
    reads: &[SourceRead],
    traces: &[ReadTrace],
) -> Result<Vec<ReadRows>, ExtractError> {
    let codes: Vec<&[u8]> = traces.iter().map(|trace| trace.codes.as_slice()).collect();
    let whole = |seed: &Seed| lies_on_one_contig(index, seed);
    let seeds: Vec<(usize, Seed)> = traces
        .iter()
        .enumerate()
        .flat_map(|(read, trace)| trace.seeds.iter().map(move |traced| (read, traced.seed)))
        .filter(|(_, seed)| whole(seed))
        .collect();
    let mut extensions = aligner.extend_seeds(&codes, &seeds).into_iter();
    reads
        .iter()
        .zip(traces)
        .map(|(read, trace)| {
            let kept: Vec<&SeedTrace> = trace.seeds.iter().filter(|traced| whole(&traced.seed)).collect();
            let own: Vec<SeedExtension> = extensions.by_ref().take(kept.len()).collect();
            complete_read(index, read, trace, &kept, &own)
        })
        .collect()
}

fn complete_read(
    index: &ReferenceIndex,
    read: &SourceRead,
    trace: &ReadTrace,
    seeds: &[&SeedTrace],
    own: &[SeedExtension],
) -> Result<ReadRows, ExtractError> {
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
    let mut facts = Vec::with_capacity(seeds.len());
    let mut reference = Vec::new();
    for (traced, &own) in seeds.iter().zip(own) {
        let seed = traced.seed;
        let (contig, position, reverse) = index.locate(seed.reference_start, seed.length as usize);
        let on_path = source_path.map(|(alignment, path)| {
            alignment.contigs.to_source(contig, position).is_some_and(|(source_contig, source_position)| {
                source_contig == path.contig()
                    && path.holds(seed.query_start as u64, seed.length as u64, source_position, reverse)
            })
        });
        let (start, length) = (seed.query_start as usize, seed.length as usize);
        let true_on_path = truth.as_ref().map(|truth| {
            let place = (index.contigs()[contig].name.as_str(), position, reverse);
            truth.holds((start as u64, length as u64, bases as u64), place)
        });
        let (seed_quality, flank_quality) = mean_qualities(read.read.qualities.as_deref(), start..start + length);
        let surroundings = index.surroundings(&trace.codes, &seed, &mut reference);
        let mut windows = [0; PACKED_SEED_BYTES];
        surroundings.encode(&mut windows);
        facts.push(SeedFacts {
            seed,
            trace: (*traced).clone(),
            own,
            contig,
            position: fits(position)?,
            reverse,
            region: region_of_seed(&seed, &trace.regions),
            on_path,
            true_on_path,
            seed_quality,
            flank_quality,
            rescue_anchor: trace.anchors.as_ref().map(|anchors| region_of_seed(&seed, anchors).is_some()),
            matches: surroundings.matches(),
            windows,
        });
    }
    Ok(ReadRows {
        read_hash: read_hash(read.read.name.as_bytes()),
        read_length,
        read_best,
        read_second,
        locus,
        truth,
        true_place,
        bridging: (trace.seeds.len() - seeds.len()) as u64,
        source_covered: source_path.is_some(),
        source_found: facts.iter().any(|facts| facts.on_path == Some(true)),
        seeds: facts,
    })
}

/// The source's alignment, where the index has its place at all: elsewhere nothing can be said of a seed.
fn covered_path(alignment: &SourceAlignment) -> Option<(&SourceAlignment, &crate::AlignmentPath)> {
    let path = alignment.path.as_ref()?;
    alignment.contigs.covers(path.contig(), &path.span()).then_some((alignment, path))
}

fn lies_on_one_contig(index: &ReferenceIndex, seed: &Seed) -> bool {
    let (contig, position, _) = index.locate(seed.reference_start, seed.length as usize);
    position + seed.length as u64 <= index.contigs()[contig].length
}

fn too_large(read: &SourceRead, what: &'static str, value: u64, maximum: u64) -> ExtractError {
    ExtractError::TooLarge { path: read.path.to_path_buf(), read: read.read.name.clone(), what, value, maximum }
}

/// Lengths of an extension: at most the read's and its longest gap's, unless the band is set absurdly wide.
fn clamped(bases: i64) -> u16 {
    u16::try_from(bases.max(0)).unwrap_or(u16::MAX)
}

impl ReadRows {
    /// Appends the rows to the data set.
    pub(crate) fn write(
        &self,
        read: &SourceRead,
        contigs: &[Contig],
        writer: &mut DatasetWriter,
    ) -> Result<(), DatasetError> {
        let alignment = read.alignment.as_ref();
        for facts in &self.seeds {
            let (seed, trace, own) = (&facts.seed, &facts.trace, &facts.own);
            writer.push(&SeedRow {
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
                extended: trace.extended,
                ungapped_score: trace.ungapped_score,
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
                own_computed: Some(true),
                windows: &facts.windows,
            })?;
        }
        Ok(())
    }
}
