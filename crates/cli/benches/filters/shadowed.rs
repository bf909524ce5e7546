//! bwa-mem3's rule: a seed of fewer than 30 bases is not extended where a longer seed of its chain stands for it.

use seedsieve_aligner::{AlignerError, ExtensionGate, FilterStatistics, GateBatch, SeedExtension};

/// Seeds of so many bases are always extended.
const LONG: i32 = 30;

pub struct Shadowed;

impl ExtensionGate for Shadowed {
    fn stand_ins(
        &self,
        batch: &GateBatch<'_>,
        stand_ins: &mut [Option<SeedExtension>],
    ) -> Result<FilterStatistics, AlignerError> {
        let mut statistics =
            FilterStatistics { candidates_in: batch.seeds.len() as u64, ..FilterStatistics::default() };
        for read in batch.offsets.windows(2) {
            // The seeds of a chain are neighbours.
            let mut start = read[0];
            while start < read[1] {
                let chain = batch.chains[start];
                let end = (start..read[1]).find(|&seed| batch.chains[seed] != chain).unwrap_or(read[1]);
                let longest = batch.seeds[start..end].iter().map(|seed| seed.length).max().unwrap_or(0);
                for (number, stand_in) in (start..end).zip(&mut stand_ins[start..end]) {
                    if batch.seeds[number].length < LONG.min(longest) {
                        *stand_in = Some(alone(batch, number));
                        statistics.stand_ins += 1;
                    }
                }
                start = end;
            }
        }
        Ok(statistics)
    }
}

/// The seed as an alignment of its own.
fn alone(batch: &GateBatch<'_>, number: usize) -> SeedExtension {
    let seed = &batch.seeds[number];
    let score = seed.length * batch.options.mem.a;
    SeedExtension {
        score,
        left_score: score,
        true_score: score,
        query_start: seed.query_start,
        query_end: seed.query_start + seed.length,
        reference_start: seed.reference_start,
        reference_end: seed.reference_start + i64::from(seed.length),
        band: batch.options.mem.w,
    }
}
