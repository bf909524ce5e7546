use std::path::PathBuf;

/// Why nothing could be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// An option lies outside its range.
    #[error("{option} is {value}; it has to be {valid}")]
    Option {
        /// The option, in the words of the command line.
        option: &'static str,
        /// What was given.
        value: String,
        /// The valid range, with its unit.
        valid: String,
    },
    /// No stretch of the genome is long enough to take a fragment from.
    #[error(
        "no contig has {needed} bases in a row without N, which fragments of this insert size need (longest: {longest}): \
         choose a larger genome, fewer contigs or a smaller insert size"
    )]
    NoRoomForFragments {
        /// Bases that the longest fragment takes.
        needed: u64,
        /// Longest stretch without N on the genome.
        longest: u64,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}; nothing of this run was kept", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl SimulationError {
    /// Checks that `value` lies in `range`.
    pub(crate) fn check<T: PartialOrd + std::fmt::Display>(
        option: &'static str,
        value: T,
        range: std::ops::RangeInclusive<T>,
        unit: &str,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        let valid = format!("from {} to {} {unit}", range.start(), range.end());
        Err(Self::Option { option, value: value.to_string(), valid: valid.trim_end().to_owned() })
    }
}
