//! NVIDIA drivers that are none, are too old, or fail at something: `native-cuda` is refused with what to do, and other
//! backends are taken.
//!
//! A driver is a shared library under a fixed name, so each of these is a small one in C; another process of this test finds it
//! first. None of them computes anything: what a real driver does is tested on a GPU.
#![cfg(all(feature = "native-cuda", target_os = "linux"))]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use seedsieve_inference::{
    BackendChoice, Model, NpuBackend, NpuError, SeedFilterBatch, detect_npu_backend, example_windows,
    list_available_backends,
};

/// The functions that `driver.rs` asks for. What is wrong is defined by the test that compiles it.
const DRIVER: &str = r#"
    #include <stdlib.h>
    #include <string.h>
    #ifndef GPUS
    #define GPUS 1
    #endif
    #ifndef CAPABILITY
    #define CAPABILITY 8
    #endif
    #ifndef INIT
    #define INIT 0
    #endif
    #ifndef LAUNCH
    #define LAUNCH 0
    #endif
    #ifndef BUFFERS
    #define BUFFERS 1000000
    #endif
    #ifndef SCORE
    #define SCORE 0.5f
    #endif
    static int taken;
    int cuInit(unsigned flags) { return INIT; }
    int cuGetErrorName(int code, const char **name) {
        *name = code == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : code == 999 ? "CUDA_ERROR_UNKNOWN" : 0;
        return 0;
    }
    int cuDeviceGetCount(int *count) { *count = GPUS; return 0; }
    int cuDeviceGetAttribute(int *value, int what, int device) { *value = what == 75 ? CAPABILITY : 4; return 0; }
    int cuDeviceGetName(char *name, int most, int device) { strncpy(name, "Made-up GPU", most); return 0; }
    int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &taken; return 0; }
    int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
    int cuCtxSetCurrent(void *context) { return 0; }
    int cuModuleLoadData(void **module, const void *text) { *module = &taken; return 0; }
    int cuModuleUnload(void *module) { return 0; }
    int cuModuleGetFunction(void **function, void *module, const char *name) { *function = &taken; return 0; }
    int cuFuncSetAttribute(void *function, int what, int value) { return 0; }
    int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int threads, size_t bytes) {
        *blocks = 1;
        return 0;
    }
    int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
        if (++taken > BUFFERS) return 2;
        *address = (unsigned long long)malloc(bytes);
        return 0;
    }
    int cuMemFree_v2(unsigned long long address) { free((void *)address); return 0; }
    int cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags) { *pointer = malloc(bytes); return 0; }
    int cuMemFreeHost(void *pointer) { free(pointer); return 0; }
    int cuMemcpyHtoDAsync_v2(unsigned long long target, const void *source, size_t bytes, void *stream) { return 0; }
    int cuMemcpyDtoHAsync_v2(void *target, unsigned long long source, size_t bytes, void *stream) {
        for (size_t at = 0; at < bytes / 4; at++) ((float *)target)[at] = SCORE;
        return 0;
    }
    int cuStreamCreate(void **stream, unsigned flags) { *stream = &taken; return 0; }
    int cuStreamSynchronize(void *stream) { return 0; }
    int cuStreamDestroy_v2(void *stream) { return 0; }
    int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned bx, unsigned by, unsigned bz,
                       unsigned shared, void *stream, void **arguments, void **more) { return LAUNCH; }
"#;

/// What another process of this test says of `native-cuda` where it finds this driver.
fn said_with(source: &str, definitions: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("driver.c");
    std::fs::write(&code, source).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(folder.path().join("libcuda.so.1")).arg(&code);
    assert!(compiler.args(definitions).status().unwrap().success(), "cc {definitions:?}");
    said_of_drivers_in(folder.path())
}

fn said_of_drivers_in(folder: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "print_what_becomes_of_the_backend"])
        .envs([("LD_LIBRARY_PATH", folder), ("XDG_CACHE_HOME", folder)])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn print_what_becomes_of_the_backend() {
    let status = list_available_backends().into_iter().find(|status| status.name == "native-cuda").unwrap();
    println!("listed, {}: {}", status.available, status.why);
    let model = Model::embedded_int8();
    let refusal = match detect_npu_backend(&model, BackendChoice::NativeCuda) {
        Ok(backend) => {
            println!("loaded");
            let none: [f32; 0] = [];
            assert_eq!(backend.predict_seed_viability(&SeedFilterBatch::from_packed(&[])).unwrap(), none);
            // More than all batches of a caller hold.
            let seeds = 3 * backend.capabilities().max_batch_size + 1;
            let mut scores = vec![0.0; seeds];
            backend.predict_packed(&vec![0; seeds * 128], &mut scores).unwrap();
            println!("{} of {seeds} scores are 0.5", scores.iter().filter(|score| **score == 0.5).count());
            score_with_two_callers(&*backend);
            return;
        }
        Err(error) => error,
    };
    println!("{}: {refusal}", kind(&refusal));
    for choice in [BackendChoice::Auto, BackendChoice::Fastest] {
        println!("{choice} takes {}", detect_npu_backend(&model, choice).unwrap().name());
    }
}

