//! Where the containers of a CRAM lie, as its index (`.crai`) has it.

use super::cram::find_index;
use crate::ExtractError;
use crate::regions::RegionsOfFile;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

/// The containers of a CRAM, in the order of the file.
pub(super) struct ContainerIndex {
    slices: Vec<Slice>,
}

/// A line of the index: one slice, or the part of a slice that lies on one contig (CRAM specification, section 12).
struct Slice {
    /// Number of the contig; negative for reads without a place.
    contig: i64,
    /// 0-based, half-open.
    span: Range<u64>,
    /// First byte of the container in the file.
    container: u64,
}

impl ContainerIndex {
    /// Reads the index beside a CRAM.
    ///
    /// # Errors
    /// [`ExtractError::Index`] where a line is none.
    pub(super) fn beside(cram: &Path) -> Result<Self, ExtractError> {
        let path = find_index(cram).unwrap_or_else(|| cram.with_added_extension("crai"));
        Self::read(&path).map_err(|error| ExtractError::index(&path, &error))
    }

    fn read(path: &Path) -> io::Result<Self> {
        let text = BufReader::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(File::open(path)?)));
        let mut slices = Vec::new();
        for line in text.lines() {
            let line = line?;
            let slice = slice(&line).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("line {}: `{line}`", slices.len() + 1))
            })?;
            slices.push(slice);
        }
        if slices.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
        }
        slices.sort_by_key(|slice| slice.container);
        Ok(Self { slices })
    }

    /// Where the first container of reads starts, and so the header ends.
    pub(super) fn first_container(&self) -> u64 {
        self.slices[0].container
    }

    /// Bytes of the containers that hold reads of the regions, and of what htslib looks at besides: the last one that starts
    /// before a region, and those behind the region's, up to one that is of one contig only and tells that no more follow.
    pub(super) fn containers(&self, regions: &RegionsOfFile, size: u64) -> Vec<Range<u64>> {
        let containers: Vec<&[Slice]> = self.slices.chunk_by(|one, next| one.container == next.container).collect();
        let start_of = |number: usize| containers.get(number).map_or(size, |slices| slices[0].container);
        let mut starts = Vec::new();
        for (contig, span) in regions.iter() {
            let before = |slice: &&Slice| slice.contig == contig as i64 && slice.span.start <= span.start;
            starts.extend(
                self.slices.iter().filter(before).max_by_key(|slice| slice.span.start).map(|slice| slice.container),
            );
        }
        let mut ranges = Vec::new();
        let mut is_followed = false;
        for (number, slices) in containers.iter().enumerate() {
            let holds =
                |slice: &Slice| usize::try_from(slice.contig).is_ok_and(|contig| regions.hold(contig, &slice.span));
            let holds = slices.iter().any(holds) || starts.contains(&slices[0].container);
            if holds || is_followed {
                ranges.push(start_of(number)..start_of(number + 1));
            }
            let of_one_contig = slices.iter().all(|slice| slice.contig == slices[0].contig);
            is_followed = holds || (is_followed && !of_one_contig);
        }
        ranges
    }
}

/// Contig, 1-based start, bases, container; the rest places the slice within it.
fn slice(line: &str) -> Option<Slice> {
    let mut fields = line.split('\t');
    let mut number = || fields.next()?.parse::<i64>().ok();
    let (contig, start, bases, container) = (number()?, number()?, number()?, number()?);
    let start = u64::try_from(start - 1).unwrap_or(0);
    let span = start..start + u64::try_from(bases).ok()?.max(1);
    Some(Slice { contig, span, container: u64::try_from(container).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Regions, SourceHeader};

    #[test]
    fn containers_of_a_region_come_with_the_one_that_ends_it() {
        let lines = [
            "0\t1\t1000\t100\t10\t50",
            "0\t950\t1000\t200\t10\t50",
            "0\t1900\t500\t300\t10\t50",
            "0\t2390\t10\t400\t10\t50",
            "1\t1\t60\t400\t10\t50",
            "1\t61\t60\t500\t10\t50",
            "-1\t0\t0\t600\t10\t50",
        ];
        let index = ContainerIndex { slices: lines.map(|line| slice(line).unwrap()).into() };
        let header = SourceHeader::new(vec![("chr1".into(), 5000), ("chr2".into(), 5000)], b"");
        let of = |region: &str| {
            let mut regions = Regions::default();
            regions.add_text(region);
            index.containers(&regions.on(&header, Path::new("a.cram")).unwrap(), 700)
        };
        assert_eq!(index.first_container(), 100);
        assert_eq!(of("chr1:10-20"), [100..200, 200..300]);
        // The container of two contigs may hold more, and the one behind it ends that.
        assert_eq!(of("chr1:1950-1960"), [300..400, 400..500, 500..600]);
        assert_eq!(of("chr2:100"), [500..600, 600..700]);
        assert_eq!(of("chr1:4000-4100"), [400..500, 500..600]);
        assert!(slice("0\t1\tx\t100").is_none() && slice("0\t1\t2").is_none());
    }
}
