//! Libraries that take their process with them: another process tries them first, and the program goes on.
#![cfg(all(feature = "ort", target_os = "linux"))]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::{seedsieve, succeed, text};

fn compile(folder: &Path, name: &str, constructor: &str) -> PathBuf {
    let (code, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    let source = format!(
        "#include <stdlib.h>\n#include <unistd.h>\nchar filling[2 << 20] = {{1}};\n\
         __attribute__((constructor)) static void loaded(void) {{ {constructor} }}\n"
    );
    std::fs::write(&code, source).unwrap();
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).status().unwrap();
    assert!(status.success(), "cc {}", code.display());
    library
}

/// What `backends` says of ONNX Runtime when it is told to load this library; it must not take longer than its limit.
fn said_of(library: &Path, cache: &Path) -> String {
    let start = Instant::now();
    let mut command = seedsieve(&["backends", "--json", "--ort-library", text(library)]);
    let output = succeed(command.env("XDG_CACHE_HOME", cache));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let backends = report["backends"].as_array().unwrap();
    let ort = backends.iter().find(|backend| backend["name"] == "ort").unwrap();
    assert_eq!(ort["available"], false, "{ort}");
    assert!(backends.iter().any(|backend| backend["available"] == true), "{report}");
    ort["why"].as_str().unwrap().to_owned()
}

#[test]
fn a_library_that_never_comes_back_is_refused_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), "sleeping", "for (;;) sleep(1000);");
    let why = said_of(&library, folder.path());
    assert!(why.contains("did not come back within 20 s") && why.contains("install it"), "{why}");
}

#[test]
fn a_library_that_ends_its_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, constructor, expected) in [
        ("aborting", "abort();", "signal: 6"),
        ("exiting", "_exit(0);", "ended with exit status: 0"),
        ("crashing", "*(volatile int *)8 = 1;", "signal: 11"),
    ] {
        let why = said_of(&compile(folder.path(), name, constructor), folder.path());
        assert!(why.contains(expected), "{name}: {why}");
    }
}

#[test]
fn a_library_that_leaves_a_process_behind_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    // The process that stays holds the pipe that the answer should come through.
    let library = compile(folder.path(), "forking", "if (fork() == 0) sleep(50); _exit(0);");
    let start = Instant::now();
    let why = said_of(&library, folder.path());
    assert!(why.contains("ended with exit status: 0"), "{why}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn a_library_of_another_content_than_is_written_beside_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), "changed", "");
    std::fs::write(folder.path().join("changed.so.sha256"), format!("{}  changed.so\n", "0".repeat(64))).unwrap();
    let why = said_of(&library, folder.path());
    assert!(why.contains("its SHA-256 is") && why.contains("changed.so.sha256 says 0000"), "{why}");
}

#[test]
fn the_probe_tells_a_refusal_from_a_process_that_ended() {
    let output = succeed(&mut seedsieve(&["probe-library", "/nowhere/libonnxruntime.so"]));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "it is refused");
}
