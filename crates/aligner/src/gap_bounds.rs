//! What each seed of a read can score with gaps, as facts for data sets.

use seedsieve_filter::{Bands, GapBounds, NarrowScores, PlacedSeed};

use crate::gates::{place, settings};
use crate::{Aligner, Seed};

impl Aligner<'_> {
    /// [`GapBounds`] of the seeds of some reads, one after the other, by the built-in bands under this run's scores: what the
    /// cascade decides by. Each read is given by its base codes and its seeds.
    pub fn gap_bounds<'r, S>(&self, reads: impl IntoIterator<Item = (&'r [u8], S)>) -> Vec<i32>
    where
        S: IntoIterator<Item = Seed>,
    {
        let settings = settings(&Bands::built_in(), self.options);
        let mut bounds = GapBounds::new(self.index.planes(), &settings);
        self.of_placed(reads, |codes, seeds, found| found.extend(bounds.of_read(codes, seeds)))
    }

    /// [`NarrowScores`] of the seeds of some reads, likewise, up to 255.
    pub fn narrow_scores<'r, S>(&self, reads: impl IntoIterator<Item = (&'r [u8], S)>) -> Vec<i32>
    where
        S: IntoIterator<Item = Seed>,
    {
        let scoring = settings(&Bands::built_in(), self.options).scoring;
        let mut scores = NarrowScores::new(self.index.planes(), scoring, i32::from(u8::MAX));
        self.of_placed(reads, |codes, seeds, found| found.extend(scores.of_read(codes, seeds)))
    }

    /// Calls `append` with each read's base codes and its seeds on the forward strand.
    fn of_placed<'r, S>(
        &self,
        reads: impl IntoIterator<Item = (&'r [u8], S)>,
        mut append: impl FnMut(&[u8], &[PlacedSeed], &mut Vec<i32>),
    ) -> Vec<i32>
    where
        S: IntoIterator<Item = Seed>,
    {
        let (mut placed, mut found) = (Vec::new(), Vec::new());
        for (codes, seeds) in reads {
            placed.clear();
            placed.extend(seeds.into_iter().map(|seed| place(&seed, self.index.length(), codes.len() as i32)));
            append(codes, &placed, &mut found);
        }
        found
    }
}
