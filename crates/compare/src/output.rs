use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::CompareError;

/// A file that appears whole or not at all. Made first and written last, it tells before the work whether the place can
/// be written to.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    part: PathBuf,
    file: fs::File,
}

impl WholeFile {
    /// Opens a temporary file beside `path`.
    ///
    /// # Errors
    /// [`CompareError::Write`] where none can be made, or where `path` is a folder.
    pub fn create(path: &Path) -> Result<Self, CompareError> {
        let error = |source| CompareError::Write { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(error(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        let part = path.with_added_extension(format!("part-{}", std::process::id()));
        let file = fs::File::create(&part).map_err(error)?;
        Ok(Self { path: path.to_owned(), part, file })
    }

    /// Writes `content` and gives the file its name.
    ///
    /// # Errors
    /// [`CompareError::Write`]; then what was at the path before is still there.
    pub fn finish(mut self, content: &[u8]) -> Result<(), CompareError> {
        let written = self.file.write_all(content).and_then(|()| fs::rename(&self.part, &self.path));
        written.map_err(|source| CompareError::Write { path: self.path.clone(), source })
    }
}

/// Writes to the temporary file, for content that is too long to be held: [`WholeFile::finish`] adds the rest.
impl std::io::Write for WholeFile {
    fn write(&mut self, content: &[u8]) -> std::io::Result<usize> {
        self.file.write(content)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // After a rename there is nothing under this name, and an error has been reported already.
        let _ = fs::remove_file(&self.part);
    }
}

/// Writes `content` to `path`, which then is whole, or is as it was before.
///
/// # Errors
/// [`CompareError::Write`].
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), CompareError> {
    WholeFile::create(path)?.finish(content)
}
