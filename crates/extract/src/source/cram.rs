use super::record::AlignmentRecord;
use super::{RecordReader, SourceHeader};
use crate::ExtractError;
use rust_htslib::bam::record::Aux;
use rust_htslib::bam::{Read, Reader, Record};
use std::path::{Path, PathBuf};

/// Reads the records of a CRAM through htslib, decoded with the FASTA that the index was made of.
pub(crate) struct CramReader {
    path: PathBuf,
    reader: Reader,
    record: Record,
    records: u64,
}

impl CramReader {
    pub(crate) fn open(path: &Path, reference: &Path) -> Result<(SourceHeader, Self), ExtractError> {
        let header_error = |problem: rust_htslib::errors::Error| ExtractError::Header {
            path: path.into(),
            problem: problem.to_string(),
        };
        let mut reader = Reader::from_path(path).map_err(header_error)?;
        reader.set_reference(reference).map_err(|error| ExtractError::Header {
            path: path.into(),
            problem: format!("the reference {} cannot be used to decode CRAM ({error})", reference.display()),
        })?;
        let view = reader.header();
        let contigs = (0..view.target_count())
            .map(|number| {
                let name = String::from_utf8_lossy(view.tid2name(number)).into_owned();
                (name, view.target_len(number).unwrap_or_default())
            })
            .collect();
        let header = SourceHeader::new(contigs, view.as_bytes());
        Ok((header, Self { path: path.into(), reader, record: Record::new(), records: 0 }))
    }
}

impl RecordReader for CramReader {
    fn next_record(&mut self) -> Result<Option<AlignmentRecord>, ExtractError> {
        self.records += 1;
        match self.reader.read(&mut self.record) {
            None => Ok(None),
            Some(Ok(())) => Ok(Some(decode(&self.record))),
            Some(Err(error)) => Err(ExtractError::Record {
                path: self.path.clone(),
                record: self.records,
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
