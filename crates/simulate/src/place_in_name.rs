//! Places in the names of simulated reads, our own and those of other programs.

use crate::read_name::{Origin, ReadName, parse_number};

/// Where a simulated read comes from, as its name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceInName {
    /// Another genome, or no genome at all: wherever such a read is aligned, it is wrong.
    Foreign,
    /// A place on the reference.
    Start {
        /// Name of the contig.
        contig: String,
        /// 1-based leftmost position on the forward strand.
        start: u64,
        /// The read is the reverse complement of the forward strand.
        reverse: bool,
    },
    /// One end of a fragment, into which the read points; which of the two the name does not say.
    EitherEnd {
        /// Name of the contig.
        contig: String,
        /// 1-based leftmost position of the fragment.
        start: u64,
        /// 1-based rightmost position of the fragment.
        end: u64,
    },
}

impl PlaceInName {
    /// Reads the name of a read; `second` tells the second mate from the first, and from an unpaired read. `None` for a
    /// name of no known simulator. These are known:
    ///
    /// ```text
    /// sim:CONTIG:START1:STRAND1:START2:STRAND2:SERIAL                            seedsieve simulate
    /// CONTIG_START1_START2_STRAND1_STRAND2_RANDOM1_RANDOM2_E:S:I_E:S:I_NUMBER    dwgsim (strands and random: 0 or 1)
    /// CONTIG_START_END_E:S:I_E:S:I_NUMBER                                        wgsim (ends of the fragment)
    /// ```
    ///
    /// ```
    /// use seedsieve_simulate::PlaceInName;
    ///
    /// let place = PlaceInName::parse("chr_21_1001_1301_0_1_0_0_2:0:1_0:0:0_1f", true);
    /// assert_eq!(place, Some(PlaceInName::Start { contig: "chr_21".into(), start: 1301, reverse: true }));
    /// ```
    pub fn parse(name: &str, second: bool) -> Option<Self> {
        if let Some(name) = ReadName::parse(name) {
            return Some(match name.origin {
                Origin::Foreign => Self::Foreign,
                Origin::Reference { contig, mates } => {
                    let mate = mates[usize::from(second)];
                    Self::Start { contig, start: mate.start, reverse: mate.reverse }
                }
            });
        }
        let mut fields = name.rsplitn(4, '_');
        let mut next = || fields.next();
        let (number, errors2, errors1, place) = (next()?, next()?, next()?, next()?);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_number || !are_errors(errors1) || !are_errors(errors2) {
            return None;
        }
        dwgsim(place, second).or_else(|| wgsim(place))
    }
}

fn dwgsim(place: &str, second: bool) -> Option<PlaceInName> {
    let fields: Vec<&str> = place.rsplitn(7, '_').collect();
    let [random2, random1, strand2, strand1, start2, start1, contig] = fields[..] else { return None };
    let flag = |text: &str| match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let mate = usize::from(second);
    let random = [flag(random1)?, flag(random2)?][mate];
    let reverse = [flag(strand1)?, flag(strand2)?][mate];
    let start = [parse_number(start1)?, parse_number(start2)?][mate];
    if random {
        return Some(PlaceInName::Foreign);
    }
    (!contig.is_empty() && start > 0).then(|| PlaceInName::Start { contig: contig.to_owned(), start, reverse })
}

fn wgsim(place: &str) -> Option<PlaceInName> {
    let (place, end) = place.rsplit_once('_')?;
    let (contig, start) = place.rsplit_once('_')?;
    let (start, end) = (parse_number(start)?, parse_number(end)?);
    let sound = !contig.is_empty() && (1..=end).contains(&start);
    sound.then(|| PlaceInName::EitherEnd { contig: contig.to_owned(), start, end })
}

/// Three numbers with colons between them: errors, substitutions, indels.
fn are_errors(text: &str) -> bool {
    let mut numbers = text.split(':');
    let first = numbers.by_ref().take(3).filter(|text| !text.is_empty() && parse_number(text).is_some()).count();
    first == 3 && numbers.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start(contig: &str, start: u64, reverse: bool) -> Option<PlaceInName> {
        Some(PlaceInName::Start { contig: contig.into(), start, reverse })
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a_:0-9]{0,40}", second: bool) {
            let _ = PlaceInName::parse(&text, second);
        }
    }

    #[test]
    fn each_form_is_told_from_the_others_though_contigs_hold_underscores() {
        let dwgsim = "chr_1_2558_3052_0_1_0_0_0:0:0_0:2:1_a0";
        assert_eq!(PlaceInName::parse(dwgsim, false), start("chr_1", 2_558, false));
        assert_eq!(PlaceInName::parse(dwgsim, true), start("chr_1", 3_052, true));
        assert_eq!(PlaceInName::parse("rand_0_0_0_0_1_1_0:0:0_0:0:0_3", true), Some(PlaceInName::Foreign));
        let fragment = PlaceInName::EitherEnd { contig: "chr_1".into(), start: 2_558, end: 3_101 };
        assert_eq!(PlaceInName::parse("chr_1_2558_3101_0:0:0_1:1:0_0", true), Some(fragment));
        assert_eq!(PlaceInName::parse("sim:chr_1:7:+:90:-:1", true), start("chr_1", 90, true));
        assert_eq!(PlaceInName::parse("sim:*:0:*:0:*:1", false), Some(PlaceInName::Foreign));
    }

    #[test]
    fn other_names_tell_nothing() {
        for name in [
            "",
            "HSQ1004:134:C0D8DACXX:1:1104:3874:86238",
            "A00217:76:HFLT3DSXX:3:1101:1_2_3",
            "chr1_1_2",
            "chr1_1001_900_2:0:1_0:0:0_1f",
            "chr1_0_900_2:0:1_0:0:0_1f",
            "chr1_1001_1500_2:0_0:0:0_1f",
            "chr1_1001_1500_2:0:1:0_0:0:0_1f",
            "chr1_1001_1500_2:0:1_0:0:0_",
            "chr1_1001_1500_2:0:1_0:0:0_z",
            "_1001_1500_2:0:1_0:0:0_1f",
            "SRR1.5_6_7",
        ] {
            assert_eq!(PlaceInName::parse(name, true), None, "{name}");
        }
    }
}
