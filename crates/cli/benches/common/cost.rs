//! CPU time, wall time and peak memory of a command.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system time of all threads, seconds.
    pub cpu: f64,
    /// Seconds on the clock.
    pub wall: f64,
    /// Peak of the resident memory, MiB.
    pub memory: f64,
}

/// Runs a command that has to succeed; its output is thrown away.
pub fn cost(command: &mut Command) -> Result<Cost, String> {
    let (mut memory, start) = (0.0, Instant::now());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let cpu = super::cpu_seconds_of(command, |child| memory = watch_memory(child))?;
    Ok(Cost { cpu, wall: start.elapsed().as_secs_f64(), memory })
}

/// Looks at the child's own high-water mark until it ends. The mark only grows, so the last look is near the truth.
fn watch_memory(child: &mut Child) -> f64 {
    let status = format!("/proc/{}/status", child.id());
    let mut kibibytes = 0.0;
    while matches!(child.try_wait(), Ok(None)) {
        let mark = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse().ok()
        });
        kibibytes = mark.unwrap_or(kibibytes);
        std::thread::sleep(Duration::from_millis(5));
    }
    kibibytes / 1024.0
}
