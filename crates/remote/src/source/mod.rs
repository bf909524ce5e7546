//! One attempt to read bytes of a file at an address.

mod ftp;
mod http;

use crate::Address;
use std::io::{self, Read};
use std::time::Duration;

/// How long a connection, an answer, or the next bytes are waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes on their way.
pub(crate) struct Opened {
    pub(crate) bytes: Box<dyn Read>,
    /// Where in the file they start: 0 where the server gives whole files only.
    pub(crate) start: u64,
    /// Bytes of the whole file, where the server says.
    pub(crate) size: Option<u64>,
    /// What tells this content from an earlier or later one at the same address; empty where the server says nothing.
    pub(crate) version: String,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another attempt will fail, too.
    Lasting(String),
    /// Another attempt may succeed.
    Passing(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

/// Opens a file's bytes from `start` to its end, or up to `end` (exclusive) where that is given and the server can.
pub(crate) fn open(address: &Address, start: u64, end: Option<u64>) -> Result<Opened, Failure> {
    match address.url().scheme() {
        "ftp" => ftp::open(address.url(), start),
        _ => http::open(address, start, end),
    }
}
