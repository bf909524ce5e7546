use crate::{ExtractError, SourceHeader};
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

/// Parts of the reference from which reads are taken, as they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    requests: Vec<Request>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Request {
    /// `CONTIG`, `CONTIG:START` or `CONTIG:START-END`, 1-based and inclusive, as samtools reads it.
    Text(String),
    /// A line of a BED file; 0-based, half-open.
    Line { place: String, contig: String, span: Range<u64> },
}

impl Regions {
    /// Adds a region: a contig, or `CONTIG:START-END` with 1-based ends that both belong to it. Without END it goes to the
    /// contig's end; commas in numbers are left out. Whether it exists is seen when a file is opened.
    pub fn add_text(&mut self, text: &str) {
        self.requests.push(Request::Text(text.to_owned()));
    }

    /// Adds the lines of a BED file (contig, 0-based start, end; further columns do not count).
    ///
    /// # Errors
    /// [`ExtractError::Io`], [`ExtractError::Region`] with the line that is none.
    pub fn add_bed(&mut self, path: &Path) -> Result<(), ExtractError> {
        let file = std::fs::File::open(path).map_err(ExtractError::io(path, "open"))?;
        let before = self.requests.len();
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(ExtractError::io(path, "read"))?;
            let is_header = ["#", "track", "browser"].iter().any(|start| line.starts_with(start));
            if line.trim().is_empty() || is_header {
                continue;
            }
            let place = format!("{}, line {}", path.display(), number + 1);
            let mut fields = line.split_whitespace();
            let (contig, start, end) = (fields.next(), fields.next(), fields.next());
            let number = |field: Option<&str>| field.and_then(|field| field.parse::<u64>().ok());
            match (contig, number(start), number(end)) {
                (Some(contig), Some(start), Some(end)) if start < end => {
                    self.requests.push(Request::Line { place, contig: contig.to_owned(), span: start..end });
                }
                _ => {
                    return Err(ExtractError::Region {
                        region: place,
                        problem: format!("`{line}` is not contig, start and end with start below end"),
                    });
                }
            }
        }
        if self.requests.len() == before {
            let problem = "no line with a region".to_owned();
            return Err(ExtractError::Region { region: path.display().to_string(), problem });
        }
        Ok(())
    }

    /// Whether none was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// As `dataset.json` states them: 1-based, both ends inclusive.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let text = |request: &Request| match request {
            Request::Text(text) => text.clone(),
            Request::Line { contig, span, .. } => format!("{contig}:{}-{}", span.start + 1, span.end),
        };
        self.requests.iter().map(text).collect()
    }

    /// The regions on the contigs of a file.
    pub(crate) fn on(&self, header: &SourceHeader, path: &Path) -> Result<RegionsOfFile, ExtractError> {
        let mut of_contig = vec![Vec::new(); header.contigs.len()];
        let find = |name: &str| header.contigs.iter().position(|contig| contig.name == name);
        for request in &self.requests {
            let (region, found) = match request {
                Request::Line { place, contig, span } => {
                    (format!("{contig} ({place})"), find(contig).map(|number| (number, Ok(span.clone()))))
                }
                Request::Text(text) => (text.clone(), place(text, find)),
            };
            let refused = |problem: String| ExtractError::Region { region: region.clone(), problem };
            let Some((number, span)) = found else {
                return Err(refused(format!(
                    "{} has no such contig; its contigs are {}",
                    path.display(),
                    some(header)
                )));
            };
            let length = header.contigs[number].length;
            let span = span.map_err(refused)?;
            if span.start >= length {
                return Err(refused(format!("starts behind the contig's end, {length} bases in {}", path.display())));
            }
            of_contig[number].push(span.start..span.end.min(length));
        }
        of_contig.iter_mut().for_each(merge);
        Ok(RegionsOfFile { of_contig })
    }
}

/// Number and span of `CONTIG[:START[-END]]`; a contig whose name has a colon counts first.
fn place(text: &str, find: impl Fn(&str) -> Option<usize>) -> Option<(usize, Result<Range<u64>, String>)> {
    if let Some(number) = find(text) {
        return Some((number, Ok(0..u64::MAX)));
    }
    let (contig, span) = text.rsplit_once(':')?;
    let number = find(contig)?;
    let position = |text: &str| text.replace(',', "").parse::<u64>().ok().filter(|&position| position > 0);
    let (start, end) = match span.split_once('-') {
        Some((start, end)) => (position(start), position(end)),
        None => (position(span), Some(u64::MAX)),
    };
    let span = match (start, end) {
        (Some(start), Some(end)) if start <= end => Ok(start - 1..end),
        _ => Err("not CONTIG:START-END with numbers from 1 on and START not above END".to_owned()),
    };
    Some((number, span))
}

