//! Compares two alignments of the same reads.
//!
//! [`compare`] streams two files of SAM, BAM or CRAM, in the order in which an aligner writes them, and counts for every
//! read what became of its primary record: the same, the same place, realigned, moved, lost or gained; by mapping
//! quality, by kind of record and by mappability. It counts fields, tags, flags and CIGARs that differ, and where the
//! reads are simulated and their true places known ([`TruthSource`]), precision and recall. The result is plain data that
//! serialises to JSON; [`text_table`] and [`html_report`] show it to people.
//!
//! Memory holds the records of one read name per file, whatever the files' sizes.

mod bins;
mod change;
mod comparison;
mod counter;
mod differences;
mod error;
mod input;
mod metrics;
mod output;
mod record;
mod report;
mod shown;
mod statistics;
mod templates;
mod text;
mod truth;

pub use bins::MappingQualityBin;
pub use change::{Change, ChangeCounts, Tally};
pub use comparison::{CompareOptions, Comparison, FileCounts, compare, compare_inputs};
pub use differences::{
    CigarCounts, Example, ExampleRecord, FieldCounts, FieldDifferences, FlagCounts, KindCounts, Mappability,
    MappabilityCounts, MappingQualityShift, REPEAT_SCORE_GAP, RecordKind, ScoreCounts, ShiftCount, TagCounts,
};
pub use error::CompareError;
pub use input::AlignmentInput;
pub use metrics::ModelMetrics;
pub use output::{WholeFile, write_whole};
pub use report::{ReportInput, html_report};
pub use statistics::RunStatistics;
pub use text::{cost_table, text_table};
pub use truth::{Accuracy, AccuracyFrom, TRUTH_TOLERANCE, TruthChanges, TruthCounts, TruthSource};
