use crate::{ExtractError, ExtractOptions, Input};
use seedsieve_dataset::{InputFile, file_sha256};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
            let (size, sha256) = file_sha256(path)?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
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
