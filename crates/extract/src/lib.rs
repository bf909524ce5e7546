//! From reads to a data set of seeds, through the production pipeline.
//!
//! ```text
//! BAM, CRAM, FASTQ -> reads in sequencing orientation, mates together -> chunks -> aligner with the recorder
//!                  -> each seed's own extension, region, windows, place on the source's alignment -> data set
//! ```
//!
//! [`extract`] does it all. The same input and options give the same bytes for any number of threads: chunks hold a
//! fixed number of reads, and rows are written in the order of the reads. The chunk's size is part of the result for
//! pairs (the insert size is measured on each chunk, as in bwa) and is stored with the settings. Parquet files end with a
//! chunk where they can, so that a process that was killed is continued behind a chunk.

mod complete;
mod contigs;
mod error;
mod facts;
mod inputs;
mod path;
mod plan;
mod quality;
mod recorder;
mod reference_md5;
mod regions;
mod rows;
mod run;
mod sampling;
mod source;
mod truth;
mod verify;

pub use contigs::ContigMap;
pub use error::ExtractError;
pub use inputs::Excerpt;
pub use path::{AlignmentPath, Block};
pub use regions::Regions;
pub use run::{ExtractOptions, Progress, Summary, extract};
pub use sampling::{Subsample, read_hash};
#[cfg(feature = "remote")]
pub use source::fetch_regions;
pub use source::{Input, InputKind, Leftovers, SourceContig, SourceHeader};
pub use verify::ReferenceCheck;
