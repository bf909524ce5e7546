//! What the log says of reads that have more seeds than --max-read-seeds allows.

use seedsieve_aligner::CappedRead;

/// Reads of a run that are named as warnings; those after them are named at `--log debug`, and counted in --stats.
const NAMED: u64 = 100;

/// Names capped reads as they come.
pub struct CappedReads {
    limit: u64,
    seen: u64,
}

impl CappedReads {
    /// None has been seen yet; `limit` is that of --max-read-seeds.
    pub fn new(limit: Option<u64>) -> Self {
        Self { limit: limit.unwrap_or(u64::MAX), seen: 0 }
    }

    /// Names the reads of a chunk.
    pub fn name(&mut self, reads: &[CappedRead]) {
        let limit = self.limit;
        for CappedRead { name, seeds, .. } in reads {
            self.seen += 1;
            if self.seen <= NAMED {
                tracing::warn!("{name}: {seeds} seeds, of which the rarest {limit} are looked at (--max-read-seeds)");
            } else {
                tracing::debug!("{name}: {seeds} seeds, of which the rarest {limit} are looked at (--max-read-seeds)");
            }
        }
    }

    /// Says how many reads there were if not all were named.
    pub fn finish(&self) {
        if self.seen > NAMED {
            tracing::warn!(
                "{} reads have more than {} seeds (--max-read-seeds); the first {NAMED} are named above, all of them \
                 with --log debug",
                self.seen,
                self.limit
            );
        }
    }
}
