//! Output files that are either complete or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A file under a temporary name beside its place. [`OutputFile::finish`] puts it there; dropped before, it is removed.
pub struct OutputFile {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
}

impl OutputFile {
    /// Creates the temporary file.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(name);
        let file = File::create(&temporary)
            .with_context(|| format!("cannot write {}: is its folder there, and writable?", path.display()))?;
        Ok(Self { path: path.into(), temporary, file: Some(BufWriter::with_capacity(1 << 20, file)) })
    }

    /// Writes out what is buffered and gives the file its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let file = self.file.take().expect("present until finished");
        let context = || format!("cannot finish {}: is the disk full?", self.path.display());
        let file = file.into_inner().map_err(io::IntoInnerError::into_error).with_context(context)?;
        file.sync_all().with_context(context)?;
        drop(file);
        fs::rename(&self.temporary, &self.path).with_context(context)
    }
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
        if self.file.take().is_some() || self.temporary.exists() {
            // The file is being given up; there is nobody to tell if even that fails.
            let _ = fs::remove_file(&self.temporary);
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
}
