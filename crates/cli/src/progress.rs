//! Progress on standard error: a line that moves on a terminal, plain lines now and then elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Seconds between two plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Counts reads as they are done.
pub struct ReadProgress {
    bar: ProgressBar,
    what: &'static str,
    start: Instant,
    last_line: Instant,
    done: u64,
    /// Bytes of the input, and how many of them were read.
    input: Option<(u64, Arc<AtomicU64>)>,
}

impl ReadProgress {
    /// Starts to count; `what` is what is being done, as in "aligned".
    pub fn start(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed_precise}]") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, what, start: Instant::now(), last_line: Instant::now(), done: 0, input: None }
    }

    /// Tells how long it will still take: the input has `bytes` bytes, and `read` counts those that were read.
    pub fn expect(&mut self, bytes: u64, read: Arc<AtomicU64>) {
        self.input = Some((bytes, read));
    }

    /// Counts further reads.
    pub fn add(&mut self, reads: u64) {
        self.done += reads;
        let line = match self.remaining() {
            Some(rest) => format!("{}, about {} to go", self.line(), HumanDuration(rest)),
            None => self.line(),
        };
        if self.bar.is_hidden() {
            if self.last_line.elapsed() >= PLAIN_INTERVAL {
                self.last_line = Instant::now();
                eprintln!("{line}");
            }
        } else {
            self.bar.set_message(line);
        }
    }

    /// Ends with one plain line.
    pub fn finish(self) {
        self.bar.finish_and_clear();
        eprintln!("{} in {:.1} s", self.line(), self.start.elapsed().as_secs_f64());
    }

    /// The time that what is left will take at the speed so far.
    fn remaining(&self) -> Option<Duration> {
        let (bytes, read) = self.input.as_ref()?;
        remaining(self.start.elapsed(), read.load(Ordering::Relaxed), *bytes)
    }

    fn line(&self) -> String {
        let rate = self.done as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        format!("{} {} reads, {} reads/s", self.what, HumanCount(self.done), HumanCount(rate as u64))
    }
}

fn remaining(elapsed: Duration, read: u64, bytes: u64) -> Option<Duration> {
    (read > 0).then(|| elapsed.mul_f64(bytes.saturating_sub(read) as f64 / read as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_in_ten_seconds_leaves_thirty() {
        let ten = Duration::from_secs(10);
        assert_eq!(remaining(ten, 25, 100), Some(Duration::from_secs(30)));
        assert_eq!(remaining(ten, 100, 100), Some(Duration::ZERO));
        assert_eq!(remaining(ten, 0, 100), None);
        assert_eq!(remaining(ten, 120, 100), Some(Duration::ZERO));
    }
}
