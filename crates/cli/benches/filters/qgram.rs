//! A vote of q-grams: how many of the reference's around the seed's diagonal the read has anywhere.

use seedsieve_aligner::Seed;

use crate::reference::Reference;
use crate::scored::SeedScore;

/// Bases of a q-gram.
const Q: usize = 5;
const GRAMS: usize = 1 << (2 * Q);
/// Bases beside the read's diagonal that are looked at, too.
const BESIDE: i64 = 5;

pub struct Votes;

/// Which q-grams a read has, on either strand.
#[derive(Default)]
pub struct Grams([Vec<u64>; 2]);

impl SeedScore for Votes {
    type Memory = Grams;

    fn score(
        &self,
        reference: &Reference,
        codes: &[u8],
        seeds: &[Seed],
        Grams(strands): &mut Grams,
        scores: &mut Vec<i32>,
    ) {
        for (reverse, grams) in strands.iter_mut().enumerate() {
            grams.clear();
            grams.resize(GRAMS / 64, 0);
            let mut add = |gram: usize| grams[gram / 64] |= 1 << (gram % 64);
            if reverse == 1 {
                let complement = |code: &u8| if *code < 4 { 3 - code } else { *code };
                grams_of(codes.iter().rev().map(complement), &mut add);
            } else {
                grams_of(codes.iter().copied(), &mut add);
            }
        }
        scores.extend(seeds.iter().map(|seed| {
            let Some((placed, contig)) = reference.place(seed, codes.len()) else { return 0 };
            let grams = &strands[usize::from(placed.reverse)];
            let mut votes = 0;
            let window = reference.window(&placed, &contig, codes.len(), BESIDE);
            grams_of(window.iter().copied(), &mut |gram| votes += (grams[gram / 64] >> (gram % 64) & 1) as i32);
            votes
        }));
    }
}

/// Hands on each q-gram without an N, as a number.
fn grams_of(codes: impl Iterator<Item = u8>, take: &mut impl FnMut(usize)) {
    let (mut gram, mut bases) = (0, 0);
    for code in codes {
        gram = (gram << 2 | usize::from(code & 3)) % GRAMS;
        bases = if code < 4 { bases + 1 } else { 0 };
        if bases >= Q {
            take(gram);
        }
    }
}
