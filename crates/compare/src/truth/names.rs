//! Places that a simulated read names itself.

use seedsieve_simulate::PlaceInName;

use super::TruePlace;

/// The place in the name of a read; `mate` is 0 for an unpaired read, which is taken for a first mate.
pub(super) fn place_of(name: &str, mate: usize) -> Option<TruePlace> {
    Some(match PlaceInName::parse(name, mate == 2)? {
        PlaceInName::Foreign => TruePlace::Foreign,
        PlaceInName::Start { contig, start, reverse } => {
            TruePlace::Start { contig: contig.into_bytes(), start, reverse }
        }
        PlaceInName::EitherEnd { contig, start, end } => {
            TruePlace::EitherEnd { contig: contig.into_bytes(), start, end }
        }
    })
}

/// The place in a comment of mason (`--embed-read-info`), which `align -C` appends to the record:
///
/// ```text
/// SEQUENCE=NUMBER HAPLOTYPE=0 BEGIN_POS=START ... STRAND=F ...               both numbers count from 0
/// ```
pub(super) fn mason(comment: &[u8], contigs: &[(String, String)]) -> Option<TruePlace> {
    let comment = str::from_utf8(comment).ok().filter(|comment| comment.starts_with("SEQUENCE="))?;
    let value = |key: &str| comment.split(' ').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
    let number = |key: &str| value(key).filter(|text| !text.starts_with('+'))?.parse::<u32>().ok();
    let (contig, _) = contigs.get(number("SEQUENCE")? as usize)?;
    let reverse = match value("STRAND")? {
        "F" => false,
        "R" => true,
        _ => return None,
    };
    let start = u64::from(number("BEGIN_POS")?) + 1;
    Some(TruePlace::Start { contig: contig.clone().into_bytes(), start, reverse })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masons_comments_count_contigs_and_bases_from_0() {
        let contigs = [("chr1".to_owned(), "9".to_owned()), ("chr2".to_owned(), "9".to_owned())];
        let comment = b"SEQUENCE=1 HAPLOTYPE=0 BEGIN_POS=12088 SAMPLE_SEQUENCE=ACGT CIGAR=4M STRAND=R NUM_SNPS=0";
        let expected = TruePlace::Start { contig: b"chr2".to_vec(), start: 12_089, reverse: true };
        assert_eq!(mason(comment, &contigs), Some(expected));
        assert_eq!(mason(comment, &contigs[..1]), None);
        assert_eq!(mason(b"NM:i:0", &contigs), None);
        assert_eq!(mason(b"SEQUENCE=1 BEGIN_POS=-1 STRAND=F", &contigs), None);
    }
}
