use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noodles::bgzf::io::writer::CompressionLevel;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::bam::{BamEncoder, encode_header};
use crate::bgzf::BlockWriter;
#[cfg(feature = "htslib")]
use crate::cram::CramWriter;
use crate::destination::Destination;
use crate::header::SamHeader;
use crate::index::IndexBuilder;
use crate::placement::Placement;
use crate::sort::Sorter;
use crate::{FormatError, OutputFormat};

/// How alignments are written.
#[derive(Debug, Clone)]
pub struct WriterSettings {
    /// The format.
    pub format: OutputFormat,
    /// Sort by coordinate, and index where the format has an index.
    pub sort: Option<SortSettings>,
    /// The FASTA that CRAM is written against.
    pub reference: PathBuf,
}

impl WriterSettings {
    /// What can be told before there is a header: whether this format can go to this place.
    ///
    /// # Errors
    /// CRAM to a pipe, without its FASTA, or in a program that was built without htslib.
    pub fn check(&self, destination: &Destination) -> Result<(), FormatError> {
        if self.format != OutputFormat::Cram {
            return Ok(());
        }
        if !cfg!(feature = "htslib") {
            return Err(FormatError::NotBuilt { what: "writing CRAM" });
        }
        if !destination.is_regular_file() {
            return Err(FormatError::CramToPipe { path: destination.name().into() });
        }
        let found = std::fs::File::open(&self.reference);
        found
            .map(drop)
            .map_err(|reason| FormatError::Reference { path: self.reference.clone(), problem: reason.to_string() })
    }
}

/// How alignments are sorted.
#[derive(Debug, Clone)]
pub struct SortSettings {
    /// Memory that sorting may take, in bytes; beyond it, sorted runs go to disk.
    pub memory: u64,
    /// Where they go.
    pub folder: PathBuf,
}

/// Writes SAM text in any format, sorted where that is asked for.
///
/// Work is done on the given threads; the bytes do not depend on their number, nor on how the lines come in.
pub struct AlignmentWriter {
    pool: Arc<ThreadPool>,
    sorter: Option<Sorter>,
    sink: Sink,
}

/// Takes lines in their final order.
enum Sink {
    Sam(Destination),
    Blocks(Box<BlockSink>),
    #[cfg(feature = "htslib")]
    Cram(Box<CramWriter>),
}

struct BlockSink {
    path: PathBuf,
    blocks: BlockWriter<Destination>,
    /// `None` for SAM text.
    encoder: Option<BamEncoder>,
    index: Option<(IndexBuilder, SamHeader)>,
}

impl AlignmentWriter {
    /// Writes the header, which is SAM text, complete lines.
    ///
    /// # Errors
    /// A header without usable `@SQ` lines where the format or sorting needs them; for CRAM a pipe, or a FASTA that is
    /// not the reference.
    pub fn new(
        mut destination: Destination,
        header: Vec<u8>,
        settings: &WriterSettings,
        pool: Arc<ThreadPool>,
    ) -> Result<Self, FormatError> {
        if settings.format == OutputFormat::Sam && settings.sort.is_none() {
            destination.write_all(&header).map_err(FormatError::write(destination.name()))?;
            return Ok(Self { pool, sorter: None, sink: Sink::Sam(destination) });
        }
        let mut header = SamHeader::parse(header)?;
        let sorter = settings.sort.as_ref().map(|sort| Sorter::new(header.ids.clone(), sort.memory, &sort.folder));
        if sorter.is_some() {
            header.set_sorted();
        }
        let sink = match settings.format {
            OutputFormat::Sam => {
                destination.write_all(&header.text).map_err(FormatError::write(destination.name()))?;
                Sink::Sam(destination)
            }
            OutputFormat::BgzfSam | OutputFormat::Bam => {
                let is_bam = settings.format == OutputFormat::Bam;
                Sink::Blocks(Box::new(BlockSink::start(destination, header, is_bam, sorter.is_some(), &pool)?))
            }
            OutputFormat::Cram => cram_sink(destination, header, settings, &pool)?,
        };
        Ok(Self { pool, sorter, sink })
    }

    /// Writes records: complete lines, in elements of any number of them.
    ///
    /// # Errors
    /// A full disk, a closed pipe; a record that the format has no room for.
    pub fn write(&mut self, records: &[Vec<u8>]) -> Result<(), FormatError> {
        let Self { pool, sorter, sink } = self;
        match sorter {
            Some(sorter) => pool.install(|| records.iter().try_for_each(|lines| sorter.add(lines))),
            None => sink.write(records, pool),
        }
    }

    /// Writes what is left, gives the file its name, and then writes its index.
    ///
    /// # Errors
    /// As [`AlignmentWriter::write`].
    pub fn finish(self) -> Result<(), FormatError> {
        let Self { pool, sorter, mut sink } = self;
        if let Some(sorter) = sorter {
            pool.install(|| sorter.finish(|records| sink.write(records, &pool)))?;
        }
        match sink {
            Sink::Sam(destination) => destination.finish(),
            Sink::Blocks(sink) => pool.install(|| sink.finish()),
            #[cfg(feature = "htslib")]
            Sink::Cram(writer) => writer.finish(),
        }
    }
}

