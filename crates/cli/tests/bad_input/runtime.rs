//! ONNX Runtime that is not there, or is something else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::{fail, repository, skip, succeed, text};
use super::{align, refused, sound};

/// A filtered alignment in `folder`, which has no Python environment, without any environment variable.
fn filtered(folder: &Path, backend: &str) -> Command {
    let sound = sound();
    let mut command = align(&folder.join("out.sam"), &sound.genome, &[&sound.reads]);
    command.current_dir(folder).env_clear().args(["--npu-filter", "--npu-backend", backend]);
    command
}

/// `auto` says why ONNX Runtime is not used, takes tract, and aligns as tract alone does.
fn falls_back_to_tract(make: impl Fn(&str) -> Command, folder: &Path, parts: &[&str]) {
    let sam = folder.join("out.sam");
    let records = || {
        let text = fs::read_to_string(&sam).unwrap();
        text.lines().filter(|line| !line.starts_with("@PG")).collect::<Vec<_>>().join("\n")
    };
    let output = succeed(&mut make("auto"));
    let message = String::from_utf8_lossy(&output.stderr);
    for part in [&["WARN", "`ort` is not", "backend tract"], parts].concat() {
        assert!(message.contains(part), "{message}\nlacks: {part}");
    }
    assert!(!message.contains('\x1b'), "no colours where nobody looks: {message}");
    let fallen_back = records();
    succeed(&mut make("tract"));
    assert!(fallen_back.lines().count() > 400);
    assert_eq!(fallen_back, records());
    fs::remove_file(&sam).unwrap();
}

/// ONNX Runtime in a system folder is found without any environment, and cannot be hidden.
fn system_has_onnx_runtime() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let found = filtered(folder.path(), "ort").output().unwrap().status.success();
    if found {
        skip("a system without ONNX Runtime in its library folders");
    }
    found
}

#[test]
fn without_onnx_runtime_ort_is_an_error_and_auto_takes_tract() {
    if system_has_onnx_runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let parts = ["`ort` is not available", "found no libonnxruntime", "pip install onnxruntime", "1.24 or newer"];
    refused(&mut filtered(folder.path(), "ort"), folder.path(), &parts);
    falls_back_to_tract(|backend| filtered(folder.path(), backend), folder.path(), &parts[1..]);
}

#[test]
fn what_is_no_library_is_named_with_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libonnxruntime.so");
    let sound = fs::read(std::env::current_exe().unwrap()).unwrap();
    for (content, reason) in [
        (b"just text".to_vec(), "no"),
        (b"version https://git-lfs.github.com/spec/v1\n".repeat(50_000), "shared library"),
        (sound[..sound.len() / 2].to_vec(), "cut off"),
    ] {
        fs::write(&library, content).unwrap();
        let parts = [text(&library), reason, "pip install onnxruntime", "1.24 or newer"];
        let by_variable = |backend: &str| {
            let mut command = filtered(folder.path(), backend);
            command.env("ORT_DYLIB_PATH", &library);
            command
        };
        let by_option = |backend: &str| {
            let mut command = filtered(folder.path(), backend);
            command.args(["--ort-library", text(&library)]);
            command
        };
        refused(&mut by_variable("ort"), folder.path(), &[&["named by ORT_DYLIB_PATH"], &parts[..]].concat());
        refused(&mut by_option("ort"), folder.path(), &[&["as asked for"], &parts[..]].concat());
        falls_back_to_tract(by_variable, folder.path(), &parts);
        falls_back_to_tract(by_option, folder.path(), &parts);
    }
}

/// A library that answers as an older ONNX Runtime does.
const OLD_LIBRARY: &str = "
    char filling[2 << 20] = {1};
    static const void *api(unsigned version) { return 0; }
    static const char *version(void) { return \"1.17.3\"; }
    static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
    const void *OrtGetApiBase(void) { return &base; }";

fn compile(folder: &Path, source: &str) -> PathBuf {
    let (code, library) = (folder.join("library.c"), folder.join("library.so"));
    fs::write(&code, source).unwrap();
    succeed(Command::new("cc").args(["-shared", "-fPIC", "-o", text(&library), text(&code)]));
    library
}

#[cfg(target_os = "linux")]
#[test]
fn an_onnx_runtime_that_is_too_old_is_named_with_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), OLD_LIBRARY);
    let make = |backend: &str| {
        let mut command = filtered(folder.path(), backend);
        command.env("ORT_DYLIB_PATH", &library);
        command
    };
    let parts = [text(&library), "1.17.3", "1.24 or newer"];
    refused(&mut make("ort"), folder.path(), &parts);
    falls_back_to_tract(make, folder.path(), &parts);
}

#[test]
fn an_unknown_backend_is_told_with_those_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    // Wrong arguments are clap's, with its exit code.
    let output = filtered(folder.path(), "cuda").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("cuda") && message.contains("auto, ort, tract"), "{message}");
    let backends = fail(std::process::Command::new(env!("CARGO_BIN_EXE_seedsieve")).current_dir(repository()).args([
        "backends",
        "--bench",
        "--model",
        "/nowhere.onnx",
    ]));
    assert!(backends.contains("/nowhere.onnx"), "{backends}");
}
