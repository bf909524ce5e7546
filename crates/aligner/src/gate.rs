//! The seed gate: what the filter needs of a batch of located seeds, and its verdict.

use bwa_mem4_core::opt::flags;
use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_filter::{
    Cascade, CascadeBatch, CascadeSettings, Competition, FilterStatistics, GuardRails, PlacedSeed, Scoring, SeedBatch,
    SeedFacts, SeedFilter,
};

use crate::stages::seeding::SeededReads;
use crate::stages::ungapped::ungapped_score;
use crate::{AlignOptions, AlignerError, ComputeContext, FilterMode, ReferenceIndex, Seed};

/// What decides on seeds.
pub(crate) enum SeedGate {
    Cascade(Cascade),
    Network(SeedFilter),
}

impl SeedGate {
    /// The gate that `context` asks for. Under -a (all alignments are wanted) there is none.
    pub(crate) fn new(options: &AlignOptions, context: &ComputeContext) -> Option<Self> {
        if !context.npu_filter_enabled || options.mem.flag & flags::ALL != 0 {
            return None;
        }
        match context.filter_mode {
            FilterMode::Cascade => Some(Self::Cascade(Cascade::new(cascade_settings(options)))),
            FilterMode::Network => {
                let rails = GuardRails { report_score: options.mem.t, ..GuardRails::default() };
                let backend = context.npu_backend.clone()?;
                Some(Self::Network(SeedFilter::new(backend, context.seed_filter_config.clone(), rails)))
            }
        }
    }

    /// Decides for each seed of `seeded` whether it is kept.
    pub(crate) fn decide(
        &self,
        index: &ReferenceIndex,
        options: &AlignOptions,
        reads: &[&[u8]],
        paired: bool,
        seeded: &SeededReads,
    ) -> Result<(Vec<bool>, FilterStatistics), AlignerError> {
        match self {
            Self::Cascade(cascade) => Ok(by_cascade(cascade, index, reads, paired, seeded)),
            Self::Network(filter) => by_network(filter, index, options, reads, seeded),
        }
    }
}

/// The cascade's bands under bwa's scores, thresholds and penalties.
fn cascade_settings(options: &AlignOptions) -> CascadeSettings {
    let mem = &options.mem;
    let defaults = CascadeSettings::default();
    // Bands are scores: with another -A they grow like bwa's own.
    let scaled = |score: i32| score * mem.a;
    let competition = Competition {
        report_score: mem.t,
        near_best: scaled(defaults.competition.near_best),
        near_best_single: scaled(defaults.competition.near_best_single),
        pairing: mem.pen_unpaired + scaled(3),
        anchors: mem.max_matesw.max(1) as usize,
        ..defaults.competition
    };
    CascadeSettings {
        scoring: Scoring {
            matched: mem.a,
            mismatched: mem.b,
            gap_open: mem.o_del.min(mem.o_ins),
            gap_extend: mem.e_del.min(mem.e_ins),
        },
        competition,
        drop: scaled(defaults.drop),
        gap_from: scaled(defaults.gap_from),
        unseeded_gain: scaled(defaults.unseeded_gain),
        ..defaults
    }
}

/// Asks the cascade.
fn by_cascade(
    cascade: &Cascade,
    index: &ReferenceIndex,
    reads: &[&[u8]],
    paired: bool,
    seeded: &SeededReads,
) -> (Vec<bool>, FilterStatistics) {
    let l_pac = index.bns.l_pac;
    let mut seeds = Vec::with_capacity(seeded.len());
    for (read, codes) in reads.iter().enumerate() {
        seeds.extend(seeded.seeds_of(read).map(|seed| {
            let reverse = seed.reference_start >= l_pac;
            let (start, query_start) = if reverse {
                let end = seed.reference_start + i64::from(seed.length);
                (2 * l_pac - end, codes.len() as i32 - seed.query_start - seed.length)
            } else {
                (seed.reference_start, seed.query_start)
            };
            // A seed across the two strands starts before the forward strand's end and lies on no contig.
            PlacedSeed { start: start as u64, query_start: query_start as u32, length: seed.length as u32, reverse }
        }));
    }
    let mut keep = vec![true; seeds.len()];
    let batch = CascadeBatch { reads, read_offsets: seeded.offsets(), seeds: &seeds, paired };
    let statistics = cascade.retain(index.planes(), &batch, &mut keep);
    (keep, statistics)
}

/// Asks the network about every seed that its guard rails do not keep.
fn by_network(
    filter: &SeedFilter,
    index: &ReferenceIndex,
    options: &AlignOptions,
    reads: &[&[u8]],
    seeded: &SeededReads,
) -> Result<(Vec<bool>, FilterStatistics), AlignerError> {
    let mut seeds: Vec<(usize, Seed)> = Vec::with_capacity(seeded.len());
    let mut facts = Vec::with_capacity(seeded.len());
    let mut reference = Vec::new();
    for (read, codes) in reads.iter().enumerate() {
        for seed in seeded.seeds_of(read) {
            facts.push(SeedFacts {
                length: seed.length as u32,
                ungapped_score: ungapped(index, options, codes, &seed, &mut reference),
            });
            seeds.push((read, seed));
        }
    }
    let encode = |number: usize, packed: &mut [u8; PACKED_SEED_BYTES]| {
        let (read, seed) = seeds[number];
        if is_whole(index, &seed) {
            index.encode_seed(reads[read], &seed, packed);
        } else {
            packed.fill(0);
        }
    };
    let mut keep = vec![true; seeds.len()];
    let batch = SeedBatch { read_offsets: seeded.offsets(), facts: &facts, encode: &encode };
    let statistics = filter.retain(&batch, &mut keep)?;
    Ok((keep, statistics))
}

/// Whether the seed lies on one contig and strand. bwa finds seeds across their ends, too, and drops them when chaining.
pub(crate) fn is_whole(index: &ReferenceIndex, seed: &Seed) -> bool {
    index.bns.intv2rid(seed.reference_start, seed.reference_start + i64::from(seed.length)) >= 0
}

/// The ungapped score of a seed to both ends of the read or of its contig and strand; 0 for a seed across their ends.
pub(crate) fn ungapped(
    index: &ReferenceIndex,
    options: &AlignOptions,
    codes: &[u8],
    seed: &Seed,
    reference: &mut Vec<u8>,
) -> i32 {
    if !is_whole(index, seed) {
        return 0;
    }
    let (start, length) = (seed.query_start as usize, seed.length as usize);
    let after = codes.len() as i64 - i64::from(seed.query_start + seed.length);
    let before = index.codes_around(seed, i64::from(seed.query_start), after, reference);
    ungapped_score(codes, start, reference, before, length, options.mem.a, options.mem.b)
}