#[cfg(feature = "htslib")]
fn cram_sink(
    destination: Destination,
    header: SamHeader,
    settings: &WriterSettings,
    pool: &ThreadPool,
) -> Result<Sink, FormatError> {
    let (threads, with_index) = (pool.current_num_threads(), settings.sort.is_some());
    Ok(Sink::Cram(Box::new(CramWriter::create(destination, header, &settings.reference, threads, with_index)?)))
}

#[cfg(not(feature = "htslib"))]
fn cram_sink(_: Destination, _: SamHeader, _: &WriterSettings, _: &ThreadPool) -> Result<Sink, FormatError> {
    Err(FormatError::NotBuilt { what: "writing CRAM" })
}

impl Sink {
    fn write(&mut self, records: &[Vec<u8>], pool: &ThreadPool) -> Result<(), FormatError> {
        match self {
            Self::Sam(destination) => {
                let written = records.iter().try_for_each(|lines| destination.write_all(lines));
                written.map_err(|reason| FormatError::write(destination.name())(reason))
            }
            Self::Blocks(sink) => pool.install(|| sink.write(records)),
            #[cfg(feature = "htslib")]
            Self::Cram(writer) => records.iter().try_for_each(|lines| writer.write(lines)),
        }
    }
}

/// Records of some lines, as they go into the file.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    /// Bytes and place of each record; only where an index is made.
    places: Vec<(u64, Placement)>,
}

impl BlockSink {
    fn start(
        destination: Destination,
        header: SamHeader,
        is_bam: bool,
        sorted: bool,
        pool: &ThreadPool,
    ) -> Result<Self, FormatError> {
        let path = destination.name().to_owned();
        let with_index = sorted && destination.is_regular_file();
        let text = if is_bam { encode_header(&header) } else { header.text.clone() };
        let mut blocks = BlockWriter::new(destination, CompressionLevel::default());
        pool.install(|| blocks.write(&[&text])).map_err(FormatError::write(&path))?;
        let encoder = is_bam.then(|| BamEncoder::new(&header));
        let index = with_index.then(|| (IndexBuilder::new(&header, is_bam), header));
        Ok(Self { path, blocks, encoder, index })
    }

    fn write(&mut self, records: &[Vec<u8>]) -> Result<(), FormatError> {
        let parts = records.len().div_ceil(8 * rayon::current_num_threads()).max(1);
        let encoded: Vec<Encoded> =
            records.par_chunks(parts).map(|records| self.encode(records)).collect::<Result<_, _>>()?;
        let mut at = self.blocks.position();
        let bytes: Vec<&[u8]> = encoded.iter().map(|part| part.bytes.as_slice()).collect();
        self.blocks.write(&bytes).map_err(FormatError::write(&self.path))?;
        if let Some((index, _)) = &mut self.index {
            for (length, place) in encoded.iter().flat_map(|part| &part.places) {
                let (from, to) = (self.blocks.virtual_position(at), self.blocks.virtual_position(at + length));
                index.add(place, from, to).map_err(FormatError::write(&self.path))?;
                at += length;
            }
        }
        Ok(())
    }

    fn encode(&self, records: &[Vec<u8>]) -> Result<Encoded, FormatError> {
        let mut encoded = Encoded::default();
        let Self { encoder, index, .. } = self;
        if encoder.is_none() && index.is_none() {
            encoded.bytes = records.concat();
            return Ok(encoded);
        }
        for line in records.iter().flat_map(|lines| lines.split_inclusive(|&byte| byte == b'\n')) {
            let before = encoded.bytes.len();
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            match encoder {
                Some(encoder) => encoder.encode(bare, &mut encoded.bytes)?,
                None => encoded.bytes.extend_from_slice(line),
            }
            if let Some((_, header)) = index {
                let length = (encoded.bytes.len() - before) as u64;
                encoded.places.push((length, Placement::of_line(bare, &header.ids)?));
            }
        }
        Ok(encoded)
    }

    fn finish(self) -> Result<(), FormatError> {
        let destination = self.blocks.finish().map_err(FormatError::write(&self.path))?;
        destination.finish()?;
        match self.index {
            Some((index, _)) => index.write(&self.path),
            None => Ok(()),
        }
    }
}

/// Where sorted runs go unless the user names a folder: beside the output, or to the system's place for temporary files
/// where that is a pipe.
#[must_use]
pub fn default_sort_folder(destination: &Destination) -> PathBuf {
    let beside = destination.is_regular_file().then(|| destination.name().parent()).flatten();
    match beside {
        Some(folder) if folder.as_os_str().is_empty() => Path::new(".").into(),
        Some(folder) => folder.into(),
        None => std::env::temp_dir(),
    }
}
