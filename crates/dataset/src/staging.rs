use crate::files::{move_file, parts_below, remove_if_there, replace, sync_folder};
use crate::journal::Journal;
use crate::{DATA_FOLDER, DatasetError, MANIFEST_NAME, Manifest, Part, file_sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Folder within the data set's folder where parts lie until all are complete.
const STAGING_FOLDER: &str = ".unfinished";
/// File in it that the running writer holds a lock on.
const LOCK_NAME: &str = "lock";
/// File in it that says which parts are complete.
const JOURNAL_NAME: &str = "journal.json";

/// The unfinished parts of a data set, in a folder of their own that one process at a time may write to. Dropped, it
/// removes them, and the folders that it made, unless they are to be kept for the next start.
#[derive(Debug)]
pub(crate) struct Staging {
    directory: PathBuf,
    folder: PathBuf,
    /// Folders that were not there before, the innermost first.
    made: Vec<PathBuf>,
    _lock: File,
    keep: bool,
    published: bool,
}

impl Staging {
    /// Makes the folder in the data set's folder `directory`, or takes over what an ended process left there.
    ///
    /// # Errors
    /// [`DatasetError::Busy`] when another process writes there, [`DatasetError::Io`] when it cannot be written to.
    pub(crate) fn open(directory: &Path) -> Result<Self, DatasetError> {
        let made = directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let made = made.map(Path::to_path_buf).collect();
        let folder = directory.join(STAGING_FOLDER);
        fs::create_dir_all(&folder).map_err(DatasetError::io(&folder, "create"))?;
        let lock_path = folder.join(LOCK_NAME);
        let lock = File::create(&lock_path).map_err(DatasetError::io(&lock_path, "create"))?;
        if lock.try_lock().is_err() {
            return Err(DatasetError::Busy { path: directory.into() });
        }
        Ok(Self { directory: directory.into(), folder, made, _lock: lock, keep: false, published: false })
    }

    /// Whether an ended process left unfinished work in `directory`.
    pub(crate) fn is_left_in(directory: &Path) -> bool {
        directory.join(STAGING_FOLDER).join(JOURNAL_NAME).exists()
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.folder.join(JOURNAL_NAME)
    }

    /// Where the part `file` (as `dataset.json` names it) lies until it is published.
    pub(crate) fn part_path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// What is unfinished is left for the next start.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }

    /// What is unfinished is removed, unless [`Staging::keep`] is called again.
    pub(crate) fn discard(&mut self) {
        self.keep = false;
    }

    /// Says that all is published already.
    pub(crate) fn end(mut self) {
        self.published = true;
    }

    /// Makes the complete parts `parts`, and no others, stand ready. A writer that was killed while it published may
    /// have put some of them in their final place already.
    ///
    /// # Errors
    /// [`DatasetError::OtherWork`] when one is missing or is not what was written.
    pub(crate) fn restore(&self, parts: &[Part]) -> Result<(), DatasetError> {
        for part in parts {
            let (staged, published) = (self.part_path(&part.file), self.directory.join(&part.file));
            if !staged.exists() && published.exists() {
                move_file(&published, &staged)?;
            }
            if !staged.exists() {
                return Err(Journal::refusal(&staged, &["the part is missing".into()]));
            }
            if file_sha256(&staged)? != (part.size, part.sha256.clone()) {
                return Err(Journal::refusal(&staged, &["the part is not what was written".into()]));
            }
        }
        let known: Vec<PathBuf> = parts.iter().map(|part| self.part_path(&part.file)).collect();
        for unknown in parts_below(&self.folder)?.iter().filter(|path| !known.contains(path)) {
            fs::remove_file(unknown).map_err(DatasetError::io(unknown, "remove"))?;
        }
        Ok(())
    }

    /// Forgets whatever an ended process left.
    pub(crate) fn clear(&self) -> Result<(), DatasetError> {
        remove_if_there(&self.journal_path())?;
        self.restore(&[])
    }

    /// Puts all parts of `manifest` in their place and then `dataset.json`, and removes the parts that they replace.
    pub(crate) fn publish(&mut self, manifest: &Manifest) -> Result<(), DatasetError> {
        let staged_manifest = self.folder.join(MANIFEST_NAME);
        replace(&staged_manifest, &manifest.to_json(&staged_manifest)?)?;

        // From here on the folder is unfinished until the new dataset.json is in place.
        let manifest_path = self.directory.join(MANIFEST_NAME);
        remove_if_there(&manifest_path)?;
        let data = self.directory.join(DATA_FOLDER);
        for replaced in parts_below(&data)? {
            fs::remove_file(&replaced).map_err(DatasetError::io(&replaced, "remove"))?;
        }
        fs::create_dir_all(&data).map_err(DatasetError::io(&data, "create"))?;
        let mut folders = vec![data];
        for part in &manifest.parts {
            let target = self.directory.join(&part.file);
            move_file(&self.part_path(&part.file), &target)?;
            let new_folders = target.ancestors().skip(1).take_while(|folder| **folder != self.directory);
            let new_folders: Vec<_> =
                new_folders.filter(|folder| !folders.iter().any(|known| known == folder)).collect();
            folders.extend(new_folders.into_iter().map(Path::to_path_buf));
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))?;
        fs::rename(&staged_manifest, &manifest_path).map_err(DatasetError::io(&manifest_path, "rename into place"))?;
        sync_folder(&self.directory)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.keep && !self.published {
            return;
        }
        // Nothing can be reported from here, and what stays is in a folder that the next start clears.
        let _ = fs::remove_dir_all(&self.folder);
        if !self.published {
            for folder in &self.made {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}
