//! The seed filter: which seeds of a read are worth aligning. Two forms of it:
//!
//! - [`Cascade`]: integer arithmetic on the whole diagonal of each seed, one gap where that leaves a doubt, and rules by which
//!   the seeds of a read and its mate compete ([`Competition`]). It costs about a tenth of a microsecond a seed, needs no
//!   network, and decides the same on every machine.
//! - [`SeedFilter`]: a viability network scores the context window of every seed that the guard rails ([`GuardRails`]) do
//!   not keep, and those below a threshold are dropped. A chunk with fewer reads than a minimum is not filtered.
//!
//! Seeds about which the cascade is in doubt ([`Doubts`]) may be asked of networks: a [`Student`], and the convolutional
//! [`Network`].
//!
//! Either way the rules that keep seeds are part of the filter, not options: every read keeps its best seed. A record can
//! still go where it does not rest on one: of two mates that both score below the threshold, bwa may report the pair.

mod bands;
mod bands_file;
mod bound;
mod bounds;
mod cascade;
mod competition;
mod diagonal;
mod doubt;
mod flanks;
mod gap_bounds;
mod narrow;
#[cfg(feature = "native")]
mod native_student;
mod planes;
mod rails;
mod seed_filter;
mod statistics;
mod student_features;
mod window_bound;

pub use bands::{Bands, NetworkBand, StudentBand};
pub use bands_file::{BandsFile, HalfLoss, Loss, WorkLoss};
pub use bound::Bound;
pub use bounds::UngappedBounds;
pub use cascade::{Cascade, CascadeBatch, CascadeSettings, PlacedSeed};
pub use competition::Competition;
pub use diagonal::{Scoring, Segment, extend};
pub use doubt::{Doubts, Network, SeedScorer, Student};
pub use flanks::VectorForm;
pub use gap_bounds::GapBounds;
pub use narrow::NarrowScores;
#[cfg(feature = "native")]
pub use native_student::NativeStudent;
pub use planes::{ReadPlanes, ReferencePlanes, fetch_reference};
pub use rails::GuardRails;
pub use seed_filter::{SeedBatch, SeedFacts, SeedFilter};
pub use statistics::FilterStatistics;
pub use student_features::{STUDENT_ROW, StudentRead, StudentSeed};
pub use window_bound::{Reach, WindowBound};
