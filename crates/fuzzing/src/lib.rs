//! Where bytes of strangers enter the program: FASTQ, the files of an index, the alignments that `compare` reads, and models.
//!
//! Each function takes any bytes. It may find them invalid, in which case the error has to be one for people; it panics
//! where something does not hold that has to. The fuzzers in `fuzz/` call these functions, and `tests/corpus.rs` replays
//! what they have kept in `fuzz/corpus`, so that an ordinary test run guards against what was mended.

mod alignments;
mod fastq;
mod index;
mod model;
mod reference;

pub use alignments::alignments;
pub use fastq::fastq;
pub use index::index;
pub use model::model;

use std::error::Error;

/// Errors have to say something, on one line, and nothing that a terminal would take for a command.
fn assert_for_people(error: &dyn Error) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() < 100_000, "a message of {} bytes", text.len());
    assert!(!text.chars().any(|letter| letter == '\u{1b}' || letter == '\0'), "{text:?}");
}
