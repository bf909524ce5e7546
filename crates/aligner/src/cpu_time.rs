//! CPU time of the calling thread.

use std::time::Duration;

/// CPU time that the calling thread has used so far; the wall clock where the system does not tell.
#[cfg(unix)]
pub(crate) fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// CPU time that the calling thread has used so far; the wall clock where the system does not tell.
#[cfg(not(unix))]
pub(crate) fn thread_cpu_time() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
