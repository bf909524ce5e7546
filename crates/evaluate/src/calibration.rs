//! Whether scores can be read as probabilities.

use serde::Serialize;

/// Seeds whose scores lie in one tenth of [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Seeds, weighted.
    pub seeds: f64,
    /// Their mean score.
    pub mean_score: f64,
    /// The share of them that is viable.
    pub viable: f64,
}

/// Scores beside the share of viable seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Ten bins of even width; empty ones have no seeds and zeros.
    pub bins: Vec<CalibrationBin>,
    /// Mean distance between score and share over the bins, by seeds: the expected calibration error.
    pub expected_error: f64,
}

const BINS: usize = 10;

impl Calibration {
    /// Of scores in [0, 1], one a seed.
    pub(crate) fn of(scores: &[f32], viable: &[bool], weight: impl Fn(usize) -> f64) -> Self {
        let mut sums = [[0.0; 3]; BINS];
        for (seed, (&score, &viable)) in scores.iter().zip(viable).enumerate() {
            let score = f64::from(score);
            let bin = &mut sums[((score * BINS as f64) as usize).min(BINS - 1)];
            let weight = weight(seed);
            bin[0] += weight;
            bin[1] += weight * score;
            bin[2] += weight * f64::from(u8::from(viable));
        }
        let all = sums.iter().map(|bin| bin[0]).sum::<f64>().max(f64::MIN_POSITIVE);
        let mean = |sum: f64, seeds: f64| if seeds > 0.0 { sum / seeds } else { 0.0 };
        let bins: Vec<CalibrationBin> = sums
            .iter()
            .map(|&[seeds, scores, viable]| CalibrationBin {
                seeds,
                mean_score: mean(scores, seeds),
                viable: mean(viable, seeds),
            })
            .collect();
        let expected_error = bins.iter().map(|bin| bin.seeds * (bin.mean_score - bin.viable).abs()).sum::<f64>() / all;
        Self { bins, expected_error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_are_shares_have_no_error_and_others_their_distance() {
        let scores = [[0.25; 4], [0.75; 4]].concat();
        let viable = [true, false, false, false, true, true, true, false];
        let calibration = Calibration::of(&scores, &viable, |_| 1.0);
        assert!(calibration.expected_error < 1e-12);
        assert_eq!(calibration.bins[2], CalibrationBin { seeds: 4.0, mean_score: 0.25, viable: 0.25 });
        let off = Calibration::of(&[1.0; 4], &[true, true, true, false], |_| 2.0);
        assert!((off.expected_error - 0.25).abs() < 1e-12);
        assert_eq!(off.bins[9].seeds, 8.0);
    }
}
