//! From what the aligner showed of some reads to the rows of their seeds.
//!
//! Seeds of a read on one diagonal share a look at the reference, and those in one maximal exact match what follows from it
//! without gaps: the ungapped score and the gap bound. (Their own extensions differ at times: they start with another score.)

use crate::ExtractError;
use crate::facts::{RegionsByPlace, best_regions};
use crate::quality::mean_qualities;
use crate::recorder::ReadTrace;
use crate::rows::{ReadRows, SeedFacts};
use crate::sampling::read_hash;
use crate::source::{SourceAlignment, SourceRead};
use crate::truth::Truth;
use seedsieve_aligner::{Aligner, OwnExtension, ReferenceIndex, Seed, SeedExtension, SeedToExtend, SeedTrace};
use seedsieve_dataset::OwnExtensions;
use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, encode_window};
use std::ops::Range;

/// Seeds ahead, in the order of diagonals, for which the reference is asked for.
const SEEDS_AHEAD: usize = 4;

/// A maximal exact match of a read and the reference that seeds lie in.
struct MaximalMatch {
    /// The first of its seeds.
    seed: Seed,
    ungapped_score: i32,
}

/// Intervals of a read with a number each.
type Numbered = Vec<(Range<usize>, usize)>;

/// What has to be found out of some reads together.
struct Open {
    /// Maximal exact matches, read by read, whose gap bounds are wanted.
    matches: Vec<MaximalMatch>,
    /// Seeds that the pipeline has not extended; one that was found in two rounds stands here once.
    to_extend: Vec<SeedToExtend>,
}

/// Completes the rows of some reads: each seed's own extension, its region, its windows, its place in the source.
/// `own_extensions` says of which reads the own extensions are computed where the pipeline has none.
pub(crate) fn complete<'a>(
    index: &ReferenceIndex,
    aligner: &Aligner<'_>,
    own_extensions: OwnExtensions,
    reads: &[SourceRead],
    traces: &'a [ReadTrace],
) -> Result<Vec<ReadRows<'a>>, ExtractError> {
    let seeds = traces.iter().map(|trace| trace.seeds.len()).sum();
    let mut open = Open { matches: Vec::with_capacity(seeds), to_extend: Vec::with_capacity(seeds) };
    let mut rows = Vec::with_capacity(reads.len());
    for (number, (read, trace)) in reads.iter().zip(traces).enumerate() {
        let read_hash = read_hash(read.read.name.as_bytes());
        let gapped = |trace: &SeedTrace| own_extensions.includes(read_hash, trace.chain_kept);
        rows.push(ReadFacts { index, aligner, read, trace, number }.complete(read_hash, gapped, &mut open)?);
    }
    let codes: Vec<&[u8]> = traces.iter().map(|trace| trace.codes.as_slice()).collect();
    let bounds = aligner.gap_bounds(codes.iter().zip(&rows).map(|(codes, rows)| {
        let seeds = open.matches[rows.matches.clone()].iter().map(|of_match| of_match.seed);
        (*codes, seeds)
    }));
    let narrow = aligner.narrow_scores(codes.iter().zip(&rows).map(|(codes, rows)| {
        let seeds = rows.seeds.iter().map(|facts| facts.trace.seed);
        (*codes, seeds)
    }));
    let extended = aligner.extend_seeds(&codes, &open.to_extend);
    for (facts, narrow) in rows.iter_mut().flat_map(|read| &mut read.seeds).zip(narrow) {
        facts.ungapped_score = open.matches[facts.of_match].ungapped_score;
        facts.gap_bound = bounds[facts.of_match];
        facts.narrow_score = narrow;
        facts.own = match facts.trace.extension {
            Some(extension) => OwnExtension { extension, computed: true },
            None => extended[facts.of_extension],
        };
    }
    Ok(rows)
}

/// What is known of one read.
struct ReadFacts<'r, 'a> {
    index: &'r ReferenceIndex,
    aligner: &'r Aligner<'r>,
    read: &'r SourceRead,
    trace: &'a ReadTrace,
    /// Its number among those that are completed together.
    number: usize,
}

/// What the occurrences of one interval of the read share.
struct Interval {
    query: Range<i32>,
    seed_quality: Option<u8>,
    flank_quality: Option<u8>,
    window: [u8; PACKED_WINDOW_BYTES],
}

