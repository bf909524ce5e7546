//! What became of a read: its primary record, from SAM text.

/// The primary record of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the contig; nothing where the read is unmapped.
    pub contig: Option<Box<[u8]>>,
    /// 1-based leftmost position, as in SAM.
    pub position: u64,
    /// Whether the reverse complement was aligned.
    pub reverse: bool,
    /// MAPQ.
    pub mapping_quality: u8,
    /// CIGAR.
    pub cigar: Box<[u8]>,
    /// AS; 0 where there is none.
    pub score: i32,
}

const REVERSE: u16 = 0x10;
const UNMAPPED: u16 = 0x4;
const NOT_PRIMARY: u16 = 0x900;

impl Outcome {
    /// The primary records in SAM text as the aligner writes it, in its order: one a read.
    ///
    /// # Panics
    /// If a line is no SAM record.
    pub fn of_records(sam: &[Vec<u8>]) -> Vec<Self> {
        let lines = sam.iter().flat_map(|records| records.split(|&byte| byte == b'\n'));
        lines.filter(|line| !line.is_empty()).filter_map(Self::of_line).collect()
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b'\t').skip(1);
        let mut next = || fields.next().expect("a field of a SAM record");
        let flags: u16 = number(next());
        if flags & NOT_PRIMARY != 0 {
            return None;
        }
        let (contig, position, mapping_quality, cigar) = (next(), number(next()), number(next()), next());
        Some(Self {
            contig: (flags & UNMAPPED == 0).then(|| contig.into()),
            position,
            reverse: flags & REVERSE != 0,
            mapping_quality,
            cigar: cigar.into(),
            score: fields.find_map(|tag| tag.strip_prefix(b"AS:i:")).map_or(0, number),
        })
    }

    /// Whether both are at one place: contig, position, strand. Two unmapped reads are.
    #[must_use]
    pub fn is_in_place_of(&self, other: &Self) -> bool {
        self.contig == other.contig
            && (self.contig.is_none() || (self.position, self.reverse) == (other.position, other.reverse))
    }
}

fn number<T: std::str::FromStr>(text: &[u8]) -> T {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.expect("a number of a SAM record")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outcome_a_read() {
        let pair = b"r\t81\tchr1\t701\t60\t50M\t=\t500\t-251\tA\tI\tNM:i:0\tAS:i:50\n\
                     r\t2129\tchr2\t9\t3\t20M30H\t=\t500\t0\tA\tI\tAS:i:20\n\
                     r\t133\tchr1\t701\t0\t*\t=\t701\t0\tA\tI\tAS:i:0\n";
        let outcomes = Outcome::of_records(&[pair.to_vec(), Vec::new()]);
        let [first, second] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert_eq!((first.contig.as_deref(), first.position, first.reverse), (Some(&b"chr1"[..]), 701, true));
        assert_eq!((first.mapping_quality, &*first.cigar, first.score), (60, &b"50M"[..], 50));
        assert_eq!((second.contig.as_deref(), second.score), (None, 0));
        assert!(first.is_in_place_of(&Outcome { mapping_quality: 0, ..first.clone() }));
        assert!(!first.is_in_place_of(&Outcome { reverse: false, ..first.clone() }));
        assert!(!first.is_in_place_of(second) && second.is_in_place_of(&Outcome { position: 1, ..second.clone() }));
    }
}
