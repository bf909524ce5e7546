//! The formats of alignments: SAM text goes in, and SAM, BGZF-SAM, BAM or CRAM comes out, in the order in which it came or
//! sorted by coordinate with an index. Files are complete or not there. And reads out of unaligned BAM and CRAM.
//!
//! ```
//! use std::sync::Arc;
//! use seedsieve_formats::{AlignmentWriter, Destination, OutputFormat, WriterSettings};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("out.bam");
//! let settings = WriterSettings { format: OutputFormat::of_path(&path), sort: None, reference: "ref.fa".into() };
//! let header = b"@SQ\tSN:chr1\tLN:1000\n".to_vec();
//! let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build()?);
//! let mut writer = AlignmentWriter::new(Destination::open(Some(&path))?, header, &settings, pool)?;
//! writer.write(&[b"r1\t0\tchr1\t7\t60\t4M\t*\t0\t0\tACGT\tIIII\n".to_vec()])?;
//! writer.finish()?;
//! assert!(path.exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bam;
mod bgzf;
#[cfg(feature = "htslib")]
mod cram;
mod destination;
mod error;
mod header;
mod index;
mod output_file;
mod output_format;
mod placement;
mod reads;
#[cfg(feature = "htslib")]
mod reference;
mod sort;
mod writer;

pub use destination::Destination;
pub use error::FormatError;
pub use output_file::OutputFile;
pub use output_format::OutputFormat;
pub use reads::{KeptTags, ReadsFile};
pub use writer::{AlignmentWriter, SortSettings, WriterSettings, default_sort_folder};
