//! Gates: the four places of the pipeline at which work can be left out, and what decides there.
//!
//! - [`SeedingGate`], behind the first round of seeding: a read that needs no further rounds has fewer seeds to look up,
//!   chain and extend.
//! - [`SeedGate`], behind the suffix-array look-up: a seed that goes saves its chain, its regions, their memory and the
//!   rescue of mates beside them.
//! - [`ExtensionGate`], behind the chain filter: a seed that is not extended leaves a stand-in, so that nothing that
//!   counts, orders or hides regions sees fewer of them.
//! - [`RescueGate`], before the Smith-Waterman that looks for a mate.
//!
//! A gate that is not there costs nothing. What gates did is in [`Statistics`](crate::Statistics).
//!
//! ```no_run
//! use std::sync::Arc;
//! use seedsieve_aligner::{
//!     AlignOptions, Aligner, AlignerError, FilterStatistics, GateBatch, Gates, NoObserver, Read, ReferenceIndex, SeedGate,
//! };
//!
//! /// Drops seeds that occur often.
//! struct Rare(i64);
//!
//! impl SeedGate for Rare {
//!     fn retain(&self, batch: &GateBatch<'_>, keep: &mut [bool]) -> Result<FilterStatistics, AlignerError> {
//!         for (seed, keep) in batch.seeds.iter().zip(&mut *keep) {
//!             *keep = seed.occurrences <= self.0;
//!         }
//!         let dropped = keep.iter().filter(|keep| !**keep).count() as u64;
//!         Ok(FilterStatistics { seeds_in: keep.len() as u64, dropped, ..FilterStatistics::default() })
//!     }
//! }
//!
//! let index = ReferenceIndex::load("reference.fa".as_ref())?;
//! let options = AlignOptions::default();
//! let gates = Gates { seeds: Some(Arc::new(Rare(50))), ..Gates::default() };
//! let read = Read { name: "r1".into(), bases: b"ACGTACGTTAGCATCGATTCAGG".to_vec(), ..Read::default() };
//! let chunk = Aligner::with_gates(&index, &options, gates).align_single(&[read], 0, &NoObserver)?;
//! println!("{} of {} seeds stayed", chunk.statistics.seeds_kept, chunk.statistics.seeds);
//! # Ok::<(), AlignerError>(())
//! ```

mod cascade;
mod network;
mod rescue;
mod seeding;
mod windows;

use std::sync::Arc;

use bwa_mem4_core::opt::flags;
use seedsieve_filter::{FilterStatistics, GuardRails, SeedFilter};

use crate::stages::ungapped::ungapped_score;
use crate::{AlignOptions, AlignerError, ComputeContext, FilterMode, ReferenceIndex, Seed, SeedExtension};

pub(crate) use cascade::{place, scoring, settings};
pub use rescue::{RescueCase, RescueGate, RescueVerdict};
#[cfg(test)]
pub(crate) use seeding::Explained;
pub use seeding::{FirstMatch, SeedingGate, SeedingVerdict};

/// Seeds of some reads, those of one read side by side.
pub struct GateBatch<'a> {
    /// The reference.
    pub index: &'a ReferenceIndex,
    /// The run's options.
    pub options: &'a AlignOptions,
    /// Base codes of each read (0 to 3, 4 for N).
    pub reads: &'a [&'a [u8]],
    /// Whether reads 2p and 2p + 1 are mates.
    pub paired: bool,
    /// Reads of the chunk that the batch is a part of. Unlike the batch's own number it does not depend on the threads.
    pub chunk_reads: usize,
    /// First seed of each read, and the end: `reads + 1` ascending numbers.
    pub offsets: &'a [usize],
    /// The seeds. Before chaining some lie across the end of a contig or strand, and chaining drops them.
    pub seeds: &'a [Seed],
    /// Number, within its read, of the chain of each seed; empty before chaining.
    pub chains: &'a [u32],
}

