//! Files that are there after a power failure, and folders of Parquet parts.

use crate::DatasetError;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Gives `path` the content `bytes`: after a kill or a power failure it has either its old content or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut file = File::create(&fresh).map_err(DatasetError::io(&fresh, "create"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(DatasetError::io(&fresh, "write"))?;
    fs::rename(&fresh, path).map_err(DatasetError::io(path, "rename into place"))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Renames a file, making the folder that it goes to.
pub(crate) fn move_file(from: &Path, to: &Path) -> Result<(), DatasetError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(DatasetError::io(folder, "create"))?;
    }
    fs::rename(from, to).map_err(DatasetError::io(to, "rename into place"))
}

/// Removes a file; that it is not there is no error.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), DatasetError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(DatasetError::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// The files `part-*.parquet` of a folder and of those below it; none where there is no such folder.
pub(crate) fn parts_below(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(DatasetError::io(&folder, "list"))?,
        };
        for entry in entries {
            let entry = entry.map_err(DatasetError::io(&folder, "list"))?;
            let kind = entry.file_type().map_err(DatasetError::io(entry.path(), "read"))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if name.starts_with("part-") && name.ends_with(".parquet") {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// Makes renames within `folder` durable. Only Unix can open a folder as a file.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), DatasetError> {
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|file| file.sync_all()).map_err(DatasetError::io(folder, "flush"))?;
    }
    Ok(())
}
