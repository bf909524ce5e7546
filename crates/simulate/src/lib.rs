//! A synthetic genome with human-like repeats, and read pairs whose names tell where they come from.
//!
//! Three steps, each usable alone:
//!
//! 1. [`Genome::generate`] composes contigs of unique sequence, repeat families of different ages, tandem repeats,
//!    low-complexity stretches, segmental duplications and runs of N;
//! 2. [`ReadPairs`] makes a diploid donor with SNPs and short indels out of it and sequences the donor with errors that
//!    depend on quality and cycle, as NovaSeq's do;
//! 3. [`write_data_set`] does both and writes `genome.fa`, `reads_1.fastq` and `reads_2.fastq`.
//!
//! The same options give the same bytes on every platform: the generator is xoshiro256++ and all arithmetic is on
//! integers, so rates are in parts per million. A read pair depends on the genome, the options and its own serial number
//! only: the first ten pairs of a million are the ten pairs of a run of ten.
//!
//! A synthetic genome of a few megabases has far fewer copies of each family than a human one. It shows whether a
//! program works; how well one works has to be measured on real sequence.
//!
//! ```
//! use seedsieve_simulate::{Genome, GenomeOptions, Origin, ReadName, ReadOptions, ReadPairs};
//!
//! let genome = Genome::generate(&GenomeOptions { size: 60_000, contigs: 2, ..GenomeOptions::default() })?;
//! let reads = ReadPairs::new(&genome, &ReadOptions { pairs: 10, ..ReadOptions::default() })?;
//! for pair in reads {
//!     let name = ReadName::parse(&pair.name).expect("a name of this crate");
//!     assert!(matches!(name.origin, Origin::Reference { .. }));
//!     assert_eq!(pair.reads[0].bases.len(), 150);
//! }
//! # Ok::<(), seedsieve_simulate::SimulationError>(())
//! ```

mod composition;
mod donor;
mod error;
mod errors_of_sequencing;
mod genome;
mod output;
mod place_in_name;
mod random;
mod read_name;
mod reads;
mod repeats;
mod sequence;

pub use error::SimulationError;
pub use genome::{Contig, Genome, GenomeOptions};
pub use output::{DataSetFiles, write_data_set};
pub use place_in_name::PlaceInName;
pub use random::Random;
pub use read_name::{MateOrigin, Origin, ReadName};
pub use reads::{ReadOptions, ReadPair, ReadPairs, SimulatedRead};
