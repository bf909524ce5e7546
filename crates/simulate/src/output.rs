use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::SimulationError;
use crate::genome::{Genome, GenomeOptions};
use crate::reads::{ReadOptions, ReadPair, ReadPairs};

/// Bases in a line of FASTA.
const FASTA_LINE: usize = 60;

/// The files of a simulated data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSetFiles {
    /// FASTA of the reference.
    pub genome: PathBuf,
    /// FASTQ of the first mates.
    pub first_reads: PathBuf,
    /// FASTQ of the second mates, in the same order.
    pub second_reads: PathBuf,
}

/// Writes `genome.fa`, `reads_1.fastq` and `reads_2.fastq` into `directory`, which is made if it is not there. Files of
/// these names are replaced once all three are complete.
///
/// # Errors
/// As [`Genome::generate`] and [`ReadPairs::new`], and [`SimulationError::Write`], after which no file of the run is left.
pub fn write_data_set(
    directory: &Path,
    genome: &GenomeOptions,
    reads: &ReadOptions,
) -> Result<DataSetFiles, SimulationError> {
    let genome = Genome::generate(genome)?;
    let pairs = ReadPairs::new(&genome, reads)?;
    fs::create_dir_all(directory).map_err(|source| SimulationError::Write { path: directory.to_owned(), source })?;
    let mut fasta = PartFile::create(directory.join("genome.fa"))?;
    let mut first = PartFile::create(directory.join("reads_1.fastq"))?;
    let mut second = PartFile::create(directory.join("reads_2.fastq"))?;

    fasta.write(|out| write_fasta(&genome, out))?;
    for pair in pairs {
        first.write(|out| write_fastq(&pair, 0, out))?;
        second.write(|out| write_fastq(&pair, 1, out))?;
    }
    // A full disk shows when buffers are flushed: all are, before the first file gets its name.
    for part in [&mut fasta, &mut first, &mut second] {
        part.write(Write::flush)?;
    }
    let [genome, first_reads, second_reads] = finish([fasta, first, second])?;
    Ok(DataSetFiles { genome, first_reads, second_reads })
}

/// Gives all files their names, or none.
fn finish<const N: usize>(parts: [PartFile; N]) -> Result<[PathBuf; N], SimulationError> {
    for (number, part) in parts.iter().enumerate() {
        if let Err(source) = fs::rename(&part.part, &part.path) {
            for named in &parts[..number] {
                // The error to report is the first one.
                let _ = fs::remove_file(&named.path);
            }
            return Err(SimulationError::Write { path: part.path.clone(), source });
        }
    }
    Ok(parts.each_ref().map(|part| part.path.clone()))
}

fn write_fasta(genome: &Genome, out: &mut impl Write) -> io::Result<()> {
    for contig in &genome.contigs {
        writeln!(out, ">{}", contig.name)?;
        for line in contig.bases.chunks(FASTA_LINE) {
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn write_fastq(pair: &ReadPair, mate: usize, out: &mut impl Write) -> io::Result<()> {
    let read = &pair.reads[mate];
    writeln!(out, "@{}", pair.name)?;
    out.write_all(&read.bases)?;
    out.write_all(b"\n+\n")?;
    out.write_all(&read.qualities)?;
    out.write_all(b"\n")
}

/// A file under a temporary name, removed unless it is finished.
struct PartFile {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
}

impl PartFile {
    fn create(path: PathBuf) -> Result<Self, SimulationError> {
        let part = path.with_added_extension(format!("part-{}", std::process::id()));
        let file = File::create(&part).map_err(|source| SimulationError::Write { path: path.clone(), source })?;
        Ok(Self { path, part, out: BufWriter::with_capacity(1 << 20, file) })
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), SimulationError> {
        write(&mut self.out).map_err(|source| SimulationError::Write { path: self.path.clone(), source })
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // After a rename there is nothing under this name, and an error has been reported already.
        let _ = fs::remove_file(&self.part);
    }
}
