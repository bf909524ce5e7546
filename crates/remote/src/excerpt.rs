use crate::cache::{Trouble, copy};
use crate::source::{Failure, open};
use crate::{Address, Cache, RemoteError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Missing pieces that lie nearer than this are fetched in one go, with what is between them.
const NEAR: u64 = 1 << 16;

/// Some bytes of a file, at their places in a local one of the same size that otherwise holds zeros.
#[derive(Debug)]
pub struct Excerpt {
    cache: Cache,
    address: Address,
    path: PathBuf,
    /// Locked against other processes.
    file: File,
    known: Known,
}

/// What is known of the file, kept beside the excerpt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    size: u64,
    version: String,
    /// What was fetched; sorted, apart from one another.
    have: Vec<Range<u64>>,
}

impl Cache {
    /// Begins or continues an excerpt of the file at `address`.
    ///
    /// # Errors
    /// As [`Cache::file`], and [`RemoteError::WholeOnly`] where the server does not give parts.
    pub fn excerpt(&self, address: &Address) -> Result<Excerpt, RemoteError> {
        let folder = self.path(address).with_added_extension("excerpt");
        fs::create_dir_all(&folder).map_err(RemoteError::io(&folder, "create"))?;
        let path = folder.join(address.file_name());
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(RemoteError::io(&path, "create"))?;
        file.lock().map_err(RemoteError::io(&path, "lock"))?;
        let known = fs::read(known_path(&path)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let known = match known {
            Some(known) => known,
            None => {
                let known = self.examine(address)?;
                remove_all_but(&path)?;
                let emptied = file.set_len(0).and_then(|()| file.set_len(known.size));
                emptied.map_err(RemoteError::io(&path, "write"))?;
                known
            }
        };
        Ok(Excerpt { cache: self.clone(), address: address.clone(), path, file, known })
    }

    /// Size and version of a file of which the server gives parts.
    fn examine(&self, address: &Address) -> Result<Known, RemoteError> {
        let opened = self.attempt(address, || Ok(open(address, 1, Some(2))?), || "run again".to_owned())?;
        match opened.size {
            Some(size) if opened.start == 1 => Ok(Known { size, version: opened.version, have: Vec::new() }),
            _ => Err(RemoteError::WholeOnly { address: address.to_string() }),
        }
    }
}

impl Excerpt {
    /// The local file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.known.size
    }

    /// Fetches another file that belongs to this one (its index) into the same folder, under the same name with `ending`
    /// added.
    ///
    /// # Errors
    /// As [`Cache::file`].
    pub fn companion(&self, address: &Address, ending: &str) -> Result<PathBuf, RemoteError> {
        let path = self.path.with_added_extension(ending);
        self.cache.fetch(address, &path, None)?;
        Ok(path)
    }

    /// Fetches what is missing of `ranges` (0-based, half-open; what lies beyond the file's end is left out).
    ///
    /// # Errors
    /// As [`Cache::file`]; [`RemoteError::Fetch`] also where the file has changed since the excerpt was begun.
    pub fn fetch(&mut self, ranges: &[Range<u64>]) -> Result<(), RemoteError> {
        let wanted = joined(ranges.iter().map(|range| range.start..range.end.min(self.known.size)).collect(), 0);
        for missing in joined(without(&wanted, &self.known.have), NEAR) {
            let mut at = missing.start;
            while at < missing.end {
                let cache = self.cache.clone();
                let address = self.address.clone();
                at = cache.attempt(&address, || self.piece(at, missing.end), || "run again".to_owned())?;
            }
        }
        Ok(())
    }

    /// Fetches from `at` up to `end` as far as one connection gives it; returns how far that was.
    fn piece(&mut self, at: u64, end: u64) -> Result<u64, Trouble> {
        let opened = open(&self.address, at, Some(end))?;
        if opened.version != self.known.version || opened.size.is_some_and(|size| size != self.known.size) {
            let _ = fs::remove_file(known_path(&self.path));
            let problem = "the file has changed since a part of it was fetched";
            let (address, advice) = (self.address.to_string(), "run again to fetch it anew".to_owned());
            return Err(RemoteError::Fetch { address, problem: problem.to_owned(), attempts: 1, advice }.into());
        }
        if opened.start != at {
            return Err(RemoteError::WholeOnly { address: self.address.to_string() }.into());
        }
        let seek = self.file.seek(SeekFrom::Start(at));
        seek.map_err(RemoteError::io(&self.path, "write"))?;
        let mut bytes = std::io::Read::take(opened.bytes, end - at);
        let copied = copy(&self.address, &mut bytes, &mut self.file, &self.path, 0, Some(end - at))?;
        if copied == 0 {
            return Err(Failure::Passing(format!("the connection ended behind byte {at}, {end} are wanted")).into());
        }
        self.file.sync_data().map_err(RemoteError::io(&self.path, "flush"))?;
        self.known.have.push(at..at + copied);
        self.known.have = joined(std::mem::take(&mut self.known.have), 0);
        let (path, fresh) = (known_path(&self.path), known_path(&self.path).with_added_extension("new"));
        let text = serde_json::to_vec(&self.known).expect("numbers and a text are JSON");
        let written = fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &path));
        written.map_err(RemoteError::io(&path, "write"))?;
        Ok(at + copied)
    }
}

/// Removes what lies beside the excerpt: the index of an earlier content would lead astray.
fn remove_all_but(excerpt: &Path) -> Result<(), RemoteError> {
    let Some(folder) = excerpt.parent() else { return Ok(()) };
    for entry in fs::read_dir(folder).map_err(RemoteError::io(folder, "list"))? {
        let path = entry.map_err(RemoteError::io(folder, "list"))?.path();
        if path != excerpt {
            fs::remove_file(&path).map_err(RemoteError::io(&path, "remove"))?;
        }
    }
    Ok(())
}

fn known_path(excerpt: &Path) -> PathBuf {
    excerpt.with_added_extension("known.json")
}

/// Sorted ranges, those that touch or lie within `near` of one another joined; empty ones left out.
fn joined(mut ranges: Vec<Range<u64>>, near: u64) -> Vec<Range<u64>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|later, earlier| {
        let touches = later.start <= earlier.end.saturating_add(near);
        if touches {
            earlier.end = earlier.end.max(later.end);
        }
        touches
    });
    ranges
}

/// What sorted `wanted` ranges have that sorted `have` lack.
fn without(wanted: &[Range<u64>], have: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut missing = Vec::new();
    for range in wanted {
        let mut at = range.start;
        for had in have.iter().filter(|had| had.start < range.end && had.end > range.start) {
            if at < had.start {
                missing.push(at..had.start);
            }
            at = at.max(had.end);
        }
        if at < range.end {
            missing.push(at..range.end);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_what_is_wanted_and_not_there() {
        assert_eq!(joined(vec![5..9, 0..2, 3..3, 8..12, 12..13], 0), [0..2, 5..13]);
        assert_eq!(joined(vec![0..2, 5..9, 20..30], 3), [0..9, 20..30]);
        let have = [2..4, 6..8, 10..20];
        assert_eq!(without(&[0..5, 7..12, 18..25], &have), [0..2, 4..5, 8..10, 20..25]);
        assert_eq!(without(&[2..4, 11..15], &have), Vec::<Range<u64>>::new());
    }
}
