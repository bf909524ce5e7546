//! Learns the bands of the cascade from reads: the narrowest that lose no more alignments than was stated.
//!
//! Nothing is modelled. [`Bench`] aligns the reads without a filter once, and again under every setting of the bands that the
//! search ([`learn`]) asks for; a read is *changed* where its primary record reaches -T without the filter and is gone, or at
//! another place, with it. The share of changed reads gets an upper confidence bound ([`upper_bound`]).
//!
//! Reads of one locus lose their alignment together, so that they are no independent witnesses: the bound counts loci, blocks
//! of [`LOCUS`] bases of the reference, not reads. Half of the loci are learned from ([`Half::Learn`]); what the chosen bands
//! lose is checked on the other half, which the search never sees.

mod bench;
mod interval;
mod outcome;
mod search;
mod tally;

pub use bench::{Bench, Networks, Part, Trial, Work};
pub use interval::upper_bound;
pub use outcome::Outcome;
pub use search::{Aim, Learned, TuningError, learn};
pub use tally::{Half, LOCUS, Tally};
