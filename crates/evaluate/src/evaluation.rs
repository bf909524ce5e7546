//! Figures of each scorer on the same seeds.

use rayon::prelude::*;
use serde::Serialize;

use crate::calibration::Calibration;
use crate::comparison::{Comparison, comparison};
use crate::resampling::{quantile, times};
use crate::strata::{StratumFigures, strata};
use crate::{EvaluateError, Ranking, Rates, Resampled, ScoredSeeds};

/// A figure and the interval that holds it with a probability of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The figure on the data as they are.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How well one scorer tells seeds apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Area under the ROC curve.
    pub auc: Interval,
    /// Share of hopeless seeds kept where 95 % of the viable ones are.
    pub fpr_at_tpr_95: Interval,
    /// The same at 99 %.
    pub fpr_at_tpr_99: Interval,
    /// The same at 99.9 %.
    pub fpr_at_tpr_999: Interval,
}

/// One scorer on all seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScorerFigures {
    /// Its name.
    pub name: String,
    /// AUC and rates.
    #[serde(flatten)]
    pub figures: Figures,
    /// Of a model: its decision threshold, and the shares of viable and hopeless seeds that it keeps there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_threshold: Option<AtThreshold>,
    /// Of a model: scores beside shares of viable seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Of a model: what its threshold keeps, by classes of seeds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<StratumFigures>,
    /// Points of the ROC curve, FPR and TPR.
    pub roc: Vec<(f64, f64)>,
}

/// What a model keeps at its own threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtThreshold {
    /// Seeds that score below it are dropped.
    pub threshold: f32,
    /// Share of the viable seeds kept.
    pub tpr: Interval,
    /// Share of the hopeless seeds kept.
    pub fpr: Interval,
}

/// Everything about some seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Seeds.
    pub seeds: usize,
    /// Viable ones.
    pub viable: usize,
    /// Reads (pairs of mates count once) that they are of.
    pub reads: usize,
    /// Places that those lie at, see [`Resampled`].
    pub places: usize,
    /// Resamples that the intervals rest on.
    pub resamples: u32,
    /// What they count as a whole.
    pub resampled: Resampled,
    /// The models in their order, then the ungapped score and the seed's length.
    pub scorers: Vec<ScorerFigures>,
    /// Where there are two models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// Points of a curve that is drawn.
const ROC_POINTS: usize = 200;

/// One scorer's figures in one resample: AUC, FPR at the targets, TPR and FPR at the threshold.
pub(crate) type Draw = [f64; 6];

/// Makes the figures. `models` names each model and its decision threshold, in the order of [`ScoredSeeds::scores`].
///
/// # Errors
/// [`EvaluateError::OneClass`].
///
/// # Panics
/// If `models` are not as many as there are scores.
pub fn evaluate(
    seeds: &ScoredSeeds,
    models: &[(String, f32)],
    resamples: u32,
    resampled: Resampled,
) -> Result<Evaluation, EvaluateError> {
    assert_eq!(models.len(), seeds.scores.len(), "a name for each model");
    let viable = seeds.viable.iter().filter(|viable| **viable).count();
    let hopeless = seeds.len() - viable;
    if viable == 0 || hopeless == 0 {
        return Err(EvaluateError::OneClass { viable, hopeless });
    }
    let baselines = [
        ("ungapped score", seeds.ungapped_score.iter().map(|&score| score as f32).collect::<Vec<_>>()),
        ("seed length", seeds.length.iter().map(|&length| f32::from(length)).collect()),
    ];
    let scorers: Vec<(&str, &[f32], Option<f32>)> = models
        .iter()
        .zip(&seeds.scores)
        .map(|((name, threshold), scores)| (name.as_str(), scores.as_slice(), Some(*threshold)))
        .chain(baselines.iter().map(|(name, scores)| (*name, scores.as_slice(), None)))
        .collect();
    let rankings: Vec<Ranking> = scorers.iter().map(|(_, scores, _)| Ranking::new(scores)).collect();
    let wholes = match resampled {
        Resampled::Places => &seeds.place,
        Resampled::Pairs => &seeds.read,
    };
    let draws: Vec<Vec<Draw>> = (0..=resamples)
        .into_par_iter()
        .filter_map(|resample| {
            let weights: Vec<f64> = wholes
                .iter()
                .zip(&seeds.weight)
                .map(|(&whole, &weight)| times(whole, resample) * f64::from(weight))
                .collect();
            let draw = |(ranking, &(_, scores, threshold)): (&Ranking, &(&str, &[f32], Option<f32>))| {
                let Rates { auc, fpr_at_tpr: [at_95, at_99, at_999] } =
                    ranking.rates(&seeds.viable, |seed| weights[seed])?;
                let [fpr, tpr] = kept(scores, threshold.unwrap_or(f32::INFINITY), &seeds.viable, &weights);
                Some([auc, at_95, at_99, at_999, tpr, fpr])
            };
            // A resample without one of the classes says nothing. The data themselves have both.
            rankings.iter().zip(&scorers).map(draw).collect::<Option<Vec<_>>>()
        })
        .collect();
    let interval = |scorer: usize, figure: usize| {
        interval(draws[0][scorer][figure], draws[1..].iter().map(|draw| draw[scorer][figure]))
    };
    let figures = scorers.iter().zip(&rankings).enumerate().map(|(number, (&(name, scores, threshold), ranking))| {
        let weight = |seed: usize| f64::from(seeds.weight[seed]);
        ScorerFigures {
            name: name.to_owned(),
            figures: Figures {
                auc: interval(number, 0),
                fpr_at_tpr_95: interval(number, 1),
                fpr_at_tpr_99: interval(number, 2),
                fpr_at_tpr_999: interval(number, 3),
            },
            at_threshold: threshold.map(|threshold| AtThreshold {
                threshold,
                tpr: interval(number, 4),
                fpr: interval(number, 5),
            }),
            calibration: threshold.map(|_| Calibration::of(scores, &seeds.viable, weight)),
            strata: threshold.map_or(Vec::new(), |threshold| strata(seeds, scores, threshold)),
            roc: ranking.curve(&seeds.viable, weight, ROC_POINTS),
        }
    });
    Ok(Evaluation {
        seeds: seeds.len(),
        viable,
        reads: distinct(&seeds.read),
        places: distinct(&seeds.place),
        resamples,
        resampled,
        scorers: figures.collect(),
        comparison: match models {
            [(first, _), (second, _)] => Some(comparison(first, second, &draws)),
            _ => None,
        },
    })
}

