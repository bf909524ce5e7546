//! `cargo xtask bench stages`: where the native kernel's time goes on each level that tells its stages, nanoseconds per seed of
//! each stage by itself, on a batch whose activations stay in the second-level cache, beside those of the whole.
//!
//! Argument: `--rounds N` (200).

use std::time::Instant;

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_inference::native::{Level, NativeBackend};
use seedsieve_inference::{Model, NpuBackend, example_windows};

/// Seeds of a stage's turn.
const SEEDS: usize = 64;
/// Seeds of a call of the whole.
const CALL: usize = 512;

fn main() {
    let rounds = std::env::args().skip_while(|argument| argument != "--rounds").nth(1);
    let rounds: usize = rounds.map_or(200, |rounds| rounds.parse().expect("--rounds: a number"));
    let windows = example_windows(16 * CALL, 1);
    for level in Level::supported() {
        let backend = NativeBackend::with_level(&Model::embedded_int8(), level).expect("a level that is supported");
        let mut stages = backend.stages(&windows[..SEEDS * PACKED_SEED_BYTES]);
        if stages.is_empty() {
            println!("{level}: no stages that run by themselves");
            continue;
        }
        let mut times = vec![Vec::new(); stages.len()];
        let (mut whole, mut scores) = (Vec::new(), vec![0.0; CALL]);
        let mut calls = windows.chunks(CALL * PACKED_SEED_BYTES).cycle();
        for _ in 0..rounds {
            for ((_, work), times) in stages.iter_mut().zip(&mut times) {
                times.push(nanoseconds(SEEDS, &mut **work));
            }
            let call = calls.next().expect("endless");
            whole.push(nanoseconds(CALL, || backend.predict_packed(call, &mut scores).expect("whole seeds")));
        }
        println!("{level}, ns per seed: {:>35} {:>8} {:>8}", "median", "best 10%", "best");
        let stages = stages.iter().map(|(name, _)| *name).zip(times);
        let sums = stages.clone().fold([0.0; 3], |sums, (_, mut times)| {
            let of_stage = quantiles(&mut times);
            std::array::from_fn(|number| sums[number] + of_stage[number])
        });
        for (name, mut times) in stages {
            let [median, tenth, best] = quantiles(&mut times);
            println!("  {name:<50} {median:>8.1} {tenth:>8.1} {best:>8.1}");
        }
        let [median, tenth, best] = sums;
        println!("  {:<50} {median:>8.1} {tenth:>8.1} {best:>8.1}", "together");
        let [median, tenth, best] = quantiles(&mut whole);
        println!("  {:<50} {median:>8.1} {tenth:>8.1} {best:>8.1}", "scoring, calls of 512");
    }
}

/// Nanoseconds per seed of some work.
fn nanoseconds(seeds: usize, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9 / seeds as f64
}

/// Median, tenth percentile, least.
fn quantiles(values: &mut [f64]) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [0.5, 0.1, 0.0].map(|part| values[(values.len() as f64 * part) as usize])
}
