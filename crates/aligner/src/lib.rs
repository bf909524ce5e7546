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
//! ```no_run
//! use seedsieve_aligner::{AlignOptions, Aligner, ComputeContext, NoObserver, Read, ReferenceIndex};
//!
//! let index = ReferenceIndex::load("reference.fa".as_ref())?;
//! let (options, context) = (AlignOptions::default(), ComputeContext::unfiltered());
//! let read = Read { name: "r1".into(), bases: b"ACGTACGTTAGCATCGATTCAGG".to_vec(), ..Read::default() };
//! let chunk = Aligner::new(&index, &options, &context).align_single(&[read], 0, &NoObserver)?;
//! print!("{}", String::from_utf8_lossy(&chunk.sam.concat()));
//! # Ok::<(), seedsieve_aligner::AlignerError>(())
//! ```

mod context;
mod cpu_time;
mod error;
pub mod fastq;
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
mod pipeline;
mod read;
mod sam;
#[cfg(test)]
mod stage_tests;
mod stages;
mod statistics;
mod trace;

pub use context::{ComputeBackend, ComputeContext, FilterMode};
pub use error::AlignerError;
pub use gates::{ExtensionGate, GateBatch, GateChoice, Gates, RescueCase, RescueGate, RescueVerdict, SeedGate};
pub use index::{Contig, ReferenceIndex};
pub use index_build::{INDEX_SUFFIXES, build_index};
pub use input::{open_counted_input, open_input, peek};
pub use mates::{Mate, MateJoiner, MixedChunk, ReadStream};
pub use observe::{NoObserver, Observer, RegionRole, RegionTrace, Seed, SeedExtension, SeedTrace};
pub use options::AlignOptions;
pub use pipeline::{Aligner, ChunkOutput};
pub use read::Read;
pub use sam::{HeaderLines, ProgramRecord, write_header};
pub use seedsieve_filter::{Bands, FilterStatistics};
pub use statistics::{Stage, Statistics};
