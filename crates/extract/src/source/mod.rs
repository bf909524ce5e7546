//! Reads, with what their source says of them, from BAM, CRAM and FASTQ.

mod bam;
#[cfg(all(feature = "htslib", feature = "remote"))]
mod crai;
#[cfg(feature = "htslib")]
mod cram;
#[cfg(feature = "remote")]
mod excerpt;
mod fastq;
mod header;
mod kind;
mod mates;
mod record;

#[cfg(feature = "remote")]
pub use excerpt::fetch_regions;
pub use header::{SourceContig, SourceHeader};
pub use kind::{Input, InputKind};

use crate::path::AlignmentPath;
use crate::regions::RegionsOfFile;
use crate::sampling::Sampler;
use crate::{ContigMap, ExtractError, Regions};
use mates::MateJoiner;
use record::{AlignmentRecord, Omitted};
use seedsieve_aligner::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the source says of a read.
#[derive(Debug, Clone)]
pub(crate) struct SourceAlignment {
    /// MAPQ; `None` for 255, which means unavailable.
    pub mapping_quality: Option<u8>,
    /// The alignment; `None` for an unmapped read.
    pub path: Option<AlignmentPath>,
    /// Where the index's contigs lie in the source's reference.
    pub contigs: Arc<ContigMap>,
}

/// One read as it left the sequencer, with what its source says of it.
#[derive(Debug, Clone)]
pub(crate) struct SourceRead {
    pub read: Read,
    /// 0 unpaired, 1 first, 2 second.
    pub mate: u8,
    pub sample: Arc<str>,
    /// File that the read came from.
    pub path: Arc<Path>,
    /// `None` where the source has no alignments (FASTQ).
    pub alignment: Option<SourceAlignment>,
}

/// What is aligned together.
#[derive(Debug)]
pub(crate) enum Unit {
    Pair(Box<[SourceRead; 2]>),
    Single(Box<SourceRead>),
}

/// Records of BAM or CRAM, in the order of the file.
pub(crate) trait RecordReader {
    /// The next record, or `None` at the end.
    fn next_record(&mut self) -> Result<Option<AlignmentRecord>, ExtractError>;
}

/// Records that were not used, and reads without their mate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Secondary and supplementary records.
    pub not_primary: u64,
    /// Records flagged as duplicates.
    pub duplicates: u64,
    /// Records without a sequence (`*`).
    pub without_sequence: u64,
    /// Paired reads whose mate never came; used as single reads at the end of their file.
    pub without_mate: u64,
    /// Paired reads that were used as single reads because too many waited for their mates.
    pub released_early: u64,
}

/// The units of one input.
pub(crate) enum UnitSource {
    Alignments(Box<AlignmentUnits>),
    Fastq(Box<fastq::FastqUnits>),
}

/// How an input is opened.
pub(crate) struct OpenOptions<'a> {
    /// Overrides the sample's name.
    pub sample: Option<&'a str>,
    /// FASTA that CRAM is decoded with.
    pub reference: &'a Path,
    /// Only reads of these regions.
    pub regions: &'a Regions,
    /// Paired reads that may wait for their mates.
    pub waiting_mates: usize,
    /// Keeps only these names.
    pub sampler: Option<Arc<Sampler>>,
}

impl UnitSource {
    pub(crate) fn open(
        input: &Input,
        options: &OpenOptions<'_>,
        match_contigs: impl FnOnce(&SourceHeader, &Path) -> Result<ContigMap, ExtractError>,
    ) -> Result<Self, ExtractError> {
        match input.alignments() {
            Some((path, kind)) => {
                let (header, records) = open_records(path, kind, options.reference, options.regions)?;
                let contigs = Arc::new(match_contigs(&header, path)?);
                Ok(Self::Alignments(Box::new(AlignmentUnits::new(path, header, records, contigs, options))))
            }
            None => Ok(Self::Fastq(Box::new(fastq::FastqUnits::open(input, options)?))),
        }
    }

    /// The next unit, or `None` at the end.
    pub(crate) fn next_unit(&mut self) -> Result<Option<Unit>, ExtractError> {
        match self {
            Self::Alignments(units) => units.next_unit(),
            Self::Fastq(units) => units.next_unit(),
        }
    }

    pub(crate) fn leftovers(&self) -> Leftovers {
        match self {
            Self::Alignments(units) => units.leftovers,
            Self::Fastq(_) => Leftovers::default(),
        }
    }
}

/// Shows the sampler the names of all reads of an input that would be used.
pub(crate) fn show_names(
    input: &Input,
    reference: &Path,
    regions: &Regions,
    sampler: &mut Sampler,
) -> Result<(), ExtractError> {
    let Some((path, kind)) = input.alignments() else {
        return fastq::show_names(input, sampler);
    };
    let (_, mut records) = open_records(path, kind, reference, regions)?;
    while let Some(record) = records.next_record()? {
        if record.omitted().is_none() {
            sampler.see(&record.name);
        }
    }
    Ok(())
}

