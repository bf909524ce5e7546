//! Reads simulated from a real reference, made once and kept.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use seedsieve_simulate::{Contig, Genome, ReadOptions, ReadPairs};

/// The first `pairs` pairs (2 x 150) simulated from the FASTA `reference`, as two gzip FASTQ below `folder`.
pub fn simulated_pairs(reference: &Path, pairs: u64, folder: &Path) -> Result<[PathBuf; 2], String> {
    let files = [1, 2].map(|mate| folder.join(format!("simulated-{pairs}_{mate}.fastq.gz")));
    if files.iter().all(|file| file.is_file()) {
        return Ok(files);
    }
    let genome = read_genome(reference)?;
    let options = ReadOptions { pairs, ..ReadOptions::default() };
    let reads = ReadPairs::new(&genome, &options).map_err(|error| error.to_string())?;
    let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(problem)?;
    let part = |file: &Path| file.with_extension("part");
    let mut outputs = Vec::new();
    for file in &files {
        outputs.push(GzEncoder::new(File::create(part(file)).map_err(problem)?, Compression::fast()));
    }
    for pair in reads {
        for (read, output) in pair.reads.iter().zip(&mut outputs) {
            let text = [b"@", pair.name.as_bytes(), b"\n", &read.bases, b"\n+\n", &read.qualities, b"\n"].concat();
            output.write_all(&text).map_err(problem)?;
        }
    }
    for (output, file) in outputs.into_iter().zip(&files) {
        output.finish().map_err(problem)?;
        fs::rename(part(file), file).map_err(problem)?;
    }
    Ok(files)
}

/// A gzip FASTA; what is none of A, C, G, T becomes N.
fn read_genome(path: &Path) -> Result<Genome, String> {
    let problem = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut contigs: Vec<Contig> = Vec::new();
    for line in BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(path).map_err(problem)?))).lines() {
        let line = line.map_err(problem)?;
        match (line.strip_prefix('>'), contigs.last_mut()) {
            (Some(header), _) => {
                let name = header.split_whitespace().next().unwrap_or_default().to_owned();
                contigs.push(Contig { name, bases: Vec::new() });
            }
            (None, Some(contig)) => {
                let plain = |base: u8| if b"ACGTacgt".contains(&base) { base } else { b'N' };
                contig.bases.extend(line.bytes().map(plain));
            }
            (None, None) => return Err(format!("{}: does not start with `>`", path.display())),
        }
    }
    Ok(Genome { contigs })
}
