//! Files that are given as ONNX Runtime and are not: each is refused with a message, and tract takes over.
//!
//! One test, because a process loads at most one library.
#![cfg(all(feature = "ort", feature = "tract", target_os = "linux"))]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::ort_is_available;
use seedsieve_inference::{
    BackendChoice, BackendStatus, Model, NpuError, detect_npu_backend, list_available_backends, set_ort_library,
};

/// Large enough to be ONNX Runtime, and nothing else.
const FOREIGN_LIBRARY: &str = "char filling[2 << 20] = {1}; int answer(void) { return 42; }";
/// Answers as ONNX Runtime 1.17 would.
const OLD_LIBRARY: &str = "
    char filling[2 << 20] = {1};
    static const void *api(unsigned version) { return 0; }
    static const char *version(void) { return \"1.17.3\"; }
    static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
    const void *OrtGetApiBase(void) { return &base; }";
/// Claims to be new enough, but has no functions.
const EMPTY_LIBRARY: &str = "
    char filling[2 << 20] = {1};
    static const void *api(unsigned version) { return 0; }
    static const char *version(void) { return \"1.99.0\"; }
    static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
    const void *OrtGetApiBase(void) { return &base; }";

fn compile(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (code, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    std::fs::write(&code, source).unwrap();
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).status().unwrap();
    assert!(status.success(), "cc {}", code.display());
    library
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn ort_status() -> BackendStatus {
    list_available_backends().into_iter().find(|status| status.name == "ort").unwrap()
}

fn check_refused(library: &Path, reason: &str) {
    set_ort_library(library).unwrap();
    let model = Model::embedded();
    let error = detect_npu_backend(&model, BackendChoice::Ort).err().unwrap();
    assert!(matches!(error, NpuError::BackendNotAvailable { backend: "ort", .. }), "{error:?}");
    let error = error.to_string();
    for part in [reason, library.to_str().unwrap(), "install it"] {
        assert!(error.contains(part), "{error}\nlacks: {part}");
    }
    assert_eq!(detect_npu_backend(&model, BackendChoice::Auto).unwrap().name(), "tract");
    let status = ort_status();
    assert!(!status.available && status.why.contains(reason), "{status:?}");
}

#[test]
fn unusable_libraries_are_refused_and_tract_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let foreign = compile(folder, "foreign", FOREIGN_LIBRARY);
    let complete = std::fs::read(&foreign).unwrap();
    // The processor's number in the header is one that no library for PCs has: RISC-V's.
    let mut of_another_processor = complete.clone();
    of_another_processor[18..20].copy_from_slice(&243u16.to_le_bytes());

    check_refused(&folder.join("missing.so"), "No such file");
    check_refused(folder, "not a regular file");
    check_refused(&write(folder, "empty.so", b""), "0 bytes");
    check_refused(&write(folder, "text.so", &b"version https://git-lfs\n".repeat(100_000)), "not a shared library");
    check_refused(&write(folder, "half.so", &complete[..complete.len() / 2]), "cut off");
    check_refused(&write(folder, "last.so", &complete[..complete.len() - 1]), "cut off");
    check_refused(&write(folder, "riscv.so", &of_another_processor), "for another processor");
    check_refused(&compile(folder, "small", "int answer(void) { return 42; }"), "too few for ONNX Runtime");
    check_refused(&foreign, "OrtGetApiBase");
    check_refused(&compile(folder, "old", OLD_LIBRARY), "1.17.3");

    let Some(runtime) = found_by_itself() else { return };
    let bytes = std::fs::read(&runtime).unwrap();
    for kept in [bytes.len() / 3, bytes.len() - 100] {
        check_refused(&write(folder, "libonnxruntime.so", &bytes[..kept]), "cut off");
    }

    set_ort_library(&runtime).unwrap();
    assert_eq!(detect_npu_backend(&Model::embedded(), BackendChoice::Auto).unwrap().name(), "ort");
    let error = set_ort_library(&foreign).unwrap_err().to_string();
    assert!(error.contains("loaded already"), "{error}");
    set_ort_library(&runtime).unwrap();
}

/// The library that another process of this test finds without being told.
fn found_by_itself() -> Option<PathBuf> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "print_the_library_that_is_found"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().find_map(|line| line.split_once("FOUND ")).map(|(_, path)| path.into())
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn print_the_library_that_is_found() {
    if ort_is_available("truncated copies of ONNX Runtime") {
        let why = ort_status().why;
        println!("FOUND {}", why.rsplit_once(", ").unwrap().0);
    }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn a_library_without_functions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    check_refused(&compile(folder.path(), "hollow", EMPTY_LIBRARY), "does not answer as ONNX Runtime");
}

#[test]
fn a_library_without_functions_is_refused_in_its_own_process() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_library_without_functions_is_refused"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