/// The first names of a header, as a hint.
fn some(header: &SourceHeader) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = header.contigs.iter().take(SHOWN).map(|contig| contig.name.as_str()).collect();
    let more = if header.contigs.len() > SHOWN { ", ..." } else { "" };
    if names.is_empty() { "none: the file is not aligned".to_owned() } else { names.join(", ") + more }
}

/// Sorts spans and joins those that touch.
fn merge(spans: &mut Vec<Range<u64>>) {
    spans.sort_by_key(|span| span.start);
    spans.dedup_by(|later, earlier| {
        let touches = later.start <= earlier.end;
        if touches {
            earlier.end = earlier.end.max(later.end);
        }
        touches
    });
}

/// The regions of one file by the number of the contig; sorted, apart from one another, 0-based and half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegionsOfFile {
    of_contig: Vec<Vec<Range<u64>>>,
}

impl RegionsOfFile {
    /// Whether something at `span` of a contig lies in one of them, if only with a base.
    pub(crate) fn hold(&self, contig: usize, span: &Range<u64>) -> bool {
        let Some(regions) = self.of_contig.get(contig) else { return false };
        let next = regions.partition_point(|region| region.end <= span.start);
        regions.get(next).is_some_and(|region| region.start < span.end)
    }

    /// Contig and span of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Range<u64>)> {
        self.of_contig.iter().enumerate().flat_map(|(contig, spans)| spans.iter().map(move |span| (contig, span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(texts: &[&str]) -> Result<RegionsOfFile, String> {
        let header = SourceHeader::new(vec![("chr1".into(), 1000), ("HLA:01".into(), 50)], b"");
        let mut regions = Regions::default();
        texts.iter().for_each(|text| regions.add_text(text));
        regions.on(&header, Path::new("a.bam")).map_err(|error| error.to_string())
    }

    #[test]
    fn both_ends_of_a_region_belong_to_it() {
        let regions = on(&["chr1:101-1,000", "chr1:11-20", "chr1:15-30", "HLA:01"]).unwrap();
        let spans: Vec<_> = regions.iter().map(|(contig, span)| (contig, span.clone())).collect();
        assert_eq!(spans, [(0, 10..30), (0, 100..1000), (1, 0..50)]);
        assert!(regions.hold(0, &(0..11)) && !regions.hold(0, &(0..10)) && !regions.hold(0, &(30..100)));
        assert!(regions.hold(0, &(29..30)) && regions.hold(0, &(5..500)) && !regions.hold(7, &(0..9)));
        assert_eq!(on(&["chr1:991"]).unwrap().of_contig[0], vec![990..1000]);
        assert_eq!(on(&["HLA:01:2-3"]).unwrap().of_contig[1], vec![1..3]);
    }

    #[test]
    fn what_is_no_region_is_told_with_what_would_be() {
        assert!(on(&["chr2:1-5"]).unwrap_err().contains("its contigs are chr1, HLA:01"));
        assert!(on(&["chr1:0-5"]).unwrap_err().contains("numbers from 1 on"));
        assert!(on(&["chr1:9-5"]).unwrap_err().contains("START not above END"));
        assert!(on(&["chr1:x"]).unwrap_err().contains("chr1:x"));
        assert!(on(&["chr1:1001-2000"]).unwrap_err().contains("1000 bases in a.bam"));
    }

    #[test]
    fn lines_of_bed_are_half_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bed");
        std::fs::write(&path, "track name=x\n#c\nchr1\t10\t20\tname\n\nchr1 30 40\n").unwrap();
        let mut regions = Regions::default();
        regions.add_bed(&path).unwrap();
        assert_eq!(regions.texts(), ["chr1:11-20", "chr1:31-40"]);
        std::fs::write(&path, "chr1\t10\t20\nchr1\t20\t20\n").unwrap();
        let error = Regions::default().add_bed(&path).unwrap_err().to_string();
        assert!(error.contains("a.bed, line 2"), "{error}");
        std::fs::write(&path, "#nothing\n").unwrap();
        assert!(Regions::default().add_bed(&path).unwrap_err().to_string().contains("no line"));
    }
}
