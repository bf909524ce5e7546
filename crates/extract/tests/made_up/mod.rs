//! A small made-up reference, pairs of reads from known places of it, and files of them.

use md5::{Digest, Md5};
use noodles::sam::{self, alignment::io::Write as _};
use noodles::{bam, bgzf};
use seedsieve_aligner::build_index;
use seedsieve_dataset::{Dataset, hexadecimal};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const READ_LENGTH: usize = 100;
const INSERT: usize = 300;

/// A reference of two contigs, its index, and pairs of reads from the first.
pub struct MadeUp {
    pub folder: tempfile::TempDir,
    /// FASTA and prefix of the index.
    pub reference: PathBuf,
    contig: Vec<u8>,
    pairs: Vec<[Place; 2]>,
}

/// One record of a BAM: a read at its true place.
#[derive(Clone)]
pub struct Place {
    pub name: String,
    pub flags: u16,
    /// 0-based.
    pub position: usize,
    /// On the forward strand.
    pub bases: Vec<u8>,
    pub qualities: Vec<u8>,
}

/// A linear congruential generator: the same reads on every machine.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

impl MadeUp {
    pub fn new(pairs: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reference = folder.path().join("reference.fa");
        let mut generator = Generator(42);
        let mut bases = |length: usize| -> Vec<u8> { (0..length).map(|_| b"ACGT"[generator.below(4)]).collect() };
        let mut contig = bases(20_000);
        contig[19_000..19_010].fill(b'N');
        contig[19_010..19_013].fill(b'R');
        // Reads of a repeat have two equal places, between which the insert size and the read's number decide.
        contig.copy_within(3_000..5_000, 12_000);
        let fasta = [b">chrT\n".as_slice(), &contig, b"\n>chrU\n", &bases(5_003), b"\n"].concat();
        fs::write(&reference, fasta).unwrap();
        build_index(&reference, &reference).unwrap();
        let pairs = (0..pairs).map(|number| pair(&contig, number, &mut generator)).collect();
        Self { folder, reference, contig, pairs }
    }

    pub fn place(&self, pair: usize, mate: usize) -> Place {
        self.pairs[pair][mate].clone()
    }

    pub fn md5_of_first_contig(&self) -> String {
        hexadecimal(&Md5::digest(&self.contig))
    }

    /// Both mates of each pair, in sequencing orientation, in the order in which a BAM has the pairs complete.
    pub fn write_fastq_pairs(&self) -> (PathBuf, PathBuf) {
        let paths = [1, 2].map(|mate| self.folder.path().join(format!("reads_{mate}.fq")));
        for (mate, path) in paths.iter().enumerate() {
            let text: String = self.pairs.iter().map(|pair| pair[mate].fastq(mate + 1)).collect();
            fs::write(path, text).unwrap();
        }
        let [first, second] = paths;
        (first, second)
    }

    /// All first met mates, then all others: every read waits for its mate. Odd pairs have their second mate first.
    pub fn write_bam(&self, name: &str, keep: impl Fn(&Place) -> bool) -> PathBuf {
        let order = |number: usize| if number.is_multiple_of(2) { [0, 1] } else { [1, 0] };
        let met =
            |turn: usize| self.pairs.iter().enumerate().map(move |(number, pair)| pair[order(number)[turn]].clone());
        let records: Vec<Place> = met(0).chain(met(1)).filter(|place| keep(place)).collect();
        self.write_bam_of(name, "@SQ\tSN:chrT\tLN:20000\n@SQ\tSN:chrU\tLN:5003\n", &records)
    }

    /// The same with pair 1 flagged as a duplicate, without the second mate of pair 3, and with a secondary record of
    /// pair 5 and a supplementary one of pair 7.
    pub fn write_bam_with_others(&self, name: &str) -> PathBuf {
        let mut records: Vec<Place> = self.pairs.iter().flatten().cloned().collect();
        records.retain(|place| place.name != "pair3" || place.flags & 0x80 == 0);
        for place in &mut records {
            if place.name == "pair1" {
                place.flags |= 0x400;
            }
        }
        records.insert(0, Place { flags: self.pairs[5][0].flags | 0x100, ..self.place(5, 0) });
        records.push(Place { flags: self.pairs[7][1].flags | 0x800, ..self.place(7, 1) });
        self.write_bam_of(name, "@SQ\tSN:chrT\tLN:20000\n", &records)
    }

    pub fn write_bam_of(&self, name: &str, header: &str, records: &[Place]) -> PathBuf {
        let path = self.folder.path().join(name);
        let header: sam::Header = header.parse().unwrap();
        let mut writer = bam::io::Writer::new(File::create(&path).unwrap());
        writer.write_header(&header).unwrap();
        for place in records {
            let line = place.sam();
            let record = sam::Record::try_from(line.as_bytes()).unwrap();
            writer.write_alignment_record(&header, &record).unwrap();
        }
        writer.try_finish().unwrap();
        path
    }
}

