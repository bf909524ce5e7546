//! ONNX Runtime that is not there, or is something else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::{fail, repository, skip, succeed, text};
use super::{align, refused, sound};

/// A filtered alignment in `folder`, which has no Python environment, without any environment variable, with a model in
/// floating point, which the native backend leaves to the others.
fn filtered(folder: &Path, backend: &str) -> Command {
    let mut command = filtered_as_is(folder, backend);
    command.arg("--model").arg(repository().join("models/seed_filter_v1.onnx"));
    command
}

fn filtered_as_is(folder: &Path, backend: &str) -> Command {
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
fn auto_takes_the_native_kernel_and_needs_no_library() {
    #[cfg(target_arch = "x86_64")]
    if !std::is_x86_feature_detected!("avx2") {
        return skip("a processor without AVX2, whose native kernel is plain code");
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |backend: &str| {
        let mut command = filtered_as_is(folder.path(), backend);
        let output = succeed(command.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so"));
        let records = fs::read_to_string(folder.path().join("out.sam")).unwrap();
        let records: Vec<String> = records.lines().filter(|line| !line.starts_with("@PG")).map(str::to_owned).collect();
        fs::remove_file(folder.path().join("out.sam")).unwrap();
        (String::from_utf8_lossy(&output.stderr).into_owned(), records)
    };
    let (message, records) = run("auto");
    assert!(message.contains("backend native") && message.contains("in order of speed"), "{message}");
    assert!(!message.contains("WARN"), "{message}");
    assert!(records.len() > 400);
    assert_eq!(run("native").1, records);
    let mut fp32 = filtered(folder.path(), "native");
    refused(&mut fp32, folder.path(), &["seed_filter_v1.onnx", "floating point", "_int8.onnx"]);
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
    let output = filtered(folder.path(), "gpu").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("`gpu`") && message.contains("auto, native, native-cuda, ort, tract"), "{message}");
    let backends = fail(std::process::Command::new(env!("CARGO_BIN_EXE_seedsieve")).current_dir(repository()).args([
        "backends",
        "--bench",
        "--model",
        "/nowhere.onnx",
    ]));
    assert!(backends.contains("/nowhere.onnx"), "{backends}");
}
