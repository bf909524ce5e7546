//! The seed filter: which seeds of a read are worth aligning.
//!
//! The filter scores seeds with a viability network and drops those below a threshold. Guard rails come first and are
//! part of the filter, not options: every read keeps its best seeds. A record can still go where it does not rest on its
//! read's best seed: bwa reports pairs of which each mate scores below the threshold, and may place one by a weaker seed.
//!
//! 1. A read keeps its best seeds: all that share its highest bound, and its longest seed. The bound is the ungapped
//!    score of the seed to both ends of the read.
//! 2. Where the best bound reaches the reporting threshold, seeds whose bound comes near it stay: MAPQ and the XS tag
//!    need the runner-up.
//! 3. A batch with fewer seeds than the configured minimum is not filtered.

mod rails;
mod seed_filter;
mod statistics;

pub use rails::GuardRails;
pub use seed_filter::{SeedBatch, SeedFacts, SeedFilter};
pub use statistics::FilterStatistics;
