//! The stages in their order, over a chunk of reads.

pub(crate) mod marking;
mod pairs;
mod regions;
mod rescue;
mod show;

use std::time::Duration;

use rayon::prelude::*;

use crate::gates::Gates;
use crate::observe::Observer;
use crate::sam::single_end_records;
use crate::{AlignOptions, AlignerError, ComputeContext, Read, ReferenceIndex, Stage, Statistics};

use marking::mark_primary;
use regions::Batch;

/// Aligns reads to one reference with one set of options. Runs on the current rayon thread pool.
pub struct Aligner<'a> {
    pub(crate) index: &'a ReferenceIndex,
    pub(crate) options: &'a AlignOptions,
    gates: Gates,
}

/// Alignments of a chunk of reads.
#[derive(Debug)]
pub struct ChunkOutput {
    /// SAM records as text, one element a read (or a pair), in the order of the input; empty ones where the observer wants
    /// none.
    pub sam: Vec<Vec<u8>>,
    /// Counts and times.
    pub statistics: Statistics,
    /// Reads that had more seeds than [`AlignOptions::max_seeds_per_read`] allows, in the order of the input.
    pub capped: Vec<CappedRead>,
}

/// A read of which not all seeds were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappedRead {
    /// 0-based number in the run; pair p has the reads 2p and 2p + 1.
    pub read: u64,
    /// Its name.
    pub name: String,
    /// Seeds that it has.
    pub seeds: u64,
}

impl<'a> Aligner<'a> {
    /// An aligner whose seeds are filtered where `context` says so. Under -a (all alignments are wanted) they never are.
    pub fn new(index: &'a ReferenceIndex, options: &'a AlignOptions, context: &'a ComputeContext) -> Self {
        Self::with_gates(index, options, Gates::new(options, context))
    }

    /// An aligner with these gates, whatever the options say.
    pub fn with_gates(index: &'a ReferenceIndex, options: &'a AlignOptions, gates: Gates) -> Self {
        Self { index, options, gates }
    }

    /// The options that it aligns with.
    #[must_use]
    pub fn options(&self) -> &AlignOptions {
        self.options
    }

    /// Aligns single reads; `first` is the number of the first of them in the run (bwa breaks ties with it).
    ///
    /// # Errors
    /// Whatever the filter's backend reports.
    pub fn align_single(
        &self,
        reads: &[Read],
        first: u64,
        observer: &dyn Observer,
    ) -> Result<ChunkOutput, AlignerError> {
        let codes: Vec<Vec<u8>> = reads.par_iter().map(Read::codes).collect();
        let Batch { regions, mut statistics, capped } = self.regions(&codes, false, first, observer)?;
        let records: Vec<(Vec<u8>, Duration)> = (reads, &codes, regions)
            .into_par_iter()
            .enumerate()
            .map(|(number, (read, codes, regions))| {
                let id = first + number as u64;
                let mut statistics = Statistics::default();
                let mut regions = regions.unpack();
                let records = statistics.time(Stage::Output, || {
                    mark_primary(&self.options.mem, &mut regions, id);
                    let wanted = observer.wants_records();
                    if wanted {
                        single_end_records(self.index, self.options, read, codes, &regions)
                    } else {
                        Vec::new()
                    }
                });
                self.show_regions(observer, id, &regions);
                (records, statistics.cpu_time(Stage::Output))
            })
            .collect();
        let sam = collect_records(records, &mut statistics);
        let name = |read: u64| reads[(read - first) as usize].name.clone();
        Ok(ChunkOutput { sam, statistics, capped: named(&capped, name) })
    }
}

fn named(capped: &[(u64, u64)], name: impl Fn(u64) -> String) -> Vec<CappedRead> {
    capped.iter().map(|&(read, seeds)| CappedRead { read, name: name(read), seeds }).collect()
}

fn collect_records(records: Vec<(Vec<u8>, Duration)>, statistics: &mut Statistics) -> Vec<Vec<u8>> {
    records
        .into_iter()
        .map(|(records, output)| {
            statistics.cpu[Stage::Output as usize] += output;
            records
        })
        .collect()
}
