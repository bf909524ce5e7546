use crate::{ExtractError, ExtractOptions, Input};
use seedsieve_dataset::{DatasetError, InputFile, file_sha256, hexadecimal};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// An input of which only some bytes are there, at their places; the rest is a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The file.
    pub path: PathBuf,
    /// Bytes that are there, 0-based and half-open, in order.
    pub ranges: Vec<Range<u64>>,
}

impl Excerpt {
    /// Bytes that are there, and the SHA-256 of one behind the other.
    fn sha256(&self) -> Result<(u64, String), DatasetError> {
        let read = || -> io::Result<(u64, String)> {
            let mut file = File::open(&self.path)?;
            let (mut digest, mut size) = (Sha256::new(), 0);
            for range in &self.ranges {
                file.seek(SeekFrom::Start(range.start))?;
                size += io::copy(&mut file.by_ref().take(range.end - range.start), &mut Hashed(&mut digest))?;
            }
            Ok((size, hexadecimal(&digest.finalize())))
        };
        read().map_err(|reason| DatasetError::Io { path: self.path.clone(), action: "read", reason })
    }
}

/// Hashes what is written to it.
struct Hashed<'a>(&'a mut Sha256);

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of an extraction with their checksums, as they were when it began.
pub(crate) struct InputFiles {
    list: Vec<InputFile>,
    seen: Vec<(PathBuf, Stamp)>,
}

/// What tells an altered file without reading it again.
type Stamp = (u64, Option<SystemTime>);

impl InputFiles {
    /// Reads all files through: those of the reads, then the reference.
    pub(crate) fn examine(options: &ExtractOptions) -> Result<Self, ExtractError> {
        let reads = options.inputs.iter().flat_map(Input::files).map(|path| ("reads", path));
        // An index may be used without its FASTA; its contigs are all there in the .ann file.
        let mut annotation = options.reference.clone().into_os_string();
        annotation.push(".ann");
        let annotation = PathBuf::from(annotation);
        let reference = if options.reference.is_file() { &options.reference } else { &annotation };
        let mut files = Self { list: Vec::new(), seen: Vec::new() };
        for (kind, path) in reads.chain([("reference", reference.as_path())]) {
            files.seen.push((path.into(), stamp(path)?));
            let mut name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let (size, sha256) = match options.excerpts.iter().find(|excerpt| excerpt.path == path) {
                Some(excerpt) => {
                    name.push_str(" (excerpt)");
                    excerpt.sha256()?
                }
                None => file_sha256(path)?,
            };
            files.list.push(InputFile { kind: kind.into(), name, size, sha256 });
        }
        Ok(files)
    }

    pub(crate) fn list(&self) -> &[InputFile] {
        &self.list
    }

    pub(crate) fn into_list(self) -> Vec<InputFile> {
        self.list
    }

    /// Makes sure that the checksums are those of what was read.
    pub(crate) fn check_unchanged(&self) -> Result<(), ExtractError> {
        for (path, before) in &self.seen {
            if stamp(path)? != *before {
                return Err(ExtractError::Changed { path: path.clone() });
            }
        }
        Ok(())
    }
}

fn stamp(path: &Path) -> Result<Stamp, ExtractError> {
    let metadata = std::fs::metadata(path).map_err(ExtractError::io(path, "open"))?;
    Ok((metadata.len(), metadata.modified().ok()))
}
