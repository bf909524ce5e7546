use crate::composition::Composer;
use crate::error::SimulationError;

/// Least bases of a contig: enough for some repeats and for fragments of any allowed insert size.
const MIN_CONTIG: u64 = 5_000;

/// What genome to make.
#[derive(Clone, Debug)]
pub struct GenomeOptions {
    /// Bases of all contigs together, runs of N included.
    pub size: u64,
    /// Number of contigs; the first is nearly twice as long as the last.
    pub contigs: u64,
    /// Repeats in lower case, as genome browsers distribute genomes.
    pub soft_mask: bool,
    /// Start of the random numbers.
    pub seed: u64,
}

impl Default for GenomeOptions {
    fn default() -> Self {
        Self { size: 2_000_000, contigs: 3, soft_mask: true, seed: 1 }
    }
}

/// A reference genome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genome {
    /// Its contigs, in the order of the FASTA file.
    pub contigs: Vec<Contig>,
}

/// A named sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contig {
    /// Its name, without spaces.
    pub name: String,
    /// ASCII bases: A, C, G, T and N, in lower case where a repeat is masked.
    pub bases: Vec<u8>,
}

impl Genome {
    /// Makes a genome with contigs `synthetic1`, `synthetic2` and so on.
    ///
    /// About 45 % of it are interspersed repeats: Alu-like (300 bp, 1 to 18 % diverged by age), L1-like (up to 6 kb, most
    /// of them truncated at the 5' end, 1 to 25 %) and short old ones (20 to 25 %), on both strands, with poly-A tails.
    /// The rest is unique sequence whose GC content changes every 5 to 40 kb between 36 and 56 %, and which is short of
    /// CpG. In between lie microsatellites, minisatellites, arrays of 171 bp satellites, stretches of low complexity and
    /// segmental duplications (1 to 12 kb, 1 to 6 % diverged). Contigs of 50 kb and more have runs of N at both ends and
    /// in the middle.
    ///
    /// # Errors
    /// [`SimulationError::Option`] for a size or number of contigs out of range.
    pub fn generate(options: &GenomeOptions) -> Result<Self, SimulationError> {
        SimulationError::check("the number of contigs", options.contigs, 1..=1_000, "")?;
        SimulationError::check(
            "the genome size",
            options.size,
            2 * MIN_CONTIG * options.contigs..=4_000_000_000,
            "bases",
        )?;
        let mut composer = Composer::new(options.seed, options.soft_mask);
        let mut contigs = Vec::new();
        let mut left = options.size;
        // Lengths fall from 2n to n + 1 parts of the whole.
        let parts: u64 = (options.contigs + 1..=2 * options.contigs).sum();
        for number in 1..=options.contigs {
            let share = options.size * (2 * options.contigs + 1 - number) / parts;
            let length = if number == options.contigs { left } else { share };
            left -= length;
            let bases = composer.contig(length as usize, &contigs);
            contigs.push(Contig { name: format!("synthetic{number}"), bases });
        }
        Ok(Self { contigs })
    }
}