impl<'a> ReadFacts<'_, 'a> {
    /// The rows but for what is found out of some reads together, which is added to `open`. `gapped` says of which seeds the
    /// own extension is wanted.
    fn complete(
        &self,
        read_hash: u64,
        gapped: impl Fn(&SeedTrace) -> bool,
        open: &mut Open,
    ) -> Result<ReadRows<'a>, ExtractError> {
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
        let mut seeds: Vec<SeedFacts<'a>> = Vec::with_capacity(trace.seeds.len());
        let regions = RegionsByPlace::new(&trace.regions);
        let anchors = trace.anchors.as_deref().map(RegionsByPlace::new);
        let mut interval: Option<Interval> = None;
        for traced in &trace.seeds {
            let seed = traced.seed;
            let (contig, position, reverse) = index.locate(seed.reference_start, seed.length as usize);
            if position + seed.length as u64 > index.contigs()[contig].length {
                continue;
            }
            let query = seed.query_start..seed.query_start + seed.length;
            let interval = match &mut interval {
                Some(found) if found.query == query => found,
                other => other.insert(self.interval(query)),
            };
            let on_path = source_path.map(|(alignment, path)| {
                alignment.contigs.to_source(contig, position).is_some_and(|(source_contig, source_position)| {
                    source_contig == path.contig()
                        && path.holds(seed.query_start as u64, seed.length as u64, source_position, reverse)
                })
            });
            let true_on_path = truth.as_ref().map(|truth| {
                let place = (index.contigs()[contig].name.as_str(), position, reverse);
                truth.holds((seed.query_start as u64, seed.length as u64, bases as u64), place)
            });
            let mut windows = [0; PACKED_SEED_BYTES];
            windows[..PACKED_WINDOW_BYTES].copy_from_slice(&interval.window);
            seeds.push(SeedFacts {
                trace: traced,
                of_match: 0,
                of_extension: 0,
                ungapped_score: 0,
                gap_bound: 0,
                narrow_score: 0,
                own: UNKNOWN,
                contig,
                position: fits(position)?,
                reverse,
                region: regions.of_seed(&seed),
                on_path,
                true_on_path,
                seed_quality: interval.seed_quality,
                flank_quality: interval.flank_quality,
                rescue_anchor: anchors.as_ref().map(|anchors| anchors.of_seed(&seed).is_some()),
                matches: Default::default(),
                windows,
            });
        }
        let first_match = open.matches.len();
        self.look_at_reference(&mut seeds, gapped, open);
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
            matches: first_match..open.matches.len(),
        })
    }

    fn interval(&self, query: Range<i32>) -> Interval {
        let (start, end) = (query.start as usize, query.end as usize);
        let (seed_quality, flank_quality) = mean_qualities(self.read.read.qualities.as_deref(), start..end);
        let mut window = [0; PACKED_WINDOW_BYTES];
        encode_window(&self.trace.codes, start, end - start, &mut window);
        Interval { query, seed_quality, flank_quality, window }
    }

    /// Fills in what the reference around the seeds tells, diagonal by diagonal, and in which match each seed lies.
    fn look_at_reference(&self, seeds: &mut [SeedFacts<'a>], gapped: impl Fn(&SeedTrace) -> bool, open: &mut Open) {
        let codes = self.trace.codes.as_slice();
        let mut order: Vec<(usize, i64, usize)> = seeds
            .iter()
            .enumerate()
            .map(|(number, facts)| (facts.contig, facts.trace.seed.diagonal(), number))
            .collect();
        order.sort_unstable();
        let mut reference = Vec::new();
        // Of one diagonal: bounds of matches and of seeds in the read, with their numbers.
        let (mut matches, mut extensions) = (Numbered::new(), Numbered::new());
        let known = |found: &Numbered, bounds: &Range<usize>| {
            found.iter().find(|(found, _)| found == bounds).map(|(_, number)| *number)
        };
        let mut place = 0;
        for of_diagonal in order.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            place += of_diagonal.len();
            for &(_, _, later) in order[place..].iter().take(SEEDS_AHEAD) {
                self.index.prefetch_diagonal(codes, &seeds[later].trace.seed);
            }
            matches.clear();
            extensions.clear();
            let diagonal = self.index.diagonal(codes, &seeds[of_diagonal[0].2].trace.seed, &mut reference);
            for &(_, _, number) in of_diagonal {
                let facts = &mut seeds[number];
                let (trace, seed) = (facts.trace, facts.trace.seed);
                let surroundings = diagonal.surroundings(&seed);
                let flanks = surroundings.flanks();
                facts.matches = flanks.map(|flank| flank.matches());
                let window = facts.windows.last_chunk_mut().expect("the second half of a packed seed");
                surroundings.encode_reference(window);
                let query = seed.query_start as usize..(seed.query_start + seed.length) as usize;
                let [before, behind] = flanks.map(|flank| flank.leading_matches());
                let bounds = query.start - before..query.end + behind;
                facts.of_match = known(&matches, &bounds).unwrap_or_else(|| {
                    matches.push((bounds, open.matches.len()));
                    let ungapped_score = surroundings.ungapped_score(self.aligner.options());
                    open.matches.push(MaximalMatch { seed, ungapped_score });
                    open.matches.len() - 1
                });
                if trace.extension.is_none() {
                    facts.of_extension = known(&extensions, &query).unwrap_or_else(|| {
                        extensions.push((query, open.to_extend.len()));
                        let gapped = gapped(trace);
                        open.to_extend.push(SeedToExtend { read: self.number, seed, flanks, gapped });
                        open.to_extend.len() - 1
                    });
                }
            }
        }
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
