//! Reads of several origins as FASTQ, mates in two texts.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use noodles::bam;

/// FASTQ of the first and of the second reads.
pub type Pairs = [Vec<u8>; 2];

/// The content of a file, gzip or not.
pub fn unpack(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).expect("real data is complete");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let mut packed = flate2::bufread::MultiGzDecoder::new(bytes.as_slice());
        packed.read_to_end(&mut plain).expect("sound gzip");
        bytes = plain;
    }
    bytes
}

fn records(fastq: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = fastq.split_inclusive(|&byte| byte == b'\n').collect();
    lines.chunks_exact(4).map(<[&[u8]]>::concat).collect()
}

/// Pairs spread over two files of mates.
pub fn pairs_of_fastq(files: [&Path; 2], count: usize) -> Pairs {
    files.map(|path| {
        let all = records(&unpack(path));
        let step = (all.len() / count).max(1);
        all.into_iter()
            .step_by(step)
            .take(count)
            .enumerate()
            .flat_map(|(number, read)| commented(number, &read))
            .collect()
    })
}

/// The record with a comment of tags, for every second read.
fn commented(number: usize, read: &[u8]) -> Vec<u8> {
    let end = read.iter().position(|&byte| byte == b'\n').expect("a record");
    let name = read[..end].iter().position(u8::is_ascii_whitespace).unwrap_or(end);
    let comment = if number.is_multiple_of(2) { "" } else { "\tBC:Z:ACGT\tXN:i:7" };
    [&read[..name], comment.as_bytes(), &read[end..]].concat()
}

/// Pairs of which a BAM has both primary records, in sequencing orientation.
pub fn pairs_of_bam(path: &Path, count: usize) -> Pairs {
    let mut waiting: HashMap<Vec<u8>, (bool, String)> = HashMap::new();
    let mut pairs = [Vec::new(), Vec::new()];
    let mut found = 0;
    let mut reader = bam::io::Reader::new(BufReader::new(File::open(path).expect("real data is complete")));
    reader.read_header().expect("a header");
    for record in reader.records().map(|record| record.expect("a sound BAM")) {
        let flags = record.flags();
        if found == count {
            break;
        }
        if flags.is_secondary() || flags.is_supplementary() || !flags.is_segmented() {
            continue;
        }
        let mut bases: Vec<u8> = record.sequence().iter().collect();
        let mut qualities: Vec<u8> = record.quality_scores().as_bytes().iter().map(|quality| quality + b'!').collect();
        if flags.is_reverse_complemented() {
            bases = reverse_complement(&bases);
            qualities.reverse();
        }
        let name = record.name().expect("a name").to_vec();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fastq = format!("@{}\n{}\n+\n{}\n", text(&name), text(&bases), text(&qualities));
        let first = flags.is_first_segment();
        match waiting.remove(&name) {
            Some((other_first, other)) if other_first != first => {
                let [one, two] = if first { [fastq, other] } else { [other, fastq] };
                pairs[0].extend(one.into_bytes());
                pairs[1].extend(two.into_bytes());
                found += 1;
            }
            _ => drop(waiting.insert(name, (first, fastq))),
        }
    }
    pairs
}

fn reverse_complement(bases: &[u8]) -> Vec<u8> {
    let complement = |base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => *other,
    };
    bases.iter().rev().map(complement).collect()
}

/// Numbers that look random and are the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

fn sequence(fasta: &[u8]) -> Vec<u8> {
    let lines = fasta.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b">"));
    lines.flatten().map(u8::to_ascii_uppercase).collect()
}

fn record(number: usize, bases: &[u8]) -> Vec<u8> {
    let quality: String = (0..bases.len()).map(|at| char::from(b'#' + ((at * 7 + number) % 40) as u8)).collect();
    let plain = format!("@r{number}\n{}\n+\n{quality}\n", String::from_utf8_lossy(bases));
    commented(number, plain.as_bytes())
}

/// Pairs of 2 x 140 bases from each of the references in turn, with a few substitutions and deletions.
pub fn pairs_of_haplotypes(references: &[PathBuf], count: usize) -> Pairs {
    let sequences: Vec<Vec<u8>> = references.iter().map(|path| sequence(&unpack(path))).collect();
    let mut numbers = Numbers(11);
    let mut pairs = [Vec::new(), Vec::new()];
    for number in 0..count {
        let haplotype = &sequences[number % sequences.len()];
        let size = 260 + numbers.below(240);
        let start = numbers.below(haplotype.len() - size);
        let fragment = &haplotype[start..start + size];
        let mut mates = [fragment[..140].to_vec(), reverse_complement(&fragment[size - 140..])];
        for bases in &mut mates {
            for _ in 0..numbers.below(6) {
                let at = numbers.below(bases.len());
                bases[at] = b"ACGT"[numbers.below(4)];
            }
            if numbers.below(4) == 0 {
                let at = 20 + numbers.below(90);
                bases.drain(at..at + 1 + numbers.below(8));
            }
        }
        for (text, bases) in pairs.iter_mut().zip(&mates) {
            text.extend(record(number, bases));
        }
    }
    pairs
}

/// Pairs of 1 to 10,000 bases: lower case, IUPAC letters, N, one base over and over, chimeras.
pub fn odd_pairs(genome: &Path) -> Pairs {
    let genome = sequence(&unpack(genome));
    let mut numbers = Numbers(5);
    let mut pairs = [Vec::new(), Vec::new()];
    let lengths = (1..=400).chain([500, 700, 1_000, 2_000, 3_500, 5_000, 7_500, 10_000]);
    for (number, length) in lengths.enumerate() {
        let mut mate = |number: usize| {
            let start = numbers.below(genome.len() - length);
            let mut bases = genome[start..start + length].to_vec();
            match number % 8 {
                1 => bases.make_ascii_lowercase(),
                2 => bases.iter_mut().step_by(29).for_each(|base| *base = b"RYSWKMBDHVN"[numbers.below(11)]),
                3 => bases = vec![b"ACGTN"[numbers.below(5)]; length],
                4 => {
                    let other = numbers.below(genome.len() - length);
                    let half = length / 2;
                    bases[half..].copy_from_slice(&genome[other + half..other + length]);
                }
                5 => bases = reverse_complement(&bases),
                _ => {}
            }
            bases
        };
        let (one, two) = (mate(number), mate(number + 3));
        pairs[0].extend(record(number, &one));
        pairs[1].extend(record(number, &two));
    }
    pairs
}

/// One text with mates after each other.
pub fn interleaved(pairs: &Pairs) -> Vec<u8> {
    let [one, two] = [records(&pairs[0]), records(&pairs[1])];
    one.into_iter().zip(two).flat_map(|(one, two)| [one, two].concat()).collect()
}
