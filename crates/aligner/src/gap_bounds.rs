//! What each seed of a read can score with one gap: what the cascade decides by, as a fact for data sets.

use seedsieve_filter::{Bands, GapBounds, PlacedSeed};

use crate::gates::{place, settings};
use crate::{Aligner, Seed};

impl Aligner<'_> {
    /// [`GapBounds`] of the seeds of some reads, one after the other, by the built-in bands under this run's scores. Each
    /// read is given by its base codes and its seeds.
    pub fn gap_bounds<'r, S>(&self, reads: impl IntoIterator<Item = (&'r [u8], S)>) -> Vec<i32>
    where
        S: IntoIterator<Item = Seed>,
    {
        let settings = settings(&Bands::built_in(), self.options);
        let mut bounds = GapBounds::new(self.index.planes(), &settings);
        let mut found = Vec::new();
        for (codes, seeds) in reads {
            let seeds = seeds.into_iter().map(|seed| place(&seed, self.index.length(), codes.len() as i32));
            found.extend(bounds.of_read(codes, &seeds.collect::<Vec<PlacedSeed>>()));
        }
        found
    }
}
