use seedsieve_aligner::AlignerError;
use seedsieve_dataset::DatasetError;
use std::path::PathBuf;

/// Why seeds could not be extracted.
///
/// The messages are whole: the reason stands within them, before what to do, and is not chained as a source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// An input could not be opened or read.
    #[error("{path}: cannot {action}: {reason}; check the path and its permissions", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// The operating system's reason.
        reason: std::io::Error,
    },
    /// An address was given where a file belongs.
    #[error("{address}: an address, but this binary was built without the feature `remote`: download the file first")]
    Address {
        /// As it was given.
        address: String,
    },
    /// The content is none of the formats that are read.
    #[error(
        "{path}: byte 0: {found}; valid are BAM, CRAM and FASTQ (plain or gzip); \
         convert SAM with `samtools view -b`",
        path = path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What its first bytes look like.
        found: String,
    },
    /// The binary was built without the format.
    #[error(
        "{path}: CRAM, but this binary was built without htslib; \
         build with the feature `htslib`, or convert with `samtools view -b`",
        path = path.display()
    )]
    CramNotBuilt {
        /// The file.
        path: PathBuf,
    },
    /// The FASTA that a CRAM is decoded with is not there, or is none.
    #[error(
        "{path}: CRAM is decoded with the FASTA of --reference, which cannot be read ({problem}): {reference} has to be \
         there, too, not only its index",
        path = path.display(), reference = reference.display()
    )]
    CramReference {
        /// The file.
        path: PathBuf,
        /// The FASTA.
        reference: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The header of a BAM or CRAM is broken.
    #[error("{path}: header: {problem}; the file is truncated or corrupt, copy it again", path = path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A record of a BAM or CRAM is broken.
    #[error("{path}: record {record}: {problem}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// 1-based number of the record.
        record: u64,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The end-of-file marker is missing.
    #[error(
        "{path}: byte {size}: the file ends without BAM's end-of-file block; it is truncated, copy it again",
        path = path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes of the file.
        size: u64,
    },
    /// A contig of the index has the name of a contig of the source, but another length.
    #[error(
        "{path}: contig {contig} has {source_length} bases there, but {index_length} in the index: \
         the index is of a reference that is not the BAM's; index that reference",
        path = path.display()
    )]
    OtherReferenceLength {
        /// The BAM or CRAM.
        path: PathBuf,
        /// Name of the contig.
        contig: String,
        /// Bases in the source's header.
        source_length: u64,
        /// Bases in the index.
        index_length: u64,
    },
    /// A contig of the index has name and length of a contig of the source, but another sequence.
    #[error(
        "{path}: contig {contig} has the MD5 {source_md5} there (M5), but {index_md5} in the index: \
         the index is of a reference that is not the BAM's; index that reference",
        path = path.display()
    )]
    OtherReferenceSequence {
        /// The BAM or CRAM.
        path: PathBuf,
        /// Name of the contig.
        contig: String,
        /// M5 of the source's header.
        source_md5: String,
        /// MD5 of the index's sequence.
        index_md5: String,
    },
    /// A value does not fit the data set's columns.
    #[error("{path}: read {read}: {what} is {value}, valid is 0 to {maximum}; leave the read out", path = path.display())]
    TooLarge {
        /// File that the read came from.
        path: PathBuf,
        /// Name of the read.
        read: String,
        /// What is too large.
        what: &'static str,
        /// The value.
        value: u64,
        /// Largest valid value.
        maximum: u64,
    },
    /// A region that was asked for is none of the file's.
    #[error("region {region}: {problem}")]
    Region {
        /// As it was asked for, or where it stands.
        region: String,
        /// What is wrong with it, and what would be valid.
        problem: String,
    },
    /// The index of a BAM or CRAM cannot be used.
    #[error(
        "{path}: not an index of its file ({problem}); make it again with `samtools index`, or remove it",
        path = path.display()
    )]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A region was asked for of reads without places.
    #[error(
        "{path}: {kind} has no positions to take a region of; leave --region and --bed out, or give BAM or CRAM",
        path = path.display()
    )]
    RegionOfFastq {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A part was asked for of a file at an address that has no index beside it.
    #[error(
        "{address}: no index ({endings}) beside it, without which no region can be found; leave --region and --bed out \
         to fetch all of it"
    )]
    NoIndexAtAddress {
        /// The file.
        address: String,
        /// Endings that were tried.
        endings: String,
    },
    /// A file at an address could not be fetched.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Remote(#[from] seedsieve_remote::RemoteError),
    /// An input is not what it was when the extraction began.
    #[error("{path}: the file was changed while it was read; run the command again", path = path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to extract from.
    #[error("no input file; give at least one BAM, CRAM or FASTQ")]
    NoInput,
    /// No input held a read.
    #[error("{inputs}: no read to extract from: empty, or only secondary, supplementary and duplicate records")]
    NoReads {
        /// Names of the inputs.
        inputs: String,
    },
    /// The aligner failed.
    #[error(transparent)]
    Aligner(#[from] AlignerError),
    /// The data set could not be written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl ExtractError {
    /// Refuses an address (`https://...`, `ftp://...`) where a file belongs.
    pub(crate) fn refuse_address(path: &std::path::Path) -> Result<(), Self> {
        let text = path.to_string_lossy();
        match text.split_once("://") {
            Some((scheme, _)) if !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                Err(Self::Address { address: text.into_owned() })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn index(path: &std::path::Path, problem: &std::io::Error) -> Self {
        Self::Index { path: path.into(), problem: problem.to_string() }
    }

    pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Io { path, action, reason }
    }
}
