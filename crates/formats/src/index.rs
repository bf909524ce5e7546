use std::io;
use std::path::{Path, PathBuf};

use noodles::bam::bai;
use noodles::bgzf::VirtualPosition;
use noodles::core::Position;
use noodles::csi;
use noodles::csi::binning_index::Indexer;
use noodles::csi::binning_index::index::reference_sequence::bin::Chunk;
use noodles::csi::binning_index::index::reference_sequence::index::{BinnedIndex, LinearIndex};

use crate::header::SamHeader;
use crate::placement::Placement;
use crate::{FormatError, OutputFile};

/// Bits of the smallest bin, 16 kb, in either index (SAM specification, section 5.3; CSI specification).
const MIN_SHIFT: u8 = 14;
/// Depth of BAI's bins; each level has eight times the bins of the one above.
const BAI_DEPTH: u8 = 5;
/// Bases that BAI reaches to: 2^29.
const BAI_BASES: u64 = 1 << (MIN_SHIFT + 3 * BAI_DEPTH);

/// Collects where the records of a file lie that is sorted by coordinate.
pub(crate) struct IndexBuilder {
    indexer: AnyIndexer,
    contigs: usize,
}

enum AnyIndexer {
    Bai(Indexer<LinearIndex>),
    Csi(Indexer<BinnedIndex>),
}

impl IndexBuilder {
    /// A BAI where its format and contigs allow one, else a CSI.
    pub fn new(header: &SamHeader, is_bam: bool) -> Self {
        let longest = header.contigs.iter().map(|(_, length)| u64::from(*length)).max().unwrap_or_default();
        let indexer = if is_bam && longest <= BAI_BASES {
            AnyIndexer::Bai(Indexer::default())
        } else {
            let depth =
                (BAI_DEPTH..).find(|depth| 1 << (MIN_SHIFT + 3 * depth) >= longest).expect("lengths are 31 bits");
            AnyIndexer::Csi(Indexer::new(MIN_SHIFT, depth).expect("within the index's numbers"))
        };
        Self { indexer, contigs: header.contigs.len() }
    }

    /// Adds the next record, which lies at `from..to` of the file.
    pub fn add(&mut self, placement: &Placement, from: VirtualPosition, to: VirtualPosition) -> io::Result<()> {
        let position = |base: u32| Position::new(base as usize).expect("1-based");
        let place = placement
            .contig
            .map(|contig| (contig as usize, position(placement.start + 1), position(placement.end), placement.mapped));
        let chunk = Chunk::new(from, to);
        let added = match &mut self.indexer {
            AnyIndexer::Bai(indexer) => indexer.add_record(place, chunk),
            AnyIndexer::Csi(indexer) => indexer.add_record(place, chunk),
        };
        added.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Writes the index of `path` beside it.
    pub fn write(self, path: &Path) -> Result<(), FormatError> {
        let place = self.path(path);
        let mut file = OutputFile::create(&place)?;
        let written = match self.indexer {
            AnyIndexer::Bai(indexer) => bai::io::Writer::new(&mut file).write_index(&indexer.build(self.contigs)),
            AnyIndexer::Csi(indexer) => {
                let mut writer = csi::io::Writer::new(&mut file);
                let written = writer.write_index(&indexer.build(self.contigs));
                written.and_then(|()| writer.into_inner().finish().map(drop))
            }
        };
        written.map_err(FormatError::write(&place))?;
        file.finish()
    }

    fn path(&self, path: &Path) -> PathBuf {
        let suffix = match self.indexer {
            AnyIndexer::Bai(_) => "bai",
            AnyIndexer::Csi(_) => "csi",
        };
        path.with_added_extension(suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suffix(length: u32, is_bam: bool) -> PathBuf {
        let header = SamHeader::parse(format!("@SQ\tSN:c\tLN:{length}\n").into_bytes()).unwrap();
        IndexBuilder::new(&header, is_bam).path(Path::new("x"))
    }

    #[test]
    fn a_contig_that_bai_cannot_hold_gets_a_csi() {
        assert_eq!(suffix(1 << 29, true), Path::new("x.bai"));
        assert_eq!(suffix((1 << 29) + 1, true), Path::new("x.csi"));
        assert_eq!(suffix(500, false), Path::new("x.csi"));
    }
}
