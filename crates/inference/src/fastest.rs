//! How fast a backend is, and what was found out on this machine before.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use seedsieve_encoding::PACKED_SEED_BYTES;
use sha2::{Digest, Sha256};

use crate::{NpuBackend, NpuResult, example_windows};

/// Time for each backend, of whole calls; slow ones take one call.
const MEASURED_TIME: Duration = Duration::from_millis(50);
/// Seeds a call.
const SEEDS: usize = 512;
/// Remembered results; the oldest go first.
const MAX_REMEMBERED: usize = 64;

/// Seeds a second of one thread.
///
/// # Errors
/// Those of [`NpuBackend::predict_packed`].
pub(crate) fn seeds_a_second(backend: &dyn NpuBackend) -> NpuResult<f64> {
    let windows = example_windows(4 * SEEDS, 3);
    let mut scores = vec![0.0; SEEDS];
    let (start, mut calls) = (Instant::now(), 0);
    for call in windows.chunks(SEEDS * PACKED_SEED_BYTES).cycle() {
        backend.predict_packed(call, &mut scores)?;
        calls += 1;
        if start.elapsed() >= MEASURED_TIME {
            break;
        }
    }
    Ok((calls * SEEDS) as f64 / start.elapsed().as_secs_f64())
}

/// Results of earlier measurements, one a line: what was measured, and the name of the fastest. A file in the user's cache
/// folder; where it cannot be read or written, nothing is remembered.
pub(crate) struct Remembered {
    path: Option<PathBuf>,
    key: String,
}

impl Remembered {
    /// `file`: name of the file; `circumstances`: everything that the result depends on.
    pub fn new(file: &str, folder: Option<&Path>, circumstances: &[String]) -> Self {
        let mut hash = Sha256::new();
        for part in circumstances {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let key = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { path: folder.map(|folder| folder.join(file)), key }
    }

    /// The name that was remembered.
    pub fn name(&self) -> Option<String> {
        let lines = std::fs::read_to_string(self.path.as_ref()?).ok()?;
        let found = lines.lines().rev().find_map(|line| line.strip_prefix(&self.key)?.strip_prefix(' '));
        found.map(str::to_owned)
    }

    pub fn remember(&self, name: &str) {
        let Some(path) = &self.path else { return };
        let lines = std::fs::read_to_string(path).unwrap_or_default();
        let mut lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with(&self.key)).collect();
        let new = format!("{} {name}", self.key);
        lines.push(&new);
        let kept = lines.split_off(lines.len().saturating_sub(MAX_REMEMBERED));
        // Another process may do the same: the file is replaced as a whole.
        let part = path.with_extension(format!("{}.part", std::process::id()));
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| std::fs::write(&part, kept.join("\n") + "\n"));
        if let Err(error) = written.and_then(|()| std::fs::rename(&part, path)) {
            tracing::debug!("nothing is remembered: {}: {error}", path.display());
        }
    }
}

/// Where this user's programs keep what they can make again (XDG base directory specification; macOS and Windows likewise).
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Caches"))
    } else {
        folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
    };
    caches.map(|caches| caches.join("seedsieve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_remembered_for_the_same_circumstances_only() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made/when/needed");
        let remembered = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
            Remembered::new("results", Some(&folder), &parts)
        };
        assert_eq!(remembered(&["a", "b"]).name(), None);
        remembered(&["a", "b"]).remember("native");
        remembered(&["ab", ""]).remember("ort");
        assert_eq!(remembered(&["a", "b"]).name().unwrap(), "native");
        assert_eq!(remembered(&["ab", ""]).name().unwrap(), "ort");
        remembered(&["a", "b"]).remember("tract");
        assert_eq!(remembered(&["a", "b"]).name().unwrap(), "tract");
        for number in 0..2 * MAX_REMEMBERED {
            remembered(&[&number.to_string()]).remember("native");
        }
        let lines = std::fs::read_to_string(folder.join("results")).unwrap();
        assert_eq!(lines.lines().count(), MAX_REMEMBERED);
        assert_eq!(remembered(&["a", "b"]).name(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let remembered = Remembered::new("results", Some(file.path()), &[]);
        remembered.remember("native");
        assert_eq!(remembered.name(), None);
        Remembered::new("results", None, &[]).remember("native");
    }
}
