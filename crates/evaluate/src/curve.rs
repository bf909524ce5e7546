//! The receiver operating characteristic of weighted seeds.

/// Shares of viable seeds kept at which the share of hopeless seeds kept is stated.
pub const TPR_TARGETS: [f64; 3] = [0.95, 0.99, 0.999];

/// Seeds in the order of falling scores, made once and used for every resample.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Numbers of the seeds.
    order: Vec<u32>,
    /// Whether the seed at this place of `order` is the last one of its score: a threshold can lie behind it.
    last_of_score: Vec<bool>,
}

/// What a ranking keeps, under some weights of the seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Area under the curve: how often a viable seed scores above a hopeless one; ties count half.
    pub auc: f64,
    /// Share of hopeless seeds kept by the highest threshold that keeps these shares of the viable ones
    /// ([`TPR_TARGETS`]).
    pub fpr_at_tpr: [f64; 3],
}

impl Ranking {
    /// Ranks seeds by score, the highest first.
    ///
    /// # Panics
    /// If there are more than 2^32 seeds, or a score is not a number: backends refuse such scores.
    #[must_use]
    pub fn new(scores: &[f32]) -> Self {
        assert!(scores.iter().all(|score| !score.is_nan()), "scores are numbers");
        let seeds = u32::try_from(scores.len()).expect("fewer than 2^32 seeds");
        let mut order: Vec<u32> = (0..seeds).collect();
        order.sort_by(|&one, &other| scores[other as usize].total_cmp(&scores[one as usize]));
        let score = |place: usize| scores[order[place] as usize];
        let last_of_score =
            (0..order.len()).map(|place| place + 1 == order.len() || score(place) != score(place + 1)).collect();
        Self { order, last_of_score }
    }

    /// The rates under these weights; `None` where one class has no weight.
    #[must_use]
    pub fn rates(&self, viable: &[bool], weight: impl Fn(usize) -> f64) -> Option<Rates> {
        let (mut all_viable, mut all_hopeless) = (0.0, 0.0);
        for (seed, viable) in viable.iter().enumerate() {
            *(if *viable { &mut all_viable } else { &mut all_hopeless }) += weight(seed);
        }
        if all_viable <= 0.0 || all_hopeless <= 0.0 {
            return None;
        }
        let (mut kept_viable, mut kept_hopeless) = (0.0, 0.0);
        let (mut before_viable, mut before_hopeless) = (0.0, 0.0);
        let mut area = 0.0;
        let mut fpr_at_tpr = [1.0; 3];
        let mut reached = 0;
        for (&seed, &last) in self.order.iter().zip(&self.last_of_score) {
            let seed = seed as usize;
            *(if viable[seed] { &mut kept_viable } else { &mut kept_hopeless }) += weight(seed);
            if !last {
                continue;
            }
            area += (kept_hopeless - before_hopeless) * (kept_viable + before_viable) / 2.0;
            (before_viable, before_hopeless) = (kept_viable, kept_hopeless);
            // Sums of weights carry rounding: a share that is reached but for that counts as reached.
            while reached < TPR_TARGETS.len() && kept_viable >= TPR_TARGETS[reached] * all_viable * (1.0 - 1e-12) {
                fpr_at_tpr[reached] = kept_hopeless / all_hopeless;
                reached += 1;
            }
        }
        Some(Rates { auc: area / (all_viable * all_hopeless), fpr_at_tpr })
    }

