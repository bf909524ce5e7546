use seedsieve_dataset::DatasetError;
use seedsieve_inference::NpuError;

/// Why an evaluation failed.
#[derive(Debug)]
pub enum EvaluateError {
    /// The data set cannot be read.
    Dataset(DatasetError),
    /// A model could not score.
    Backend(NpuError),
    /// All seeds are viable, or none is: there is nothing to tell apart. The counts of both.
    OneClass {
        /// Viable seeds.
        viable: usize,
        /// Hopeless seeds.
        hopeless: usize,
    },
}

impl std::fmt::Display for EvaluateError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dataset(error) => error.fmt(formatter),
            Self::Backend(error) => error.fmt(formatter),
            Self::OneClass { viable, hopeless } => write!(
                formatter,
                "{viable} viable and {hopeless} hopeless seeds: both kinds are needed to tell them apart; take a larger \
                 data set, or another label policy"
            ),
        }
    }
}

impl std::error::Error for EvaluateError {}

impl From<NpuError> for EvaluateError {
    fn from(error: NpuError) -> Self {
        Self::Backend(error)
    }
}
