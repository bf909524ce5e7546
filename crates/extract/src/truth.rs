use seedsieve_aligner::{Contig, Read};
use seedsieve_simulate::{Origin, ReadName};

/// Diagonals that a seed may lie off its read's true place: what indels of the simulated donor shift it by.
const NEAR_DIAGONALS: u64 = 20;

/// Where a simulated read comes from, as its name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Another genome, or no genome at all.
    Foreign,
    /// A place on the forward strand.
    Place { contig: String, start: u64, reverse: bool },
    /// One end of a fragment, 0-based and half-open; which one the name does not say.
    Fragment { contig: String, start: u64, end: u64 },
}

impl Truth {
    /// What the name line of mate `mate` (0 unpaired, 1 first, 2 second) says; `None` where no known simulator wrote it.
    ///
    /// The name counts first, see [`Truth::of_name`]; then what follows it, as mason writes it there (version 1 with
    /// `--include-read-information`, version 2 with `--embed-read-info`). Mason's place is one of the haplotype, which
    /// its own indels have moved off the reference.
    pub(crate) fn of_read(read: &Read, mate: u8, contigs: &[Contig]) -> Option<Self> {
        Self::of_name(&read.name, mate).or_else(|| mason(read.comment.as_deref()?, contigs))
    }

    /// Reads the name of mate `mate` (0 unpaired, 1 first, 2 second); `None` for a name of no known simulator.
    ///
    /// Known are the names of `seedsieve simulate`; of dwgsim,
    /// `CONTIG_START1_START2_STRAND1_STRAND2_RANDOM1_RANDOM2_E:S:I_E:S:I_HEX` with 1-based leftmost starts; and of wgsim,
    /// `CONTIG_START_END_E:S:I_E:S:I_HEX` with the 1-based ends of the fragment.
    pub(crate) fn of_name(name: &str, mate: u8) -> Option<Self> {
        let second = usize::from(mate == 2);
        if let Some(name) = ReadName::parse(name) {
            return Some(match name.origin {
                Origin::Foreign => Self::Foreign,
                Origin::Reference { contig, mates } => {
                    Self::Place { contig, start: mates[second].start - 1, reverse: mates[second].reverse }
                }
            });
        }
        let (place, serial) = name.rsplit_once('_')?;
        let (place, errors2) = place.rsplit_once('_')?;
        let (place, errors1) = place.rsplit_once('_')?;
        let is_serial = !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_serial || !are_errors(errors1) || !are_errors(errors2) {
            return None;
        }
        dwgsim(place, second).or_else(|| wgsim(place))
    }

    /// Contig, 0-based leftmost position and strand, where all of them are known.
    pub(crate) fn place(&self) -> Option<(&str, u64, bool)> {
        match self {
            Self::Place { contig, start, reverse } => Some((contig, *start, *reverse)),
            Self::Foreign | Self::Fragment { .. } => None,
        }
    }

    /// The contig, where there is one.
    pub(crate) fn contig(&self) -> Option<&str> {
        match self {
            Self::Foreign => None,
            Self::Place { contig, .. } | Self::Fragment { contig, .. } => Some(contig),
        }
    }

    /// Whether a seed lies near the diagonal of the read's true place: `query_start` and `length` in the read of
    /// `read_length` bases, `position` the 0-based leftmost position on the forward strand of `contig`.
    pub(crate) fn holds(
        &self,
        (query_start, length, read_length): (u64, u64, u64),
        (contig, position, reverse): (&str, u64, bool),
    ) -> bool {
        // Read bases that lie to the left of the seed on the forward strand.
        let before = if reverse { read_length - query_start - length } else { query_start };
        let near = |start: u64| position.abs_diff(start + before) <= NEAR_DIAGONALS;
        match self {
            Self::Foreign => false,
            Self::Place { contig: of_read, start, reverse: strand } => {
                of_read == contig && *strand == reverse && near(*start)
            }
            Self::Fragment { contig: of_read, start, end } => {
                of_read == contig && near(if reverse { end.saturating_sub(read_length) } else { *start })
            }
        }
    }
}

/// `contig=NAME haplotype=0 ... orig_begin=START ... strand=forward` of mason 1, and `SEQUENCE=CONTIG HAPLOTYPE=0
/// BEGIN_POS=START ... STRAND=F ...` of mason 2, where CONTIG is the contig's number in the reference. Starts are 0-based
/// and leftmost.
fn mason(comment: &str, contigs: &[Contig]) -> Option<Truth> {
    let field = |key: &str| comment.split(' ').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
    let (contig, start, strand) = match field("contig") {
        Some(contig) => (contig, field("orig_begin")?, field("strand")?),
        None => {
            let number = usize::try_from(number(field("SEQUENCE")?)?).ok()?;
            (contigs.get(number)?.name.as_str(), field("BEGIN_POS")?, field("STRAND")?)
        }
    };
    let reverse = match strand {
        "forward" | "F" => false,
        "reverse" | "R" => true,
        _ => return None,
    };
    Some(Truth::Place { contig: contig.to_owned(), start: number(start)?, reverse })
}

