//! The stages between reads and regions, over a batch of reads each.

pub(crate) mod containment;
pub(crate) mod extension;
pub(crate) mod isolated_flank;
pub(crate) mod packed_regions;
pub(crate) mod regions;
pub(crate) mod repeated_reads;
pub(crate) mod rescue;
pub(crate) mod seeding;
pub(crate) mod ungapped;
pub(crate) mod ungapped_optimum;
