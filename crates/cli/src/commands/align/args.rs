//! Arguments of `seedsieve align`: bwa-mem2's letters, and those of the filter.

use std::path::PathBuf;

use seedsieve_formats::OutputFormat;

use super::filter_args::Filter;

/// Arguments of `seedsieve align`.
#[derive(clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
pub struct Args {
    #[command(flatten)]
    pub algorithm: Algorithm,
    #[command(flatten)]
    pub scoring: Scoring,
    #[command(flatten)]
    pub io: InputOutput,
    #[command(flatten)]
    pub output: OutputFiles,
    #[command(flatten)]
    pub filter: Filter,
    /// Prefix of the index: the reference that `seedsieve index` (or bwa-mem2 index) was given.
    #[arg(value_name = "REF.fa")]
    pub index: PathBuf,
    /// Reads: FASTQ or FASTA, plain or gzip; BAM or CRAM with mates next to each other. `-` is standard input.
    #[arg(value_name = "READS_1")]
    pub reads: PathBuf,
    /// The mates of the reads, in the same order (FASTQ).
    #[arg(value_name = "READS_2")]
    pub mates: Option<PathBuf>,
    /// Print help.
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Algorithm")]
pub struct Algorithm {
    /// Threads.
    #[arg(short = 't', long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub threads: u16,
    /// Shortest seed [default: 19].
    #[arg(short = 'k', long, value_name = "BASES", value_parser = clap::value_parser!(i32).range(1..))]
    pub min_seed_length: Option<i32>,
    /// Band of the extension [default: 100].
    #[arg(short = 'w', long, value_name = "BASES", value_parser = clap::value_parser!(i32).range(0..))]
    pub band_width: Option<i32>,
    /// An extension stops this far below its best score [default: 100].
    #[arg(short = 'd', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(0..))]
    pub z_drop: Option<i32>,
    /// Look for shorter seeds inside one longer than this times -k [default: 1.5].
    #[arg(short = 'r', long, value_name = "FACTOR")]
    pub reseed_factor: Option<f32>,
    /// Occurrences under which a third round of seeding goes on [default: 20].
    #[arg(short = 'y', long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub reseed_occurrences: Option<i64>,
    /// Occurrences of a seed that are looked at [default: 500].
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub max_occurrences: Option<i32>,
    /// Drop chains shorter than this part of an overlapping better one [default: 0.5].
    #[arg(short = 'D', long, value_name = "PART")]
    pub drop_ratio: Option<f32>,
    /// Drop chains that cover fewer bases [default: 0].
    #[arg(short = 'W', long, value_name = "BASES", value_parser = clap::value_parser!(i32).range(0..))]
    pub min_chain_weight: Option<i32>,
    /// Rounds of mate rescue for each read [default: 50].
    #[arg(short = 'm', long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub mate_rescue_rounds: Option<i32>,
    /// Longest gap between two seeds of a chain [default: 10000].
    #[arg(short = 'G', long, value_name = "BASES", value_parser = clap::value_parser!(i32).range(0..))]
    pub max_chain_gap: Option<i32>,
    /// Chains of a read that are extended [default: all].
    #[arg(short = 'N', long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub max_chain_extend: Option<i32>,
    /// Look inside a long seed only if it occurs at most this often [default: 10].
    #[arg(short = 's', long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub split_width: Option<i32>,
    /// A chain or alignment is hidden by a better one that it overlaps by more than this part [default: 0.5].
    #[arg(short = 'X', long, value_name = "PART")]
    pub mask_level: Option<f32>,
    /// Length from which on MAPQ no longer grows with the alignment's [default: 50].
    #[arg(short = 'Q', long, value_name = "BASES", value_parser = clap::value_parser!(i32).range(0..))]
    pub mapq_length: Option<i32>,
    /// Seeds (places of exact matches) of one read that are looked at: of a read with more, those of its rarest matches are,
    /// and the log names the read; 0: no limit [default: 0].
    #[arg(long, value_name = "N")]
    pub max_read_seeds: Option<u64>,
    /// Skip mate rescue.
    #[arg(short = 'S', long)]
    pub no_mate_rescue: bool,
    /// Skip pairing; mate rescue is done unless -S is given, too.
    #[arg(short = 'P', long)]
    pub no_pairing: bool,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Scoring")]
pub struct Scoring {
    /// Score of a match; -T -d -B -O -E -L -U scale with it where they are not given [default: 1].
    #[arg(short = 'A', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub match_score: Option<i32>,
    /// Penalty of a mismatch [default: 4].
    #[arg(short = 'B', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(0..=100))]
    pub mismatch: Option<i32>,
    /// Penalty of opening a gap, deletion and insertion [default: 6,6].
    #[arg(short = 'O', long, value_name = "DEL[,INS]")]
    pub gap_open: Option<Twofold>,
    /// Penalty of each gap position, deletion and insertion [default: 1,1].
    #[arg(short = 'E', long, value_name = "DEL[,INS]")]
    pub gap_extend: Option<Twofold>,
    /// Penalty of clipping the 5' and the 3' end [default: 5,5].
    #[arg(short = 'L', long, value_name = "5'[,3']")]
    pub clip: Option<Twofold>,
    /// Scores for a kind of reads: intractg, contigs of the same species (-B 9 -O 16 -L 5). For long reads use minimap2.
    #[arg(short = 'x', long, value_name = "PRESET", value_parser = preset)]
    pub preset: Option<Preset>,
    /// Penalty of an unpaired pair [default: 17].
    #[arg(short = 'U', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(0..))]
    pub unpaired: Option<i32>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Input and output")]
pub struct InputOutput {
    /// Neighbours of one name in READS_1 are mates, other reads are single.
    #[arg(short = 'p', long, conflicts_with = "mates")]
    pub interleaved: bool,
    /// Read group line, such as '@RG\tID:run\tSM:sample'.
    #[arg(short = 'R', long, value_name = "LINE")]
    pub read_group: Option<String>,
    /// Header line (starting with @) or a file of such lines; may be given more than once.
    #[arg(short = 'H', long, value_name = "LINE|FILE")]
    pub header: Vec<String>,
    /// Treat ALT contigs as part of the primary assembly.
    #[arg(short = 'j', long)]
    pub ignore_alt: bool,
    /// For split alignments, take the one with the smallest coordinate as primary.
    #[arg(short = '5', long)]
    pub primary_5_prime: bool,
    /// Do not lower the MAPQ of supplementary alignments.
    #[arg(short = 'q', long)]
    pub keep_supplementary_mapq: bool,
    /// Bases in a chunk of reads; the default grows with -t [default: 10000000 x threads].
    #[arg(short = 'K', long, value_name = "BASES", value_parser = clap::value_parser!(u64).range(1..))]
    pub chunk_bases: Option<u64>,
    /// Lowest score to report [default: 30].
    #[arg(short = 'T', long, value_name = "SCORE", value_parser = clap::value_parser!(i32).range(0..))]
    pub min_score: Option<i32>,
    /// Report up to this many alternatives in XA; the second number for ALT contigs [default: 5,200].
    #[arg(short = 'h', long, value_name = "N[,ALT]")]
    pub alternatives: Option<Twofold>,
    /// Report all alignments; turns the seed filter off.
    #[arg(short = 'a', long)]
    pub all: bool,
    /// Append the comment of each read (of BAM and CRAM, its tags) to its records.
    #[arg(short = 'C', long)]
    pub comment: bool,
    /// Put the reference's FASTA comment into XR.
    #[arg(short = 'V', long)]
    pub reference_comment: bool,
    /// Soft-clip supplementary alignments.
    #[arg(short = 'Y', long)]
    pub soft_clip: bool,
    /// Mark shorter split hits as secondary.
    #[arg(short = 'M', long)]
    pub mark_secondary: bool,
    /// How much to say: 1 errors, 2 warnings, 3 messages, 4 all (--log has names for it) [default: 3].
    #[arg(short = 'v', long, value_name = "LEVEL")]
    pub verbosity: Option<u8>,
    /// Does nothing; bwa's switch for a single thread of input and output.
    #[arg(short = '1', hide = true)]
    pub single_threaded_io: bool,
    /// Insert size: mean, standard deviation, maximum, minimum (FR orientation only).
    #[arg(short = 'I', long, value_name = "MEAN[,SD[,MAX[,MIN]]]")]
    pub insert_size: Option<String>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Output files")]
pub struct OutputFiles {
    /// Where to write; standard output where not given. The suffix tells the format: .sam.gz, .bam, .cram, else SAM.
    #[arg(short = 'o', long, short_alias = 'f', value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Format, whatever the suffix: sam, sam.gz, bam, cram.
    #[arg(long, value_name = "FORMAT")]
    pub output_format: Option<OutputFormat>,
    /// Sort, and write the index (.bai, .csi, .crai) beside a BAM, .sam.gz or CRAM.
    #[arg(long, value_enum, value_name = "ORDER")]
    pub sort: Option<SortOrder>,
    /// Memory for sorting, as 500M or 4G; what is beyond goes to temporary files.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = memory_size)]
    pub sort_memory: u64,
    /// Folder of these temporary files [default: that of the output].
    #[arg(long, value_name = "FOLDER")]
    pub sort_folder: Option<PathBuf>,
    /// FASTA that CRAM is written against [default: REF.fa itself].
    #[arg(long, value_name = "FASTA")]
    pub reference: Option<PathBuf>,
    /// Write times and counts of each stage as JSON.
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Write what the seed filter did, and the time of each of its gates, as JSON.
    #[arg(long, value_name = "FILE")]
    pub filter_stats: Option<PathBuf>,
}

/// Orders that records can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SortOrder {
    /// By contig and position.
    Coordinate,
}

/// `A` or `A,B`; B is A where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twofold(pub i32, pub i32);

impl std::str::FromStr for Twofold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| match part.trim().parse::<i32>() {
            Ok(number) if number >= 0 => Ok(number),
            _ => Err(format!("{part:?} is no number from 0 to {}", i32::MAX)),
        };
        match text.split_once(',') {
            Some((first, second)) => Ok(Self(number(first)?, number(second)?)),
            None => number(text).map(|both| Self(both, both)),
        }
    }
}

/// Scores that are set together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Contigs against a reference of the same species.
    IntraSpeciesContigs,
}

fn preset(text: &str) -> Result<Preset, String> {
    let instead = match text {
        "intractg" => return Ok(Preset::IntraSpeciesContigs),
        "pacbio" | "pbref" => "minimap2 -ax map-pb (or map-hifi)",
        "ont2d" => "minimap2 -ax map-ont",
        _ => return Err("the preset there is is intractg".into()),
    };
    Err(format!("this aligner is made for short reads, and bwa-mem2 itself advises against long ones; use `{instead}`"))
}

/// Bytes from a number with K, M, G or T (powers of 1024).
fn memory_size(text: &str) -> Result<u64, String> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.trim_end_matches(['K', 'M', 'G', 'T', 'B', 'I']);
    let shift = match upper[digits.len()..].trim_end_matches(['B', 'I']) {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err("a size is a number with K, M or G behind it".into()),
    };
    let number: u64 = digits.parse().map_err(|_| "a size is a number with K, M or G behind it".to_owned())?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes >= 1 << 20);
    bytes.ok_or_else(|| "valid are sizes from 1M".to_owned())
}
