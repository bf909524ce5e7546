use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong between SAM text and a finished file.
///
/// Errors of writing keep the operating system's reason as their source: the program tells a closed pipe by it.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The place of the output cannot be written to.
    #[error("cannot write {path}: {reason}; check that its folder is there and writable", path = path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// The output is a folder.
    #[error("cannot write {path}: it is a folder; give the name of a file", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write {path} (is the disk full?)", path = path.display())]
    Write {
        /// The file, or `standard output`.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        reason: io::Error,
    },
    /// Sorting failed to write or read its temporary files.
    #[error("cannot sort with temporary files in {folder} (is the disk full?); --sort-folder names another place", folder = folder.display())]
    Sort {
        /// The folder.
        folder: PathBuf,
        /// The operating system's reason.
        #[source]
        reason: io::Error,
    },
    /// A record that SAM text can hold and the chosen format cannot.
    #[error("read {name}: {problem}; write SAM, or correct the reads")]
    Record {
        /// Name of the read.
        name: String,
        /// What was found.
        problem: String,
    },
    /// A header line without which no record can be sorted, or written to BAM or CRAM.
    #[error("header: {problem}; correct the lines given with -H")]
    Header {
        /// What was found.
        problem: String,
    },
    /// The FASTA that CRAM is written against cannot be used.
    #[error("{path}: {problem}; CRAM is written against the FASTA that was indexed, plain or bgzip: name it with --reference", path = path.display())]
    Reference {
        /// The FASTA.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// CRAM is written to files only.
    #[error("{path}: CRAM cannot be written to a pipe or device; write BAM there, or CRAM to a file", path = path.display())]
    CramToPipe {
        /// The pipe, or `standard output`.
        path: PathBuf,
    },
    /// A format that this program was built without.
    #[error("{what} needs htslib, and this program was built without it (cargo feature `htslib`)")]
    NotBuilt {
        /// The format and what was to be done with it.
        what: &'static str,
    },
}

impl FormatError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self::Write { path: path.into(), reason }
    }

    /// A record's problem, with the name that the SAM line begins with.
    pub(crate) fn record(line: &[u8], problem: String) -> Self {
        let name = line.split(|&byte| byte == b'\t').next().unwrap_or_default();
        Self::Record { name: String::from_utf8_lossy(name).into_owned(), problem }
    }
}