fn open_records(
    path: &Path,
    kind: InputKind,
    reference: &Path,
    regions: &Regions,
) -> Result<(SourceHeader, Box<dyn RecordReader>), ExtractError> {
    let (header, records): (_, Box<dyn RecordReader>) = match kind {
        #[cfg(feature = "htslib")]
        InputKind::Cram => {
            let (header, mut reader) = cram::CramReader::open(path, reference)?;
            if !regions.is_empty() {
                reader.skip_to(&regions.on(&header, path)?)?;
            }
            (header, Box::new(reader))
        }
        #[cfg(not(feature = "htslib"))]
        InputKind::Cram => {
            let _ = reference;
            return Err(ExtractError::CramNotBuilt { path: path.into() });
        }
        _ => {
            let (header, mut reader) = bam::BamReader::open(path)?;
            if !regions.is_empty() {
                reader.skip_to(&regions.on(&header, path)?)?;
            }
            (header, Box::new(reader))
        }
    };
    if regions.is_empty() {
        return Ok((header, records));
    }
    let regions = regions.on(&header, path)?;
    Ok((header, Box::new(WithinRegions { records, regions })))
}

/// The records of a reader that regions hold: aligned with a base in one, or unmapped and placed in one beside the mate.
struct WithinRegions {
    records: Box<dyn RecordReader>,
    regions: RegionsOfFile,
}

impl RecordReader for WithinRegions {
    fn next_record(&mut self) -> Result<Option<AlignmentRecord>, ExtractError> {
        while let Some(record) = self.records.next_record()? {
            if record.place().is_some_and(|(contig, span)| self.regions.hold(contig, &span)) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

/// Reads of a BAM or CRAM, mates together.
pub(crate) struct AlignmentUnits {
    path: Arc<Path>,
    header: SourceHeader,
    records: Option<Box<dyn RecordReader>>,
    contigs: Arc<ContigMap>,
    sample: Option<Arc<str>>,
    file_sample: Arc<str>,
    sampler: Option<Arc<Sampler>>,
    joiner: MateJoiner,
    record_number: u64,
    leftovers: Leftovers,
}

impl AlignmentUnits {
    fn new(
        path: &Path,
        header: SourceHeader,
        records: Box<dyn RecordReader>,
        contigs: Arc<ContigMap>,
        options: &OpenOptions<'_>,
    ) -> Self {
        Self {
            path: path.into(),
            file_sample: header.only_sample().unwrap_or_else(|| file_stem(path)),
            header,
            records: Some(records),
            contigs,
            sample: options.sample.map(Arc::from),
            sampler: options.sampler.clone(),
            joiner: MateJoiner::new(options.waiting_mates),
            record_number: 0,
            leftovers: Leftovers::default(),
        }
    }

    fn next_unit(&mut self) -> Result<Option<Unit>, ExtractError> {
        while let Some(records) = &mut self.records {
            let Some(record) = records.next_record()? else {
                self.records = None;
                self.leftovers.without_mate = self.joiner.waiting() as u64;
                break;
            };
            self.record_number += 1;
            if let Some(reason) = record.omitted() {
                *match reason {
                    Omitted::NotPrimary => &mut self.leftovers.not_primary,
                    Omitted::Duplicate => &mut self.leftovers.duplicates,
                    Omitted::WithoutSequence => &mut self.leftovers.without_sequence,
                } += 1;
                continue;
            }
            if self.sampler.as_ref().is_some_and(|sampler| !sampler.keeps(&record.name)) {
                continue;
            }
            let read = self.source_read(record)?;
            if read.mate == 0 {
                return Ok(Some(Unit::Single(Box::new(read))));
            }
            if let Some(unit) = self.joiner.add(read) {
                self.leftovers.released_early += u64::from(matches!(unit, Unit::Single(_)));
                return Ok(Some(unit));
            }
        }
        Ok(self.joiner.take_oldest().map(|read| Unit::Single(Box::new(read))))
    }

    fn source_read(&self, record: AlignmentRecord) -> Result<SourceRead, ExtractError> {
        let sample = self.sample.clone().unwrap_or_else(|| {
            let group = record.read_group.as_deref();
            group.and_then(|group| self.header.sample_of(group)).unwrap_or_else(|| Arc::clone(&self.file_sample))
        });
        let error =
            |problem| ExtractError::Record { path: PathBuf::from(&*self.path), record: self.record_number, problem };
        let path = record.alignment_path(&self.header).map_err(error)?;
        let alignment = SourceAlignment {
            mapping_quality: record.stated_mapping_quality(),
            path,
            contigs: Arc::clone(&self.contigs),
        };
        let (mate, read) = (record.mate(), record.into_read());
        Ok(SourceRead { read, mate, sample, path: Arc::clone(&self.path), alignment: Some(alignment) })
    }
}

/// The file's name up to its first dot.
fn file_stem(path: &Path) -> Arc<str> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Arc::from(name.split('.').next().unwrap_or_default())
}

impl Leftovers {
    /// Adds another input's.
    pub(crate) fn add(&mut self, other: Self) {
        self.not_primary += other.not_primary;
        self.duplicates += other.duplicates;
        self.without_sequence += other.without_sequence;
        self.without_mate += other.without_mate;
        self.released_early += other.released_early;
    }
}
