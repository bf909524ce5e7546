use std::path::PathBuf;

use seedsieve_inference::NpuError;

/// What can go wrong between a reference, reads and alignments.
#[derive(Debug, thiserror::Error)]
pub enum AlignerError {
    /// A file of the index is not there or cannot be read.
    #[error("{path}: an index file that cannot be used; `seedsieve index REF.fa` writes the five files REF.fa.{{amb,ann,pac,0123,bwt.2bit.64}}", path = path.display())]
    IndexFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the index has not the size or content that the others ask for.
    #[error("{path}: {problem}. The index is truncated or belongs to another reference: make it again with `seedsieve index`", path = path.display())]
    IndexContent {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        problem: String,
    },
    /// The reference FASTA cannot be read or is not a reference.
    #[error("{path}: {problem}", path = path.display())]
    Reference {
        /// The file.
        path: PathBuf,
        /// What was found and what to do.
        problem: String,
    },
    /// A file of reads cannot be read.
    #[error("{path}: record {record}: {problem}", path = path.display())]
    Reads {
        /// The file.
        path: PathBuf,
        /// 1-based number of the record.
        record: u64,
        /// What was found and what to do.
        problem: String,
    },
    /// The seed filter's backend failed.
    #[error("seed filter: {0}")]
    Filter(#[from] NpuError),
}
