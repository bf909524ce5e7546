//! Reads from BAM and CRAM, as a sequencing run or `samtools collate` leaves them: mates next to each other.

mod bam;
#[cfg(feature = "htslib")]
mod cram;
mod tags;

use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use seedsieve_aligner::fastq::FastqReader;
use seedsieve_aligner::{AlignerError, Mate, Read, ReadStream, check_read_name, open_counted_input, peek};

use bam::BamReads;

// Flags of the SAM specification, section 1.4.2.
const PAIRED: u16 = 0x1;
const REVERSE: u16 = 0x10;
const SECOND: u16 = 0x80;
const SECONDARY: u16 = 0x100;
const SUPPLEMENTARY: u16 = 0x800;
/// Quality that stands for "none" (section 4.2.3).
const NO_QUALITY: u8 = 0xff;
/// The highest quality that SAM can show.
const MAX_QUALITY: u8 = 93;

/// Which tags of the input's records become the reads' comments, which -C appends to their records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptTags {
    /// Any: those that the aligner does not write itself.
    pub tags: bool,
    /// RG, too.
    pub read_group: bool,
}

/// A file of reads, by what is in it.
pub enum ReadsFile {
    /// FASTQ or FASTA.
    Fastq(FastqReader),
    /// BAM or CRAM.
    Alignments {
        /// The reads.
        stream: Box<dyn ReadStream>,
        /// The header's lines of read groups (`@RG`).
        read_groups: Vec<String>,
    },
}

impl ReadsFile {
    /// Opens a file, a pipe, or standard input (`-`), whatever its name is. CRAM is decoded with the FASTA `reference`.
    /// `count` grows with the bytes that are read of the file, but of CRAM.
    ///
    /// # Errors
    /// What cannot be read or is of no known format; CRAM from a pipe, or in a program that was built without htslib.
    pub fn open(path: &Path, reference: &Path, kept: KeptTags, count: Arc<AtomicU64>) -> Result<Self, AlignerError> {
        let error = |problem: String| AlignerError::ReadsFile { path: path.into(), problem };
        let input = open_counted_input(path, count)?;
        let (head, input) = peek(input, 4).map_err(|reason| error(format!("{reason}; is the file complete?")))?;
        match head.as_slice() {
            b"BAM\x01" => {
                bam::check_end(path)?;
                let (stream, read_groups) = BamReads::start(path, input, kept)?;
                Ok(Self::Alignments { stream: Box::new(stream), read_groups })
            }
            b"CRAM" => open_cram(path, reference, kept),
            [b'@', tag @ ..] if is_sam_header(tag) => {
                Err(error("a SAM header; convert it with `samtools view -b`, or with `samtools fastq`".into()))
            }
            _ => FastqReader::from_input(path, input).map(Self::Fastq),
        }
    }
}

#[cfg(feature = "htslib")]
fn open_cram(path: &Path, reference: &Path, kept: KeptTags) -> Result<ReadsFile, AlignerError> {
    if !path.is_file() {
        let problem = "CRAM cannot be read from a pipe; name the file, or pipe BAM (`samtools view -b`)".into();
        return Err(AlignerError::ReadsFile { path: path.into(), problem });
    }
    let (stream, read_groups) = cram::CramReads::open(path, reference, kept)?;
    Ok(ReadsFile::Alignments { stream: Box::new(stream), read_groups })
}

#[cfg(not(feature = "htslib"))]
fn open_cram(path: &Path, _: &Path, _: KeptTags) -> Result<ReadsFile, AlignerError> {
    let problem = "CRAM needs htslib, and this program was built without it; convert it with `samtools view -b`".into();
    Err(AlignerError::ReadsFile { path: path.into(), problem })
}

/// `HD`, `SQ`, `RG`, `PG` or `CO` and a tab, after the `@`.
fn is_sam_header(tag: &[u8]) -> bool {
    [b"HD\t", b"SQ\t", b"RG\t", b"PG\t", b"CO\t"].iter().any(|known| tag == known.as_slice())
}

