use std::path::PathBuf;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// What was given is no address that can be fetched.
    #[error("{address}: not an address to fetch from: {problem}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server, or the way to it, failed.
    #[error("{address}: {problem} ({attempts} attempts); {advice}")]
    Fetch {
        /// The address.
        address: String,
        /// What the last attempt ended with.
        problem: String,
        /// How often it was tried.
        attempts: u32,
        /// What is kept, and what to do.
        advice: String,
    },
    /// The server has no such file, or gives it to nobody who asks like this.
    #[error("{address}: {problem}; check the address")]
    Refused {
        /// The address.
        address: String,
        /// What the server said.
        problem: String,
    },
    /// A server that gives whole files only was asked for a part of one.
    #[error("{address}: the server gives whole files only; leave --region and --bed out to fetch all of it")]
    WholeOnly {
        /// The address.
        address: String,
    },
    /// The file is not the one whose checksum was given.
    #[error(
        "{address}: {algorithm} {found}, {expected} is expected; what was fetched is thrown away: run again, and if this \
         happens again, the file at that address has changed"
    )]
    Checksum {
        /// The address.
        address: String,
        /// MD5 or SHA-256.
        algorithm: &'static str,
        /// Of what was fetched.
        found: String,
        /// As it was given.
        expected: String,
    },
    /// A list of checksums is none.
    #[error("{path}: line {line}: {problem}; valid are lines as md5sum and sha256sum write them", path = path.display())]
    ChecksumList {
        /// The list.
        path: PathBuf,
        /// 1-based; 0 for the whole list.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The cache cannot be read or written.
    #[error("{path}: cannot {action}: {reason}; check its permissions and the room on the disk", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// The operating system's reason.
        reason: std::io::Error,
    },
}

impl RemoteError {
    /// Whether the server answered that it has no such file.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Io { path, action, reason }
    }
}
