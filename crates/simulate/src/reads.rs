use std::ops::RangeInclusive;

use crate::composition::foreign_sequence;
use crate::donor::{HaplotypeContig, Variation, haplotypes};
use crate::error::SimulationError;
use crate::errors_of_sequencing::{MOST_DELETIONS, MOST_ERRORS, Sequenced, Sequencer};
use crate::genome::Genome;
use crate::random::{MILLION, Random};
use crate::read_name::{MateOrigin, Origin, ReadName};
use crate::sequence::complement;

/// Streams of the reads' seed that are no pair's serial number.
const DONOR_STREAM: u64 = u64::MAX;
const FOREIGN_STREAM: u64 = u64::MAX - 1;
/// Bases of the genome that foreign reads come from.
const FOREIGN_LENGTH: usize = 1_000_000;
/// Bases; bounded by the aligners' own limits and by the shortest contig.
const READ_LENGTHS: RangeInclusive<u64> = 30..=1_000;

/// How to sequence a genome. Rates are in parts per million.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Pairs of reads.
    pub pairs: u64,
    /// Bases of each read.
    pub read_length: u64,
    /// Mean outer distance of the two ends of a fragment, in bases.
    pub insert_mean: u64,
    /// Its standard deviation, in bases.
    pub insert_deviation: u64,
    /// Mean sequencing errors per base.
    pub error_rate: u64,
    /// SNPs of the donor per base of a haplotype.
    pub snp_rate: u64,
    /// Short insertions and deletions of the donor per base of a haplotype.
    pub indel_rate: u64,
    /// Pairs that come from another genome.
    pub foreign_rate: u64,
    /// Start of the random numbers.
    pub seed: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            pairs: 10_000,
            read_length: 150,
            insert_mean: 450,
            insert_deviation: 100,
            error_rate: 3_000,
            snp_rate: 1_000,
            indel_rate: 100,
            foreign_rate: 0,
            seed: 1,
        }
    }
}

/// Two reads from the ends of one fragment, pointing at each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPair {
    /// See [`ReadName`] for its form. Both mates have the same name.
    pub name: String,
    /// First and second mate.
    pub reads: [SimulatedRead; 2],
}

/// One read in sequencing orientation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedRead {
    /// ASCII: A, C, G, T, and N for no call.
    pub bases: Vec<u8>,
    /// ASCII with offset 33: 2, 12, 23 or 37.
    pub qualities: Vec<u8>,
}

/// The pairs of one run, made as they are asked for.
pub struct ReadPairs<'a> {
    genome: &'a Genome,
    options: ReadOptions,
    haplotypes: [Vec<HaplotypeContig>; 2],
    /// Stretches without N, long enough for every fragment.
    stretches: [Vec<Stretch>; 2],
    longest_fragment: u64,
    foreign: Vec<u8>,
    sequencer: Sequencer,
    serial: u64,
}

/// A stretch of a haplotype, and the fragment starts of all stretches up to its end.
struct Stretch {
    contig: usize,
    start: u64,
    starts_before: u64,
    starts_to_end: u64,
}

impl<'a> ReadPairs<'a> {
    /// Makes the donor and checks that fragments fit on it.
    ///
    /// # Errors
    /// [`SimulationError::Option`] for an option out of range, [`SimulationError::NoRoomForFragments`] for a genome
    /// without a stretch that the longest fragment fits on.
    pub fn new(genome: &'a Genome, options: &ReadOptions) -> Result<Self, SimulationError> {
        use SimulationError as E;
        let million = "per million";
        E::check("the read length", options.read_length, READ_LENGTHS, "bases")?;
        E::check(
            "the insert size",
            options.insert_mean,
            options.read_length..=10_000,
            "bases, not below the read length",
        )?;
        E::check("the deviation of the insert size", options.insert_deviation, 0..=2_000, "bases")?;
        E::check("the error rate", options.error_rate, 0..=MOST_ERRORS, million)?;
        E::check("the rate of SNPs", options.snp_rate, 0..=200_000, million)?;
        E::check("the rate of indels", options.indel_rate, 0..=50_000, million)?;
        E::check("the share of foreign reads", options.foreign_rate, 0..=MILLION, million)?;

        let variation = Variation { snps: options.snp_rate, indels: options.indel_rate };
        let haplotypes = haplotypes(genome, &variation, &mut Random::new(options.seed, DONOR_STREAM));
        let longest_fragment = options.insert_mean + 6 * options.insert_deviation + MOST_DELETIONS;
        let [first, second] = &haplotypes;
        let stretches = [stretches(first, longest_fragment)?, stretches(second, longest_fragment)?];
        let foreign = foreign_sequence(options.seed, FOREIGN_STREAM, FOREIGN_LENGTH);
        let sequencer = Sequencer::new(options.read_length, options.error_rate);
        let options = options.clone();
        Ok(Self { genome, options, haplotypes, stretches, longest_fragment, foreign, sequencer, serial: 0 })
    }

