use std::ops::Range;

/// Bases on each side of a seed whose qualities count as its flanks': as far as the context window reaches.
const FLANK: usize = 32;
/// What Phred qualities are shifted by in FASTQ.
const OFFSET: u8 = b'!';

/// Mean quality of the seed's bases, and of those beside it; `None` where there are no qualities, or no bases beside it.
///
/// `qualities` are those of the read in ASCII (Phred + 33), `seed` is 0-based and half-open.
pub(crate) fn mean_qualities(qualities: Option<&[u8]>, seed: Range<usize>) -> (Option<u8>, Option<u8>) {
    let Some(qualities) = qualities.filter(|qualities| seed.end <= qualities.len()) else { return (None, None) };
    let before = &qualities[seed.start.saturating_sub(FLANK)..seed.start];
    let after = &qualities[seed.end..(seed.end + FLANK).min(qualities.len())];
    (mean(&[&qualities[seed]]), mean(&[before, after]))
}

fn mean(runs: &[&[u8]]) -> Option<u8> {
    let bases: u32 = runs.iter().map(|run| run.len() as u32).sum();
    let sum: u32 =
        runs.iter().flat_map(|run| run.iter()).map(|&quality| u32::from(quality.saturating_sub(OFFSET))).sum();
    (bases > 0).then(|| ((sum + bases / 2) / bases) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_and_its_flanks_are_averaged_apart() {
        let qualities: Vec<u8> = (0..100).map(|base| OFFSET + if (40..60).contains(&base) { 37 } else { 10 }).collect();
        assert_eq!(mean_qualities(Some(&qualities), 40..60), (Some(37), Some(10)));
        assert_eq!(mean_qualities(Some(&qualities), 30..50), (Some(24), Some(14)));
        assert_eq!(mean_qualities(Some(&qualities), 0..100), (Some(15), None));
        assert_eq!(mean_qualities(None, 0..10), (None, None));
    }
}
