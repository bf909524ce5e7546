use crate::MATCH_MASK_BYTES;
use seedsieve_encoding::PACKED_SEED_BYTES;
use std::fmt;
use std::str::FromStr;

/// What became of the region that a seed lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Role {
    /// The seed lies in no final region.
    #[default]
    None,
    /// The region's score is below the reporting threshold T.
    BelowThreshold,
    /// Another region covers the same part of the read better.
    Secondary,
    /// A further part of a split alignment.
    Supplementary,
    /// The read's primary alignment.
    Primary,
}

impl Role {
    /// All roles, from the least to the most.
    pub const ALL: [Self; 5] = [Self::None, Self::BelowThreshold, Self::Secondary, Self::Supplementary, Self::Primary];

    /// The name that the data set stores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::BelowThreshold => "below_threshold",
            Self::Secondary => "secondary",
            Self::Supplementary => "supplementary",
            Self::Primary => "primary",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| format!("role `{name}`; valid are {}", Self::ALL.map(Role::name).join(", ")))
    }
}

/// One seed of one read, with what became of it. All intervals are 0-based and half-open; the read is in sequencing
/// orientation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeedRow<'a> {
    /// SM of the read group, or the file's name.
    pub sample: &'a str,
    /// First 8 bytes (big-endian) of the SHA-256 of the read's name: the same for both mates.
    pub read_hash: u64,
    /// 0 unpaired, 1 first, 2 second.
    pub mate: u8,
    /// Bases of the read.
    pub read_length: u16,
    /// Start of the seed in the read.
    pub query_start: u16,
    /// Bases of the seed.
    pub length: u16,
    /// Contig of the seed.
    pub contig: &'a str,
    /// Leftmost position of the seed on the forward strand of the contig.
    pub position: u32,
    /// The read's reverse complement matches the forward strand.
    pub reverse: bool,
    /// Size of the FM-index interval: how often the seed occurs on both strands.
    pub occurrences: u32,
    /// Number of the seed's chain within the read.
    pub chain: Option<i32>,
    /// Bases that the chain covers.
    pub chain_weight: Option<i32>,
    /// The chain survived bwa's chain filter.
    pub chain_kept: bool,
    /// The seed was extended by Smith-Waterman.
    pub extended: bool,
    /// Best score of an ungapped extension to both ends, the seed included.
    pub ungapped_score: i32,
    /// Score of the seed's own banded extension to both sides.
    pub own_score: i32,
    /// Start of that extension in the read.
    pub own_query_start: u16,
    /// End of that extension in the read.
    pub own_query_end: u16,
    /// Score of the best final region that contains the seed near its path.
    pub region_score: Option<i32>,
    /// Distance of the seed's diagonal from that region's, in bases.
    pub region_distance: Option<i32>,
    /// Role of that region.
    pub role: Role,
    /// Score of the read's best final region; 0: none.
    pub read_best: i32,
    /// Score of the read's second best final region; 0: none.
    pub read_second: i32,
    /// Contig where the read's best region starts.
    pub locus_contig: Option<&'a str>,
    /// Leftmost position of that region.
    pub locus_position: Option<u32>,
    /// The source has the read mapped.
    pub source_mapped: Option<bool>,
    /// MAPQ in the source.
    pub source_mapq: Option<u8>,
    /// The seed lies on the path of the source's alignment.
    pub source_on_path: Option<bool>,
    /// Score behind the left side of the seed's own extension, the seed included.
    pub own_left_score: Option<i32>,
    /// Half-width of the widest band that it was computed in.
    pub own_band: Option<u16>,
    /// Bases of the reference that it aligns before the seed, in the read's direction.
    pub own_reference_before: Option<u16>,
    /// Bases of the reference that it aligns behind the seed.
    pub own_reference_after: Option<u16>,
    /// Mean Phred quality of the seed's bases, rounded.
    pub seed_quality: Option<u8>,
    /// Mean Phred quality of the up to 32 bases on each side of the seed, rounded.
    pub flank_quality: Option<u8>,
    /// Contig that a simulated read comes from, by its name.
    pub true_contig: Option<&'a str>,
    /// Leftmost position there.
    pub true_position: Option<u32>,
    /// The read is the reverse complement there.
    pub true_reverse: Option<bool>,
    /// The seed lies within 20 diagonals of the place that the read comes from.
    pub true_on_path: Option<bool>,
    /// Seeds that this one stands for in a sample.
    pub weight: Option<f64>,
    /// Where the read's bases before the seed are the reference's on the seed's own diagonal: bit i (byte i / 8, bit
    /// i % 8 from the lowest) is the base at distance i + 1. 0 beyond the read, contig or strand, and for N.
    pub left_matches: Option<&'a [u8; MATCH_MASK_BYTES]>,
    /// The same behind the seed.
    pub right_matches: Option<&'a [u8; MATCH_MASK_BYTES]>,
    /// The round of seeding that found it: 1 SMEMs, 2 re-seeding inside long ones, 3 rare short matches.
    pub seeding_round: Option<u8>,
    /// The seed lies near the path of a region from which mate rescue looked for the mate.
    pub rescue_anchor: Option<bool>,
    /// False where the own extension was not computed: then `own_score` and what belongs to it are those of the ungapped
    /// extension, and a lower bound.
    pub own_computed: Option<bool>,
    /// Best score that the seed can have with at most one gap, as the seed filter finds it.
    pub gap_bound: Option<i32>,
    /// Score of its own extension in a band of fifteen diagonals to either side, up to 255, as the seed filter finds it.
    pub narrow_score: Option<i32>,
    /// Packed windows: the read's, then the reference's.
    pub windows: &'a [u8; PACKED_SEED_BYTES],
}
