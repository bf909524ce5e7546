use seedsieve_aligner::{RegionRole, RegionTrace, Seed};
use seedsieve_dataset::Role;

/// Diagonals that a seed may lie off a region's path and still count as part of it.
const NEAR_DIAGONALS: i64 = 100;

/// The final region that a seed lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeedRegion {
    pub score: i32,
    /// Diagonals between the seed and the region's path.
    pub distance: i32,
    pub role: Role,
}

/// The best of `regions` whose rectangle contains the seed and whose path passes within [`NEAR_DIAGONALS`]; of equally
/// good ones the nearest, then the first.
pub(crate) fn region_of_seed(seed: &Seed, regions: &[RegionTrace]) -> Option<SeedRegion> {
    let mut best: Option<SeedRegion> = None;
    for region in regions.iter().filter(|region| contains(region, seed)) {
        let distance = distance_from_path(seed, region);
        if distance > NEAR_DIAGONALS {
            continue;
        }
        let candidate = SeedRegion { score: region.score, distance: distance as i32, role: role(region.role) };
        if best.is_none_or(|best| (candidate.score, -candidate.distance) > (best.score, -best.distance)) {
            best = Some(candidate);
        }
    }
    best
}

fn contains(region: &RegionTrace, seed: &Seed) -> bool {
    seed.query_start >= region.query_start
        && seed.query_start + seed.length <= region.query_end
        && seed.reference_start >= region.reference_start
        && seed.reference_start + i64::from(seed.length) <= region.reference_end
}

/// The path runs from the rectangle's one corner to the other; where between them it changes its diagonal is not known,
/// so every diagonal between the two ends' counts as passed.
fn distance_from_path(seed: &Seed, region: &RegionTrace) -> i64 {
    let first = region.reference_start - i64::from(region.query_start);
    let last = region.reference_end - i64::from(region.query_end);
    let (low, high) = (first.min(last), first.max(last));
    (low - seed.diagonal()).max(seed.diagonal() - high).max(0)
}

fn role(role: RegionRole) -> Role {
    match role {
        RegionRole::BelowThreshold => Role::BelowThreshold,
        RegionRole::Secondary => Role::Secondary,
        RegionRole::Supplementary => Role::Supplementary,
        RegionRole::Primary => Role::Primary,
    }
}

/// The read's best region (of equally good ones the first) and the scores of the best and the second best; 0: none.
pub(crate) fn best_regions(regions: &[RegionTrace]) -> (Option<&RegionTrace>, i32, i32) {
    let mut best: Option<&RegionTrace> = None;
    let mut second = 0;
    for region in regions {
        match best {
            Some(found) if region.score <= found.score => second = second.max(region.score),
            _ => second = best.replace(region).map_or(second, |found| found.score.max(second)),
        }
    }
    (best, best.map_or(0, |region| region.score), second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(query_start: i32, length: i32, reference_start: i64) -> Seed {
        Seed { query_start, length, reference_start, occurrences: 1 }
    }

    fn region(query: (i32, i32), reference: (i64, i64), score: i32, role: RegionRole) -> RegionTrace {
        RegionTrace {
            query_start: query.0,
            query_end: query.1,
            reference_start: reference.0,
            reference_end: reference.1,
            score,
            role,
        }
    }

    #[test]
    fn the_distance_is_zero_between_the_diagonals_of_both_ends() {
        // Diagonals 1000 at the start and 1040 at the end.
        let region = [region((0, 150), (1000, 1190), 100, RegionRole::Primary)];
        let distance = |reference| region_of_seed(&seed(60, 20, reference), &region).map(|found| found.distance);
        assert_eq!(distance(1060), Some(0));
        assert_eq!(distance(1100), Some(0));
        assert_eq!(distance(1103), Some(3));
        assert_eq!(distance(1050), Some(10));
    }

    #[test]
    fn a_seed_must_lie_within_the_rectangle_and_near_the_path() {
        let regions = [region((10, 400), (1010, 1400), 100, RegionRole::Primary)];
        assert!(region_of_seed(&seed(10, 20, 1010), &regions).is_some());
        assert!(region_of_seed(&seed(9, 20, 1010), &regions).is_none());
        assert!(region_of_seed(&seed(381, 20, 1380), &regions).is_none());
        assert!(region_of_seed(&seed(100, 20, 1200), &regions).is_some());
        assert!(region_of_seed(&seed(100, 20, 1201), &regions).is_none(), "101 diagonals off");
    }

    #[test]
    fn the_best_region_wins_then_the_nearest() {
        let regions = [
            region((0, 150), (990, 1160), 40, RegionRole::BelowThreshold),
            region((0, 150), (1005, 1155), 90, RegionRole::Secondary),
            region((0, 150), (1000, 1150), 90, RegionRole::Primary),
        ];
        let found = region_of_seed(&seed(50, 20, 1050), &regions).unwrap();
        assert_eq!((found.score, found.distance, found.role), (90, 0, Role::Primary));
    }

    #[test]
    fn best_and_second_best_do_not_depend_on_the_order() {
        let scored = |score| region((0, 10), (i64::from(score), 10), score, RegionRole::Primary);
        for scores in [[30, 90, 60], [90, 60, 30], [30, 60, 90]] {
            let regions = scores.map(scored);
            let (best, first, second) = best_regions(&regions);
            assert_eq!((best.unwrap().score, first, second), (90, 90, 60), "{scores:?}");
        }
        assert_eq!(best_regions(&[]), (None, 0, 0));
        assert_eq!(best_regions(&[scored(50), scored(50)]).2, 50);
    }
}
