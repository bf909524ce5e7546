//! The reference as the filters that are compared look at it.

use std::ops::Range;

use seedsieve_aligner::{ReferenceIndex, Seed};
use seedsieve_filter::ReferencePlanes;

/// The forward strand, as codes and as bit planes.
pub struct Reference {
    pub codes: Vec<u8>,
    pub planes: ReferencePlanes,
}

/// A seed on the forward strand.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Whether the read's reverse complement lies on the forward strand.
    pub reverse: bool,
    /// Where the first base of the read, so turned, lies: 0-based, before the contig's start if need be.
    pub diagonal: i64,
    /// First base of the seed in the read, so turned.
    pub query_start: usize,
    pub length: usize,
}

impl Reference {
    pub fn new(index: &ReferenceIndex) -> Self {
        let mut codes = Vec::with_capacity(index.length() as usize);
        let mut starts = vec![0];
        for (number, contig) in index.contigs().iter().enumerate() {
            codes.extend(index.contig_codes(number, 0, contig.length));
            starts.push(codes.len() as u64);
        }
        let planes = ReferencePlanes::new(starts, |range, piece| {
            piece.clear();
            piece.extend(codes[range.start as usize..range.end as usize].iter().map(|code| code & 3));
        });
        Self { codes, planes }
    }

    /// Places a seed of a read of `bases` bases; with the bounds of its contig. Nothing for a seed across two of them.
    pub fn place(&self, seed: &Seed, bases: usize) -> Option<(Placed, Range<u64>)> {
        let total = self.codes.len() as i64;
        let (length, query) = (i64::from(seed.length), i64::from(seed.query_start));
        let reverse = seed.reference_start >= total;
        let (start, query) = if reverse {
            (2 * total - seed.reference_start - length, bases as i64 - query - length)
        } else {
            (seed.reference_start, query)
        };
        let contig = self.planes.contig_around(u64::try_from(start).ok()?, length as u64)?;
        let placed = Placed { reverse, diagonal: start - query, query_start: query as usize, length: length as usize };
        Some((placed, contig))
    }

    /// The bases under a read of `bases` bases on its diagonal and `beside` more to either side, as far as the contig goes.
    pub fn window(&self, placed: &Placed, contig: &Range<u64>, bases: usize, beside: i64) -> &[u8] {
        let within = |place: i64| place.clamp(contig.start as i64, contig.end as i64) as usize;
        &self.codes[within(placed.diagonal - beside)..within(placed.diagonal + bases as i64 + beside)]
    }
}
