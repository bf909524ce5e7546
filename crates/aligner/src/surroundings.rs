//! A seed's own diagonal: the read and the reference beside the seed, base by base.

use seedsieve_encoding::{DOWNSTREAM, PACKED_WINDOW_BYTES, UPSTREAM, encode_window};

use crate::flank::{DiagonalMatches, Flank};
use crate::stages::ungapped::ungapped_score;
use crate::{AlignOptions, ReferenceIndex, Seed};

/// A seed in its read and in the reference: as far to both sides as the read, and as the context window, reach, and not
/// beyond the ends of the contig and strand.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    read: &'a [u8],
    read_start: usize,
    reference: &'a [u8],
    reference_start: usize,
    length: usize,
    flanks: [Flank; 2],
}

impl ReferenceIndex {
    /// Asks for the cache lines of the diagonal of `seed`.
    pub fn prefetch_diagonal(&self, read: &[u8], seed: &Seed) {
        let start = seed.diagonal();
        self.packed.prefetch_pac(start, start + read.len() as i64);
    }

    /// The surroundings of `seed`, which lies on one contig and strand. `read` holds the base codes of the whole read
    /// (0 to 3, 4 for N); `buffer` gets those of the reference.
    pub fn surroundings<'a>(&self, read: &'a [u8], seed: &Seed, buffer: &'a mut Vec<u8>) -> Surroundings<'a> {
        let (read_start, length) = (seed.query_start as usize, seed.length as usize);
        let before = read_start.max(UPSTREAM) as i64;
        let after = (read.len() - read_start - length).max(DOWNSTREAM) as i64;
        let reference_start = self.codes_around(seed, before, after, buffer);
        Surroundings::new(read, read_start, buffer, reference_start, length)
    }
}

/// A read laid on one diagonal of a contig and strand: the seeds on it share one look at the reference.
pub struct Diagonal<'a> {
    read: &'a [u8],
    reference: &'a [u8],
    /// Base of the reference that faces the read's first, which may lie before them.
    origin: i64,
    /// Where the read faces the reference from end to end, and neither has an N.
    matches: Option<DiagonalMatches>,
}

impl ReferenceIndex {
    /// The diagonal of `seed`, which lies on one contig and strand. `read` holds the base codes of the whole read
    /// (0 to 3, 4 for N); `buffer` gets those of the reference.
    pub fn diagonal<'a>(&self, read: &'a [u8], seed: &Seed, buffer: &'a mut Vec<u8>) -> Diagonal<'a> {
        let (read_start, length) = (seed.query_start as usize, seed.length as usize);
        let (before, after) = (read_start + UPSTREAM, read.len() - read_start - length + DOWNSTREAM);
        let origin = self.codes_around(seed, before as i64, after as i64, buffer) as i64 - read_start as i64;
        let faced = usize::try_from(origin).ok().and_then(|origin| buffer.get(origin..origin + read.len()));
        let matches = faced.and_then(|faced| DiagonalMatches::new(read, faced));
        Diagonal { read, reference: buffer, origin, matches }
    }
}

impl<'a> Diagonal<'a> {
    /// The surroundings of a seed on the diagonal: those that [`ReferenceIndex::surroundings`] gives.
    #[must_use]
    pub fn surroundings(&self, seed: &Seed) -> Surroundings<'a> {
        let Self { read, reference, .. } = *self;
        let (read_start, length) = (seed.query_start as usize, seed.length as usize);
        let reference_start = (self.origin + read_start as i64) as usize;
        match &self.matches {
            Some(matches) => {
                let flanks = matches.flanks(read_start..read_start + length);
                Surroundings { read, read_start, reference, reference_start, length, flanks }
            }
            None => Surroundings::new(read, read_start, reference, reference_start, length),
        }
    }
}

impl<'a> Surroundings<'a> {
    fn new(read: &'a [u8], read_start: usize, reference: &'a [u8], reference_start: usize, length: usize) -> Self {
        let flanks = [
            Flank::before(&read[..read_start], &reference[..reference_start]),
            Flank::behind(&read[read_start + length..], &reference[reference_start + length..]),
        ];
        Self { read, read_start, reference, reference_start, length, flanks }
    }

    /// The sides before and behind the seed.
    #[must_use]
    pub fn flanks(&self) -> [Flank; 2] {
        self.flanks
    }

    /// Packs the read's window; the layout is [`seedsieve_encoding`]'s.
    pub fn encode_query(&self, packed: &mut [u8; PACKED_WINDOW_BYTES]) {
        encode_window(self.read, self.read_start, self.length, packed);
    }

    /// Packs the reference's window.
    pub fn encode_reference(&self, packed: &mut [u8; PACKED_WINDOW_BYTES]) {
        encode_window(self.reference, self.reference_start, self.length, packed);
    }

    /// Best score of an ungapped extension to both ends of the read, the seed included (X-drop 40).
    #[must_use]
    pub fn ungapped_score(&self, options: &AlignOptions) -> i32 {
        let (matched, mismatched) = (options.mem.a, options.mem.b);
        let sides = self.flanks.map(|flank| flank.best_score(matched, mismatched));
        if let [Some(left), Some(right)] = sides {
            return self.length as i32 * matched + left + right;
        }
        ungapped_score(
            self.read,
            self.read_start,
            self.reference,
            self.reference_start,
            self.length,
            matched,
            mismatched,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_counted_outward_and_end_with_the_shorter_side() {
        let codes = |text: &str| -> Vec<u8> {
            text.bytes().map(|base| b"ACGT".iter().position(|&b| b == base).unwrap_or(4) as u8).collect()
        };
        let (read, reference) = (codes("TANACGTACGTCCCCCCCCCNAT"), codes("GTTAACGTACGTCCCACCCCCNA"));
        let [left, right] = Surroundings::new(&read, 3, &reference, 4, 8).flanks().map(|flank| flank.matches());
        // Left, outward: N on A, A on T, T on T; then the read ends.
        assert_eq!(left[..2], [0b100, 0]);
        // Right: CCC on CCC, C on A, CCCCC on CCCCC, N on N is no match, A on A; the reference ends there.
        assert_eq!(right[..3], [0b1111_0111, 0b101, 0]);
    }
}
