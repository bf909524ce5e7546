//! Whether the second of two models beats the first.

use serde::Serialize;

use crate::TPR_TARGETS;
use crate::evaluation::{Draw, Interval, interval};

const FIGURES: [&str; 4] = ["AUC", "FPR at TPR 95 %", "FPR at TPR 99 %", "FPR at TPR 99.9 %"];

/// What the second model has over the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the first model.
    pub first: String,
    /// Name of the second.
    pub second: String,
    /// Differences, second less first, each with its test.
    pub differences: Vec<Difference>,
    /// What follows from the FPR at a TPR of 99.9 %, which is where a filter works.
    pub verdict: Verdict,
}

/// One figure of two models, on the same resamples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Name of the figure.
    pub figure: &'static str,
    /// Second less first.
    pub difference: Interval,
    /// Two-sided: how often resamples would lie on the other side of no difference.
    pub p_value: f64,
}

/// Whether a new model is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second keeps fewer hopeless seeds: the whole interval says so.
    SecondIsBetter,
    /// The first does.
    FirstIsBetter,
    /// These data cannot tell.
    NoDifferenceShown,
}

/// Compares the first two scorers of each draw; the first draw is the data as they are.
pub(crate) fn comparison(first: &str, second: &str, draws: &[Vec<Draw>]) -> Comparison {
    let differences: Vec<Difference> = FIGURES
        .into_iter()
        .enumerate()
        .map(|(number, figure)| {
            let difference = |draw: &Vec<Draw>| draw[1][number] - draw[0][number];
            let resampled = || draws[1..].iter().map(difference);
            let (below, above) = (resampled().filter(|d| *d <= 0.0).count(), resampled().filter(|d| *d >= 0.0).count());
            // The data themselves count as one resample: no p-value is 0.
            let p_value = 2.0 * (1 + below.min(above)) as f64 / draws.len() as f64;
            Difference { figure, difference: interval(difference(&draws[0]), resampled()), p_value: p_value.min(1.0) }
        })
        .collect();
    let deciding = differences[TPR_TARGETS.len()].difference;
    let verdict = if deciding.high < 0.0 {
        Verdict::SecondIsBetter
    } else if deciding.low > 0.0 {
        Verdict::FirstIsBetter
    } else {
        Verdict::NoDifferenceShown
    };
    Comparison { first: first.to_owned(), second: second.to_owned(), differences, verdict }
}
