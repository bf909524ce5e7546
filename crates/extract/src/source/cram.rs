use super::record::AlignmentRecord;
use super::{RecordReader, SourceHeader};
use crate::ExtractError;
use crate::regions::RegionsOfFile;
use rust_htslib::bam::record::Aux;
use rust_htslib::bam::{IndexedReader, Read, Reader, Record};
use rust_htslib::errors::Error;
use std::path::{Path, PathBuf};

/// Reads the records of a CRAM through htslib, decoded with the FASTA that the index was made of.
pub(crate) struct CramReader {
    path: PathBuf,
    reference: PathBuf,
    records: Records,
    record: Record,
    /// Records that were read so far.
    count: u64,
}

/// Where the records come from.
enum Records {
    /// All of the file, in its order.
    All(Reader),
    /// One region after the other.
    OfRegions(OfRegions),
}

/// The records of regions, found by the file's index.
struct OfRegions {
    reader: IndexedReader,
    /// Contig, start and end of those to come, the next one last.
    to_come: Vec<(i32, i64, i64)>,
    /// Contig and end of the region before the present one.
    before: (i32, i64),
    /// Contig and end of the present one.
    present: (i32, i64),
}

impl OfRegions {
    /// The next record, as htslib's readers give it. One that also reaches into the region before was given there.
    fn read(&mut self, record: &mut Record) -> Option<Result<(), Error>> {
        loop {
            match self.reader.read(record) {
                Some(Ok(())) if record.tid() == self.before.0 && record.pos() < self.before.1 => {}
                Some(result) => return Some(result),
                None => {
                    let next = self.to_come.pop()?;
                    self.before = std::mem::replace(&mut self.present, (next.0, next.2));
                    if let Err(error) = self.reader.fetch(next) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

impl CramReader {
    pub(crate) fn open(path: &Path, reference: &Path) -> Result<(SourceHeader, Self), ExtractError> {
        let header_error = |problem: Error| ExtractError::Header { path: path.into(), problem: problem.to_string() };
        let mut reader = Reader::from_path(path).map_err(header_error)?;
        reader.set_reference(reference).map_err(|error| unusable(path, reference, &error))?;
        let view = reader.header();
        let contigs = (0..view.target_count())
            .map(|number| {
                let name = String::from_utf8_lossy(view.tid2name(number)).into_owned();
                (name, view.target_len(number).unwrap_or_default())
            })
            .collect();
        let header = SourceHeader::new(contigs, view.as_bytes());
        let (path, reference) = (path.into(), reference.into());
        Ok((header, Self { path, reference, records: Records::All(reader), record: Record::new(), count: 0 }))
    }

    /// Reads only the records of the regions, where the file has an index; without one, all.
    ///
    /// # Errors
    /// [`ExtractError::Index`] for an index that cannot be used.
    pub(crate) fn skip_to(&mut self, regions: &RegionsOfFile) -> Result<(), ExtractError> {
        let Some(index) = find_index(&self.path) else {
            tracing::info!("{}: no index (.crai): the file is read through", self.path.display());
            return Ok(());
        };
        let mut reader = IndexedReader::from_path_and_index(&self.path, &index)
            .map_err(|error| ExtractError::index(&index, &std::io::Error::other(error.to_string())))?;
        reader.set_reference(&self.reference).map_err(|error| unusable(&self.path, &self.reference, &error))?;
        let mut to_come: Vec<_> =
            regions.iter().map(|(contig, span)| (contig as i32, span.start as i64, span.end as i64)).collect();
        to_come.reverse();
        let nowhere = (-1, 0);
        self.records = Records::OfRegions(OfRegions { reader, to_come, before: nowhere, present: nowhere });
        Ok(())
    }
}

/// The index beside a CRAM: `a.cram.crai` or `a.crai`.
pub(super) fn find_index(cram: &Path) -> Option<PathBuf> {
    [cram.with_added_extension("crai"), cram.with_extension("crai")].into_iter().find(|path| path.is_file())
}

fn unusable(path: &Path, reference: &Path, error: &Error) -> ExtractError {
    let problem = if reference.is_file() { error.to_string() } else { "no such file".to_owned() };
    ExtractError::CramReference { path: path.into(), reference: reference.into(), problem }
}

impl RecordReader for CramReader {
    fn next_record(&mut self) -> Result<Option<AlignmentRecord>, ExtractError> {
        self.count += 1;
        let read = match &mut self.records {
            Records::All(reader) => reader.read(&mut self.record),
            Records::OfRegions(regions) => regions.read(&mut self.record),
        };
        match read {
            None => Ok(None),
            Some(Ok(())) => Ok(Some(decode(&self.record))),
            Some(Err(error)) => Err(ExtractError::Record {
                path: self.path.clone(),
                record: self.count,
                problem: format!(
                    "{error}; the file is truncated or corrupt, or --reference is not the FASTA it was compressed with"
                ),
            }),
        }
    }
}

fn decode(record: &Record) -> AlignmentRecord {
    let qualities = record.qual();
    let read_group = match record.aux(b"RG") {
        Ok(Aux::String(group)) => Some(group.as_bytes().to_vec()),
        _ => None,
    };
    AlignmentRecord {
        name: record.qname().to_vec(),
        flags: record.flags(),
        contig: usize::try_from(record.tid()).ok(),
        position: u64::try_from(record.pos()).ok(),
        mapping_quality: record.mapq(),
        cigar: record.cigar().iter().map(|operation| (operation.char() as u8, operation.len())).collect(),
        bases: record.seq().as_bytes(),
        qualities: qualities.iter().any(|&quality| quality != 0xff).then(|| qualities.to_vec()),
        read_group,
    }
}
