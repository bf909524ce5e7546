use crate::ExtractError;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// What a file holds, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// BAM: BGZF with the magic `BAM\1` inside.
    Bam,
    /// CRAM: the magic `CRAM`.
    Cram,
    /// FASTQ: `@`, plain or within gzip.
    Fastq,
}

impl InputKind {
    /// Looks at the first bytes of `path`, through gzip where it is compressed. The name does not matter.
    ///
    /// # Errors
    /// [`ExtractError::Io`] when the file cannot be read, [`ExtractError::Format`] when it is of no known kind,
    /// [`ExtractError::Address`] for an address.
    pub fn of(path: &Path) -> Result<Self, ExtractError> {
        ExtractError::refuse_address(path)?;
        let open = || File::open(path).map_err(ExtractError::io(path, "open"));
        let head = first_bytes(open()?).map_err(ExtractError::io(path, "read"))?;
        let inner = if head.starts_with(&[0x1f, 0x8b]) {
            let mut gzip = flate2::bufread::MultiGzDecoder::new(BufReader::new(open()?));
            first_bytes(&mut gzip).map_err(|error| ExtractError::Format {
                path: path.into(),
                found: format!("gzip that cannot be decompressed ({error})"),
            })?
        } else {
            head
        };
        match inner.as_slice() {
            [b'C', b'R', b'A', b'M'] => Ok(Self::Cram),
            [b'B', b'A', b'M', 1] => Ok(Self::Bam),
            [b'@', second, third, fourth] if !is_sam_header([*second, *third, *fourth]) => Ok(Self::Fastq),
            [b'@', ..] => Err(ExtractError::Format { path: path.into(), found: "a SAM header".into() }),
            [] => Err(ExtractError::Format { path: path.into(), found: "nothing, the file is empty".into() }),
            other => {
                let found = format!("`{}`", other.escape_ascii());
                Err(ExtractError::Format { path: path.into(), found })
            }
        }
    }
}

/// `@HD`, `@SQ`, `@RG`, `@PG`, `@CO`, each followed by a tab.
fn is_sam_header(after_at: [u8; 3]) -> bool {
    after_at[2] == b'\t' && [b"HD", b"SQ", b"RG", b"PG", b"CO"].iter().any(|tag| after_at.starts_with(*tag))
}

fn first_bytes(input: impl Read) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(4).read_to_end(&mut head)?;
    Ok(head)
}

/// One input of an extraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A BAM.
    Bam(PathBuf),
    /// A CRAM, decoded with the reference FASTA; htslib writes its index `.fai` beside that where there is none.
    Cram(PathBuf),
    /// Single reads in FASTQ.
    Single(PathBuf),
    /// Mates in two FASTQ files, in the same order.
    Paired(PathBuf, PathBuf),
}

impl Input {
    /// The files of the input.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Bam(path) | Self::Cram(path) | Self::Single(path) => vec![path],
            Self::Paired(first, second) => vec![first, second],
        }
    }

    /// What the input is read as.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Bam(_) => "BAM",
            Self::Cram(_) => "CRAM",
            Self::Single(_) => "single FASTQ",
            Self::Paired(..) => "paired FASTQ",
        }
    }

    pub(crate) fn alignments(&self) -> Option<(&Path, InputKind)> {
        match self {
            Self::Bam(path) => Some((path, InputKind::Bam)),
            Self::Cram(path) => Some((path, InputKind::Cram)),
            Self::Single(_) | Self::Paired(..) => None,
        }
    }
}
