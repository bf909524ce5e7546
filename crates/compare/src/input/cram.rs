//! CRAM through htslib, each record as the line of SAM that it stands for.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::Path;

use rust_htslib::bam::record::Aux;
use rust_htslib::bam::{HeaderView, Read as _, Reader, Record};

use super::{invalid, read_error};
use crate::error::CompareError;

/// The container that ends a CRAM 3 file (CRAM specification, section 9).
const END_OF_FILE: [u8; 38] = [
    0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46, 0, 0, 0, 0, 1, 0, 5, 0xbd, 0xd9, 0x4f, 0, 1,
    0, 6, 6, 1, 0, 1, 0, 1, 0, 0xee, 0x63, 0x01, 0x4b,
];

pub(super) struct CramRecords {
    reader: Reader,
    header: HeaderView,
    record: Record,
}

impl CramRecords {
    /// Opens the file; also returns names and lengths of the contigs.
    pub(super) fn open(path: &Path, reference: Option<&Path>) -> Result<(Self, super::sam::Contigs), CompareError> {
        let failed = |problem: String| CompareError::Cram { path: path.to_owned(), problem };
        // Without one htslib would look for the sequences elsewhere, the network included.
        let reference = reference
            .ok_or_else(|| failed("CRAM is decoded with the reference; name its FASTA with --reference".into()))?;
        let whole = ends_completely(path);
        if !whole.map_err(|source| CompareError::Read { path: path.to_owned(), record: 0, source })? {
            let why = "it lacks the container that ends a CRAM 3".to_owned();
            return Err(CompareError::Truncated { path: path.to_owned(), why });
        }
        if !reference.is_file() {
            return Err(failed(format!("the reference {} is not there", reference.display())));
        }
        let mut reader = Reader::from_path(path).map_err(|error| failed(error.to_string()))?;
        reader
            .set_reference(reference)
            .map_err(|error| failed(format!("the reference {} cannot be used: {error}", reference.display())))?;
        let header = reader.header().clone();
        let contigs = header.target_names().into_iter().enumerate().map(|(number, name)| {
            let length = header.target_len(number as u32).unwrap_or_default();
            (String::from_utf8_lossy(name).into_owned(), length.to_string())
        });
        let contigs = contigs.collect();
        Ok((Self { reader, header, record: Record::new() }, contigs))
    }

    pub(super) fn next_line(&mut self, path: &Path, number: u64) -> Result<Option<Vec<u8>>, CompareError> {
        match self.reader.read(&mut self.record) {
            None => Ok(None),
            Some(Err(error)) => {
                let problem =
                    format!("{error}; the file is corrupt, or --reference is not the FASTA that it was made with");
                Err(read_error(path, number, invalid(problem)))
            }
            Some(Ok(())) => {
                line_of(&self.record, &self.header).map(Some).map_err(|source| read_error(path, number, source))
            }
        }
    }
}

fn line_of(record: &Record, header: &HeaderView) -> io::Result<Vec<u8>> {
    let contig = |number: i32| match u32::try_from(number) {
        Ok(number) => String::from_utf8_lossy(header.tid2name(number)).into_owned(),
        Err(_) => "*".to_owned(),
    };
    let mate_contig =
        if record.mtid() >= 0 && record.mtid() == record.tid() { "=".to_owned() } else { contig(record.mtid()) };
    let cigar = record.cigar().to_string();
    let mut line = record.qname().to_vec();
    let fields = [
        record.flags().to_string(),
        contig(record.tid()),
        (record.pos() + 1).to_string(),
        record.mapq().to_string(),
        if cigar.is_empty() { "*".to_owned() } else { cigar },
        mate_contig,
        (record.mpos() + 1).to_string(),
        record.insert_size().to_string(),
    ];
    for field in fields {
        line.push(b'\t');
        line.extend_from_slice(field.as_bytes());
    }
    line.push(b'\t');
    let bases = record.seq().as_bytes();
    line.extend_from_slice(if bases.is_empty() { b"*" } else { &bases });
    line.push(b'\t');
    match record.qual() {
        [] | [0xff, ..] => line.push(b'*'),
        qualities => line.extend(qualities.iter().map(|quality| quality.saturating_add(b'!'))),
    }
    for field in record.aux_iter() {
        let (tag, value) = field.map_err(|error| invalid(error.to_string()))?;
        line.push(b'\t');
        line.extend_from_slice(tag);
        line.push(b':');
        line.extend_from_slice(text_of(&value).as_bytes());
    }
    Ok(line)
}

fn text_of(value: &Aux<'_>) -> String {
    fn list<T: std::fmt::Display>(kind: char, values: impl Iterator<Item = T>) -> String {
        let values: Vec<String> = values.map(|value| format!(",{value}")).collect();
        format!("B:{kind}{}", values.concat())
    }
    match value {
        Aux::Char(character) => format!("A:{}", char::from(*character)),
        Aux::I8(number) => format!("i:{number}"),
        Aux::U8(number) => format!("i:{number}"),
        Aux::I16(number) => format!("i:{number}"),
        Aux::U16(number) => format!("i:{number}"),
        Aux::I32(number) => format!("i:{number}"),
        Aux::U32(number) => format!("i:{number}"),
        Aux::Float(number) => format!("f:{number}"),
        Aux::Double(number) => format!("f:{number}"),
        Aux::String(text) => format!("Z:{text}"),
        Aux::HexByteArray(text) => format!("H:{text}"),
        Aux::ArrayI8(values) => list('c', values.iter()),
        Aux::ArrayU8(values) => list('C', values.iter()),
        Aux::ArrayI16(values) => list('s', values.iter()),
        Aux::ArrayU16(values) => list('S', values.iter()),
        Aux::ArrayI32(values) => list('i', values.iter()),
        Aux::ArrayU32(values) => list('I', values.iter()),
        Aux::ArrayFloat(values) => list('f', values.iter()),
    }
}

fn ends_completely(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() < END_OF_FILE.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(END_OF_FILE.len() as i64)))?;
    let mut end = [0; END_OF_FILE.len()];
    file.read_exact(&mut end)?;
    Ok(end == END_OF_FILE)
}
