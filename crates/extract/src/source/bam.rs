use super::record::AlignmentRecord;
use super::{RecordReader, SourceHeader};
use crate::ExtractError;
use crate::regions::RegionsOfFile;
use noodles::bam::{self, record::Record};
use noodles::bgzf;
use noodles::core::Position;
use noodles::csi::binning_index::index::reference_sequence::bin::Chunk;
use noodles::csi::{self, BinningIndex};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The empty block that ends each BGZF file (SAM specification, section 4.1.2).
const END_OF_FILE: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// CIGAR operations in the order of their codes (section 4.2.1).
const OPERATIONS: &[u8; 9] = b"MIDNSHP=X";
/// Quality that stands for "none" (section 4.2.3).
const NO_QUALITY: u8 = 0xff;

/// Bytes of a record without a name, CIGAR, sequence and tags (section 4.2).
const MIN_RECORD_BYTES: u32 = 32;
/// Above the longest reads with all their tags: a broken size must not ask for gigabytes of memory.
const MAX_RECORD_BYTES: u32 = 1 << 26;

/// Reads the records of a BAM.
pub(crate) struct BamReader {
    path: PathBuf,
    reader: bam::io::Reader<SizeAhead>,
    record: Record,
    records: u64,
    /// Where the records of the regions lie, the next one last; `None` where the file is read through.
    chunks: Option<Vec<Chunk>>,
    /// End of the chunk that is being read.
    chunk_end: bgzf::VirtualPosition,
}

impl BamReader {
    pub(crate) fn open(path: &Path) -> Result<(SourceHeader, Self), ExtractError> {
        let mut file = File::open(path).map_err(ExtractError::io(path, "open"))?;
        check_end(&mut file, path)?;
        let mut reader = bam::io::Reader::from(SizeAhead::new(bgzf::io::Reader::new(file)));
        let header = read_header(&mut reader)
            .map_err(|error| ExtractError::Header { path: path.into(), problem: error.to_string() })?;
        let path = path.into();
        let chunk_end = bgzf::VirtualPosition::default();
        Ok((header, Self { path, reader, record: Record::default(), records: 0, chunks: None, chunk_end }))
    }

    /// Reads only where the index has records of the regions (and some beside them); without an index, all.
    ///
    /// # Errors
    /// [`ExtractError::Index`] for an index that cannot be used.
    pub(crate) fn skip_to(&mut self, regions: &RegionsOfFile) -> Result<(), ExtractError> {
        match BamIndex::beside(&self.path)? {
            Some(index) => self.chunks = Some(index.chunks(regions)?),
            None => tracing::info!("{}: no index (.bai or .csi): the file is read through", self.path.display()),
        }
        Ok(())
    }

    /// Goes to the next chunk where the last one is at its end; whether there is more to read.
    fn is_in_chunk(&mut self) -> io::Result<bool> {
        let Some(chunks) = &mut self.chunks else { return Ok(true) };
        let inner = &mut self.reader.get_mut().inner;
        if inner.virtual_position() < self.chunk_end {
            return Ok(true);
        }
        let Some(next) = chunks.pop() else { return Ok(false) };
        inner.seek(next.start())?;
        self.chunk_end = next.end();
        Ok(true)
    }

    fn error(&self, problem: &io::Error) -> ExtractError {
        let byte = self.reader.get_ref().inner.virtual_position().compressed();
        ExtractError::Record {
            path: self.path.clone(),
            record: self.records,
            problem: format!("{problem} (BGZF block at byte {byte}); the file is truncated or corrupt, copy it again"),
        }
    }
}

/// Decompressed BAM whose next four bytes, the size of a record, can be looked at before they are read.
struct SizeAhead {
    inner: bgzf::io::Reader<File>,
    /// At its end: nothing was looked at.
    ahead: io::Cursor<[u8; 4]>,
}

impl SizeAhead {
    fn new(inner: bgzf::io::Reader<File>) -> Self {
        let mut ahead = io::Cursor::new([0; 4]);
        ahead.set_position(4);
        Self { inner, ahead }
    }

    /// The number that stands next, or `None` at the end of the data.
    fn look_at_size(&mut self) -> io::Result<Option<u32>> {
        let mut size = Vec::with_capacity(4);
        self.inner.by_ref().take(4).read_to_end(&mut size)?;
        if size.is_empty() {
            return Ok(None);
        }
        let size = size.try_into().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        self.ahead = io::Cursor::new(size);
        Ok(Some(u32::from_le_bytes(size)))
    }
}

impl Read for SizeAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.ahead.read(buffer)? {
            0 => self.inner.read(buffer),
            count => Ok(count),
        }
    }
}

/// The index of a BAM.
pub(super) struct BamIndex {
    path: PathBuf,
    index: Box<dyn BinningIndex>,
    /// Byte of the file at which the block with its first record starts.
    #[cfg_attr(
        not(feature = "remote"),
        expect(dead_code, reason = "files that are there need not know where to look")
    )]
    pub(super) first_block: Option<u64>,
}

impl BamIndex {
    /// The index beside a BAM: `a.bam.bai`, `a.bai`, `a.bam.csi` or `a.csi`; `None` where there is none.
    pub(super) fn beside(bam: &Path) -> Result<Option<Self>, ExtractError> {
        for suffix in ["bai", "csi"] {
            for path in [bam.with_added_extension(suffix), bam.with_extension(suffix)] {
                if !path.is_file() {
                    continue;
                }
                let index: io::Result<(Box<dyn BinningIndex>, _)> = match suffix {
                    "bai" => bam::bai::fs::read(&path).map(with_first_block),
                    _ => csi::fs::read(&path).map(with_first_block),
                };
                let (index, first_block) = index.map_err(|error| ExtractError::index(&path, &error))?;
                return Ok(Some(Self { path, index, first_block }));
            }
        }
        Ok(None)
    }

