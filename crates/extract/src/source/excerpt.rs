//! Regions of BAM and CRAM at addresses: of the file only those bytes are fetched that its index names.

use super::bam::{BamIndex, BamReader};
use super::{Input, InputKind};
use crate::{Excerpt, ExtractError, Regions};
use seedsieve_remote::{Address, Cache};
use std::ops::Range;
use std::path::Path;

/// Bytes at a file's start that tell its kind, and at its end that tell that it is whole.
const START: u64 = 1 << 16;
const END: u64 = 64;
/// Most bytes of a BGZF block (SAM specification, section 4.1).
const BGZF_BLOCK: u64 = 1 << 16;

/// Fetches what `regions` need of the BAM or CRAM at `address`, and its index, into a file of the same name in the cache, and
/// says which bytes are there. `reference` is the FASTA that CRAM is decoded with.
///
/// # Errors
/// [`ExtractError::NoIndexAtAddress`], [`ExtractError::RegionOfFastq`], [`ExtractError::Remote`], and those of a region and of
/// a broken header or index.
pub fn fetch_regions(
    cache: &Cache,
    address: &Address,
    reference: &Path,
    regions: &Regions,
) -> Result<(Input, Excerpt), ExtractError> {
    let mut remote = cache.excerpt(address)?;
    let path = remote.path().to_path_buf();
    let ends = [0..START, remote.size().saturating_sub(END)..remote.size()];
    remote.fetch(&ends)?;
    let kind = InputKind::of(&path)?;
    let endings: &[&str] = match kind {
        InputKind::Bam => &["bai", "csi"],
        InputKind::Cram => &["crai"],
        InputKind::Fastq => return Err(ExtractError::RegionOfFastq { path, kind: "FASTQ" }),
    };
    fetch_index(&remote, address, endings)?;
    let mut ranges = ends.to_vec();
    let input = match kind {
        #[cfg(feature = "htslib")]
        InputKind::Cram => {
            let index = super::crai::ContainerIndex::beside(&path)?;
            ranges.push(0..index.first_container());
            remote.fetch(&ranges)?;
            let (header, _) = super::cram::CramReader::open(&path, reference)?;
            ranges.extend(index.containers(&regions.on(&header, &path)?, remote.size()));
            Input::Cram(path.clone())
        }
        #[cfg(not(feature = "htslib"))]
        InputKind::Cram => {
            let _ = reference;
            return Err(ExtractError::CramNotBuilt { path });
        }
        _ => {
            let index = BamIndex::beside(&path)?.expect("it was fetched");
            // Without a record, the header is all there is.
            ranges.push(0..index.first_block.map_or(remote.size(), |block| block + BGZF_BLOCK));
            remote.fetch(&ranges)?;
            let (header, _) = BamReader::open(&path)?;
            let chunks = index.chunks(&regions.on(&header, &path)?)?;
            ranges.extend(chunks.iter().map(|chunk| chunk.start().compressed()..chunk.end().compressed() + BGZF_BLOCK));
            Input::Bam(path.clone())
        }
    };
    remote.fetch(&ranges)?;
    Ok((input, Excerpt { path, ranges: in_order(ranges, remote.size()) }))
}

/// Fetches the index with the first of the endings that there is: `a.bam.bai`, or `a.bai`.
fn fetch_index(remote: &seedsieve_remote::Excerpt, address: &Address, endings: &[&str]) -> Result<(), ExtractError> {
    for ending in endings {
        for index in [address.with_added_extension(ending), address.with_extension(ending)] {
            match remote.companion(&index, ending) {
                Ok(_) => return Ok(()),
                Err(error) if error.is_refused() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Err(ExtractError::NoIndexAtAddress { address: address.to_string(), endings: endings.join(", ") })
}

/// Sorted, joined where they touch, and cut at the file's end.
fn in_order(mut ranges: Vec<Range<u64>>, size: u64) -> Vec<Range<u64>> {
    ranges.iter_mut().for_each(|range| range.end = range.end.min(size));
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|later, earlier| {
        let touches = later.start <= earlier.end;
        if touches {
            earlier.end = earlier.end.max(later.end);
        }
        touches
    });
    ranges
}
