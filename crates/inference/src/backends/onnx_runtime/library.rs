//! Finding, checking and loading the ONNX Runtime library.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::NAME;
use crate::{NpuError, NpuResult};

/// ONNX Runtime's library is never smaller, not even in its minimal builds.
const MIN_LIBRARY_BYTES: u64 = 1 << 20;

#[cfg(target_os = "linux")]
const LIBRARY_NAME: &str = "libonnxruntime.so";
#[cfg(target_os = "macos")]
const LIBRARY_NAME: &str = "libonnxruntime.dylib";
#[cfg(windows)]
const LIBRARY_NAME: &str = "onnxruntime.dll";

pub(super) const INSTALL_HINT: &str =
    "install it with `pip install onnxruntime` into .venv, or give the path of libonnxruntime (version 1.24 or newer)";

/// The library of this process, for its lifetime.
pub(crate) struct LoadedLibrary {
    pub path: PathBuf,
    /// How it was found, and whether its content is known, in words.
    pub found: String,
    pub environment: Environment,
}

struct State {
    requested: Option<PathBuf>,
    loaded: Option<&'static LoadedLibrary>,
}

static STATE: Mutex<State> = Mutex::new(State { requested: None, loaded: None });

/// A place where the library may be.
struct Candidate {
    path: PathBuf,
    found: &'static str,
    /// Somebody named this very file: nothing else is tried if it cannot be used.
    binding: bool,
}

/// Names the library to load; nothing else is tried then.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] if another library is loaded already: a process can hold only one.
pub(crate) fn request_library(path: &Path) -> NpuResult<()> {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = state.loaded
        && path.canonicalize().ok().as_deref() != Some(loaded.path.as_path())
    {
        return Err(not_available(format!(
            "{} was asked for, but {} is loaded already; name the library before the first use",
            path.display(),
            loaded.path.display()
        )));
    }
    state.requested = Some(path.to_owned());
    Ok(())
}

/// The library of this process; the first call looks for it and loads it.
///
/// Tried in this order: the file given to [`request_library`]; the file that the environment variable `ORT_DYLIB_PATH`
/// names; beside the executable; in `.venv` of the current folder or the nearest folder above it; the system's library
/// folders. The first two are binding.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] with every file that was tried and why it was refused.
pub(crate) fn loaded_library() -> NpuResult<&'static LoadedLibrary> {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = state.loaded {
        return Ok(loaded);
    }
    let mut refused = Vec::new();
    for candidate in candidates(state.requested.as_deref()) {
        match check_and_load(&candidate) {
            Ok(loaded) => {
                tracing::debug!(path = %loaded.path.display(), found = &*loaded.found, "ONNX Runtime loaded");
                let loaded = Box::leak(Box::new(loaded));
                state.loaded = Some(loaded);
                return Ok(loaded);
            }
            Err(why) => refused.push(format!("{} ({}): {why}", candidate.path.display(), candidate.found)),
        }
        if candidate.binding {
            break;
        }
    }
    if refused.is_empty() {
        return Err(not_available(format!("found no {LIBRARY_NAME}; {INSTALL_HINT}")));
    }
    Err(not_available(format!("{}; {INSTALL_HINT}", refused.join("; "))))
}

fn not_available(why: String) -> NpuError {
    NpuError::BackendNotAvailable { backend: NAME, why }
}

fn candidates(requested: Option<&Path>) -> Vec<Candidate> {
    if let Some(path) = requested {
        return vec![Candidate { path: path.to_owned(), found: "as asked for", binding: true }];
    }
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return vec![Candidate { path: path.into(), found: "named by ORT_DYLIB_PATH", binding: true }];
    }
    let mut candidates = Vec::new();
    let mut add = |folder: &Path, found| {
        candidates.extend(libraries_in(folder).into_iter().map(|path| Candidate { path, found, binding: false }));
    };
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        add(folder, "beside the executable");
    }
    if let Ok(current) = std::env::current_dir() {
        for folder in current.ancestors().flat_map(python_packages) {
            add(&folder.join("onnxruntime/capi"), "in .venv");
        }
    }
    for folder in system_folders() {
        add(&folder, "in a system folder");
    }
    candidates
}

