//! Mates are looked for, over some pairs.

use bwa_mem4_mem::{PairRescueData, PeStat, batch_mate_rescue};

use super::Aligner;
use crate::Statistics;
use crate::stages::rescue::rescue_mates;

impl Aligner<'_> {
    /// Looks for the mates of well-placed reads where the insert size expects them.
    pub(super) fn rescue_mates(
        &self,
        pairs: &mut [PairRescueData<'_>],
        insert_size: &[PeStat; 4],
        statistics: &mut Statistics,
    ) {
        match &self.gates.rescue {
            None => batch_mate_rescue(&self.index.packed, &self.index.bns, &self.options.mem, insert_size, pairs),
            Some(gate) => {
                let counts = rescue_mates(self.index, self.options, insert_size, gate.as_ref(), pairs);
                statistics.filter.add(&counts);
            }
        }
    }
}
