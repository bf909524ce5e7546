use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, encode_window};

/// Bases of reference around each made-up seed; more than a window shows.
const REFERENCE_LEN: usize = 260;

/// Packed windows of `count` made-up seeds, the same on every machine for the same `generator_seed`.
///
/// For warming up, timing and comparing backends without data. The windows look like real ones: a read of 50 to 150
/// bases that agrees with the reference in the seed and around it to a degree that varies from seed to seed (identical,
/// a few substitutions, a shift by an insertion, unrelated), ends of reads and contigs, an N here and there.
pub fn example_windows(count: usize, generator_seed: u64) -> Vec<u8> {
    let mut random = SplitMix64(generator_seed);
    let mut packed = vec![0; count * PACKED_SEED_BYTES];
    for seed in packed.chunks_exact_mut(PACKED_SEED_BYTES) {
        encode_example(&mut random, seed);
    }
    packed
}

fn encode_example(random: &mut SplitMix64, packed: &mut [u8]) {
    let reference: Vec<u8> =
        (0..REFERENCE_LEN).map(|_| if random.below(200) == 0 { 4 } else { random.base() }).collect();
    let seed_start = 40 + random.below(30);
    let seed_length = 12 + random.below(90);
    let seed_end = seed_start + seed_length;

    let differences_per_mille = [0, 10, 60, 750][random.below(4)];
    let mut change = |code: u8| if random.below(1000) < differences_per_mille { random.base() } else { code };
    let mut upstream: Vec<u8> = reference[..seed_start].iter().map(|&code| change(code)).collect();
    let mut downstream: Vec<u8> = reference[seed_end..].iter().map(|&code| change(code)).collect();
    if random.below(8) == 0 {
        downstream.insert(random.below(20), random.base());
    }
    if random.below(8) == 0 {
        upstream.remove(random.below(seed_start));
    }
    let shown_upstream = random.below(upstream.len() + 1);
    let shown_downstream = random.below(60);
    let read = [
        &upstream[upstream.len() - shown_upstream..],
        &reference[seed_start..seed_end],
        &downstream[..shown_downstream],
    ]
    .concat();
    // One seed in sixteen lies at the very start of its contig.
    let contig_start = if random.below(16) == 0 { seed_start } else { 0 };

    let (query_half, reference_half) = packed.split_at_mut(PACKED_WINDOW_BYTES);
    encode_window(&read, shown_upstream, seed_length, as_window(query_half));
    encode_window(&reference[contig_start..], seed_start - contig_start, seed_length, as_window(reference_half));
}

fn as_window(half: &mut [u8]) -> &mut [u8; PACKED_WINDOW_BYTES] {
    half.try_into().expect("half a packed seed is one window")
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: enough for test data, and
/// simple enough to need no dependency.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn base(&mut self) -> u8 {
        self.below(4) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedsieve_encoding::{AMBIGUOUS, UPSTREAM, window_codes};
    use std::collections::HashSet;

    #[test]
    fn windows_differ_agree_in_the_seed_and_repeat() {
        let windows = example_windows(2000, 7);
        assert_eq!(windows, example_windows(2000, 7));
        let distinct: HashSet<&[u8]> = windows.chunks(PACKED_SEED_BYTES).collect();
        assert_eq!(distinct.len(), 2000);
        let mut differing = 0;
        for seed in windows.chunks(PACKED_SEED_BYTES) {
            let (query, reference) = seed.split_at(PACKED_WINDOW_BYTES);
            let (query, reference) = (window_codes(query), window_codes(reference));
            assert_eq!(query[UPSTREAM..UPSTREAM + 12], reference[UPSTREAM..UPSTREAM + 12]);
            assert!(query.iter().any(|&code| code != AMBIGUOUS));
            let shown = query[..UPSTREAM].iter().zip(&reference[..UPSTREAM]);
            let mut shown = shown.filter(|&(&query, &reference)| query != AMBIGUOUS && reference != AMBIGUOUS);
            differing += usize::from(shown.any(|(query, reference)| query != reference));
        }
        assert!((500..1600).contains(&differing), "{differing} of 2000 differ before the seed");
    }
}
