//! Data sets made of data sets: divided, merged, sampled, labelled. All stream, batch by batch.

mod label;
mod merge;
mod mix;
mod sample;
mod split;
mod writer;

pub use label::{LabelCounts, label, label_counts};
pub use merge::merge;
pub use sample::{SampleOptions, SampleReport, Stratum, sample};
pub use split::{SplitOptions, SplitPart, SplitReport, split};
pub use writer::DeriveOptions;
pub(crate) use writer::count_rows;
