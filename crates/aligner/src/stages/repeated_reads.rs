//! Reads of a chunk that have the sequence of an earlier one: adapter dimers, poly-G, amplicons, duplicates of PCR.
//!
//! What bwa finds for a read up to its regions depends on its bases alone. (The read's number comes into play when regions
//! are marked primary and pairs are chosen.) So reads of one sequence need it once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rayon::prelude::*;

/// Reads among which repeats are looked for, an even number. It is fixed, so that what is found does not depend on threads,
/// and small, so that looking costs little: the table stays in the cache.
const BLOCK: usize = 4_096;

/// For each unit, a read or a pair of mates, the first one of its block with the same bases.
pub(crate) struct RepeatedReads {
    /// Reads of a unit: 1, or 2 where mates are looked at together.
    unit: usize,
    /// Number of the first unit with these bases; the unit's own where there is no earlier one.
    first: Vec<usize>,
    distinct: usize,
}

impl RepeatedReads {
    /// Finds the units of `unit` reads that repeat an earlier one. `codes` are the reads' base codes.
    pub(crate) fn find(codes: &[Vec<u8>], unit: usize) -> Self {
        let of_block = |(block, codes): (usize, &[Vec<u8>])| first_of_block(codes, unit, block * BLOCK / unit);
        let first: Vec<usize> = codes.par_chunks(BLOCK).enumerate().flat_map_iter(of_block).collect();
        let distinct = first.iter().enumerate().filter(|(number, first)| number == *first).count();
        Self { unit, first, distinct }
    }

    /// Whether there is a unit that repeats another.
    #[cfg(test)]
    fn any(&self) -> bool {
        self.distinct < self.first.len()
    }

    /// Reads that repeat another.
    pub(crate) fn repeats(&self) -> usize {
        (self.first.len() - self.distinct) * self.unit
    }

    /// The numbers of the reads that repeat none, ascending.
    pub(crate) fn distinct(&self) -> Vec<usize> {
        let is_first = |(number, first): (usize, &usize)| (number == *first).then_some(number);
        let units = self.first.iter().enumerate().filter_map(is_first);
        units.flat_map(|number| number * self.unit..(number + 1) * self.unit).collect()
    }

    /// What was found for each read that repeats none, for every read.
    pub(crate) fn for_all<T: Clone>(&self, of_distinct: Vec<T>) -> Vec<T> {
        let mut of_distinct = of_distinct.into_iter();
        let mut all: Vec<T> = Vec::with_capacity(self.first.len() * self.unit);
        for (number, &first) in self.first.iter().enumerate() {
            for read in 0..self.unit {
                let next =
                    if first == number { of_distinct.next() } else { all.get(first * self.unit + read).cloned() };
                all.push(next.expect("one result for each read that repeats none"));
            }
        }
        all
    }
}

/// For each unit of a block the number of the first one with its bases; `start` is the number of the block's first.
fn first_of_block(codes: &[Vec<u8>], unit: usize, start: usize) -> Vec<usize> {
    let mut seen: HashMap<u64, usize, BuildHasherDefault<AsItIs>> = HashMap::default();
    seen.reserve(codes.len() / unit);
    let of_unit = |(number, of_unit): (usize, &[Vec<u8>])| {
        let hash = of_unit.iter().fold(0, |hash, codes| hash_of(codes, hash));
        let earlier = *seen.entry(hash).or_insert(number);
        // Of different units with the same hash, which is rare, the later ones count as new.
        let is_same = codes[earlier * unit..(earlier + 1) * unit] == *of_unit;
        start + if is_same { earlier } else { number }
    };
    codes.chunks_exact(unit).enumerate().map(of_unit).collect()
}

/// A hash of base codes and of what came before: four sums side by side, as one waits for the multiplication before it.
fn hash_of(codes: &[u8], before: u64) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    let mut sums = [before, 1, 2, 3];
    let (blocks, rest) = codes.as_chunks::<32>();
    for block in blocks {
        for (sum, bytes) in sums.iter_mut().zip(block.chunks_exact(8)) {
            *sum = mix(*sum, word(bytes));
        }
    }
    let mut last = [0xff; 32];
    last[..rest.len()].copy_from_slice(rest);
    for (sum, bytes) in sums.iter_mut().zip(last.chunks_exact(8)) {
        *sum = mix(*sum, word(bytes));
    }
    sums.into_iter().fold(codes.len() as u64, mix)
}

/// Hands on what is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.bytes().map(|base| base - b'0').collect()).collect()
    }

    #[test]
    fn single_reads_repeat_the_first_of_their_bases() {
        let repeated = RepeatedReads::find(&reads(&["0123", "0", "0123", "", "0", "0123", "01234", ""]), 1);
        assert_eq!(repeated.first, [0, 1, 0, 3, 1, 0, 6, 3]);
        assert_eq!((repeated.any(), repeated.repeats(), repeated.distinct()), (true, 4, vec![0, 1, 3, 6]));
        assert_eq!(repeated.for_all(vec!['a', 'b', 'c', 'd']), ['a', 'b', 'a', 'c', 'b', 'a', 'd', 'c']);
    }

    #[test]
    fn pairs_repeat_only_pairs() {
        let repeated = RepeatedReads::find(&reads(&["0", "1", "1", "0", "0", "1", "0", "0"]), 2);
        assert_eq!(repeated.first, [0, 1, 0, 3]);
        assert_eq!((repeated.repeats(), repeated.distinct()), (2, vec![0, 1, 2, 3, 6, 7]));
        assert_eq!(repeated.for_all(vec!['a', 'b', 'c', 'd', 'e', 'f']), ['a', 'b', 'c', 'd', 'a', 'b', 'e', 'f']);
        assert!(!RepeatedReads::find(&reads(&["0", "1", "1", "0"]), 2).any());
    }

    #[test]
    fn repeats_are_looked_for_within_fixed_blocks() {
        let codes = vec![vec![0, 1]; 2 * BLOCK + 2];
        for unit in [1, 2] {
            let repeated = RepeatedReads::find(&codes, unit);
            let blocks = [0, BLOCK, 2 * BLOCK].map(|read| read / unit);
            assert!(repeated.first.iter().enumerate().all(|(number, first)| *first == number / blocks[1] * blocks[1]));
            assert_eq!(repeated.distinct().len(), 3 * unit);
        }
    }

    #[test]
    fn every_base_and_the_length_are_part_of_the_hash() {
        let read: Vec<u8> = (0..150).map(|at| (at * at % 7 % 4) as u8).collect();
        let mut hashes = vec![hash_of(&read, 0), hash_of(&read, 0x0123_4567_89ab_cdef), hash_of(&read[..149], 0)];
        for at in 0..150 {
            let mut other = read.clone();
            other[at] = (other[at] + 1) % 5;
            hashes.push(hash_of(&other, 0));
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 153);
    }
}
