use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::CompareError;
use crate::statistics::read_json;

/// `NAME.metrics.json` of the training package, as far as a report shows it; other keys are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelMetrics {
    /// Name of the model.
    pub name: String,
    /// Trainable parameters.
    #[serde(default)]
    pub parameters: Option<u64>,
    /// Label policy.
    #[serde(default)]
    pub policy: Option<String>,
    /// Measured on the held-out part.
    pub test: TestMetrics,
    /// Scorers without a network on the same seeds.
    #[serde(default)]
    pub baselines: BTreeMap<String, Baseline>,
}

/// The network on the held-out part.
#[derive(Clone, Debug, Deserialize)]
pub struct TestMetrics {
    /// Area under the ROC curve.
    pub auc: f64,
    /// The point of the decision threshold.
    #[serde(default)]
    pub at_threshold: Option<OperatingPoint>,
    /// FPR by TPR, the TPR as text.
    #[serde(default)]
    pub fpr_at_tpr: BTreeMap<String, Option<f64>>,
    /// Points of the curve: FPR, TPR.
    pub roc: Vec<(f64, f64)>,
    /// Scores by label.
    #[serde(default)]
    pub histogram: Option<ScoreHistogram>,
}

/// A decision threshold and what it does.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct OperatingPoint {
    /// Score from which a seed is kept.
    pub threshold: f64,
    /// Share of the viable seeds that are kept.
    pub tpr: f64,
    /// Share of the hopeless seeds that are kept.
    pub fpr: f64,
}

/// Seeds by score: bin `i` goes from `edges[i]` to `edges[i + 1]`.
#[derive(Clone, Debug, Deserialize)]
pub struct ScoreHistogram {
    /// One more than there are bins.
    pub edges: Vec<f64>,
    /// Viable seeds in each bin.
    pub viable: Vec<f64>,
    /// Hopeless seeds in each bin.
    pub hopeless: Vec<f64>,
}

/// A scorer without a network.
#[derive(Clone, Debug, Deserialize)]
pub struct Baseline {
    /// Area under the ROC curve.
    pub auc: f64,
    /// FPR by TPR, the TPR as text.
    #[serde(default)]
    pub fpr_at_tpr: BTreeMap<String, Option<f64>>,
    /// Points of the curve: FPR, TPR.
    #[serde(default)]
    pub roc: Vec<(f64, f64)>,
}

impl ModelMetrics {
    /// Reads `NAME.metrics.json`.
    ///
    /// # Errors
    /// [`CompareError::Read`] and [`CompareError::Json`].
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        read_json(path, "the metrics of a model (NAME.metrics.json of the training package)")
    }
}
