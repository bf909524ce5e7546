//! Runs of the aligner on the same reads, without a filter and under one setting of the bands after another.

use std::sync::Arc;

use seedsieve_aligner::fastq::Chunk;
use seedsieve_aligner::{
    AlignOptions, Aligner, AlignerError, Bands, ChunkOutput, ComputeContext, MixedChunk, NoObserver, ReferenceIndex,
    SeedScorer, Statistics,
};
use seedsieve_inference::NpuBackend;

use crate::outcome::Outcome;
use crate::tally::{Half, Tally};

/// Some reads, aligned together: the insert size is measured on each part.
pub enum Part {
    /// Single reads, or pairs.
    Plain(Chunk),
    /// Both, as BAM and CRAM hold them.
    Mixed(MixedChunk),
}

impl Part {
    fn align(&self, aligner: &Aligner<'_>, first: u64) -> Result<(ChunkOutput, u64), AlignerError> {
        let (output, reads) = match self {
            Self::Plain(Chunk::Single(reads)) => (aligner.align_single(reads, first, &NoObserver)?, reads.len() as u64),
            Self::Plain(Chunk::Pairs(pairs)) => (aligner.align_pairs(pairs, first, &NoObserver)?, pairs.len() as u64),
            Self::Mixed(chunk) => (aligner.align_mixed(chunk, first, &NoObserver)?, chunk.reads()),
        };
        Ok((output, first + reads))
    }

    fn has(&self, paired: bool) -> bool {
        match self {
            Self::Plain(Chunk::Single(reads)) => !paired && !reads.is_empty(),
            Self::Plain(Chunk::Pairs(pairs)) => paired && !pairs.is_empty(),
            Self::Mixed(chunk) => chunk.is_pair.contains(&paired),
        }
    }
}

/// Reads with the options that they are aligned with.
pub struct Work<'a> {
    /// What it is called in messages and in the bands file.
    pub name: String,
    /// The reference.
    pub index: &'a ReferenceIndex,
    /// The aligner's options.
    pub options: AlignOptions,
    /// The reads; pointers, so that they may be aligned with several options.
    pub parts: &'a [Part],
}

impl Work<'_> {
    fn align(&self, context: &ComputeContext) -> Result<(Vec<Outcome>, Statistics), AlignerError> {
        let aligner = Aligner::new(self.index, &self.options, context);
        let (mut outcomes, mut statistics, mut first) = (Vec::new(), Statistics::default(), 0);
        for part in self.parts {
            let (output, next) = part.align(&aligner, first)?;
            first = next;
            outcomes.extend(Outcome::of_records(&output.sam));
            statistics.add(&output.statistics);
        }
        Ok((outcomes, statistics))
    }
}

/// What one setting of the bands does to one work.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Changed reads of the loci that are learned from.
    pub learned: Tally,
    /// Of the others.
    pub checked: Tally,
    /// What the bands decide about: extensions that Smith-Waterman computed, gaps that were tried and seeds that networks were
    /// asked about, each in units of an extension.
    pub cost: f64,
    /// Counts and times of the run.
    pub statistics: Statistics,
}

/// A gap that is tried beside a diagonal costs about so much of an extension.
const GAP_COST: f64 = 0.25;
/// A seed that the student is asked about: its row, and the network.
const STUDENT_COST: f64 = 0.5;
/// A seed that the convolutional network is asked about, in the native kernel.
const NETWORK_COST: f64 = 4.0;

/// Who is asked about seeds in doubt, where bands say so.
#[derive(Clone, Default)]
pub struct Networks {
    /// The student.
    pub student: Option<Arc<dyn SeedScorer>>,
    /// The convolutional network.
    pub network: Option<Arc<dyn NpuBackend>>,
    /// The same in exact arithmetic.
    pub referee: Option<Arc<dyn NpuBackend>>,
}

/// Works, and what becomes of their reads without a filter.
pub struct Bench<'a> {
    works: Vec<Work<'a>>,
    networks: Networks,
    unfiltered: Vec<Vec<Outcome>>,
}

impl<'a> Bench<'a> {
    /// Aligns the reads of all works without a filter; `networks` are asked where bands say so. Runs on the current rayon thread
    /// pool.
    ///
    /// # Errors
    /// Whatever the aligner reports.
    pub fn new(works: Vec<Work<'a>>, networks: Networks) -> Result<Self, AlignerError> {
        let context = ComputeContext::unfiltered();
        let unfiltered = works.iter().map(|work| Ok(work.align(&context)?.0)).collect::<Result<_, AlignerError>>()?;
        Ok(Self { works, networks, unfiltered })
    }

    /// The works.
    #[must_use]
    pub fn works(&self) -> &[Work<'a>] {
        &self.works
    }

    /// Whether there are pairs (or single reads).
    #[must_use]
    pub fn has(&self, paired: bool) -> bool {
        self.works.iter().flat_map(|work| work.parts).any(|part| part.has(paired))
    }

    /// Aligns the reads of all works under these bands: a trial each.
    ///
    /// # Errors
    /// Whatever the aligner reports.
    pub fn run(&self, bands: Bands) -> Result<Vec<Trial>, AlignerError> {
        let Networks { student, network: npu_backend, referee: npu_referee } = self.networks.clone();
        let context = ComputeContext { bands, student, npu_backend, npu_referee, ..ComputeContext::cascade() };
        let of_work = |(work, off): (&Work<'_>, &Vec<Outcome>)| {
            let (on, statistics) = work.align(&context)?;
            let tally = |half| Tally::new(off, &on, work.options.mem.t, Some(half));
            let computed = statistics.extensions - statistics.proven_extensions;
            Ok(Trial {
                learned: tally(Half::Learn),
                checked: tally(Half::Check),
                cost: computed as f64
                    + GAP_COST * statistics.filter.gaps_tried as f64
                    + STUDENT_COST * statistics.filter.asked_of_student as f64
                    + NETWORK_COST * statistics.filter.asked_of_network as f64,
                statistics,
            })
        };
        self.works.iter().zip(&self.unfiltered).map(of_work).collect()
    }
}
