//! `seedsieve simulate`: a synthetic genome and read pairs that tell where they come from.

use std::path::PathBuf;

use anyhow::Context as _;
use seedsieve_simulate::{GenomeOptions, ReadOptions, write_data_set};

/// Make a synthetic genome with human-like repeats, and read pairs from it.
///
/// Writes genome.fa, reads_1.fastq and reads_2.fastq. Read names tell the true positions:
/// sim:CONTIG:START1:STRAND1:START2:STRAND2:SERIAL, starts 1-based and leftmost on the reference; foreign pairs are named
/// sim:*:0:*:0:*:SERIAL. The same options give the same bytes on every machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the three files; made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Bases of all contigs together.
    #[arg(long, value_name = "BASES", default_value_t = GenomeOptions::default().size)]
    genome_size: u64,
    /// Number of contigs.
    #[arg(long, value_name = "N", default_value_t = GenomeOptions::default().contigs)]
    contigs: u64,
    /// Write repeats in upper case, too.
    #[arg(long)]
    no_soft_mask: bool,
    /// Pairs of reads.
    #[arg(long, value_name = "N", default_value_t = ReadOptions::default().pairs)]
    read_pairs: u64,
    /// Bases of each read.
    #[arg(long, value_name = "BASES", default_value_t = ReadOptions::default().read_length)]
    read_length: u64,
    /// Mean outer distance of the ends of a fragment.
    #[arg(long, value_name = "BASES", default_value_t = ReadOptions::default().insert_mean)]
    insert_size: u64,
    /// Standard deviation of the insert size.
    #[arg(long, value_name = "BASES", default_value_t = ReadOptions::default().insert_deviation)]
    insert_deviation: u64,
    /// Sequencing errors per base, 0 to 0.01.
    #[arg(long, value_name = "SHARE", default_value = "0.003", value_parser = parts_per_million)]
    error_rate: Rate,
    /// SNPs of the donor per base of a haplotype, 0 to 0.2.
    #[arg(long, value_name = "SHARE", default_value = "0.001", value_parser = parts_per_million)]
    snp_rate: Rate,
    /// Short insertions and deletions of the donor per base of a haplotype, 0 to 0.05.
    #[arg(long, value_name = "SHARE", default_value = "0.0001", value_parser = parts_per_million)]
    indel_rate: Rate,
    /// Share of the pairs that come from another genome, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parts_per_million)]
    foreign: Rate,
    /// Start of the random numbers, for the genome and for the reads.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A share in parts per million: the simulation counts in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate(u64);

fn parts_per_million(text: &str) -> Result<Rate, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number from 0 to 1, such as 0.001".to_owned())?;
    if !(0.0..=1.0).contains(&share) {
        return Err("expected a number from 0 to 1".to_owned());
    }
    Ok(Rate((share * 1e6).round() as u64))
}

/// Runs the command.
///
/// # Errors
/// Options out of range, and files that cannot be written; then none of the three files is left.
pub fn run(args: Args) -> anyhow::Result<()> {
    let genome =
        GenomeOptions { size: args.genome_size, contigs: args.contigs, soft_mask: !args.no_soft_mask, seed: args.seed };
    let reads = ReadOptions {
        pairs: args.read_pairs,
        read_length: args.read_length,
        insert_mean: args.insert_size,
        insert_deviation: args.insert_deviation,
        error_rate: args.error_rate.0,
        snp_rate: args.snp_rate.0,
        indel_rate: args.indel_rate.0,
        foreign_rate: args.foreign.0,
        seed: args.seed,
    };
    let files = write_data_set(&args.output, &genome, &reads)
        .with_context(|| format!("nothing was simulated into {}", args.output.display()))?;
    tracing::info!(
        genome = %files.genome.display(),
        first_reads = %files.first_reads.display(),
        second_reads = %files.second_reads.display(),
        pairs = reads.pairs,
        "simulated"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_parts_per_million() {
        assert_eq!(parts_per_million("0.003"), Ok(Rate(3_000)));
        assert_eq!(parts_per_million("1"), Ok(Rate(1_000_000)));
        for text in ["1.1", "-0.1", "NaN", "much", ""] {
            assert!(parts_per_million(text).is_err(), "{text}");
        }
    }
}