fn distinct(numbers: &[u64]) -> usize {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// Shares of the hopeless and of the viable seeds that score at least `threshold`.
fn kept(scores: &[f32], threshold: f32, viable: &[bool], weights: &[f64]) -> [f64; 2] {
    let mut sums = [[0.0; 2]; 2];
    for ((&score, &viable), &weight) in scores.iter().zip(viable).zip(weights) {
        let sum = &mut sums[usize::from(viable)];
        sum[0] += if score >= threshold { weight } else { 0.0 };
        sum[1] += weight;
    }
    sums.map(|[kept, all]| kept / all)
}

/// The middle 95 % of the resamples.
pub(crate) fn interval(value: f64, resampled: impl Iterator<Item = f64>) -> Interval {
    let mut resampled: Vec<f64> = resampled.collect();
    resampled.sort_by(f64::total_cmp);
    if resampled.is_empty() {
        return Interval { value, low: value, high: value };
    }
    Interval { value, low: quantile(&resampled, 0.025), high: quantile(&resampled, 0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    /// Seeds of 400 reads whose class a model sees through noise of this size.
    fn seeds(noises: &[f32]) -> ScoredSeeds {
        let mut seeds = ScoredSeeds { scores: vec![Vec::new(); noises.len()], ..ScoredSeeds::default() };
        for number in 0..4000u32 {
            let chance =
                |salt: u32| (number.wrapping_mul(2_654_435_761).wrapping_add(salt) >> 8) as f32 / (1 << 24) as f32;
            let viable = chance(1) < 0.4;
            for (model, noise) in noises.iter().enumerate() {
                let offset = (chance(77 + model as u32 * 1_000_003) - 0.5) * noise;
                let score: f32 = if viable { 0.7 } else { 0.3 } + offset;
                seeds.scores[model].push(score.clamp(0.0, 1.0));
            }
            seeds.viable.push(viable);
            seeds.read.push(u64::from(number / 10));
            seeds.place.push(u64::from(number / 100));
            seeds.weight.push(1.0);
            seeds.length.push(if viable { 25 } else { 14 });
            seeds.occurrences.push(1 + number % 5);
            seeds.read_length.push(101);
            seeds.ungapped_score.push(if viable { 40 } else { 39 });
        }
        seeds
    }

    fn models(count: usize) -> Vec<(String, f32)> {
        (0..count).map(|number| (format!("model {number}"), 0.5)).collect()
    }

    #[test]
    fn the_better_model_is_named_whichever_comes_second() {
        let verdict = |noises: [f32; 2]| {
            evaluate(&seeds(&noises), &models(2), 200, Resampled::Pairs).unwrap().comparison.unwrap().verdict
        };
        assert_eq!(verdict([1.0, 0.5]), Verdict::SecondIsBetter);
        assert_eq!(verdict([0.5, 1.0]), Verdict::FirstIsBetter);
        let alike = evaluate(&seeds(&[0.9, 0.9]), &models(2), 200, Resampled::Pairs).unwrap().comparison.unwrap();
        assert_eq!(alike.verdict, Verdict::NoDifferenceShown, "noise of the same size");
        let deciding = alike.differences[3].difference;
        assert!(deciding.value != 0.0 && deciding.low < deciding.high, "{deciding:?}");
        let mut same = seeds(&[0.9]);
        same.scores.push(same.scores[0].clone());
        let comparison = evaluate(&same, &models(2), 200, Resampled::Pairs).unwrap().comparison.unwrap();
        assert_eq!(comparison.verdict, Verdict::NoDifferenceShown);
        assert!(comparison.differences.iter().all(|one| one.difference.value == 0.0 && one.p_value == 1.0));
    }

    #[test]
    fn intervals_hold_their_figure_and_widen_with_fewer_reads() {
        let all = seeds(&[0.9]);
        // Forty reads whose seeds all say the same: there is less to learn from them than from as many seeds apart.
        let mut few = all.clone();
        for seed in 0..few.len() {
            let first = seed / 100 * 100;
            (few.read[seed], few.viable[seed], few.scores[0][seed]) =
                (first as u64, all.viable[first], all.scores[0][first]);
        }
        let width = |seeds: &ScoredSeeds| {
            let figures = evaluate(seeds, &models(1), 200, Resampled::Pairs).unwrap().scorers[0].clone();
            for one in [figures.figures.auc, figures.figures.fpr_at_tpr_99, figures.at_threshold.unwrap().tpr] {
                assert!(one.low <= one.value && one.value <= one.high, "{one:?}");
            }
            figures.at_threshold.unwrap().tpr.high - figures.at_threshold.unwrap().tpr.low
        };
        assert!(width(&few) > width(&all));
    }

    #[test]
    fn places_are_resampled_where_that_is_asked_for() {
        let mut seeds = seeds(&[0.9]);
        // Ten reads a place, whose seeds all say what the place's first one says.
        for seed in 0..seeds.len() {
            let first = seed / 100 * 100;
            (seeds.viable[seed], seeds.scores[0][seed]) = (seeds.viable[first], seeds.scores[0][first]);
        }
        let with = |resampled| {
            let found = evaluate(&seeds, &models(1), 200, resampled).unwrap();
            assert_eq!((found.reads, found.places, found.resampled), (400, 40, resampled));
            let auc = found.scorers[0].figures.auc;
            (auc.value, auc.high - auc.low)
        };
        let ((value, by_place), (same, by_pair)) = (with(Resampled::Places), with(Resampled::Pairs));
        assert_eq!(value, same);
        assert!(by_place > 1.5 * by_pair, "{by_place} {by_pair}");
    }

    #[test]
    fn a_weight_of_two_is_a_seed_twice() {
        let mut weighted = seeds(&[0.9]);
        let mut twice = weighted.clone();
        let mut more = ScoredSeeds { scores: vec![Vec::new()], ..ScoredSeeds::default() };
        for seed in (0..weighted.len()).filter(|seed| seed % 3 == 0 && weighted.scores[0][*seed] > 0.5) {
            more.scores[0].push(twice.scores[0][seed]);
            more.viable.push(twice.viable[seed]);
            more.read.push(twice.read[seed]);
            more.place.push(twice.place[seed]);
            more.weight.push(1.0);
            more.length.push(twice.length[seed]);
            more.occurrences.push(twice.occurrences[seed]);
            more.read_length.push(twice.read_length[seed]);
            more.ungapped_score.push(twice.ungapped_score[seed]);
            weighted.weight[seed] = 2.0;
        }
        twice.append(more);
        let figures =
            |seeds: &ScoredSeeds| evaluate(seeds, &models(1), 20, Resampled::Pairs).unwrap().scorers[0].clone();
        let (one, other) = (figures(&twice), figures(&weighted));
        for (one, other) in
            [(one.figures.auc, other.figures.auc), (one.at_threshold.unwrap().tpr, other.at_threshold.unwrap().tpr)]
        {
            assert!((one.value - other.value).abs() < 1e-9 && (one.low - other.low).abs() < 1e-9, "{one:?} {other:?}");
        }
        assert_eq!(one.strata, other.strata);
    }

    #[test]
    fn the_result_does_not_depend_on_the_number_of_threads() {
        let seeds = seeds(&[0.9, 0.7]);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| evaluate(&seeds, &models(2), 50, Resampled::Pairs).unwrap())
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn one_class_alone_is_refused() {
        let mut all = seeds(&[0.9]);
        all.viable.fill(true);
        let message = evaluate(&all, &models(1), 10, Resampled::Pairs).unwrap_err().to_string();
        assert!(message.contains("4000 viable and 0 hopeless"), "{message}");
    }
}
