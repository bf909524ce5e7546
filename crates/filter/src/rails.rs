use crate::SeedFacts;

/// The rules that keep seeds whatever the network says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardRails {
    /// Alignment score from which a read is reported (bwa's -T).
    pub report_score: i32,
    /// A seed whose bound is at most this much below the read's best stays, where the best reaches `report_score`.
    pub near_best: i32,
}

impl Default for GuardRails {
    /// bwa's reporting threshold of 30, and 20 points to the runner-up: four mismatches.
    fn default() -> Self {
        Self { report_score: 30, near_best: 20 }
    }
}

impl GuardRails {
    /// For the seeds of one read, marks those that stay.
    pub(crate) fn mark(&self, seeds: &[SeedFacts], keep: &mut [bool]) {
        let Some(best) = seeds.iter().map(|seed| seed.ungapped_score).max() else { return };
        let longest = seeds.iter().map(|seed| seed.length).max().unwrap_or(0);
        let lowest = if best >= self.report_score { (best - self.near_best).max(self.report_score) } else { best };
        for (seed, keep) in seeds.iter().zip(keep) {
            *keep = seed.ungapped_score >= lowest || seed.length == longest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(bounds: &[(u32, i32)]) -> Vec<bool> {
        let seeds: Vec<SeedFacts> =
            bounds.iter().map(|&(length, ungapped_score)| SeedFacts { length, ungapped_score }).collect();
        let mut keep = vec![false; seeds.len()];
        GuardRails::default().mark(&seeds, &mut keep);
        keep
    }

    #[test]
    fn keeps_the_best_its_near_rivals_and_the_longest() {
        assert_eq!(marked(&[(40, 90), (19, 71), (19, 69), (41, 41)]), [true, true, false, true]);
    }

    #[test]
    fn keeps_no_rival_that_could_not_be_reported() {
        assert_eq!(marked(&[(20, 40), (19, 29), (19, 30)]), [true, false, true]);
        assert_eq!(marked(&[(19, 25), (19, 24), (18, 25), (18, 20)]), [true, true, true, false]);
    }

    proptest! {
        #[test]
        fn no_read_goes_without_its_best_seed(bounds in proptest::collection::vec((10u32..150, 10i32..50), 1..8)) {
            let keep = marked(&bounds);
            let best = bounds.iter().map(|seed| seed.1).max().unwrap();
            for (seed, kept) in bounds.iter().zip(keep) {
                prop_assert!(kept || seed.1 < best);
            }
        }
    }
}
