//! How well scores tell viable seeds from hopeless ones, on data sets that a model was not trained on.
//!
//! [`collect`] scores every seed of a data set with each model, [`evaluate`] makes figures of them: AUC, the share of
//! hopeless seeds that stay when 95, 99 and 99.9 % of the viable ones do, rates at the model's own threshold, calibration,
//! and the same by seed length, occurrences and read length; each with an interval. Two models are compared on the same
//! resamples: [`Comparison`] says whether the second is better.
//!
//! Seeds of one place are not independent. Intervals come from resampling places (or pairs of reads), each with a weight
//! that is drawn from a Poisson distribution of mean 1 by a hash of the place and of the resample's number: the same for
//! every model, the same in every run, whatever the number of threads.

mod calibration;
mod collect;
mod comparison;
mod curve;
mod error;
mod evaluation;
mod places;
mod report;
mod resampling;
mod strata;
mod text;

pub use calibration::{Calibration, CalibrationBin};
pub use collect::{ScoredSeeds, collect};
pub use comparison::{Comparison, Difference, Verdict};
pub use curve::{Ranking, Rates, TPR_TARGETS};
pub use error::EvaluateError;
pub use evaluation::{AtThreshold, Evaluation, Figures, Interval, ScorerFigures, evaluate};
pub use places::Resampled;
pub use report::html_report;
pub use strata::{Stratum, StratumFigures};
pub use text::text_table;
