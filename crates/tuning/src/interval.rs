//! The exact (Clopper-Pearson) upper confidence bound of a share.

/// Halvings of the interval in which the bound is looked for: more than doubles can tell apart.
const HALVINGS: usize = 60;

/// The largest share that is still plausible at this `confidence` where `events` of `trials` were seen: under a larger one, so
/// few events have a probability below 1 - confidence. One-sided; 1 where there are no trials.
#[must_use]
pub fn upper_bound(events: u64, trials: u64, confidence: f64) -> f64 {
    if events >= trials {
        return 1.0;
    }
    let (mut low, mut high) = (events as f64 / trials as f64, 1.0);
    for _ in 0..HALVINGS {
        let share = f64::midpoint(low, high);
        if at_most(events, trials, share) > 1.0 - confidence {
            low = share;
        } else {
            high = share;
        }
    }
    high
}

/// Probability of at most `events` of `trials`, each with probability `share` in (0, 1).
fn at_most(events: u64, trials: u64, share: f64) -> f64 {
    let (events, trials) = (events as f64, trials as f64);
    let mut ways = 0.0;
    let mut taken = 1.0;
    while taken <= events {
        ways += ((trials - events + taken) / taken).ln();
        taken += 1.0;
    }
    let first = (ways + events * share.ln() + (trials - events) * (-share).ln_1p()).exp();
    // From the most events down: each term by the one before it.
    let (mut term, mut sum, mut number) = (first, first, events);
    while number > 0.0 && term > sum * f64::EPSILON {
        term *= number / (trials - number + 1.0) * (1.0 - share) / share;
        sum += term;
        number -= 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_tables() {
        // No event: 1 - 0.05^(1/n), "the rule of three".
        for trials in [10_u64, 300, 100_000] {
            let expected = 1.0 - 0.05_f64.powf(1.0 / trials as f64);
            assert!((upper_bound(0, trials, 0.95) - expected).abs() < 1e-9, "{trials}");
        }
        // One-sided bounds that R prints: qbeta(0.95, 6, 95), qbeta(0.99, 21, 1980).
        assert!((upper_bound(5, 100, 0.95) - 0.102_253).abs() < 1e-5, "{}", upper_bound(5, 100, 0.95));
        assert!(upper_bound(20, 2_000, 0.99) > upper_bound(20, 2_000, 0.95));
        assert!((upper_bound(10, 10, 0.95) - 1.0).abs() < 1e-12);
        assert!((upper_bound(0, 0, 0.95) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_probabilities_of_all_numbers_sum_to_one() {
        assert!((at_most(40, 40, 0.3) - 1.0).abs() < 1e-12);
        assert!((at_most(1, 2, 0.5) - 0.75).abs() < 1e-12);
    }
}
