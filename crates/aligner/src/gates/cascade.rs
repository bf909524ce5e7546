//! The cascade at the seed gate and at the extension gate.

use std::ops::Range;
use std::sync::Arc;

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_filter::{
    Bands, Bound, Cascade, CascadeBatch, CascadeSettings, Doubts, FilterStatistics, Network, NetworkBand, PlacedSeed,
    Scoring, SeedScorer, Student, StudentBand,
};
use seedsieve_inference::{NpuBackend, NpuResult};

use super::{ExtensionGate, GateBatch, SeedGate, is_whole, windows};
use crate::cpu_time::thread_cpu_time;
use crate::{AlignOptions, AlignerError, ComputeContext, ReferenceIndex, Seed, SeedExtension};

/// The cascade under a run's options.
pub(super) struct CascadeGates {
    cascade: Cascade,
    /// Whether the extension gate decides on what the seed gate keeps.
    extensions_follow: bool,
    /// Seeds that miss what would have them extended by so many points at most are in doubt.
    points: Option<i32>,
    /// Who is asked about them.
    student: Option<(Arc<dyn SeedScorer>, StudentBand)>,
    /// Who is asked about what the student leaves in doubt.
    network: Option<DoubtNetwork>,
}

/// The convolutional network and its band.
struct DoubtNetwork {
    backend: Arc<dyn NpuBackend>,
    referee: Option<Arc<dyn NpuBackend>>,
    band: NetworkBand,
}

impl CascadeGates {
    pub(super) fn new(context: &ComputeContext, options: &AlignOptions) -> Self {
        let bands = &context.bands;
        let student = context.student.clone().zip(bands.student);
        let network = context.npu_backend.clone().zip(bands.network);
        let network =
            network.map(|(backend, band)| DoubtNetwork { backend, referee: context.npu_referee.clone(), band });
        let is_asked = student.is_some() || network.is_some();
        Self {
            cascade: Cascade::new(settings(bands, options)),
            extensions_follow: context.gates.extensions,
            points: bands.doubt().filter(|_| is_asked).map(|points| i32::from(points) * options.mem.a),
            student,
            network,
        }
    }

    /// Tier 2.
    fn ask_student(
        &self,
        batch: &GateBatch<'_>,
        placed: &CascadeBatch<'_>,
        doubts: &mut Doubts,
        stand_ins: &mut [Option<Bound>],
        statistics: &mut FilterStatistics,
    ) -> NpuResult<()> {
        let Some((scorer, band)) = &self.student else { return Ok(()) };
        let occurrences: Vec<u32> =
            batch.seeds.iter().map(|seed| seed.occurrences.try_into().unwrap_or(u32::MAX)).collect();
        let student = Student {
            scorer: scorer.as_ref(),
            keep: thousandths(band.keep),
            drop: thousandths(band.drop.unwrap_or(band.keep)),
            occurrences: &occurrences,
            settings: self.cascade.settings(),
        };
        doubts.ask_student(&student, batch.index.planes(), placed, stand_ins, statistics)
    }

    /// Tier 3.
    fn ask_network(
        &self,
        batch: &GateBatch<'_>,
        placed: &CascadeBatch<'_>,
        doubts: &mut Doubts,
        stand_ins: &mut [Option<Bound>],
        statistics: &mut FilterStatistics,
    ) -> NpuResult<()> {
        let Some(DoubtNetwork { backend, referee, band }) = &self.network else { return Ok(()) };
        let network = Network {
            backend: backend.as_ref(),
            referee: referee.as_deref(),
            keep: thousandths(band.keep),
            tolerance: thousandths(band.tolerance),
            encode: &|number, packed: &mut [u8; PACKED_SEED_BYTES]| windows::encode(batch, number, packed),
        };
        doubts.ask_network(&network, placed, stand_ins, statistics)
    }
}

fn thousandths(number: u16) -> f32 {
    f32::from(number) / 1_000.0
}

