//! Compares two alignments of the same reads.
//!
//! [`compare`] streams two files of SAM or BAM, in the order in which an aligner writes them, and counts for every read
//! what became of its primary record: the same line, the same place, realigned, moved, lost or gained, by mapping
//! quality. Where the reads are simulated and their names tell the truth, it also counts which of them lie right. The
//! result is plain data that serialises to JSON; [`text_table`] and [`html_report`] show it to people.
//!
//! Memory holds the records of one read name per file, whatever the files' sizes.

mod bins;
mod change;
mod comparison;
mod error;
mod input;
mod metrics;
mod output;
mod record;
mod report;
mod statistics;
mod templates;
mod text;
mod truth;

pub use bins::MappingQualityBin;
pub use change::{Change, ChangeCounts};
pub use comparison::{CompareOptions, Comparison, FileCounts, compare};
pub use error::CompareError;
pub use metrics::ModelMetrics;
pub use output::{WholeFile, write_whole};
pub use report::{ReportInput, html_report};
pub use statistics::RunStatistics;
pub use text::{cost_table, text_table};
pub use truth::{TRUTH_TOLERANCE, TruthCounts};