/// `site-packages` of a Python environment `.venv` in a folder.
fn python_packages(folder: &Path) -> Vec<PathBuf> {
    let environment = folder.join(".venv");
    if cfg!(windows) {
        return vec![environment.join("Lib/site-packages")];
    }
    let pythons = entries(&environment.join("lib")).into_iter().filter(|(name, _)| name.starts_with("python3"));
    pythons.map(|(_, path)| path.join("site-packages")).collect()
}

fn system_folders() -> Vec<PathBuf> {
    let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    ["/usr/local/lib", "/opt/onnxruntime/lib", "/opt/homebrew/lib", "/usr/lib64", &multiarch, "/usr/lib"]
        .map(PathBuf::from)
        .to_vec()
}

/// The files of a folder that carry the library's name, with or without a version, the newest version first.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let stem = LIBRARY_NAME.trim_end_matches(".dylib").trim_end_matches(".dll");
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries(folder)
        .into_iter()
        .filter(|(name, _)| name.strip_prefix(stem).is_some_and(is_version_or_extension))
        .map(|(name, path)| (name[stem.len()..].split('.').filter_map(|part| part.parse().ok()).collect(), path))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// Whether what follows the name is made of version numbers and the system's extension: `.1.24.2`, `.1.24.2.dylib`.
fn is_version_or_extension(suffix: &str) -> bool {
    suffix.is_empty()
        || suffix.strip_prefix('.').is_some_and(|parts| {
            parts.split('.').all(|part| part.parse::<u32>().is_ok() || ["so", "dylib", "dll"].contains(&part))
        })
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<(String, PathBuf)> =
        entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
    entries.sort();
    entries
}

/// The absolute path of a library that is safe to load.
fn check(path: &Path) -> Result<PathBuf, String> {
    let path = path.canonicalize().map_err(|error| error.to_string())?;
    let status = path.metadata().map_err(|error| error.to_string())?;
    if !status.is_file() {
        return Err("not a regular file".into());
    }
    #[cfg(target_os = "linux")]
    super::elf::check_complete(&path)?;
    if status.len() < MIN_LIBRARY_BYTES {
        return Err(format!(
            "{} bytes are too few for ONNX Runtime, which takes at least {MIN_LIBRARY_BYTES}",
            status.len()
        ));
    }
    Ok(path)
}

/// Everything that can be known of a library before this process loads it comes first.
fn check_and_load(candidate: &Candidate) -> Result<LoadedLibrary, String> {
    let path = check(&candidate.path)?;
    let content = super::checksum::check(&path)?.unwrap_or_else(|| "no checksum of it is known".into());
    super::probe::try_library(&path)?;
    load(path, format!("{} ({content})", candidate.found))
}

pub(super) fn load(path: PathBuf, found: String) -> Result<LoadedLibrary, String> {
    // The bindings panic where a library exports the right names but does not answer as ONNX Runtime does.
    let environment = std::panic::catch_unwind(|| {
        let builder = ort::init_from(&path).map_err(|error| error.to_string())?;
        builder.with_name("seedsieve").with_telemetry(false).build().map_err(|error| error.to_string())
    });
    let environment = environment.map_err(|_| "it does not answer as ONNX Runtime does")??;
    Ok(LoadedLibrary { path, found, environment })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_version_of_a_folder_comes_first_and_plug_ins_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for suffix in ["", ".1.9.0", ".1.24.2", ".1"] {
            std::fs::write(folder.path().join(format!("{LIBRARY_NAME}{suffix}")), "").unwrap();
        }
        std::fs::write(folder.path().join("libonnxruntime_providers_shared.so"), "").unwrap();
        std::fs::write(folder.path().join(format!("{LIBRARY_NAME}.1.24.2.part")), "").unwrap();
        let names: Vec<String> = libraries_in(folder.path())
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().replace(LIBRARY_NAME, ""))
            .collect();
        assert_eq!(names, [".1.24.2", ".1.9.0", ".1", ""]);
        assert!(libraries_in(&folder.path().join("missing")).is_empty());
    }

    #[test]
    fn python_environments_are_found_whatever_the_python() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path().join(".venv/lib/python3.12/site-packages");
        std::fs::create_dir_all(&packages).unwrap();
        assert_eq!(python_packages(folder.path()), [packages]);
    }
}
