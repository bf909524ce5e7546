//! Output files that are either complete or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::FormatError;

/// A file under a temporary name beside its place. [`OutputFile::finish`] puts it there; dropped before, it is removed.
///
/// A pipe or a device (`/dev/null`, `/dev/stdout`) is written to as it is, for nothing may take its place.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    /// `None` for a pipe or a device.
    temporary: Option<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl OutputFile {
    /// Creates the temporary file.
    ///
    /// # Errors
    /// A path that is a folder, or whose folder is not there or cannot be written to.
    pub fn create(path: &Path) -> Result<Self, FormatError> {
        let cannot_write = |reason: io::Error| FormatError::Create { path: path.into(), reason };
        let status = fs::metadata(path).ok();
        if status.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(FormatError::Folder { path: path.into() });
        }
        if status.as_ref().is_some_and(|status| !status.is_file()) {
            let file = OpenOptions::new().write(true).open(path).map_err(cannot_write)?;
            return Ok(Self { path: path.into(), temporary: None, file: Some(buffered(file)) });
        }
        // Where a link leads to a file, that file is replaced and not the link.
        let path = if status.is_some() { path.canonicalize().map_err(cannot_write)? } else { path.to_owned() };
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(name);
        let file = File::create(&temporary).map_err(cannot_write)?;
        Ok(Self { path, temporary: Some(temporary), file: Some(buffered(file)) })
    }

    /// Where the file will be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file under its temporary name; `None` for a pipe or a device.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        self.temporary.as_deref()
    }

    /// Writes out what is buffered and gives the file its name.
    ///
    /// # Errors
    /// A disk that is full, a folder that is gone; the pipe's error as it is.
    pub fn finish(mut self) -> Result<(), FormatError> {
        self.complete().map_err(FormatError::write(&self.path))
    }

    fn complete(&mut self) -> io::Result<()> {
        let file = self.file.take().expect("present until finished");
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let Some(temporary) = &self.temporary else { return Ok(()) };
        file.sync_all()?;
        drop(file);
        fs::rename(temporary, &self.path)
    }
}

fn buffered(file: File) -> BufWriter<File> {
    BufWriter::with_capacity(1 << 20, file)
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().expect("present until finished").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().expect("present until finished").flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.as_ref().filter(|temporary| temporary.exists()) {
            // The file is being given up; there is nobody to tell if even that fails.
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_file_leaves_nothing_and_a_finished_one_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.sam");
        let mut dropped = OutputFile::create(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut finished = OutputFile::create(&path).unwrap();
        finished.write_all(b"whole").unwrap();
        finished.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_stays_a_device_and_a_link_stays_a_link() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let mut file = OutputFile::create(Path::new("/dev/null")).unwrap();
        file.write_all(b"gone").unwrap();
        file.finish().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        let mut file = OutputFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }
}
