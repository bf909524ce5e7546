use bwa_mem4_core::MemOpt;
use bwa_mem4_mem::PeStat;

/// bwa-mem2's options, with its defaults.
#[derive(Debug, Clone, Default)]
pub struct AlignOptions {
    /// Scores, seeding, chaining, output flags: the type of the stage crates, field by field bwa's `mem_opt_t`.
    pub mem: MemOpt,
    /// Insert size statistics given by the user (-I), one for each orientation FF, FR, RF, RR; measured for each chunk
    /// of reads where absent.
    pub insert_size: Option<[PeStat; 4]>,
    /// Seeds of one read that are looked at, where there is a limit: of a read with more, the SMEMs that occur least often
    /// are, as many as have no more seeds together (and the rarest one in any case). Without it the output is bwa-mem2's
    /// for every read.
    pub max_seeds_per_read: Option<u64>,
}

impl AlignOptions {
    /// Longest gap that an extension over `query_length` bases can afford: where its cost equals the score that all
    /// those bases could still earn, at least 1 and at most twice the band width.
    pub(crate) fn longest_gap(&self, query_length: i32) -> i32 {
        let affordable =
            |open: i32, extend: i32| (f64::from(query_length * self.mem.a - open) / f64::from(extend) + 1.0) as i32;
        affordable(self.mem.o_del, self.mem.e_del)
            .max(affordable(self.mem.o_ins, self.mem.e_ins))
            .clamp((self.mem.w * 2).min(1), self.mem.w * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_grows_with_the_query_and_stops_at_twice_the_band() {
        let options = AlignOptions::default();
        assert_eq!(options.longest_gap(0), 1);
        assert_eq!(options.longest_gap(6), 1);
        assert_eq!(options.longest_gap(50), 45);
        assert_eq!(options.longest_gap(1000), 200);
    }
}