impl SeedGate for CascadeGates {
    fn retain(&self, batch: &GateBatch<'_>, keep: &mut [bool]) -> Result<FilterStatistics, AlignerError> {
        if !self.extensions_follow {
            let seeds = placed(batch);
            let GateBatch { reads, offsets: read_offsets, paired, .. } = *batch;
            let placed = CascadeBatch { reads, read_offsets, seeds: &seeds, chains: &[], paired };
            return Ok(self.cascade.retain(batch.index.planes(), &placed, keep));
        }
        // Most reads that belong to the reference have a seed that reaches -T by itself: no comparison is needed, and all
        // their seeds stay.
        let mut statistics = FilterStatistics { seeds_in: keep.len() as u64, ..FilterStatistics::default() };
        let mut doubtful = Doubtful { offsets: vec![0], ..Doubtful::default() };
        for reads in groups(batch) {
            let seeds = batch.offsets[reads.start]..batch.offsets[reads.end];
            if batch.seeds[seeds.clone()].iter().any(|seed| is_reported_alone(batch, seed)) {
                statistics.kept_reportable += seeds.len() as u64;
            } else if !seeds.is_empty() {
                doubtful.add(batch, reads);
                if doubtful.seeds.len() >= SEEDS_TOGETHER {
                    statistics.add(&doubtful.decide(&self.cascade, batch, keep));
                }
            }
        }
        statistics.add(&doubtful.decide(&self.cascade, batch, keep));
        Ok(statistics)
    }
}

/// Seeds from which on those at hand are decided upon: few enough to stay in the processor's cache.
const SEEDS_TOGETHER: usize = 1 << 13;

/// The reads of a batch that no seed alone makes reportable, with their seeds and where those are in the batch.
#[derive(Default)]
struct Doubtful<'a> {
    reads: Vec<&'a [u8]>,
    offsets: Vec<usize>,
    seeds: Vec<PlacedSeed>,
    ranges: Vec<Range<usize>>,
    decisions: Vec<bool>,
}

impl<'a> Doubtful<'a> {
    fn add(&mut self, batch: &GateBatch<'a>, reads: Range<usize>) {
        self.ranges.push(batch.offsets[reads.start]..batch.offsets[reads.end]);
        for read in reads {
            let bases = batch.reads[read].len() as i32;
            let seeds = &batch.seeds[batch.offsets[read]..batch.offsets[read + 1]];
            self.seeds.extend(seeds.iter().map(|seed| place_with_alt(batch.index, seed, bases)));
            self.reads.push(batch.reads[read]);
            self.offsets.push(self.seeds.len());
        }
    }

    /// Decides on the seeds of what was added, and makes room for others.
    fn decide(&mut self, cascade: &Cascade, batch: &GateBatch<'_>, keep: &mut [bool]) -> FilterStatistics {
        self.decisions.clear();
        self.decisions.resize(self.seeds.len(), true);
        let Self { reads, offsets, seeds, .. } = self;
        let placed = CascadeBatch { reads, read_offsets: offsets, seeds, chains: &[], paired: batch.paired };
        let counts = cascade.retain_reportable(batch.index.planes(), &placed, &mut self.decisions);
        let mut decisions = self.decisions.as_slice();
        for range in self.ranges.drain(..) {
            let (of_range, rest) = decisions.split_at(range.len());
            keep[range].copy_from_slice(of_range);
            decisions = rest;
        }
        self.reads.clear();
        self.offsets.truncate(1);
        self.seeds.clear();
        FilterStatistics { seeds_in: 0, ..counts }
    }
}

/// The reads that are decided upon together: pairs, or one by one.
fn groups(batch: &GateBatch<'_>) -> impl Iterator<Item = Range<usize>> + use<> {
    let (reads, step) = (batch.reads.len(), 1 + usize::from(batch.paired));
    (0..reads).step_by(step).map(move |first| first..(first + step).min(reads))
}

fn is_reported_alone(batch: &GateBatch<'_>, seed: &Seed) -> bool {
    let mem = &batch.options.mem;
    seed.length * mem.a >= mem.t && is_whole(batch.index, seed)
}

