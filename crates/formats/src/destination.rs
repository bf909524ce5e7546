use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::{FormatError, OutputFile};

/// Standard output, or a file that gets its name when it is complete.
#[derive(Debug)]
pub enum Destination {
    /// Standard output.
    Standard(BufWriter<io::Stdout>),
    /// A file, a pipe with a name, or a device.
    File(OutputFile),
}

impl Destination {
    /// Opens `path`, or standard output where there is none or it is `-`.
    ///
    /// # Errors
    /// As [`OutputFile::create`].
    pub fn open(path: Option<&Path>) -> Result<Self, FormatError> {
        match path.filter(|path| path.as_os_str() != "-") {
            Some(path) => OutputFile::create(path).map(Self::File),
            None => Ok(Self::Standard(BufWriter::with_capacity(1 << 20, io::stdout()))),
        }
    }

    /// The name for messages.
    #[must_use]
    pub fn name(&self) -> &Path {
        match self {
            Self::Standard(_) => Path::new("standard output"),
            Self::File(file) => file.path(),
        }
    }

    /// Whether this becomes a regular file, which can have an index beside it.
    #[must_use]
    pub fn is_regular_file(&self) -> bool {
        matches!(self, Self::File(file) if file.temporary().is_some())
    }

    /// Writes out what is buffered, and gives the file its name.
    ///
    /// # Errors
    /// [`FormatError::Write`].
    pub fn finish(self) -> Result<(), FormatError> {
        match self {
            Self::Standard(mut output) => output.flush().map_err(FormatError::write(Path::new("standard output"))),
            Self::File(output) => output.finish(),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(output) => output.write(bytes),
            Self::File(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(output) => output.flush(),
            Self::File(output) => output.flush(),
        }
    }
}
