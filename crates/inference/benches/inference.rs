//! `cargo xtask bench inference`: milliseconds per 512 seeds of each backend and each level of the native kernel, on one and
//! two threads, beside what the processor's multipliers allow; nanoseconds per seed of students, of encoding and of one-hot
//! expansion, each beside its floor: products over the rate of the multiplying instruction, bytes over bandwidth.
//!
//! Arguments: `--windows FILE.bin` (packed windows, 128 bytes a seed; where not given, those that the tests leave in
//! `target/demo-test`, else made-up ones), `--rounds N` (5): every route is measured once a round, in turn, so that a busy
//! minute of the machine does not fall on one of them.

#[path = "../tests/common/student_model.rs"]
mod student_model;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use seedsieve_encoding::{ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, encode_window, expand_one_hot};
use seedsieve_inference::native::{Level, NativeBackend, PRODUCTS_A_SEED, STUDENT_FEATURES, StudentNetwork};
use seedsieve_inference::{BackendChoice, Model, NpuBackend, NpuResult, detect_npu_backend, example_windows};

/// Seeds a call, as speeds are stated.
const SEEDS: usize = 512;
const CALL_BYTES: usize = SEEDS * PACKED_SEED_BYTES;
/// Time for a route in a round.
const TURN: Duration = Duration::from_millis(200);

struct Settings {
    windows: Option<PathBuf>,
    rounds: usize,
}

/// A backend with a model, and what it was measured at.
struct Route {
    name: String,
    backend: Arc<dyn NpuBackend>,
    level: Option<Level>,
    /// Seconds of each call, on one thread and on two.
    calls: [Vec<f64>; 2],
}