/// Three numbers with colons between them: errors, substitutions, indels.
fn are_errors(text: &str) -> bool {
    let mut fields = text.split(':');
    let numbers = fields.by_ref().take(3).filter(|field| number(field).is_some()).count();
    numbers == 3 && fields.next().is_none()
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn dwgsim(place: &str, second: usize) -> Option<Truth> {
    let fields: Vec<&str> = place.rsplitn(7, '_').collect();
    let [random2, random1, strand2, strand1, start2, start1, contig] = fields[..] else { return None };
    let flag = |text: &str| match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let random = [flag(random1)?, flag(random2)?][second];
    let reverse = [flag(strand1)?, flag(strand2)?][second];
    let start = [number(start1)?, number(start2)?][second];
    if random {
        return Some(Truth::Foreign);
    }
    (!contig.is_empty() && start > 0).then(|| Truth::Place { contig: contig.to_owned(), start: start - 1, reverse })
}

fn wgsim(place: &str) -> Option<Truth> {
    let (place, end) = place.rsplit_once('_')?;
    let (contig, start) = place.rsplit_once('_')?;
    let (start, end) = (number(start)?, number(end)?);
    let sound = !contig.is_empty() && (1..=end).contains(&start);
    sound.then(|| Truth::Fragment { contig: contig.to_owned(), start: start - 1, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(contig: &str, start: u64, reverse: bool) -> Option<Truth> {
        Some(Truth::Place { contig: contig.into(), start, reverse })
    }

    #[test]
    fn names_of_known_simulators_tell_the_place_of_each_mate() {
        let name = "sim:chr1:101:+:402:-:12";
        assert_eq!(
            (Truth::of_name(name, 1), Truth::of_name(name, 2)),
            (place("chr1", 100, false), place("chr1", 401, true))
        );
        assert_eq!(Truth::of_name("sim:*:0:*:0:*:3", 1), Some(Truth::Foreign));
        let name = "chr_21_1001_1301_0_1_0_0_2:0:1_0:0:0_1f";
        assert_eq!(Truth::of_name(name, 1), place("chr_21", 1000, false));
        assert_eq!(Truth::of_name(name, 2), place("chr_21", 1300, true));
        assert_eq!(Truth::of_name("rand_0_0_0_0_1_1_0:0:0_0:0:0_1f", 2), Some(Truth::Foreign));
        let fragment = Truth::Fragment { contig: "chr_21".into(), start: 1000, end: 1500 };
        assert_eq!(Truth::of_name("chr_21_1001_1500_2:0:1_0:0:0_1f", 2), Some(fragment));
    }

    #[test]
    fn what_mason_writes_behind_the_name_tells_the_place() {
        let contigs = ["chr20", "chr21"].map(|name| Contig { name: name.into(), length: 9000, is_alt: false });
        let truth = |comment: &str| {
            let read = Read { name: "simulated.7".into(), comment: Some(comment.into()), ..Read::default() };
            Truth::of_read(&read, 2, &contigs)
        };
        let one = "contig=chr21 haplotype=1 length=50 orig_begin=1000 orig_end=1050 snps=0 indels=0 \
                   haplotype_infix=ATG edit_string=MMM strand=reverse";
        assert_eq!(truth(one), place("chr21", 1000, true));
        let two = "SEQUENCE=1 HAPLOTYPE=0 BEGIN_POS=1000 SAMPLE_SEQUENCE=ACG CIGAR=3M STRAND=F NUM_SNPS=0 NUM_INDELS=0";
        assert_eq!(truth(two), place("chr21", 1000, false));
        assert_eq!(truth(&two.replace("SEQUENCE=1 ", "SEQUENCE=2 ")), None, "there are two contigs");
        assert_eq!(truth(&two.replace("STRAND=F", "STRAND=X")), None);
        assert_eq!(truth("1:N:0:ATCACG"), None);
    }

    #[test]
    fn other_names_tell_nothing() {
        for name in [
            "",
            "HSQ1004:134:C0D8DACXX:1:1104:3874:86238",
            "A00217:76:HFLT3DSXX:3:1101:1_2_3",
            "chr1_1001_900_2:0:1_0:0:0_1f",
            "chr1_0_900_2:0:1_0:0:0_1f",
            "chr1_1001_1500_2:0_0:0:0_1f",
            "chr1_1001_1500_2:0:1_0:0:0_",
            "_1001_1500_2:0:1_0:0:0_1f",
            "SRR1.5_6_7",
        ] {
            assert_eq!(Truth::of_name(name, 1), None, "{name}");
        }
    }

    #[test]
    fn a_seed_is_right_on_contig_strand_and_within_twenty_diagonals() {
        let forward = place("c", 1000, false).unwrap();
        assert!(forward.holds((30, 20, 150), ("c", 1030, false)));
        assert!(forward.holds((30, 20, 150), ("c", 1050, false)));
        assert!(!forward.holds((30, 20, 150), ("c", 1051, false)));
        assert!(!forward.holds((30, 20, 150), ("c", 1030, true)));
        assert!(!forward.holds((30, 20, 150), ("d", 1030, false)));
        let reverse = place("c", 1000, true).unwrap();
        assert!(reverse.holds((30, 20, 150), ("c", 1100, true)));
        assert!(!reverse.holds((30, 20, 150), ("c", 1030, true)));
        let fragment = Truth::Fragment { contig: "c".into(), start: 1000, end: 1500 };
        assert!(fragment.holds((30, 20, 150), ("c", 1030, false)));
        assert!(fragment.holds((30, 20, 150), ("c", 1450, true)));
        assert!(!fragment.holds((30, 20, 150), ("c", 1450, false)));
        assert!(!Truth::Foreign.holds((30, 20, 150), ("c", 1030, false)));
    }
}
