//! `cargo xtask bench gpu`: seeds a second of the backends on GPUs, by the size of a call and by the number of callers at the same
//! time, each with its own thread and windows; and their scores beside those of the native kernel on the CPU.
//!
//! Rates are end to end: from packed windows in ordinary memory to scores there.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::{BackendChoice, Model, NpuBackend, detect_npu_backend, example_windows};

/// Seeds a call.
const CALLS: [usize; 5] = [512, 2048, 4096, 16_384, 131_072];
const CALLERS: [usize; 5] = [1, 2, 4, 8, 16];
const WARM_UP: Duration = Duration::from_millis(100);
const MEASURED: Duration = Duration::from_millis(400);
/// Seeds on which scores are compared.
const COMPARED: usize = 20_000;

fn main() -> ExitCode {
    let windows = example_windows(CALLS[CALLS.len() - 1], 1);
    let compared = &windows[..COMPARED * PACKED_SEED_BYTES];
    let mut measured = 0;
    for (choice, model) in [
        (BackendChoice::NativeCuda, Model::embedded_int8()),
        (BackendChoice::Cuda, Model::embedded()),
        (BackendChoice::TensorRt, Model::embedded()),
    ] {
        let backend = match detect_npu_backend(&model, choice) {
            Ok(backend) => backend,
            Err(error) => {
                println!("{choice} is left out: {error}");
                continue;
            }
        };
        measured += 1;
        println!("{choice}, {}: million seeds a second", model.source());
        // Integers are compared with integers, floating point with floating point, where ONNX Runtime is.
        for reference in [BackendChoice::Native, BackendChoice::Ort] {
            if let Ok(reference) = detect_npu_backend(&model, reference) {
                println!("  {}", comparison(&*backend, &*reference, model.metadata().threshold, compared));
            }
        }
        println!("  {:>14}{}", "seeds a call", CALLERS.map(|callers| format!("{callers:>9} callers")).concat());
        for seeds in CALLS {
            let rates = CALLERS.map(|callers| rate(&backend, &windows, seeds, callers) / 1e6);
            println!("  {seeds:>14}{}", rates.map(|rate| format!("{rate:>17.2}")).concat());
        }
    }
    if measured == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn scores(backend: &dyn NpuBackend, packed: &[u8]) -> Vec<f32> {
    let mut scores = vec![f32::NAN; packed.len() / PACKED_SEED_BYTES];
    backend.predict_packed(packed, &mut scores).expect("a backend that was warmed up");
    scores
}

fn comparison(backend: &dyn NpuBackend, reference: &dyn NpuBackend, threshold: f32, packed: &[u8]) -> String {
    let [given, expected] = [backend, reference].map(|backend| scores(backend, packed));
    let pairs = || given.iter().zip(&expected);
    let largest = pairs().map(|(given, expected)| (given - expected).abs()).fold(0.0, f32::max);
    let equal = pairs().filter(|(given, expected)| given.to_bits() == expected.to_bits()).count();
    let changed = pairs().filter(|(given, expected)| (**given < threshold) != (**expected < threshold)).count();
    format!(
        "beside {} on the CPU: largest difference {largest:.2e}, {equal} of {} the same bits, {changed} decisions changed",
        reference.name(),
        given.len()
    )
}

/// Seeds a second of so many callers together.
fn rate(backend: &Arc<dyn NpuBackend>, windows: &[u8], seeds: usize, callers: usize) -> f64 {
    let (done, start) = (AtomicUsize::new(0), Barrier::new(callers));
    let pieces = windows.len() / (seeds * PACKED_SEED_BYTES);
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let (done, start) = (&done, &start);
            scope.spawn(move || {
                let mut scores = vec![0.0; seeds];
                let mut number = caller * pieces / callers;
                let mut call = || {
                    let at = number % pieces * seeds * PACKED_SEED_BYTES;
                    number += 1;
                    let packed = &windows[at..at + seeds * PACKED_SEED_BYTES];
                    backend.predict_packed(packed, &mut scores).expect("a backend that was warmed up");
                };
                let warm_up = Instant::now();
                while warm_up.elapsed() < WARM_UP {
                    call();
                }
                start.wait();
                let measured = Instant::now();
                while measured.elapsed() < MEASURED {
                    call();
                    done.fetch_add(seeds, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / MEASURED.as_secs_f64()
}
