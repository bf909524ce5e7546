use std::path::PathBuf;

use seedsieve_inference::NpuError;

/// What can go wrong between a reference, reads and alignments.
///
/// The messages are whole: the reason stands within them, before what to do, and is not chained as a source.
#[derive(Debug, thiserror::Error)]
pub enum AlignerError {
    /// A file of the index is not there or cannot be read.
    #[error("{path}: index file: {reason}; `seedsieve index REF.fa` writes the five files REF.fa.{{amb,ann,pac,0123,bwt.2bit.64}}", path = path.display())]
    IndexFile {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        reason: std::io::Error,
    },
    /// An index cannot be written.
    #[error("{path}: cannot be written: {reason}; check that the folder is there and writable, and the free space", path = path.display())]
    IndexWrite {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        reason: std::io::Error,
    },
    /// A file of the index has not the size or content that the others ask for.
    #[error("{path}: {problem}. The index is truncated or belongs to another reference: make it again with `seedsieve index`", path = path.display())]
    IndexContent {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        problem: String,
    },
    /// The file that is mapped is not that of the index beside it.
    #[error("{path}: {problem}. Make it again with `seedsieve index --map-only`, or remove it: then the index is read", path = path.display())]
    MappedIndex {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        problem: String,
    },
    /// There is too little memory for the index.
    #[error("{path}: {bytes} bytes of memory are needed: {reason}; close other programs, or `seedsieve index --map-only` it, which takes memory as it is used", path = path.display())]
    IndexMemory {
        /// The file that was to be read.
        path: PathBuf,
        /// What it takes in memory.
        bytes: usize,
        /// The operating system's reason.
        reason: std::io::Error,
    },
    /// The FASTA at the index's prefix is not the one that was indexed.
    #[error("{path}: {problem}. The index is of another reference: make it again with `seedsieve index`", path = path.display())]
    OtherReference {
        /// The FASTA.
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
    /// A file of reads cannot be opened, or holds no reads of a known format.
    #[error("{path}: {problem}", path = path.display())]
    ReadsFile {
        /// The file.
        path: PathBuf,
        /// What was found and what to do.
        problem: String,
    },
    /// A record of a file of reads is broken.
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
    /// The backend of the cascade's third tier failed.
    #[error(
        "seed filter, third tier of the cascade: {0}; take another backend (--npu-backend; `seedsieve backends` lists them), \
         or leave the network out (--cascade-tiers 2, or 1 where the bands have no student)"
    )]
    ThirdTier(NpuError),
}
