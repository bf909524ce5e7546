use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rust_htslib::bam;

use crate::destination::Destination;
use crate::header::SamHeader;
use crate::reference::checksums;
use crate::{FormatError, OutputFile};

/// The container that ends a CRAM 3 file (CRAM specification, section 9).
const END_OF_FILE: [u8; 38] = [
    0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46, 0, 0, 0, 0, 1, 0, 5, 0xbd, 0xd9, 0x4f, 0, 1,
    0, 6, 6, 1, 0, 1, 0, 1, 0, 0xee, 0x63, 0x01, 0x4b,
];

/// Writes CRAM through htslib.
pub(crate) struct CramWriter {
    file: OutputFile,
    /// Where htslib writes until the file is complete.
    temporary: PathBuf,
    writer: bam::Writer,
    view: bam::HeaderView,
    with_index: bool,
}

impl CramWriter {
    pub fn create(
        destination: Destination,
        mut header: SamHeader,
        reference: &Path,
        threads: usize,
        with_index: bool,
    ) -> Result<Self, FormatError> {
        let path = destination.name().to_owned();
        let (file, temporary) = match destination {
            Destination::File(file) => match file.temporary().map(Path::to_owned) {
                Some(temporary) => (file, temporary),
                None => return Err(FormatError::CramToPipe { path }),
            },
            Destination::Standard(_) => return Err(FormatError::CramToPipe { path }),
        };
        // htslib would otherwise look for the sequences elsewhere, the network included.
        header.add_md5(&checksums(reference, &header.contigs)?);
        let view = bam::HeaderView::from_bytes(&header.text);
        let template = bam::Header::from_template(&view);
        let failed = |reason: rust_htslib::errors::Error| FormatError::Create {
            path: path.clone(),
            reason: std::io::Error::other(reason.to_string()),
        };
        let mut writer = bam::Writer::from_path(&temporary, &template, bam::Format::Cram).map_err(failed)?;
        writer
            .set_reference(reference)
            .map_err(|error| FormatError::Reference { path: reference.into(), problem: error.to_string() })?;
        writer.set_threads(threads).map_err(failed)?;
        Ok(Self { file, temporary, writer, view, with_index })
    }

    /// Writes complete lines.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), FormatError> {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let record = bam::Record::from_sam(&self.view, &crate::bam::with_sequence(line))
                .map_err(|_| FormatError::record(line, crate::bam::in_words(line, "htslib cannot read the record")))?;
            self.writer.write(&record).map_err(|_| self.write_error("htslib cannot write a record"))?;
        }
        Ok(())
    }

    /// Completes the file, and its index (.crai) where the records are sorted.
    pub fn finish(self) -> Result<(), FormatError> {
        let Self { file, temporary, writer, with_index, .. } = self;
        let failed = |what: &str| FormatError::Write {
            path: file.path().into(),
            reason: std::io::Error::other(what.to_owned()),
        };
        // htslib tells of no error when it closes the file; but then the end is missing.
        drop(writer);
        if !ends_completely(&temporary).map_err(FormatError::write(file.path()))? {
            return Err(failed("the end of the file could not be written"));
        }
        if with_index {
            let place = file.path().with_added_extension("crai");
            let index = OutputFile::create(&place)?;
            let part = index.temporary().expect("beside a regular file").to_owned();
            bam::index::build(&temporary, Some(&part), bam::index::Type::Bai, 1)
                .map_err(|error| failed(&format!("no index: {error}")))?;
            file.finish()?;
            return index.finish();
        }
        file.finish()
    }

    fn write_error(&self, what: &str) -> FormatError {
        FormatError::Write { path: self.file.path().into(), reason: std::io::Error::other(what.to_owned()) }
    }
}

/// Whether the file has the container that ends CRAM 3.
pub(crate) fn ends_completely(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() < END_OF_FILE.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(END_OF_FILE.len() as i64)))?;
    let mut end = [0; END_OF_FILE.len()];
    file.read_exact(&mut end)?;
    Ok(end == END_OF_FILE)
}
