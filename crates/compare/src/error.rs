use std::path::PathBuf;

/// Why two alignments could not be compared or the result not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A file cannot be opened or read.
    #[error("cannot read {}{}", path.display(), place(*record))]
    Read {
        /// The file.
        path: PathBuf,
        /// 1-based number of the record that could not be read; 0: the header or the file as such.
        record: u64,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A file ends before its end.
    #[error("{} is truncated: {why}; write it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Where and how that shows.
        why: String,
    },
    /// A file is neither SAM nor BAM nor CRAM.
    #[error("{} is {found}; expected SAM (plain or gzip), BAM or CRAM", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        found: &'static str,
    },
    /// CRAM comes through a pipe, which htslib cannot read it from.
    #[error("{} is CRAM from a pipe; name the file, or pipe BAM (samtools view -b)", path.display())]
    CramFromPipe {
        /// Its name in messages.
        path: PathBuf,
    },
    /// A CRAM cannot be decoded.
    #[error("cannot read {}: {problem}", path.display())]
    Cram {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Both files are standard input.
    #[error("both files are standard input; pipe one, and name the other")]
    BothStandardInput,
    /// A line of SAM does not follow the specification.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// 1-based number of the line, header lines included.
        line: u64,
        /// The field, its value and what is valid.
        problem: String,
    },
    /// The records of a read are not together, or not complete.
    #[error(
        "{}, record {record} ({name}): {problem}; both files have to be in the order in which the aligner wrote them, \
         or sorted by name (samtools sort -n)",
        path.display()
    )]
    Order {
        /// The file.
        path: PathBuf,
        /// 1-based number of the read's first record.
        record: u64,
        /// The read's name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The files do not hold the same reads in the same order.
    #[error("the files do not hold the same reads: {} has {a}, {} has {b}; align the same reads twice and do not sort", a_path.display(), b_path.display())]
    DifferentReads {
        /// First file.
        a_path: PathBuf,
        /// Record number and read name there.
        a: String,
        /// Second file.
        b_path: PathBuf,
        /// Record number and read name there.
        b: String,
    },
    /// The headers name different references.
    #[error("the files were aligned to different references: {difference}; align both to the same one")]
    DifferentReferences {
        /// First contig that differs.
        difference: String,
    },
    /// A read's name does not tell its true position.
    #[error(
        "{}, record {record}: the name {name} does not tell where the read comes from; --truth names takes reads of \
         `seedsieve simulate` (sim:CONTIG:START1:STRAND1:START2:STRAND2:SERIAL), dwgsim, wgsim, and mason with \
         --embed-read-info, aligned with -C; for others name a BED of the true places",
        path.display()
    )]
    NoTruth {
        /// The file.
        path: PathBuf,
        /// 1-based number of the record.
        record: u64,
        /// The read's name.
        name: String,
    },
    /// The true places cannot be taken from a BED.
    #[error("{}, {place}: {problem}", path.display())]
    Bed {
        /// The BED.
        path: PathBuf,
        /// The line.
        place: String,
        /// What is wrong, and what is valid.
        problem: String,
    },
    /// A file of run statistics or model metrics does not have the expected form.
    #[error("cannot use {} as {expected}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should have been, and who writes it.
        expected: &'static str,
        /// What does not fit, with line and column.
        source: serde_json::Error,
    },
    /// A result cannot be written.
    #[error("cannot write {}; nothing was left there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

fn place(record: u64) -> String {
    if record == 0 { String::new() } else { format!(", record {record}") }
}
