//! What the benchmarks of whole runs share: the data, the index, CPU time and memory of a command.

#![allow(dead_code, reason = "each benchmark uses its part")]

pub mod changes;
pub mod cost;
pub mod cut_reads;
pub mod plot;
pub mod simulated;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two levels down").to_path_buf()
}

/// The folder of real data.
pub fn data() -> PathBuf {
    std::env::var_os("SEEDSIEVE_DATA").map_or_else(|| repository().join("../shared/data"), PathBuf::from)
}

/// Indexes `reference` below `index`, unless that was done before.
pub fn prepare_index(ours: &Path, reference: &Path, index: &Path) -> Result<(), String> {
    if index.with_extension("fa.bwt.2bit.64").is_file() {
        return Ok(());
    }
    if !reference.is_file() {
        return Err(format!("{} is not there; set SEEDSIEVE_DATA to the folder of real data", reference.display()));
    }
    std::fs::create_dir_all(index.parent().expect("a folder")).map_err(|error| error.to_string())?;
    cpu_seconds(Command::new(ours).arg("index").arg("--prefix").arg(index).arg(reference)).map(drop)
}

/// CPU time of a command that has to succeed. Its output is thrown away.
pub fn cpu_seconds(command: &mut Command) -> Result<f64, String> {
    cpu_seconds_of(command.stdin(Stdio::null()).stdout(Stdio::null()), |_| ())
}

/// CPU time of a command that has to succeed; `watch` sees it run. It says little on standard error.
pub fn cpu_seconds_of(command: &mut Command, watch: impl FnOnce(&mut Child)) -> Result<f64, String> {
    let before = children_cpu_seconds()?;
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| format!("{command:?}: {error}"))?;
    watch(&mut child);
    let output = child.wait_with_output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(children_cpu_seconds()? - before)
}

/// User and system time of all children that have ended, from the kernel's own count in hundredths of a second.
fn children_cpu_seconds() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |number: usize| fields.get(number).and_then(|field| field.parse::<f64>().ok());
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err("/proc/self/stat has not the fields that proc(5) describes".into()),
    }
}

/// The middle value; the upper one of two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
