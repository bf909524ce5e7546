//! Reads cut from references, with known places: short and divergent ones among foreign ones, and pairs of two haplotypes.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// A contig: name and bases in upper case.
pub type Contig = (String, Vec<u8>);

/// The contigs of a gzipped FASTA.
pub fn contigs(fasta: &Path) -> Result<Vec<Contig>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", fasta.display());
    let mut text = String::new();
    MultiGzDecoder::new(File::open(fasta).map_err(wrong)?).read_to_string(&mut text).map_err(wrong)?;
    let contig = |part: &str| {
        let (header, bases) = part.split_once('\n')?;
        let name = header.split_whitespace().next()?.to_owned();
        Some((name, bases.bytes().filter(|base| !base.is_ascii_whitespace()).map(|b| b.to_ascii_uppercase()).collect()))
    };
    Ok(text.split('>').filter_map(contig).collect())
}

/// Numbers that look random and are the same in every run (splitmix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn happens(&mut self, probability: f64) -> bool {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 <= probability
    }
}

/// What befalls the bases of a read.
#[derive(Clone, Copy)]
pub enum Damage {
    /// Substitutions at this rate.
    Divergence(f64),
    /// Substitutions at this rate, and deaminated ends: C to T at the start and G to A at the end, in three of ten reads'
    /// last bases and half as often with every second base further in.
    Ancient(f64),
}

/// A fragment of `length` bases from anywhere without an N: contig, 0-based start, bases of the forward strand.
fn fragment<'a>(contigs: &'a [Contig], length: usize, random: &mut Random) -> (&'a str, usize, &'a [u8]) {
    let whole: usize = contigs.iter().map(|(_, bases)| bases.len()).sum();
    loop {
        let mut place = random.below(whole);
        for (name, bases) in contigs {
            if place < bases.len() {
                let Some(found) = bases.get(place..place + length) else { break };
                if found.iter().all(|base| b"ACGT".contains(base)) {
                    return (name, place, found);
                }
                break;
            }
            place -= bases.len();
        }
    }
}

fn reverse_complement(bases: &[u8]) -> Vec<u8> {
    let other = |base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        _ => b'A',
    };
    bases.iter().rev().map(other).collect()
}

fn suffer(bases: &mut [u8], damage: Damage, random: &mut Random) {
    let (Damage::Divergence(rate) | Damage::Ancient(rate)) = damage;
    for base in &mut *bases {
        if random.happens(rate) {
            let others: Vec<u8> = b"ACGT".iter().copied().filter(|other| other != base).collect();
            *base = others[random.below(3)];
        }
    }
    if let Damage::Ancient(_) = damage {
        let length = bases.len();
        for i in 0..length / 2 {
            let rate = 0.3 * 0.5f64.powf(i as f64 / 2.0);
            if bases[i] == b'C' && random.happens(rate) {
                bases[i] = b'T';
            }
            if bases[length - 1 - i] == b'G' && random.happens(rate) {
                bases[length - 1 - i] = b'A';
            }
        }
    }
}

fn record(text: &mut String, name: &str, bases: &[u8]) {
    let bases = String::from_utf8_lossy(bases);
    let _ = writeln!(text, "@{name}\n{bases}\n+\n{}", "I".repeat(bases.len()));
}

/// Single reads of 50 to 60 bases as FASTQ: `own` from `contigs`, half of them divergent by 3 to 10 % and half of ancient
/// DNA, among nine times as many from `foreign`. Names are `own|CONTIG|0-based start|strand|number`, or `foreign|number`.
pub fn short_reads(contigs: &[Contig], foreign: &[Contig], own: usize) -> String {
    let mut random = Random(7);
    let mut text = String::new();
    for number in 0..10 * own {
        let is_own = number.is_multiple_of(10);
        let length = 50 + random.below(11);
        let (name, start, bases) = fragment(if is_own { contigs } else { foreign }, length, &mut random);
        let reverse = random.below(2) == 1;
        let mut bases = if reverse { reverse_complement(bases) } else { bases.to_vec() };
        if is_own {
            let rate = 0.03 + 0.01 * random.below(8) as f64;
            let damage = if random.below(2) == 0 { Damage::Divergence(rate) } else { Damage::Ancient(0.02) };
            suffer(&mut bases, damage, &mut random);
            record(&mut text, &format!("own|{name}|{start}|{}|{number}", if reverse { '-' } else { '+' }), &bases);
        } else {
            record(&mut text, &format!("foreign|{number}"), &bases);
        }
    }
    text
}

/// Pairs of 150 bases from fragments of 300 to 500, with 1 % substitutions, as two FASTQ texts.
pub fn pairs(contigs: &[Contig], pairs: usize) -> [String; 2] {
    let mut random = Random(11);
    let mut texts = [String::new(), String::new()];
    for number in 0..pairs {
        let length = 300 + random.below(201);
        let (_, _, bases) = fragment(contigs, length, &mut random);
        let mut ends = [bases[..150].to_vec(), reverse_complement(bases)[..150].to_vec()];
        ends.iter_mut().for_each(|end| suffer(end, Damage::Divergence(0.01), &mut random));
        if random.below(2) == 1 {
            ends.reverse();
        }
        for (text, end) in texts.iter_mut().zip(&ends) {
            record(text, &format!("pair{number}"), end);
        }
    }
    texts
}
