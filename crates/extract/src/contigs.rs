use crate::{ExtractError, SourceHeader};
use seedsieve_aligner::Contig;
use std::collections::HashMap;
use std::path::Path;

/// Where a contig of the index lies in the source's reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    /// Number of the contig in the source's header.
    contig: usize,
    /// 0-based position there of the index contig's first base.
    offset: u64,
    /// Bases of the index contig.
    length: u64,
}

/// Which contigs of the index are which of the source's.
///
/// A contig of the index belongs to one of the source if it has
/// * the same name, or
/// * the name `CONTIG:START-END` (1-based, inclusive, as samtools names a region) and END - START + 1 bases, or
/// * either with a leading `ASSEMBLY_`, or the name `ASSEMBLY_CONTIG_START_END`, also with a further `_WORD`, where the
///   source's header names that assembly for the contig (AS, UR) or a read group (DS): without that, `hg19_chr1` and
///   `GRCh38_chr1` could not be told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContigMap {
    origins: Vec<Option<Origin>>,
}

impl ContigMap {
    /// Matches the contigs of the index with those of `header`, which was read from `path`.
    ///
    /// `index_md5` gives the MD5 (lower-case hexadecimal) of a contig of the index, or `None` where its sequence is not
    /// known exactly; it is asked for whole contigs whose M5 the header states.
    ///
    /// # Errors
    /// [`ExtractError::OtherReferenceLength`] and [`ExtractError::OtherReferenceSequence`] where a contig of the same
    /// name differs.
    pub fn new(
        index: &[Contig],
        header: &SourceHeader,
        path: &Path,
        mut index_md5: impl FnMut(usize) -> Option<String>,
    ) -> Result<Self, ExtractError> {
        let by_name: HashMap<&str, usize> =
            header.contigs.iter().enumerate().map(|(number, contig)| (contig.name.as_str(), number)).collect();
        let mut origins = Vec::with_capacity(index.len());
        for (number, contig) in index.iter().enumerate() {
            let Some(&same) = by_name.get(contig.name.as_str()) else {
                origins.push(origin_of_region(contig, &by_name, header));
                continue;
            };
            let source = &header.contigs[same];
            if source.length != contig.length {
                return Err(ExtractError::OtherReferenceLength {
                    path: path.into(),
                    contig: contig.name.clone(),
                    source_length: source.length,
                    index_length: contig.length,
                });
            }
            if let Some(source_md5) = &source.md5
                && let Some(index_md5) = index_md5(number)
                && !source_md5.eq_ignore_ascii_case(&index_md5)
            {
                return Err(ExtractError::OtherReferenceSequence {
                    path: path.into(),
                    contig: contig.name.clone(),
                    source_md5: source_md5.clone(),
                    index_md5,
                });
            }
            origins.push(Some(Origin { contig: same, offset: 0, length: contig.length }));
        }
        Ok(Self { origins })
    }

    /// Contigs of the index that the source knows.
    #[must_use]
    pub fn matched(&self) -> usize {
        self.origins.iter().flatten().count()
    }

    /// The source's contig and the 0-based position there of position `position` of the index's contig `contig`.
    #[must_use]
    pub fn to_source(&self, contig: usize, position: u64) -> Option<(usize, u64)> {
        let origin = self.origins.get(contig).copied().flatten()?;
        Some((origin.contig, origin.offset + position))
    }

    /// Whether some contig of the index overlaps the 0-based half-open `span` of the source's contig `contig`.
    #[must_use]
    pub fn covers(&self, contig: usize, span: &std::ops::Range<u64>) -> bool {
        self.origins.iter().flatten().any(|origin| {
            origin.contig == contig && span.start < origin.offset + origin.length && origin.offset < span.end
        })
    }
}

fn origin_of_region(contig: &Contig, by_name: &HashMap<&str, usize>, header: &SourceHeader) -> Option<Origin> {
    let find = |name: &str| by_name.get(name).copied();
    let find_with_assembly = |name: &str| {
        name.match_indices('_').find_map(|(underscore, _)| {
            let (assembly, rest) = (&name[..underscore], &name[underscore + 1..]);
            find(rest).filter(|&number| header.names_assembly(number, assembly))
        })
    };
    let whole = |number: usize| {
        (header.contigs[number].length == contig.length).then_some(Origin {
            contig: number,
            offset: 0,
            length: contig.length,
        })
    };
    let region = |number: usize, start: u64, end: u64| {
        let fits = start >= 1
            && end.checked_sub(start).is_some_and(|span| span + 1 == contig.length)
            && end <= header.contigs[number].length;
        fits.then(|| Origin { contig: number, offset: start - 1, length: contig.length })
    };
    if let Some((name, interval)) = contig.name.rsplit_once(':')
        && let Some((start, end)) = parse_interval(interval, '-')
    {
        return find(name).or_else(|| find_with_assembly(name)).and_then(|number| region(number, start, end));
    }
    if let Some((name, start, end)) = split_underscored(&contig.name) {
        return find_with_assembly(name).and_then(|number| region(number, start, end));
    }
    find_with_assembly(&contig.name).and_then(whole)
}

