//! The bwa-mem2-compatible pipeline, built from the bwa-mem4 stage crates with our own orchestration between them, so
//! that a gate may drop seeds and an observer may watch:
//!
//! ```text
//! reads -> SMEMs -> suffix-array look-up -> [seed gate] -> chains -> chain filter -> [extension gate]
//!       -> batched Smith-Waterman -> regions, deduplication -> [rescue gate] -> mate rescue
//!       -> primary marking, pairing, MAPQ -> SAM
//! ```
//!
//! Without gates the records are byte for byte those of bwa-mem2 with the same options.
//!
//! ```
//! use seedsieve_aligner::{AlignOptions, Aligner, ComputeContext, NoObserver, Read, ReferenceIndex, build_index};
//!
//! # let mut state = 1_u32;
//! # let mut base = || {
//! #     state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
//! #     char::from(b"ACGT"[(state >> 30) as usize])
//! # };
//! # let genome: String = (0..5_000).map(|_| base()).collect();
//! # let folder = tempfile::tempdir()?;
//! # let fasta = folder.path().join("reference.fa");
//! # std::fs::write(&fasta, format!(">chr1\n{genome}\n"))?;
//! build_index(&fasta, &fasta)?;
//! let index = ReferenceIndex::load(&fasta)?;
//! let (options, context) = (AlignOptions::default(), ComputeContext::unfiltered());
//! let read = Read { name: "r1".into(), bases: genome[700..800].into(), ..Read::default() };
//! let chunk = Aligner::new(&index, &options, &context).align_single(&[read], 0, &NoObserver)?;
//! let records = String::from_utf8(chunk.sam.concat())?;
//! assert!(records.starts_with("r1\t0\tchr1\t701\t60\t100M\t"), "{records}");
//! assert_eq!((chunk.statistics.reads, chunk.statistics.extensions), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod context;
mod cpu_time;
mod error;
pub mod fastq;
mod flank;
mod fm_index;
mod gap_bounds;
mod gates;
mod index;
mod index_build;
mod index_check;
mod index_fasta;
mod index_text;
mod input;
mod mates;
mod mixed;
mod observe;
mod options;
mod own_extension;
mod packed_reference;
mod pipeline;
mod prefetch;
mod read;
mod read_name;
#[cfg(test)]
mod repeated_reads_tests;
#[cfg(test)]
mod rescue_tests;
mod sam;
#[cfg(test)]
mod stage_tests;
mod stages;
mod statistics;
mod surroundings;
#[cfg(test)]
mod third_tier_tests;
mod trace;

pub use context::{ComputeBackend, ComputeContext, FilterMode};
pub use error::AlignerError;
pub use flank::{Flank, MATCH_MASK_BYTES, MatchMask};
pub use fm_index::MAPPED_INDEX_SUFFIX;
pub use gates::{
    ExtensionGate, FirstMatch, GateBatch, GateChoice, Gates, RescueCase, RescueGate, RescueVerdict, SeedGate,
    SeedingGate, SeedingVerdict,
};
pub use index::{Contig, ReferenceIndex};
pub use index_build::{INDEX_SUFFIXES, build_index, build_mapped_index};
pub use input::{open_counted_input, open_input, peek};
pub use mates::{Mate, MateJoiner, MixedChunk, ReadStream};
pub use observe::{NoObserver, Observer, RegionRole, RegionTrace, Seed, SeedExtension, SeedTrace};
pub use options::AlignOptions;
pub use own_extension::{OwnExtension, SeedToExtend};
pub use pipeline::{Aligner, CappedRead, ChunkOutput};
pub use read::Read;
pub use read_name::check_read_name;
pub use sam::{HeaderLines, ProgramRecord, write_header};
pub use seedsieve_filter::{Bands, BandsFile, FilterStatistics, NetworkBand, SeedScorer, StudentBand};
pub use statistics::{Gate, Stage, Statistics};
pub use surroundings::{Diagonal, Surroundings};
