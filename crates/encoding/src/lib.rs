//! Context windows around seeds, packed at four bits a base, and their one-hot form.
//!
//! A *seed* is an exact match between a read and the reference. What a viability network sees of it is a pair of
//! windows, one of the read and one of the reference, each of [`WINDOW_SIZE`] positions:
//!
//! ```text
//! position   0          32                 32+s          64+s          128
//!            | upstream | seed (s bases)   | downstream  | zero padding |
//! ```
//!
//! * up to [`UPSTREAM`] bases before the seed, right-aligned against position 32;
//! * the seed; one longer than [`MAX_SEED_IN_WINDOW`] keeps its first and last 32 bases (then s = 64);
//! * up to [`DOWNSTREAM`] bases after the seed.
//!
//! Positions outside the read, the contig or the strand, and bases other than A, C, G and T, are empty: a zero nibble,
//! a zero vector in the one-hot form. The read is always in sequencing orientation; for a seed on the reverse strand
//! the reference window is the reverse complement of the reference, so both windows read in the same direction.
//!
//! The packed form is BAM's: one nibble a base with the bits A = 1, C = 2, G = 4, T = 8, the earlier base in the high
//! nibble (SAM specification, section 4.2.3). A window takes [`PACKED_WINDOW_BYTES`] bytes, a seed
//! [`PACKED_SEED_BYTES`]: the read's window, then the reference's.
//!
//! ```
//! use seedsieve_encoding::{encode_window, expand_one_hot, ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, PACKED_WINDOW_BYTES};
//!
//! let read = [0, 1, 2, 3, 0, 1]; // ACGTAC
//! let mut packed = [0; PACKED_SEED_BYTES];
//! let (query, reference) = packed.split_at_mut(PACKED_WINDOW_BYTES);
//! encode_window(&read, 2, 3, query.try_into().unwrap());
//! encode_window(&read, 2, 3, reference.try_into().unwrap());
//!
//! let mut one_hot = vec![0.0; ONE_HOT_SEED_LEN];
//! expand_one_hot(&packed, &mut one_hot);
//! // The seed's first base, G, is at position 32 of the query channel.
//! assert_eq!(&one_hot[32 * 4..33 * 4], &[0.0, 0.0, 1.0, 0.0]);
//! ```

mod one_hot;
mod window;

pub use one_hot::expand_one_hot;
pub use window::{encode_window, window_codes};

/// Positions in one context window.
pub const WINDOW_SIZE: usize = 128;
/// Positions for bases before the seed.
pub const UPSTREAM: usize = 32;
/// Positions for bases after the seed.
pub const DOWNSTREAM: usize = 32;
/// Seed bases that a window holds; a longer seed keeps its first and last half of this many.
pub const MAX_SEED_IN_WINDOW: usize = WINDOW_SIZE - UPSTREAM - DOWNSTREAM;
/// Bytes of one packed window: four bits a position.
pub const PACKED_WINDOW_BYTES: usize = WINDOW_SIZE / 2;
/// Bytes of one packed seed: the read's window, then the reference's.
pub const PACKED_SEED_BYTES: usize = 2 * PACKED_WINDOW_BYTES;
/// `f32` values of one seed in the one-hot form: shape (2, [`WINDOW_SIZE`], 4), channels read and reference,
/// bases in the order A, C, G, T.
pub const ONE_HOT_SEED_LEN: usize = 2 * WINDOW_SIZE * 4;
/// Code of a base that is not A, C, G or T; codes 0 to 3 are A, C, G, T.
pub const AMBIGUOUS: u8 = 4;