impl Place {
    fn sam(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        if self.flags & 0x4 != 0 {
            let (bases, qualities) = (text(&self.bases), text(&self.qualities));
            return format!("{}\t{}\t*\t0\t0\t*\t*\t0\t0\t{bases}\t{qualities}", self.name, self.flags);
        }
        format!(
            "{}\t{}\tchrT\t{}\t60\t100M\t*\t0\t0\t{}\t{}",
            self.name,
            self.flags,
            self.position + 1,
            text(&self.bases),
            text(&self.qualities)
        )
    }

    /// The same read as it left the sequencer, for a BAM that is not aligned.
    pub fn unaligned(mut self) -> Self {
        if self.flags & 0x10 != 0 {
            self.bases = reverse_complement(&self.bases);
            self.qualities.reverse();
        }
        self.flags = if self.flags & 0x80 == 0 { 77 } else { 141 };
        self
    }

    fn fastq(&self, mate: usize) -> String {
        let (mut bases, mut qualities) = (self.bases.clone(), self.qualities.clone());
        if self.flags & 0x10 != 0 {
            bases = reverse_complement(&bases);
            qualities.reverse();
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        format!("@{}/{mate}\n{}\n+\n{}\n", self.name, text(bases), text(qualities))
    }
}

/// Two reads that face each other, of a fragment on either strand, each with a mismatch.
fn pair(contig: &[u8], number: usize, generator: &mut Generator) -> [Place; 2] {
    let start = generator.below(18_500 - INSERT);
    let mut read = |position: usize, flags: u16| {
        let mut bases = contig[position..position + READ_LENGTH].to_vec();
        let at = 20 + generator.below(60);
        bases[at] = if bases[at] == b'A' { b'C' } else { b'A' };
        let qualities = (0..READ_LENGTH).map(|_| b'#' + generator.below(38) as u8).collect();
        Place { name: format!("pair{number}"), flags, position, bases, qualities }
    };
    let (left, right) = (start, start + INSERT - READ_LENGTH);
    if number.is_multiple_of(3) {
        [read(right, 0x1 | 0x2 | 0x10 | 0x40), read(left, 0x1 | 0x2 | 0x20 | 0x80)]
    } else {
        [read(left, 0x1 | 0x2 | 0x20 | 0x40), read(right, 0x1 | 0x2 | 0x10 | 0x80)]
    }
}

fn reverse_complement(bases: &[u8]) -> Vec<u8> {
    bases
        .iter()
        .rev()
        .map(|base| match base {
            b'A' => b'T',
            b'C' => b'G',
            b'G' => b'C',
            _ => b'A',
        })
        .collect()
}

/// Replaces bytes of the decompressed BAM.
pub fn replace_in_bam(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = Vec::new();
    bgzf::io::Reader::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the bytes to replace");
    bytes[at..at + from.len()].copy_from_slice(to);
    let mut writer = bgzf::io::Writer::new(File::create(path).unwrap());
    writer.write_all(&bytes).unwrap();
    writer.finish().unwrap();
}

/// The rows of a data set as text; what only an alignment source knows stands behind ` | `.
pub fn rows(directory: &Path) -> Vec<String> {
    let mut rows = Vec::new();
    Dataset::open(directory)
        .unwrap()
        .for_each_row(|_, _, row| {
            rows.push(format!(
                "{:016x}/{} {} {} {} {} {} {} own {} {} {} region {:?} {:?} {} read {} {} chain {:?} {:?} {} {} {} locus \
                 {:?} {:?} {} matches {} {} round {:?} anchor {:?} | {:?} {:?} {:?}",
                row.read_hash,
                row.mate,
                row.query_start,
                row.length,
                row.contig,
                row.position,
                row.reverse,
                row.occurrences,
                row.own_score,
                row.own_query_start,
                row.own_query_end,
                row.region_score,
                row.region_distance,
                row.role,
                row.read_best,
                row.read_second,
                row.chain,
                row.chain_weight,
                row.chain_kept,
                row.extended,
                row.ungapped_score,
                row.locus_contig,
                row.locus_position,
                hexadecimal(row.windows),
                hexadecimal(row.left_matches.unwrap()),
                hexadecimal(row.right_matches.unwrap()),
                row.seeding_round,
                row.rescue_anchor,
                row.source_mapped,
                row.source_mapq,
                row.source_on_path
            ));
            Ok(())
        })
        .unwrap();
    rows
}
