//! Folders for tests.

use std::path::PathBuf;
use std::{env, fs, process};

/// A new, empty folder below the system's temporary folder; no two tests may use the same name.
pub fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("seedsieve-xtask-{}-{name}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
}