/// Decides which seeds are chained. Called from worker threads, for a batch of whole reads or pairs.
pub trait SeedGate: Send + Sync {
    /// Sets to false what is dropped; all of `keep` is true before. One decision for each of the batch's seeds.
    ///
    /// A decision may depend on the seed's read, its mate and the size of the chunk only: how reads are batched must not show in the output.
    ///
    /// # Errors
    /// Whatever the gate cannot do; the run ends with it.
    fn retain(&self, batch: &GateBatch<'_>, keep: &mut [bool]) -> Result<FilterStatistics, AlignerError> {
        let _ = (batch, keep);
        Ok(FilterStatistics::default())
    }
}

/// Decides which seeds of the chains are extended. Called from worker threads, for a batch of whole reads or pairs.
pub trait ExtensionGate: Send + Sync {
    /// Puts a stand-in where a seed is not extended; all of `stand_ins` is `None` before, and what stays `None` is
    /// extended. The seeds of a read come in the order of extension, chain by chain.
    ///
    /// A stand-in is an alignment through its seed that the gate knows of. It may be reported where no better one is
    /// found, so it has to exist.
    ///
    /// # Errors
    /// Whatever the gate cannot do; the run ends with it.
    fn stand_ins(
        &self,
        batch: &GateBatch<'_>,
        stand_ins: &mut [Option<SeedExtension>],
    ) -> Result<FilterStatistics, AlignerError> {
        let _ = (batch, stand_ins);
        Ok(FilterStatistics::default())
    }
}

/// The gates of a run; those that are not there let everything pass.
#[derive(Clone, Default)]
pub struct Gates {
    /// Within seeding.
    pub seeding: Option<Arc<dyn SeedingGate>>,
    /// Before chaining.
    pub seeds: Option<Arc<dyn SeedGate>>,
    /// Before extension.
    pub extensions: Option<Arc<dyn ExtensionGate>>,
    /// Before mate rescue.
    pub rescue: Option<Arc<dyn RescueGate>>,
    /// Whether extensions are looked at for a proof that no gap pays on flanks that hold nothing but chance matches, so that
    /// Smith-Waterman can be left out. It changes nothing in the output.
    pub proofs: bool,
}

/// Which of its gates a filter uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateChoice {
    /// Within seeding.
    pub seeding: bool,
    /// Before chaining.
    pub seeds: bool,
    /// Before extension.
    pub extensions: bool,
    /// Before mate rescue.
    pub rescue: bool,
}

impl Default for GateChoice {
    /// All of them.
    fn default() -> Self {
        Self { seeding: true, seeds: true, extensions: true, rescue: true }
    }
}

impl Gates {
    /// The gates that `context` asks for. Under -a (all alignments are wanted) there are none.
    pub fn new(options: &AlignOptions, context: &ComputeContext) -> Self {
        if !context.npu_filter_enabled || options.mem.flag & flags::ALL != 0 {
            return Self::default();
        }
        let GateChoice { seeding, seeds, extensions, rescue } = context.gates;
        let rescue = rescue.then(|| Arc::new(rescue::Reportable) as _);
        match context.filter_mode {
            FilterMode::Exact => Self { proofs: true, ..Self::default() },
            FilterMode::Cascade => {
                let cascade = Arc::new(cascade::CascadeGates::new(context, options));
                Self {
                    seeding: seeding.then(|| Arc::new(seeding::Explained::new(&options.mem)) as _),
                    seeds: seeds.then(|| Arc::clone(&cascade) as _),
                    extensions: extensions.then_some(cascade as _),
                    rescue,
                    // Of what the cascade extends the proof finds too little to pay for the look.
                    proofs: false,
                }
            }
            FilterMode::Network => {
                let rails = GuardRails { report_score: options.mem.t, ..GuardRails::default() };
                let filter = context.npu_backend.clone().map(|backend| {
                    let config = context.seed_filter_config.clone();
                    Arc::new(network::NetworkGate::new(SeedFilter::new(backend, config, rails))) as _
                });
                Self { rescue: rescue.filter(|_| filter.is_some()), seeds: filter, ..Self::default() }
            }
        }
    }
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
