use crate::source::{Failure, Opened, open};
use crate::{Address, Checksum, RemoteError};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a connection is tried, each time from where the last one ended.
const ATTEMPTS: u32 = 4;
/// What the log is told of in between.
const NEWS: Duration = Duration::from_secs(10);

/// A folder of files that were fetched.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    pause: Duration,
}

impl Cache {
    /// A cache in `folder`, which is made when the first file is fetched.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, pause: Duration::from_secs(1) }
    }

    /// The same with another pause before the second attempt, doubled before each further one; one second without it.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Where the file at `address` lies, whole, once it was fetched.
    #[must_use]
    pub fn path(&self, address: &Address) -> PathBuf {
        self.folder.join(address.path_in_cache())
    }

    /// The whole file at `address`: the one that is there, or fetched now. A fetch that was cut goes on where it stopped.
    ///
    /// # Errors
    /// [`RemoteError::Refused`], [`RemoteError::Fetch`] once all attempts failed, [`RemoteError::Checksum`],
    /// [`RemoteError::Io`].
    pub fn file(&self, address: &Address, checksum: Option<&Checksum>) -> Result<PathBuf, RemoteError> {
        let path = self.path(address);
        self.fetch(address, &path, checksum)?;
        Ok(path)
    }

    /// The same for another place than the address has in the cache.
    pub(crate) fn fetch(&self, address: &Address, path: &Path, checksum: Option<&Checksum>) -> Result<(), RemoteError> {
        if is_there(path, checksum)? {
            return Ok(());
        }
        let mut part = Part::open(path)?;
        // Another process may have fetched it while this one waited for the lock.
        if is_there(path, checksum)? {
            return Ok(());
        }
        self.attempt(
            address,
            || part.read_on(address),
            || format!("{} bytes are kept, the next run goes on there", part_size(path)),
        )?;
        part.file.sync_all().map_err(RemoteError::io(&part.path, "flush"))?;
        if let Some(checksum) = checksum {
            let found = checksum.of_file(&part.path).map_err(RemoteError::io(&part.path, "read"))?;
            let (algorithm, expected) = checksum.parts();
            if found != expected {
                part.throw_away()?;
                let (address, expected) = (address.to_string(), expected.to_owned());
                return Err(RemoteError::Checksum { address, algorithm, found, expected });
            }
        }
        fs::rename(&part.path, path).map_err(RemoteError::io(path, "rename into place"))?;
        let _ = fs::remove_file(&part.version_path);
        Ok(())
    }

    /// Calls `attempt` until it succeeds, fails for good, or has failed often enough; `advice` says what is kept then.
    pub(crate) fn attempt<T>(
        &self,
        address: &Address,
        mut attempt: impl FnMut() -> Result<T, Trouble>,
        advice: impl Fn() -> String,
    ) -> Result<T, RemoteError> {
        let mut pause = self.pause;
        for number in 1.. {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(Trouble::Ours(error)) => return Err(error),
                Err(Trouble::Theirs(Failure::Lasting(problem))) => {
                    return Err(RemoteError::Refused { address: address.to_string(), problem });
                }
                Err(Trouble::Theirs(Failure::Passing(problem))) if number == ATTEMPTS => {
                    let (address, advice) = (address.to_string(), advice());
                    return Err(RemoteError::Fetch { address, problem, attempts: number, advice });
                }
                Err(Trouble::Theirs(Failure::Passing(problem))) => {
                    tracing::warn!("{address}: {problem}; trying again in {:.0} s", pause.as_secs_f64());
                    std::thread::sleep(pause);
                    pause *= 2;
                }
            }
        }
        unreachable!("the last attempt returns")
    }
}

/// Whether the file is there and has the checksum; one that has another is of another time, and is fetched again.
fn is_there(path: &Path, checksum: Option<&Checksum>) -> Result<bool, RemoteError> {
    if !path.is_file() {
        return Ok(false);
    }
    let Some(checksum) = checksum else { return Ok(true) };
    let found = checksum.of_file(path).map_err(RemoteError::io(path, "read"))?;
    Ok(found == checksum.parts().1)
}

fn part_size(path: &Path) -> u64 {
    fs::metadata(path.with_added_extension("part")).map_or(0, |metadata| metadata.len())
}

/// What kept an attempt from succeeding.
pub(crate) enum Trouble {
    /// The server, or the way to it.
    Theirs(Failure),
    /// This machine.
    Ours(RemoteError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Theirs(failure)
    }
}

impl From<RemoteError> for Trouble {
    fn from(error: RemoteError) -> Self {
        Self::Ours(error)
    }
}

/// A file that is on its way, locked against other processes.
struct Part {
    path: PathBuf,
    /// Holds what the server says of the version of the content.
    version_path: PathBuf,
    file: File,
}

impl Part {
    fn open(target: &Path) -> Result<Self, RemoteError> {
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(RemoteError::io(folder, "create"))?;
        }
        let path = target.with_added_extension("part");
        let version_path = target.with_added_extension("part-version");
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(RemoteError::io(&path, "create"))?;
        file.lock().map_err(RemoteError::io(&path, "lock"))?;
        Ok(Self { path, version_path, file })
    }

    /// Fetches what is missing, in one go.
    fn read_on(&mut self, address: &Address) -> Result<(), Trouble> {
        let end = self.file.seek(SeekFrom::End(0));
        let mut have = end.map_err(RemoteError::io(&self.path, "read"))?;
        let mut opened = open(address, have, None)?;
        let version = fs::read_to_string(&self.version_path).unwrap_or_default();
        let is_other = version != opened.version || opened.size.is_none_or(|size| size < have);
        if have > 0 && (is_other || opened.start != have) {
            if opened.start != 0 {
                opened = open(address, 0, None)?;
            }
            have = 0;
            let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
            emptied.map_err(RemoteError::io(&self.path, "write"))?;
        }
        if have == 0 {
            fs::write(&self.version_path, &opened.version).map_err(RemoteError::io(&self.version_path, "write"))?;
        }
        let Opened { mut bytes, size, .. } = opened;
        have += copy(address, &mut bytes, &mut self.file, &self.path, have, size)?;
        match size {
            Some(size) if size != have => {
                Err(Failure::Passing(format!("the connection ended behind byte {have} of {size}")).into())
            }
            _ => Ok(()),
        }
    }

    fn throw_away(&self) -> Result<(), RemoteError> {
        let _ = fs::remove_file(&self.version_path);
        fs::remove_file(&self.path).map_err(RemoteError::io(&self.path, "remove"))
    }
}

/// Writes all of `bytes` to `file`, which is at `path`; returns how many. The log is told now and then.
pub(crate) fn copy(
    address: &Address,
    bytes: &mut dyn Read,
    file: &mut File,
    path: &Path,
    have: u64,
    size: Option<u64>,
) -> Result<u64, Trouble> {
    let mut buffer = vec![0; 1 << 18];
    let mut copied = 0;
    let mut told = Instant::now();
    loop {
        let read = match bytes.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let of = size.map_or_else(String::new, |size| format!(" of {size}"));
                return Err(Failure::Passing(format!("{error} behind byte {}{of}", have + copied)).into());
            }
        };
        file.write_all(&buffer[..read]).map_err(RemoteError::io(path, "write"))?;
        copied += read as u64;
        if told.elapsed() >= NEWS {
            told = Instant::now();
            let of = size.map_or_else(String::new, |size| format!(" of {:.0}", size as f64 / 1e6));
            tracing::info!("{address}: {:.0}{of} MB", (have + copied) as f64 / 1e6);
        }
    }
}
