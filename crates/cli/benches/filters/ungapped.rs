//! The best ungapped extension of a seed on its diagonal, by bwa's scores.

use seedsieve_aligner::Seed;
use seedsieve_filter::{ReadPlanes, Scoring, extend};

use crate::reference::Reference;
use crate::scored::SeedScore;

/// Points that an extension may fall below its best.
const DROP: i32 = 40;

pub struct Ungapped;

impl SeedScore for Ungapped {
    type Memory = (ReadPlanes, Vec<u64>);

    fn score(
        &self,
        reference: &Reference,
        codes: &[u8],
        seeds: &[Seed],
        (read, mask): &mut Self::Memory,
        scores: &mut Vec<i32>,
    ) {
        read.set(codes);
        scores.extend(seeds.iter().map(|seed| {
            let Some((placed, contig)) = reference.place(seed, codes.len()) else { return 0 };
            let first = (contig.start as i64 - placed.diagonal).max(0) as usize;
            let bases = first..(contig.end as i64 - placed.diagonal).min(codes.len() as i64) as usize;
            read.mismatches(placed.reverse, &reference.planes, placed.diagonal, &bases, mask);
            let seed = placed.query_start..placed.query_start + placed.length;
            extend(mask, &seed, &bases, &Scoring::default(), DROP).score
        }));
    }
}
