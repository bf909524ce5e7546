use seedsieve_aligner::{RegionRole, RegionTrace, Seed};
use seedsieve_dataset::Role;
use std::cmp::Reverse;

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

/// Regions of a read in the order of their place, so that those around a seed are found without a look at all of them.
pub(crate) struct RegionsByPlace<'a> {
    regions: &'a [RegionTrace],
    /// Start in the reference, and number.
    by_start: Vec<(i64, usize)>,
    /// Bases of the reference that the longest takes.
    longest: i64,
}

impl<'a> RegionsByPlace<'a> {
    pub(crate) fn new(regions: &'a [RegionTrace]) -> Self {
        let mut by_start: Vec<(i64, usize)> = regions.iter().map(|region| region.reference_start).zip(0..).collect();
        by_start.sort_unstable();
        let longest = regions.iter().map(|region| region.reference_end - region.reference_start).max().unwrap_or(0);
        Self { regions, by_start, longest }
    }

    /// The best region whose rectangle contains the seed and whose path passes within [`NEAR_DIAGONALS`]; of equally good
    /// ones the nearest, then the first.
    pub(crate) fn of_seed(&self, seed: &Seed) -> Option<SeedRegion> {
        let seed_end = seed.reference_start + i64::from(seed.length);
        let first = self.by_start.partition_point(|&(start, _)| start + self.longest < seed_end);
        let around = self.by_start[first..].iter().take_while(|&&(start, _)| start <= seed.reference_start);
        let found = around.filter_map(|&(_, number)| {
            let region = &self.regions[number];
            let distance = contains(region, seed).then(|| distance_from_path(seed, region))?;
            (distance <= NEAR_DIAGONALS).then_some((region, distance as i32, number))
        });
        let (region, distance, _) =
            found.max_by_key(|&(region, distance, number)| (region.score, -distance, Reverse(number)))?;
        Some(SeedRegion { score: region.score, distance, role: role(region.role) })
    }
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
    use seedsieve_simulate::Random;

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
        let distance =
            |reference| RegionsByPlace::new(&region).of_seed(&seed(60, 20, reference)).map(|found| found.distance);
        assert_eq!(distance(1060), Some(0));
        assert_eq!(distance(1100), Some(0));
        assert_eq!(distance(1103), Some(3));
        assert_eq!(distance(1050), Some(10));
    }

    #[test]
    fn a_seed_must_lie_within_the_rectangle_and_near_the_path() {
        let regions = [region((10, 400), (1010, 1400), 100, RegionRole::Primary)];
        let regions = RegionsByPlace::new(&regions);
        assert!(regions.of_seed(&seed(10, 20, 1010)).is_some());
        assert!(regions.of_seed(&seed(9, 20, 1010)).is_none());
        assert!(regions.of_seed(&seed(381, 20, 1380)).is_none());
        assert!(regions.of_seed(&seed(100, 20, 1200)).is_some());
        assert!(regions.of_seed(&seed(100, 20, 1201)).is_none(), "101 diagonals off");
    }

    #[test]
    fn the_best_region_wins_then_the_nearest() {
        let regions = [
            region((0, 150), (990, 1160), 40, RegionRole::BelowThreshold),
            region((0, 150), (1005, 1155), 90, RegionRole::Secondary),
            region((0, 150), (1000, 1150), 90, RegionRole::Primary),
        ];
        let found = RegionsByPlace::new(&regions).of_seed(&seed(50, 20, 1050)).unwrap();
        assert_eq!((found.score, found.distance, found.role), (90, 0, Role::Primary));
    }

    #[test]
    fn the_region_found_by_place_is_that_of_a_look_at_all() {
        let mut random = Random::new(9, 0);
        let mut below = |end: u64| random.below(end) as i32;
        let (mut found, mut tied) = (0, 0);
        for _ in 0..300 {
            let regions: Vec<RegionTrace> = (0..below(30))
                .map(|number| {
                    let role = if number % 2 == 0 { RegionRole::Primary } else { RegionRole::Secondary };
                    let (start, length) = (below(60), 20 + below(80));
                    let place = i64::from(below(400));
                    let bases = i64::from(length + below(3) * below(120));
                    region((start, start + length), (place, place + bases), 30 + below(4), role)
                })
                .collect();
            let by_place = RegionsByPlace::new(&regions);
            for _ in 0..40 {
                let seed = seed(below(120), 5 + below(20), i64::from(below(480)));
                let mut best: Option<&RegionTrace> = None;
                let key = |region: &RegionTrace| (region.score, -distance_from_path(&seed, region));
                for region in &regions {
                    if contains(region, &seed) && distance_from_path(&seed, region) <= NEAR_DIAGONALS {
                        tied += u32::from(best.is_some_and(|best| key(best) == key(region)));
                        best = best.filter(|best| key(best) >= key(region)).or(Some(region));
                    }
                }
                let expected = best.map(|best| (best.score, distance_from_path(&seed, best) as i32, role(best.role)));
                found += u32::from(expected.is_some());
                let place = by_place.of_seed(&seed).map(|region| (region.score, region.distance, region.role));
                assert_eq!(place, expected);
            }
        }
        assert!(found > 1_000 && tied > 30, "{found} seeds in regions, {tied} ties");
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
