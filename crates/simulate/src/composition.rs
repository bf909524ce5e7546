//! Contigs out of unique sequence and repeats.

use crate::genome::Contig;
use crate::random::Random;
use crate::repeats::{RepeatLibrary, low_complexity, microsatellite, minisatellite};
use crate::sequence::{diverge, random_base, reverse_complement};

/// Stream numbers of the random generator, one for each use of the genome's seed.
const GENOME_STREAM: u64 = u64::MAX;
/// Contigs of at least this many bases get runs of N.
const LENGTH_WITH_GAPS: usize = 50_000;
/// Run of N at each end of a contig, as at a telomere.
const END_GAP: usize = 1_000;

/// Makes the contigs of one genome, one after the other.
pub(crate) struct Composer {
    random: Random,
    library: RepeatLibrary,
    soft_mask: bool,
    /// GC content of the current stretch in parts per million, and what is left of the stretch.
    gc: u64,
    left_of_stretch: u64,
}

impl Composer {
    pub(crate) fn new(seed: u64, soft_mask: bool) -> Self {
        let mut random = Random::new(seed, GENOME_STREAM);
        let library = RepeatLibrary::new(&mut random);
        Self { random, library, soft_mask, gc: 0, left_of_stretch: 0 }
    }

    /// A contig of `length` bases; segmental duplications may come from `earlier` contigs.
    pub(crate) fn contig(&mut self, length: usize, earlier: &[Contig]) -> Vec<u8> {
        let mut bases = Vec::with_capacity(length + 8_192);
        while bases.len() < length {
            let unique = self.random.between(100, 1_300) as usize;
            self.extend_unique(&mut bases, unique);
            match self.random.below(1_000) {
                0..800 => self.append_repeat(&mut bases, |random, library| library.interspersed(random)),
                800..900 => self.append_repeat(&mut bases, |random, _| microsatellite(random)),
                900..940 => self.append_repeat(&mut bases, |random, _| minisatellite(random)),
                940..975 => self.append_repeat(&mut bases, |random, _| low_complexity(random)),
                975..979 => {
                    self.append_repeat(&mut bases, |random, library| library.satellite_array(random, length / 50));
                }
                _ => self.append_duplication(&mut bases, length, earlier),
            }
        }
        bases.truncate(length);
        if length >= LENGTH_WITH_GAPS {
            let middle = length / 2;
            for gap in [0..END_GAP, middle..middle + length / 200, length - END_GAP..length] {
                bases[gap].fill(b'N');
            }
        }
        bases
    }

    fn extend_unique(&mut self, bases: &mut Vec<u8>, count: usize) {
        for _ in 0..count {
            if self.left_of_stretch == 0 {
                self.left_of_stretch = self.random.between(5_000, 40_000);
                self.gc = self.random.between(360_000, 560_000);
            }
            self.left_of_stretch -= 1;
            let mut base = random_base(&mut self.random, self.gc);
            // Methylated CpG decays to TpG: vertebrate genomes have about a quarter of what chance would give.
            let after_c = bases.last().is_some_and(|last| last.eq_ignore_ascii_case(&b'C'));
            if base == b'G' && after_c && self.random.below(4) != 0 {
                base = b'A';
            }
            bases.push(base);
        }
    }

    fn append_repeat(&mut self, bases: &mut Vec<u8>, make: impl Fn(&mut Random, &RepeatLibrary) -> Vec<u8>) {
        let mut element = make(&mut self.random, &self.library);
        if self.soft_mask {
            element.make_ascii_lowercase();
        }
        bases.extend(element);
    }

    /// Copies 1 to 12 kb (at most a tenth of the contig) of this contig or an earlier one, on either strand.
    fn append_duplication(&mut self, bases: &mut Vec<u8>, contig_length: usize, earlier: &[Contig]) {
        let longest = (contig_length / 10).min(12_000) as u64;
        let length = self.random.between(1_000.min(longest), longest) as usize;
        let choice = self.random.below(earlier.len() as u64 + 1) as usize;
        let source = earlier.get(choice).map_or(bases.as_slice(), |contig| contig.bases.as_slice());
        if source.len() <= length {
            return;
        }
        let start = self.random.below((source.len() - length) as u64) as usize;
        let divergence = self.random.between(10_000, 60_000);
        let mut copy = diverge(&mut self.random, &source[start..start + length], divergence);
        // Gaps are not duplicated: nothing is known about them.
        copy.retain(|&base| base != b'N');
        bases.extend(if self.random.coin() { reverse_complement(&copy) } else { copy });
    }
}

/// Unique sequence without repeats: the other genome that foreign reads come from.
pub(crate) fn foreign_sequence(seed: u64, stream: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed, stream);
    let mut gc = 0;
    (0..length)
        .map(|position| {
            if position % 2_000 == 0 {
                gc = random.between(300_000, 650_000);
            }
            random_base(&mut random, gc)
        })
        .collect()
}
