//! The one kind of error that these commands have: a message that the user reads as it stands.

use std::fmt;

/// What went wrong, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure(String);

/// A result whose error is a message for the user.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Puts in front of an error what was being done, and to which file.
pub trait Context<T> {
    /// The value, or a failure of the form `WHAT: ERROR`.
    fn context(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{}: {error}", what())))
    }
}