impl ExtensionGate for CascadeGates {
    fn stand_ins(
        &self,
        batch: &GateBatch<'_>,
        stand_ins: &mut [Option<SeedExtension>],
    ) -> Result<FilterStatistics, AlignerError> {
        let seeds = placed(batch);
        let GateBatch { reads, offsets: read_offsets, chains, paired, .. } = *batch;
        let placed = CascadeBatch { reads, read_offsets, seeds: &seeds, chains, paired };
        let mut bounds = vec![None; seeds.len()];
        let planes = batch.index.planes();
        let (mut statistics, mut doubts) = self.cascade.stand_ins_and_doubts(planes, &placed, self.points, &mut bounds);
        if !doubts.is_empty() {
            let started = thread_cpu_time();
            self.ask_student(batch, &placed, &mut doubts, &mut bounds, &mut statistics)?;
            let heard = thread_cpu_time();
            self.ask_network(batch, &placed, &mut doubts, &mut bounds, &mut statistics)
                .map_err(AlignerError::ThirdTier)?;
            statistics.student_time += heard - started;
            statistics.network_time += thread_cpu_time() - heard;
        }
        for (bound, stand_in) in bounds.iter().zip(stand_ins) {
            *stand_in = bound.as_ref().map(|bound| extension(bound, batch.index.length(), batch.options.mem.w));
        }
        Ok(statistics)
    }
}

/// The seeds on the forward strand.
fn placed(batch: &GateBatch<'_>) -> Vec<PlacedSeed> {
    let mut placed = Vec::with_capacity(batch.seeds.len());
    for (read, codes) in batch.reads.iter().enumerate() {
        let seeds = &batch.seeds[batch.offsets[read]..batch.offsets[read + 1]];
        placed.extend(seeds.iter().map(|seed| place_with_alt(batch.index, seed, codes.len() as i32)));
    }
    placed
}

/// A seed on the forward strand, with whether its contig is an ALT one.
fn place_with_alt(index: &ReferenceIndex, seed: &Seed, bases: i32) -> PlacedSeed {
    let placed = place(seed, index.length(), bases);
    PlacedSeed { alt: index.is_alt(placed.start as i64), ..placed }
}

/// A seed on the forward strand; `l_pac` is the reference's length, `bases` the read's.
pub(crate) fn place(seed: &Seed, l_pac: i64, bases: i32) -> PlacedSeed {
    let reverse = seed.reference_start >= l_pac;
    let (start, query_start) = if reverse {
        let end = seed.reference_start + i64::from(seed.length);
        (2 * l_pac - end, bases - seed.query_start - seed.length)
    } else {
        (seed.reference_start, seed.query_start)
    };
    // A seed across the two strands starts before the forward strand's end and lies on no contig.
    let (query_start, length) = (query_start as u32, seed.length as u32);
    PlacedSeed { start: start as u64, query_start, length, reverse, alt: false }
}

/// The ungapped alignment of a bound, in the coordinates of extensions.
fn extension(bound: &Bound, l_pac: i64, band: i32) -> SeedExtension {
    let Bound { segment, diagonal, reverse, .. } = bound;
    let (start, end) = (diagonal + i64::from(segment.start), diagonal + i64::from(segment.end));
    let (reference_start, reference_end) = if *reverse { (2 * l_pac - end, 2 * l_pac - start) } else { (start, end) };
    let (query_start, query_end) = bound.query();
    SeedExtension {
        score: segment.score,
        left_score: segment.score,
        true_score: segment.score,
        query_start: query_start as i32,
        query_end: query_end as i32,
        reference_start,
        reference_end,
        band,
    }
}

/// bwa's scores of a run with these options.
pub(crate) fn scoring(options: &AlignOptions) -> Scoring {
    let mem = &options.mem;
    Scoring {
        matched: mem.a,
        mismatched: mem.b,
        gap_open: mem.o_del.min(mem.o_ins),
        gap_extend: mem.e_del.min(mem.e_ins),
    }
}

/// What the cascade decides by in a run with these options.
pub(crate) fn settings(bands: &Bands, options: &AlignOptions) -> CascadeSettings {
    let mem = &options.mem;
    bands.under(scoring(options), mem.t, mem.pen_unpaired, mem.max_matesw.max(1) as usize)
}