    /// At most `points` pairs of FPR and TPR along the curve, both ends included, for a plot.
    #[must_use]
    pub fn curve(&self, viable: &[bool], weight: impl Fn(usize) -> f64, points: usize) -> Vec<(f64, f64)> {
        let mut sums = [0.0; 2];
        let mut vertices = vec![(0.0, 0.0)];
        for (&seed, &last) in self.order.iter().zip(&self.last_of_score) {
            let seed = seed as usize;
            sums[usize::from(viable[seed])] += weight(seed);
            if last {
                vertices.push((sums[0], sums[1]));
            }
        }
        let [hopeless, viable] = sums.map(|sum: f64| sum.max(f64::MIN_POSITIVE));
        let along = |(fpr, tpr): (f64, f64)| fpr / hopeless + tpr / viable;
        let mut thinned: Vec<(f64, f64)> = Vec::new();
        let mut next = 0.0;
        let end = vertices.len() - 1;
        for (number, &vertex) in vertices.iter().enumerate() {
            if along(vertex) >= next || number == end {
                thinned.push((vertex.0 / hopeless, vertex.1 / viable));
                next = along(vertex) + 2.0 / points as f64;
            }
        }
        thinned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rates(scores: &[f32], viable: &[bool]) -> Rates {
        Ranking::new(scores).rates(viable, |_| 1.0).unwrap()
    }

    #[test]
    fn a_perfect_order_keeps_no_hopeless_seed_and_a_reversed_one_keeps_all() {
        let viable = [true, true, false, false];
        assert_eq!(rates(&[0.9, 0.8, 0.2, 0.1], &viable), Rates { auc: 1.0, fpr_at_tpr: [0.0; 3] });
        assert_eq!(rates(&[0.1, 0.2, 0.8, 0.9], &viable), Rates { auc: 0.0, fpr_at_tpr: [1.0; 3] });
        assert_eq!(rates(&[0.5; 4], &viable), Rates { auc: 0.5, fpr_at_tpr: [1.0; 3] });
    }

    #[test]
    fn thresholds_keep_the_share_that_they_promise() {
        // 100 viable seeds with scores 100 to 1, a hopeless one right behind the 5th lowest, another above all.
        let mut scores: Vec<f32> = (1..=100).map(|score| score as f32).collect();
        let mut viable = vec![true; 100];
        scores.extend([5.5, 1000.0]);
        viable.extend([false, false]);
        let rates = rates(&scores, &viable);
        assert_eq!(rates.fpr_at_tpr, [0.5, 1.0, 1.0]);
    }

    #[test]
    fn one_class_alone_has_no_rates() {
        assert_eq!(Ranking::new(&[0.1, 0.2]).rates(&[true, true], |_| 1.0), None);
        assert_eq!(Ranking::new(&[0.1, 0.2]).rates(&[true, false], |seed| seed as f64), None);
    }

    #[test]
    fn the_curve_begins_and_ends_in_the_corners() {
        let scores: Vec<f32> = (0..1000).map(|number| (number * 7919 % 1000) as f32).collect();
        let viable: Vec<bool> = (0..1000).map(|number| number % 3 == 0).collect();
        let curve = Ranking::new(&scores).curve(&viable, |_| 1.0, 50);
        assert!(curve.len() <= 60, "{} points", curve.len());
        assert_eq!((curve[0], curve[curve.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
        assert!(curve.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_ordered_pairs(
            seeds in proptest::collection::vec((0u8..6, any::<bool>(), 1u8..4), 2..60),
        ) {
            let scores: Vec<f32> = seeds.iter().map(|seed| f32::from(seed.0)).collect();
            let viable: Vec<bool> = seeds.iter().map(|seed| seed.1).collect();
            let weight = |seed: usize| f64::from(seeds[seed].2);
            let rates = Ranking::new(&scores).rates(&viable, weight);
            let (mut pairs, mut ordered) = (0.0, 0.0);
            for (one, _) in viable.iter().enumerate().filter(|(_, viable)| **viable) {
                for (other, _) in viable.iter().enumerate().filter(|(_, viable)| !**viable) {
                    let both = weight(one) * weight(other);
                    pairs += both;
                    ordered += both * match scores[one].total_cmp(&scores[other]) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
            match rates {
                None => prop_assert_eq!(pairs, 0.0),
                Some(rates) => prop_assert!((rates.auc - ordered / pairs).abs() < 1e-9),
            }
        }
    }
}