fn main() -> ExitCode {
    match settings().and_then(|settings| run(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<Settings, String> {
    let mut settings = Settings { windows: None, rounds: 5 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--windows" => settings.windows = Some(value()?.into()),
            "--rounds" => {
                let rounds = value()?.parse().ok().filter(|&rounds| rounds > 0);
                settings.rounds = rounds.ok_or("--rounds: a number from 1")?;
            }
            "--bench" => {} // cargo adds it
            other => return Err(format!("unknown argument {other}; valid: --windows, --rounds")),
        }
    }
    Ok(settings)
}

fn run(settings: &Settings) -> Result<(), String> {
    let windows = windows(settings.windows.as_deref())?;
    let mut routes = routes().map_err(|error| error.to_string())?;
    for _ in 0..settings.rounds {
        for route in &mut routes {
            route.calls[0].extend(measure(&*route.backend, &windows));
            let backend = &*route.backend;
            let halves = std::thread::scope(|scope| {
                let other = scope.spawn(|| measure(backend, &windows));
                let own = measure(backend, &windows);
                [own, other.join().expect("the other thread measures")]
            });
            route.calls[1].extend(halves.concat());
        }
    }
    report(&windows, &routes);
    students(settings.rounds).map_err(|error| error.to_string())?;
    encoding(settings.rounds, &windows);
    Ok(())
}

/// Packed windows of whole calls, and where they come from on standard output.
fn windows(path: Option<&Path>) -> Result<Vec<u8>, String> {
    let left_by_tests = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("two levels down")
        .join("target/demo-test/windows.bin");
    let path = path.or_else(|| left_by_tests.is_file().then_some(left_by_tests.as_path()));
    let Some(path) = path else {
        println!(
            "windows: made up, for there is no target/demo-test/windows.bin; `cargo xtask test` leaves real ones there"
        );
        return Ok(example_windows(16 * SEEDS, 1));
    };
    let mut windows = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    windows.truncate(windows.len() / CALL_BYTES * CALL_BYTES);
    if windows.is_empty() {
        return Err(format!("{}: fewer than {SEEDS} seeds of {PACKED_SEED_BYTES} bytes", path.display()));
    }
    println!("windows: {} seeds of {}", windows.len() / PACKED_SEED_BYTES, path.display());
    Ok(windows)
}

fn routes() -> NpuResult<Vec<Route>> {
    let [int8, fp32] = [Model::embedded_int8(), Model::embedded()];
    let route = |name: String, backend, level| Route { name, backend, level, calls: Default::default() };
    let mut routes = Vec::new();
    for level in Level::supported() {
        let backend = Arc::new(NativeBackend::with_level(&int8, level)?);
        routes.push(route(format!("native {level}, INT8"), backend, Some(level)));
    }
    for (choice, model, form) in [
        (BackendChoice::Ort, &int8, "INT8"),
        (BackendChoice::Ort, &fp32, "fp32"),
        (BackendChoice::OpenVino, &int8, "INT8"),
        (BackendChoice::OpenVino, &fp32, "bf16 where there is"),
        (BackendChoice::Cuda, &fp32, "fp32"),
        (BackendChoice::TensorRt, &fp32, "fp16"),
        (BackendChoice::CoreMl, &fp32, "fp16"),
        (BackendChoice::Tract, &int8, "INT8"),
        (BackendChoice::Tract, &fp32, "fp32"),
    ] {
        match detect_npu_backend(model, choice) {
            Ok(backend) => routes.push(route(format!("{choice}, {form}"), backend, None)),
            Err(error) => println!("{choice}, {form} is left out: {error}"),
        }
    }
    Ok(routes)
}

/// Seconds of each call of a turn. Each call has other windows than the one before.
fn measure(backend: &dyn NpuBackend, windows: &[u8]) -> Vec<f64> {
    let mut scores = vec![0.0; SEEDS];
    let mut seconds = Vec::new();
    let turn = Instant::now();
    for call in windows.chunks(CALL_BYTES).cycle() {
        let start = Instant::now();
        backend.predict_packed(call, &mut scores).expect("a backend that was warmed up");
        seconds.push(start.elapsed().as_secs_f64());
        if turn.elapsed() >= TURN {
            break;
        }
    }
    seconds
}

fn report(windows: &[u8], routes: &[Route]) {
    println!("{PRODUCTS_A_SEED} products a seed as the network is defined");
    println!(
        "ms per {SEEDS} seeds; products: a thousand that the level multiplies for a seed of these windows; floor: these, of whole \
         windows and of these, at the rate of the level's instruction"
    );
    println!(
        "{:<26} {:>9} {:>9} {:>9} {:>12} {:>11} {:>9} {:>15} {:>13}",
        "route", "median", "best 10%", "seeds/s", "2T each call", "2T to 1T", "products", "floor", "best to floor"
    );
    let whole = vec![0x11; PACKED_SEED_BYTES];
    for Route { name, level, calls, .. } in routes {
        let [one, two] = calls.each_ref().map(|seconds| quantile(seconds, 0.5) * 1e3);
        let best = quantile(&calls[0], 0.1) * 1e3;
        let seeds = windows.len() / PACKED_SEED_BYTES;
        let a_seed = |packed: &[u8], seeds: usize| Some(level.as_ref()?.products(packed)? as f64 / seeds as f64);
        let products = a_seed(&whole, 1).zip(a_seed(windows, seeds));
        let needed = products.map_or_else(String::new, |(_, needed)| format!("{:.0}", needed / 1e3));
        let rate = level.and_then(Level::products_a_second);
        let (floor, gap) = products.zip(rate).map_or_else(Default::default, |((all, needed), rate)| {
            let [all, needed] = [all, needed].map(|products| products * SEEDS as f64 / rate * 1e3);
            (format!("{all:.2} / {needed:.2}"), format!("{:.2}", best / needed))
        });
        let (rate, scaling) = (SEEDS as f64 / one * 1e3, 2.0 * one / two);
        println!(
            "{name:<26} {one:>9.2} {best:>9.2} {rate:>9.0} {two:>12.2} {scaling:>11.2} {needed:>9} {floor:>15} {gap:>13}"
        );
    }
}

/// The same of the instruction that students multiply with on a level.
fn student_products_a_second(level: Level) -> Option<f64> {
    match level {
        // Students have no tiles.
        Level::Amx => Level::Avx512Vnni.products_a_second(),
        // Bytes, two to each of the convolutions' 16-bit products, at the rate of those instructions.
        Level::Avx2 => level.products_a_second().map(|rate| 2.0 * rate),
        _ => level.products_a_second(),
    }
}

/// Nanoseconds a seed of a student network, which takes as long with weights at random as with trained ones.
fn students(rounds: usize) -> NpuResult<()> {
    let model = student_model::RandomStudent::new(&[STUDENT_FEATURES, 16, 16, 1], 1).to_onnx(true);
    // More than a second-level cache holds, so that features come from where a filter leaves them.
    let features = student_model::mask_features(16 * SEEDS, 2);
    let mut scores = vec![0.0; SEEDS];
    println!(
        "\nns per seed of a student network, calls of {SEEDS} seeds, one thread; features are masks of matches and facts"
    );
    print_heading();
    for level in Level::supported() {
        let network = StudentNetwork::with_level(&model, "random weights", level)?;
        let mut calls = features.chunks_exact(SEEDS * STUDENT_FEATURES).cycle();
        let time = per_seed(rounds, || {
            network.score(calls.next().expect("endless"), &mut scores).expect("lengths that agree");
            std::hint::black_box(&scores);
        });
        let floor = student_products_a_second(level).map(|rate| network.products() as f64 / rate * 1e9);
        print_times(&format!("{level}, {} products", network.products()), time, floor);
    }
    Ok(())
}

fn encoding(rounds: usize, windows: &[u8]) {
    // Reads and references of made-up bases: encoding looks at each base's code alone.
    let codes: Vec<u8> = example_windows(64, 3).into_iter().map(|byte| byte.trailing_zeros() as u8 % 4).collect();
    let mut packed = vec![0; CALL_BYTES];
    let encode = per_seed(rounds, || {
        for (number, seed) in packed.chunks_exact_mut(PACKED_SEED_BYTES).enumerate() {
            let (query, reference) = seed.split_at_mut(PACKED_WINDOW_BYTES);
            let (start, length) = (number % 64, 19 + number % 60);
            let read = &codes[number..number + 150];
            encode_window(read, start, length, query.try_into().expect("a window"));
            encode_window(&codes[number * 4..], 40 + start, length, reference.try_into().expect("a window"));
        }
        std::hint::black_box(&packed);
    });
    let mut one_hot = vec![0.0; SEEDS * ONE_HOT_SEED_LEN];
    let expand = per_seed(rounds, || {
        expand_one_hot(&windows[..CALL_BYTES], &mut one_hot);
        std::hint::black_box(&one_hot);
    });
    let fill = per_seed(rounds, || {
        one_hot.fill(std::hint::black_box(1.0));
        std::hint::black_box(&one_hot);
    });
    let source = one_hot.clone();
    let copy = per_seed(rounds, || {
        one_hot.copy_from_slice(std::hint::black_box(&source));
        std::hint::black_box(&one_hot);
    });
    // As many bytes as encoding reads, 128 codes of each window, and writes, half of them read here, and half written.
    const MOVED: usize = (2 * 128 + PACKED_SEED_BYTES) / 2;
    let mut moved = vec![0; SEEDS * MOVED];
    let bytes = per_seed(rounds, || {
        for (number, seed) in moved.chunks_exact_mut(MOVED).enumerate() {
            seed.copy_from_slice(&codes[number * 4..][..MOVED]);
        }
        std::hint::black_box(&moved);
    });
    println!(
        "\nns per seed, calls of {SEEDS} seeds, one thread; floor: memcpy of the bytes of encoding, writing those of expansion"
    );
    print_heading();
    print_times("encoding: both packed windows from base codes", encode, Some(bytes[1]));
    print_times("expansion: packed windows to fp32 one-hot", expand, Some(fill[1]));
    print_times("memcpy of the one-hot form", copy, None);
    println!("expansion takes {:.2} times as long as memcpy", expand[0] / copy[0]);
}

fn print_heading() {
    println!("{:<52} {:>7} {:>9} {:>7} {:>13}", "", "median", "best 10%", "floor", "best to floor");
}

/// Median and tenth percentile, and the floor with how many times it the latter is.
fn print_times(name: &str, [median, best]: [f64; 2], floor: Option<f64>) {
    let floor = floor.map_or_else(String::new, |floor| format!("{floor:>7.1} {:>13.2}", best / floor));
    println!("{name:<52} {median:>7.1} {best:>9.1} {floor}");
}

/// Median and tenth percentile of the nanoseconds per seed of work on [`SEEDS`] seeds.
fn per_seed(rounds: usize, mut work: impl FnMut()) -> [f64; 2] {
    let mut seconds = Vec::new();
    for _ in 0..200 * rounds {
        let start = Instant::now();
        work();
        seconds.push(start.elapsed().as_secs_f64());
    }
    [0.5, 0.1].map(|part| quantile(&seconds, part) * 1e9 / SEEDS as f64)
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(values.len() as f64 * part) as usize]
}
