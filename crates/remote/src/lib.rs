//! Files at addresses (`https:`, `http:`, `ftp:`), brought into a folder that serves as a cache.
//!
//! ```text
//! CACHE/HOST/PATH              a whole file ([`Cache::file`])
//! CACHE/HOST/PATH.part         one that is on its way: the next attempt, also of another process, goes on behind its end
//! CACHE/HOST/PATH.excerpt/     some bytes of a file at their places, the rest a hole ([`Cache::excerpt`])
//! ```
//!
//! A file under its own name is whole. What was fetched is used again, without asking the server; a file that is removed
//! from the cache is fetched anew. Connections that fail are tried again, and none is waited for without an end.

mod address;
mod cache;
mod checksums;
mod error;
mod excerpt;
mod source;

pub use address::Address;
pub use cache::Cache;
pub use checksums::{Checksum, Checksums};
pub use error::RemoteError;
pub use excerpt::Excerpt;