fn parse_interval(text: &str, separator: char) -> Option<(u64, u64)> {
    let (start, end) = text.split_once(separator)?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

/// `NAME_START_END` or `NAME_START_END_WORD`.
fn split_underscored(name: &str) -> Option<(&str, u64, u64)> {
    let split = |name| {
        let mut fields = str::rsplitn(name, 3, '_');
        let (end, start) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((fields.next()?, start, end))
    };
    split(name).or_else(|| split(name.rsplit_once('_')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceContig;

    fn header(text: &str) -> SourceHeader {
        let contigs = vec![("chr21".to_owned(), 46_709_983), ("HLA-A*01:01".to_owned(), 3503)];
        SourceHeader::new(contigs, text.as_bytes())
    }

    const GRCH38: &str = "@SQ\tSN:chr21\tLN:46709983\tM5:974dc7aec0b755b19f031418fdedf293\tUR:/references/GRCh38.fa\n";

    fn map(name: &str, length: u64, text: &str, md5: Option<&str>) -> Result<ContigMap, ExtractError> {
        let index = [Contig { name: name.into(), length, is_alt: false }];
        ContigMap::new(&index, &header(text), "a.bam".as_ref(), |_| md5.map(str::to_owned))
    }

    fn origin(name: &str, length: u64) -> Option<(usize, u64)> {
        map(name, length, GRCH38, None).unwrap().to_source(0, 5)
    }

    #[test]
    fn regions_are_found_by_name_start_and_end() {
        assert_eq!(origin("chr21", 46_709_983), Some((0, 5)));
        assert_eq!(origin("chr21:101-300", 200), Some((0, 105)));
        assert_eq!(origin("GRCh38_chr21:101-300", 200), Some((0, 105)));
        assert_eq!(origin("GRCh38_chr21_101_300", 200), Some((0, 105)));
        assert_eq!(origin("GRCh38_chr21_101_300_mdref", 200), Some((0, 105)));
        assert_eq!(origin("HLA-A*01:01", 3503), Some((1, 5)));
    }

    #[test]
    fn what_could_be_another_place_is_left_unknown() {
        assert_eq!(origin("chr21:101-300", 199), None, "length and interval differ");
        assert_eq!(origin("chr21:46709983-46709984", 2), None, "beyond the contig");
        assert_eq!(origin("chr22:101-300", 200), None, "no such contig");
        assert_eq!(origin("hg19_chr21:101-300", 200), None, "another assembly");
        assert_eq!(origin("chr21_101_300", 200), None, "no assembly named");
        assert_eq!(origin("chr21:0-199", 200), None, "1-based");
    }

    #[test]
    fn a_contig_of_another_length_is_another_reference() {
        let error = map("chr21", 48_129_895, GRCH38, None).unwrap_err().to_string();
        assert!(error.contains("46709983") && error.contains("48129895") && error.contains("not the BAM's"), "{error}");
    }

    #[test]
    fn a_contig_of_another_md5_is_another_reference() {
        let error = map("chr21", 46_709_983, GRCH38, Some("00")).unwrap_err().to_string();
        assert!(error.contains("974dc7aec0b755b19f031418fdedf293"), "{error}");
        map("chr21", 46_709_983, GRCH38, Some("974DC7AEC0B755B19F031418FDEDF293")).unwrap();
    }

    #[test]
    fn only_alignments_within_the_index_count_as_covered() {
        let map = map("chr21:101-300", 200, GRCH38, None).unwrap();
        assert!(map.covers(0, &(0..101)) && map.covers(0, &(299..400)));
        assert!(!map.covers(0, &(0..100)) && !map.covers(0, &(300..400)) && !map.covers(1, &(0..1000)));
        assert_eq!(map.matched(), 1);
    }

    #[test]
    fn the_header_keeps_what_the_contigs_are_matched_by() {
        let contig = &header(GRCH38).contigs[0];
        let SourceContig { name, length, md5, .. } = contig;
        assert_eq!((name.as_str(), *length), ("chr21", 46_709_983));
        assert_eq!(md5.as_deref(), Some("974dc7aec0b755b19f031418fdedf293"));
    }
}