fn read_group_lines(header: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(header).lines().filter(|line| line.starts_with("@RG\t")).map(str::to_owned).collect()
}

/// What both formats give of a record.
struct RawRead {
    name: Vec<u8>,
    flags: u16,
    /// ASCII, on the reference's forward strand.
    bases: Vec<u8>,
    /// Phred, without offset.
    qualities: Vec<u8>,
    comment: Option<String>,
}

impl RawRead {
    /// Whether this is a further alignment of a read that has a record of its own.
    fn is_repeated(flags: u16) -> bool {
        flags & (SECONDARY | SUPPLEMENTARY) != 0
    }

    /// The read in sequencing orientation; the error says what is wrong with it, and `advice` where the file is broken.
    fn into_read(mut self, advice: &str) -> Result<(Read, Mate), String> {
        check_read_name(&self.name)?;
        let name = String::from_utf8_lossy(&self.name).into_owned();
        let has_qualities = self.qualities.iter().any(|&quality| quality != NO_QUALITY);
        if has_qualities && self.qualities.len() != self.bases.len() {
            let (bases, qualities) = (self.bases.len(), self.qualities.len());
            return Err(format!("{name} has {bases} bases and {qualities} qualities; {advice}"));
        }
        if let Some(quality) = self.qualities.iter().find(|&&quality| quality > MAX_QUALITY).filter(|_| has_qualities) {
            return Err(format!("{name} has a quality of {quality}, valid are 0 to {MAX_QUALITY}; {advice}"));
        }
        if self.flags & REVERSE != 0 {
            self.bases.reverse();
            self.bases.iter_mut().for_each(|base| *base = complement(*base));
            self.qualities.reverse();
        }
        let mate = match (self.flags & PAIRED != 0, self.flags & SECOND != 0) {
            (false, _) => Mate::Unpaired,
            (true, false) => Mate::First,
            (true, true) => Mate::Second,
        };
        let qualities = has_qualities.then(|| self.qualities.iter().map(|quality| quality + b'!').collect());
        Ok((Read { name, comment: self.comment, bases: self.bases, qualities }, mate))
    }
}

/// The complement of the four bases; all else is N to the aligner.
fn complement(base: u8) -> u8 {
    match base {
        b'A' | b'a' => b'T',
        b'C' | b'c' => b'G',
        b'G' | b'g' => b'C',
        b'T' | b't' => b'A',
        _ => b'N',
    }
}

/// An input whose kind is known.
type Input = Box<dyn BufRead + Send>;

fn invalid(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(flags: u16, qualities: &[u8]) -> RawRead {
        let (name, bases) = (b"r".to_vec(), b"ACGRN".to_vec());
        RawRead { name, flags, bases, qualities: qualities.to_vec(), comment: None }
    }

    #[test]
    fn a_reverse_record_is_turned_back() {
        let (read, mate) = raw(REVERSE | PAIRED | SECOND, &[0, 1, 2, 3, 93]).into_read("copy it").unwrap();
        assert_eq!((read.bases.as_slice(), mate), (&b"NNCGT"[..], Mate::Second));
        assert_eq!(read.qualities.as_deref(), Some(&b"~$#\"!"[..]));
    }

    #[test]
    fn absent_qualities_are_none_and_wrong_ones_are_told() {
        assert_eq!(raw(0, &[0xff; 5]).into_read("copy it").unwrap().0.qualities, None);
        assert_eq!(raw(0, &[]).into_read("copy it").unwrap().0.qualities, None);
        assert!(raw(0, &[1, 2]).into_read("copy it").unwrap_err().ends_with("5 bases and 2 qualities; copy it"));
        assert!(raw(0, &[1, 2, 3, 4, 94]).into_read("copy it").unwrap_err().contains("94, valid are 0 to 93"));
    }
}
