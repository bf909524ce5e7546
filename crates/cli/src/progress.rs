//! Progress on standard error: a line that moves on a terminal, plain lines now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Seconds between two plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Counts reads as they are done.
pub struct ReadProgress {
    bar: ProgressBar,
    what: &'static str,
    start: Instant,
    last_line: Instant,
    done: u64,
}

impl ReadProgress {
    /// Starts to count; `what` is what is being done, as in "aligned".
    pub fn start(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed_precise}]") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, what, start: Instant::now(), last_line: Instant::now(), done: 0 }
    }

    /// Counts further reads.
    pub fn add(&mut self, reads: u64) {
        self.done += reads;
        let line = self.line();
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

    fn line(&self) -> String {
        let rate = self.done as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        format!("{} {} reads, {} reads/s", self.what, HumanCount(self.done), HumanCount(rate as u64))
    }
}
