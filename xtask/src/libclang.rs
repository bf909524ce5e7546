//! libclang, with which rust-htslib generates the bindings of htslib each time it is built; there is no switch to use
//! the ones that hts-sys ships.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::digest::Digest;
use crate::failure::{Context, Outcome};
use crate::process;
use crate::python::Python;

const LOCK: &str = "xtask/libclang.lock";
/// Below `target`, so that its path does not depend on the version of Python.
const FOLDER: &str = "target/libclang";
/// In the folder; holds the fingerprint of the lock file. Written last.
const MARKER: &str = "installed";
/// Where the user says that libclang is.
const VARIABLE: &str = "LIBCLANG_PATH";
const ARGUMENTS: &str = "BINDGEN_EXTRA_CLANG_ARGS";

/// Environment variables that builds need for their bindings; none where the system or the user has seen to it.
///
/// # Errors
/// There is no libclang, and the wheel cannot be had.
pub fn environment(python: &Python) -> Outcome<Vec<(&'static str, String)>> {
    // Elsewhere it comes with the C compiler (Apple's command line tools).
    let wanted = cfg!(target_os = "linux") && env::var_os(VARIABLE).is_none();
    if !wanted || ["/usr/local", "/usr"].iter().any(|prefix| has_libclang(Path::new(prefix))) {
        return Ok(Vec::new());
    }
    install(python)?;
    let folder = fs::canonicalize(Path::new(FOLDER).join("clang/native"))
        .context(|| format!("the wheel of {LOCK} has no folder clang/native"))?;
    let mut variables = vec![(VARIABLE, folder.display().to_string())];
    // The wheel is the bare library: headers such as stddef.h, which belong to a compiler, are those of the C compiler.
    let headers = process::output(Command::new("cc").arg("-print-file-name=include"))
        .context(|| "a C compiler is needed, on Debian and Ubuntu `apt-get install gcc libc6-dev`".to_owned())?;
    if env::var_os(ARGUMENTS).is_none() {
        variables.push((ARGUMENTS, format!("-I{}", headers.trim())));
    }
    Ok(variables)
}

fn install(python: &Python) -> Outcome<()> {
    let mut lock = Digest::new();
    lock.add_path(Path::new(LOCK))?;
    let marker = Path::new(FOLDER).join(MARKER);
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == lock.hexadecimal()) {
        return Ok(());
    }
    println!("  no libclang on this system: installing its wheel into {FOLDER} (25 MB, once)");
    process::remove(Path::new(FOLDER))?;
    let mut command = python.command();
    command.args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--require-hashes", "--no-deps"]);
    process::run(command.args(["--target", FOLDER, "-r", LOCK])).context(|| {
        format!("installing {LOCK}; a libclang of the system (`apt-get install libclang-dev`) will do too")
    })?;
    fs::write(&marker, lock.hexadecimal()).context(|| format!("cannot write {}", marker.display()))
}

/// Whether one of the folders in which the generator looks (`lib*` below the prefix, two levels deep) holds the library.
fn has_libclang(prefix: &Path) -> bool {
    let mut folders: Vec<(PathBuf, usize)> = children(prefix)
        .filter(|path| file_name(path).starts_with("lib") && path.is_dir())
        .map(|path| (path, 0))
        .collect();
    while let Some((folder, depth)) = folders.pop() {
        for path in children(&folder) {
            let name = file_name(&path);
            // libclang-cpp is another library.
            if name.starts_with("libclang") && !name.starts_with("libclang-cpp") && name.contains(".so") {
                return true;
            }
            if depth < 2 && path.is_dir() {
                folders.push((path, depth + 1));
            }
        }
    }
    false
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_is_found_where_the_generator_looks_and_nothing_else_is_taken_for_it() {
        let prefix = crate::scratch::folder("libclang");
        let put = |path: &str| {
            let path = prefix.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        for other in
            ["lib/llvm-14/lib/libclang-cpp.so.14", "share/libclang.so", "lib/a/b/c/libclang.so", "lib/libclang.a"]
        {
            put(other);
            assert!(!has_libclang(&prefix), "{other}");
        }
        for library in ["lib/llvm-14/lib/libclang.so.1", "lib/libclang-14.so.13", "lib64/libclang.so"] {
            let path = put(library);
            assert!(has_libclang(&prefix), "{library}");
            fs::remove_file(path).unwrap();
        }
        fs::remove_dir_all(prefix).unwrap();
    }
}