    fn pair(&self, serial: u64) -> ReadPair {
        let mut random = Random::new(self.options.seed, serial);
        let random = &mut random;
        let fragment = random
            .normal(self.options.insert_mean, self.options.insert_deviation)
            .clamp((self.options.read_length + MOST_DELETIONS) as i64, self.longest_fragment as i64)
            as u64;
        let first_is_reverse = random.coin();
        let (origin, [left, right]) = if random.chance(self.options.foreign_rate) {
            let start = random.below(self.foreign.len() as u64 - self.longest_fragment);
            (Origin::Foreign, self.sequence_ends(random, &self.foreign, start, fragment))
        } else {
            let haplotype = usize::from(random.coin());
            let (contig, start) = draw_start(random, &self.stretches[haplotype]);
            let donor = &self.haplotypes[haplotype][contig];
            let ends = self.sequence_ends(random, &donor.bases, start, fragment);
            let right_start = start + fragment - ends[1].template_length as u64;
            let [mut first, mut second] = [(start, false), (right_start, true)]
                .map(|(start, reverse)| MateOrigin { start: donor.reference_position(start) + 1, reverse });
            if first_is_reverse {
                std::mem::swap(&mut first, &mut second);
            }
            (Origin::Reference { contig: self.genome.contigs[contig].name.clone(), mates: [first, second] }, ends)
        };
        let ends = if first_is_reverse { [right, left] } else { [left, right] };
        let reads = ends.map(|read| SimulatedRead { bases: read.bases, qualities: read.qualities });
        ReadPair { name: ReadName { origin, serial }.to_string(), reads }
    }

    /// The read from the left end of a fragment, forward, and the one from its right end, reverse.
    fn sequence_ends(&self, random: &mut Random, bases: &[u8], start: u64, fragment: u64) -> [Sequenced; 2] {
        let fragment = &bases[start as usize..(start + fragment) as usize];
        [
            self.sequencer.read(random, |position| fragment[position]),
            self.sequencer.read(random, |position| complement(fragment[fragment.len() - 1 - position])),
        ]
    }
}

impl Iterator for ReadPairs<'_> {
    type Item = ReadPair;

    fn next(&mut self) -> Option<ReadPair> {
        let serial = self.serial;
        (serial < self.options.pairs).then(|| {
            self.serial += 1;
            self.pair(serial)
        })
    }
}

/// The stretches of a haplotype without N on which fragments of up to `longest` bases fit.
fn stretches(haplotype: &[HaplotypeContig], longest: u64) -> Result<Vec<Stretch>, SimulationError> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut longest_stretch = 0;
    for (contig, sequence) in haplotype.iter().enumerate() {
        let mut start = 0;
        for part in sequence.bases.split(|&base| base == b'N') {
            let length = part.len() as u64;
            longest_stretch = longest_stretch.max(length);
            if length >= longest {
                let starts_before = found.last().map_or(0, |stretch| stretch.starts_to_end);
                found.push(Stretch {
                    contig,
                    start,
                    starts_before,
                    starts_to_end: starts_before + length - longest + 1,
                });
            }
            start += length + 1;
        }
    }
    if found.is_empty() {
        return Err(SimulationError::NoRoomForFragments { needed: longest, longest: longest_stretch });
    }
    Ok(found)
}

/// A contig and a 0-based fragment start on it, every start equally likely.
fn draw_start(random: &mut Random, stretches: &[Stretch]) -> (usize, u64) {
    let draw = random.below(stretches.last().map_or(0, |stretch| stretch.starts_to_end));
    let stretch = &stretches[stretches.partition_point(|stretch| stretch.starts_to_end <= draw)];
    (stretch.contig, stretch.start + draw - stretch.starts_before)
}