/// Two callers, until one of them finds no memory for batches of its own.
fn score_with_two_callers(backend: &dyn NpuBackend) {
    let refused = AtomicBool::new(false);
    let call = || {
        let (packed, mut scores) = (example_windows(2000, 1), vec![0.0; 2000]);
        for _ in 0..20_000 {
            if refused.load(Ordering::Relaxed) {
                break;
            }
            if let Err(error) = backend.predict_packed(&packed, &mut scores) {
                refused.store(true, Ordering::Relaxed);
                println!("{}: {error}", kind(&error));
            }
        }
        backend.predict_packed(&packed, &mut scores).is_ok()
    };
    let went_on = std::thread::scope(|scope| [scope.spawn(call), scope.spawn(call)].map(|call| call.join().unwrap()));
    println!("callers that went on: {}", went_on.iter().filter(|went_on| **went_on).count());
}

fn kind(error: &NpuError) -> &'static str {
    match error {
        NpuError::BackendNotAvailable { backend: "native-cuda", .. } => "not available",
        NpuError::DeviceOutOfMemory { backend: "native-cuda", .. } => "out of memory",
        NpuError::InferenceFailed(_) => "failed",
        NpuError::InvalidScore { backend: "native-cuda", .. } => "invalid score",
        _ => "another error",
    }
}

/// Fails where something is missing of what was said, or where a choice that is free has taken the backend.
fn check(said: &str, expected: &[&str]) {
    for part in expected {
        assert!(said.contains(part), "{said}\nlacks: {part}");
    }
    assert!(said.contains("auto takes") && !said.contains("takes native-cuda"), "{said}");
}

#[test]
fn machines_without_a_gpu_that_can_be_used_are_told() {
    for (definition, why) in [
        ("-DGPUS=0", "the driver finds no GPU"),
        ("-DCAPABILITY=7", "the GPU Made-up GPU is too old (compute capability 7.x"),
        ("-DINIT=999", "starting the driver: CUDA_ERROR_UNKNOWN (999)"),
        ("-DINIT=100", "starting the driver: an unknown error (100)"),
    ] {
        let said = said_with(DRIVER, &[definition]);
        let listed = format!("listed, false: {why}");
        check(&said, &[&listed, "not available: ", why, "it needs an NVIDIA GPU"]);
    }
}

#[test]
fn what_is_no_driver_is_told() {
    let said = said_with("int cuInit(unsigned flags) { return 0; }", &[]);
    check(&said, &["listed, false: libcuda.so.1 is too old", "not available: ", "530 or newer"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("libcuda.so.1"), b"text").unwrap();
    check(&said_of_drivers_in(folder.path()), &["listed, false: ", "not available: ", "it needs an NVIDIA GPU"]);
}

#[test]
fn a_device_whose_memory_is_taken_is_told() {
    // None for the network, or none for the second or a later buffer of batches.
    for buffers in [0, 1, 2, 5, 10] {
        let said = said_with(DRIVER, &[&format!("-DBUFFERS={buffers}")]);
        check(&said, &["listed, true", "out of memory: ", "CUDA_ERROR_OUT_OF_MEMORY", "end other programs"]);
    }
}

#[test]
fn a_caller_for_whom_no_memory_is_left_gets_an_error_and_others_go_on() {
    // Two for the network, nine for the batches of one caller.
    let said = said_with(DRIVER, &["-DBUFFERS=11"]);
    for part in ["loaded", "49153 of 49153 scores are 0.5", "out of memory: "] {
        assert!(said.contains(part), "{said}\nlacks: {part}");
    }
    assert!(!said.contains("callers that went on: 0"), "{said}");
}

#[test]
fn a_device_that_fails_or_computes_nonsense_is_told() {
    let said = said_with(DRIVER, &["-DLAUNCH=999"]);
    check(&said, &["failed: ", "native-cuda: starting a kernel: CUDA_ERROR_UNKNOWN (999)", "nvidia-smi"]);
    for score in ["(0.0f / 0.0f)", "-1.0f", "1e30f"] {
        let said = said_with(DRIVER, &[&format!("-DSCORE={score}")]);
        check(&said, &["invalid score: ", "outside [0, 1]"]);
    }
}
