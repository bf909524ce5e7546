use crate::mates::MixedChunk;
use crate::{Aligner, AlignerError, ChunkOutput, Observer};

impl Aligner<'_> {
    /// Aligns single reads and pairs of one chunk; `first` is the number of the chunk's first read in the run. As in bwa,
    /// the single reads are numbered before the pairs, and the records come in the order of the input.
    ///
    /// # Errors
    /// Whatever the filter's backend reports.
    pub fn align_mixed(
        &self,
        chunk: &MixedChunk,
        first: u64,
        observer: &dyn Observer,
    ) -> Result<ChunkOutput, AlignerError> {
        let first_pair = (first + chunk.singles.len() as u64) / 2;
        if chunk.singles.is_empty() {
            return self.align_pairs(&chunk.pairs, first_pair, observer);
        }
        let singles = self.align_single(&chunk.singles, first, observer)?;
        if chunk.pairs.is_empty() {
            return Ok(singles);
        }
        let pairs = self.align_pairs(&chunk.pairs, first_pair, observer)?;
        let mut statistics = singles.statistics;
        statistics.add(&pairs.statistics);
        let capped = [singles.capped, pairs.capped].concat();
        let (mut singles, mut pairs) = (singles.sam.into_iter(), pairs.sam.into_iter());
        let next = |is_pair: &bool| if *is_pair { pairs.next() } else { singles.next() };
        let sam = chunk.is_pair.iter().filter_map(next).collect();
        Ok(ChunkOutput { sam, statistics, capped })
    }
}