    /// Where the records of the regions lie, and some beside them: from the last to the first, so that the next one is
    /// taken off the end; apart from one another, so that a record is read once.
    pub(super) fn chunks(&self, regions: &RegionsOfFile) -> Result<Vec<Chunk>, ExtractError> {
        let mut chunks = Vec::new();
        for (contig, span) in regions.iter() {
            let position = |zero_based: u64| Position::try_from(zero_based as usize + 1);
            let found = match (position(span.start), position(span.end - 1)) {
                (Ok(start), Ok(end)) => self.index.query(contig, (start..=end).into()),
                _ => Ok(Vec::new()),
            };
            chunks.extend(found.map_err(|error| ExtractError::index(&self.path, &error))?);
        }
        chunks.sort_by_key(|chunk: &Chunk| std::cmp::Reverse(chunk.start()));
        let mut merged: Vec<Chunk> = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            match merged.last_mut() {
                Some(later) if chunk.end() >= later.start() => {
                    *later = Chunk::new(chunk.start(), chunk.end().max(later.end()));
                }
                _ => merged.push(chunk),
            }
        }
        Ok(merged)
    }
}

fn with_first_block<I>(index: csi::binning_index::Index<I>) -> (Box<dyn BinningIndex>, Option<u64>)
where
    I: csi::binning_index::index::reference_sequence::Index + 'static,
{
    let bins = index.reference_sequences().iter().flat_map(|sequence| sequence.bins().values());
    let first_block = bins.flat_map(|bin| bin.chunks()).map(|chunk| chunk.start().compressed()).min();
    (Box::new(index), first_block)
}

fn check_end(file: &mut File, path: &Path) -> Result<(), ExtractError> {
    let size = file.metadata().map_err(ExtractError::io(path, "read"))?.len();
    let mut end = [0; END_OF_FILE.len()];
    if size >= end.len() as u64 {
        file.seek(SeekFrom::End(-(end.len() as i64)))
            .and_then(|_| file.read_exact(&mut end))
            .and_then(|()| file.rewind())
            .map_err(ExtractError::io(path, "read"))?;
    }
    if end == END_OF_FILE { Ok(()) } else { Err(ExtractError::Truncated { path: path.into(), size }) }
}

fn read_header(reader: &mut bam::io::Reader<SizeAhead>) -> io::Result<SourceHeader> {
    let mut header_reader = reader.header_reader();
    header_reader.read_magic_number()?;
    let mut text = Vec::new();
    {
        let mut text_reader = header_reader.raw_sam_header_reader()?;
        text_reader.read_to_end(&mut text)?;
        text_reader.discard_to_end()?;
    }
    let contigs = header_reader
        .read_reference_sequences()?
        .into_iter()
        .map(|(name, map)| (name.to_string(), map.length().get() as u64))
        .collect();
    Ok(SourceHeader::new(contigs, &text))
}

impl RecordReader for BamReader {
    fn next_record(&mut self) -> Result<Option<AlignmentRecord>, ExtractError> {
        self.records += 1;
        if !self.is_in_chunk().map_err(|error| self.error(&error))? {
            return Ok(None);
        }
        let size = self.reader.get_mut().look_at_size().map_err(|error| self.error(&error))?;
        // A size of 0 would pass for the end of the file, and hide the records behind it.
        match size {
            None => return Ok(None),
            Some(MIN_RECORD_BYTES..=MAX_RECORD_BYTES) => {}
            Some(size) => {
                let problem = format!("has {size} bytes, valid are {MIN_RECORD_BYTES} to {MAX_RECORD_BYTES}");
                return Err(self.error(&io::Error::new(io::ErrorKind::InvalidData, problem)));
            }
        }
        match self.reader.read_record(&mut self.record) {
            Ok(0) => Ok(None),
            Ok(_) => decode(&self.record).map(Some).map_err(|error| self.error(&error)),
            Err(error) => Err(self.error(&error)),
        }
    }
}

fn decode(record: &Record) -> io::Result<AlignmentRecord> {
    let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
    let cigar = record
        .cigar()
        .as_bytes()
        .chunks_exact(4)
        .map(|chunk| {
            let packed = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
            let code = packed & 0xf;
            OPERATIONS
                .get(code as usize)
                .map(|&operation| (operation, packed >> 4))
                .ok_or_else(|| invalid(format!("CIGAR operation code {code}, valid are 0 to 8")))
        })
        .collect::<io::Result<_>>()?;
    let qualities = record.quality_scores().as_bytes();
    let bases: Vec<u8> = record.sequence().iter().collect();
    let read_group = match record.data().get(b"RG") {
        Some(value) => match value? {
            noodles::sam::alignment::record::data::field::Value::String(group) => Some(group.to_vec()),
            _ => None,
        },
        None => None,
    };
    Ok(AlignmentRecord {
        name: record.name().map(|name| name.to_vec()).unwrap_or_default(),
        flags: u16::from(record.flags()),
        contig: record.reference_sequence_id().transpose()?,
        position: record.alignment_start().transpose()?.map(|start| start.get() as u64 - 1),
        mapping_quality: record.mapping_quality().map_or(255, u8::from),
        cigar,
        qualities: qualities.iter().any(|&quality| quality != NO_QUALITY).then(|| qualities.to_vec()),
        bases,
        read_group,
    })
}
