//! The student network that the cascade asks about seeds in doubt.

use std::path::Path;
use std::sync::Arc;

use seedsieve_aligner::SeedScorer;

/// The network of a file, or the one that is built in.
///
/// # Errors
/// A file that holds no student network in eight bits, or one that sees something else of a seed.
#[cfg(feature = "native")]
pub fn student(file: Option<&Path>) -> anyhow::Result<Arc<dyn SeedScorer>> {
    use seedsieve_filter::NativeStudent;

    let network = match file {
        None => NativeStudent::built_in(),
        Some(file) => NativeStudent::read(file)?,
    };
    Ok(Arc::new(network))
}

/// Without the native kernel there is none.
///
/// # Errors
/// Always.
#[cfg(not(feature = "native"))]
pub fn student(_: Option<&Path>) -> anyhow::Result<Arc<dyn SeedScorer>> {
    anyhow::bail!(
        "this build has no native kernel (feature `native`), which the student network needs; say --cascade-tiers 1"
    )
}
