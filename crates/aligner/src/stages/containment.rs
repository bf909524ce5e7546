//! Which seeds of a read need no region of their own, because another seed's extension runs through them.

use bwa_seed::MemSeed;

use crate::{AlignOptions, SeedExtension};

/// A seed at least this long, as a part of another's length, may lead to another alignment than that one's.
const COMPARABLE_LENGTH: f64 = 0.95;
/// A seed that is longer than a region's founding seed by more than this part of the read may lead to a better alignment
/// than that region.
const BETTER_SEED: f64 = 0.1;

fn diagonal(seed: &MemSeed) -> i64 {
    seed.rbeg - i64::from(seed.qbeg)
}

/// Whether `other` competes with `seed` for the same part of the read: of comparable length, overlapping it by at least
/// a quarter, and on another diagonal.
fn competes(other: &MemSeed, seed: &MemSeed) -> bool {
    let (first, second) = if other.qbeg <= seed.qbeg { (other, seed) } else { (seed, other) };
    f64::from(other.len) >= f64::from(seed.len) * COMPARABLE_LENGTH
        && first.qbeg + first.len - second.qbeg >= seed.len >> 2
        && diagonal(other) != diagonal(seed)
}

/// Whether the extension of `seeds[number]` is certain to be absorbed: a longer seed of the chain covers it on its own
/// diagonal and no seed of the chain competes with it. Extending such a seed changes nothing in the output.
pub(crate) fn is_shadowed(seeds: &[MemSeed], number: usize) -> bool {
    let seed = &seeds[number];
    let covered = seeds.iter().any(|longer| {
        longer.len > seed.len
            && diagonal(longer) == diagonal(seed)
            && longer.qbeg <= seed.qbeg
            && seed.qbeg + seed.len <= longer.qbeg + longer.len
    });
    covered && !seeds.iter().enumerate().any(|(i, other)| i != number && competes(other, seed))
}

/// A seed of a read and its extension, in the order of extension.
pub(crate) struct Founded {
    /// Number of the seed's chain in the read.
    pub(crate) chain: usize,
    pub(crate) seed: MemSeed,
    pub(crate) extension: SeedExtension,
}

/// For each founded region of a read, in the order of extension, whether it stays. A region goes when an earlier one
/// that stays runs through its seed and no earlier seed of its own chain that stays competes with it.
pub(crate) fn surviving(options: &AlignOptions, read_length: i32, founded: &[Founded]) -> Vec<bool> {
    let mut survivors: Vec<&Founded> = Vec::with_capacity(founded.len());
    let mut stays = Vec::with_capacity(founded.len());
    for candidate in founded {
        let absorbed = survivors.iter().any(|prior| runs_through(options, read_length, prior, &candidate.seed))
            && !survivors.iter().any(|prior| prior.chain == candidate.chain && competes(&prior.seed, &candidate.seed));
        if !absorbed {
            survivors.push(candidate);
        }
        stays.push(!absorbed);
    }
    stays
}

/// Whether the extension of `region` passes through `seed`, or so near that the two are one alignment: the seed lies
/// within its bounds, and at one of its ends the diagonals differ by less than a gap can be long there.
fn runs_through(options: &AlignOptions, read_length: i32, region: &Founded, seed: &MemSeed) -> bool {
    let extension = &region.extension;
    let (seed_query_end, seed_reference_end) = (seed.qbeg + seed.len, seed.rbeg + i64::from(seed.len));
    let inside = extension.query_start <= seed.qbeg
        && seed_query_end <= extension.query_end
        && extension.reference_start <= seed.rbeg
        && seed_reference_end <= extension.reference_end;
    if !inside || f64::from(seed.len - region.seed.len) > BETTER_SEED * f64::from(read_length) {
        return false;
    }
    let near = |query: i64, reference: i64| {
        let gap = options.longest_gap(query.min(reference) as i32).min(extension.band);
        (query - reference).abs() < i64::from(gap)
    };
    near(i64::from(seed.qbeg - extension.query_start), seed.rbeg - extension.reference_start)
        || near(i64::from(extension.query_end - seed_query_end), extension.reference_end - seed_reference_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(qbeg: i32, rbeg: i64, len: i32) -> MemSeed {
        MemSeed { rbeg, qbeg, len, score: len }
    }

    fn founded(chain: usize, seed: MemSeed, query: (i32, i32), reference: (i64, i64)) -> Founded {
        let extension = SeedExtension {
            score: query.1 - query.0,
            left_score: query.1 - query.0,
            true_score: query.1 - query.0,
            query_start: query.0,
            query_end: query.1,
            reference_start: reference.0,
            reference_end: reference.1,
            band: 100,
        };
        Founded { chain, seed, extension }
    }

    #[test]
    fn a_seed_inside_a_longer_one_on_its_diagonal_is_shadowed() {
        assert!(is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25)], 1));
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(20, 1021, 25)], 1), "another diagonal");
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(40, 1040, 25)], 1), "sticks out");
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25), seed(22, 1030, 25)], 1), "a competitor");
        assert!(is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25), seed(41, 1049, 25)], 1), "overlaps too little");
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25), seed(37, 1045, 25)], 1), "overlaps by a third");
    }

    #[test]
    fn a_region_through_the_seed_absorbs_it_unless_a_competitor_of_its_chain_stays() {
        let options = AlignOptions::default();
        let long = || founded(0, seed(0, 1000, 60), (0, 150), (1000, 1150));
        let inner = || founded(0, seed(80, 1080, 25), (0, 150), (1000, 1150));
        assert_eq!(surviving(&options, 150, &[long(), inner()]), [true, false]);

        let competitor = founded(0, seed(78, 5078, 26), (70, 120), (5070, 5120));
        assert_eq!(surviving(&options, 150, &[long(), competitor, inner()]), [true, true, true]);

        let elsewhere = founded(1, seed(80, 9080, 25), (60, 130), (9060, 9130));
        assert_eq!(surviving(&options, 150, &[long(), elsewhere]), [true, true]);
    }

    #[test]
    fn a_much_longer_seed_is_never_absorbed() {
        let options = AlignOptions::default();
        let short = founded(0, seed(0, 1000, 20), (0, 150), (1000, 1150));
        let longer = founded(1, seed(50, 1050, 36), (0, 150), (1000, 1150));
        assert_eq!(surviving(&options, 150, &[short, longer]), [true, true]);
    }
}
