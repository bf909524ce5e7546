//! The donor: two haplotypes that differ from the reference and from each other.

use crate::genome::{Contig, Genome};
use crate::random::{MILLION, Random};
use crate::sequence::{BASES, substitute};

/// Longest insertion or deletion in bases.
const LONGEST_INDEL: u64 = 12;

/// One haplotype of a contig, in upper case.
pub(crate) struct HaplotypeContig {
    pub(crate) bases: Vec<u8>,
    /// Where the relation to the reference changes, in ascending order of both; the first starts at 0.
    anchors: Vec<Anchor>,
}

#[derive(Clone, Copy)]
struct Anchor {
    /// 0-based position on the haplotype from which this anchor holds.
    donor: u64,
    /// 0-based reference position there.
    reference: u64,
    /// The haplotype's bases from here on are inserted before `reference`.
    inserted: bool,
}

impl HaplotypeContig {
    /// 0-based reference position of a base of the haplotype; for an inserted base, that of the next reference base.
    pub(crate) fn reference_position(&self, donor: u64) -> u64 {
        let anchor = self.anchors[self.anchors.partition_point(|anchor| anchor.donor <= donor) - 1];
        if anchor.inserted { anchor.reference } else { anchor.reference + (donor - anchor.donor) }
    }

    fn anchor(&mut self, reference: u64, inserted: bool) {
        let donor = self.bases.len() as u64;
        // An event directly after another one replaces its anchor, so that positions stay strictly ascending.
        self.anchors.pop_if(|last| last.donor == donor);
        self.anchors.push(Anchor { donor, reference, inserted });
    }
}

/// Variation of a donor, in parts per million of the bases of one haplotype.
pub(crate) struct Variation {
    pub(crate) snps: u64,
    pub(crate) indels: u64,
}

/// The two haplotypes of every contig. A third of the variants is on both, a third on each one alone.
pub(crate) fn haplotypes(genome: &Genome, variation: &Variation, random: &mut Random) -> [Vec<HaplotypeContig>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    for contig in &genome.contigs {
        let [first, second] = haplotypes_of(contig, variation, random);
        both[0].push(first);
        both[1].push(second);
    }
    both
}

fn haplotypes_of(contig: &Contig, variation: &Variation, random: &mut Random) -> [HaplotypeContig; 2] {
    let mut both = [0, 1].map(|_| HaplotypeContig {
        bases: Vec::with_capacity(contig.bases.len() + contig.bases.len() / 64),
        anchors: vec![Anchor { donor: 0, reference: 0, inserted: false }],
    });
    // Each haplotype carries two thirds of the sites.
    let snp_sites = variation.snps * 3 / 2;
    let indel_sites = variation.indels * 3 / 2;
    // Reference position up to which a haplotype has deleted the sequence.
    let mut deleted_to = [0; 2];
    for (position, &base) in contig.bases.iter().enumerate() {
        let base = base.to_ascii_uppercase();
        let draw = random.below(MILLION);
        let varies = base != b'N' && draw < snp_sites + indel_sites;
        if !varies {
            for (haplotype, &end) in both.iter_mut().zip(&deleted_to) {
                if position >= end {
                    haplotype.bases.push(base);
                }
            }
            continue;
        }
        let event = Event::draw(random, base, draw < snp_sites);
        let carriers = [[true, true], [true, false], [false, true]][random.below(3) as usize];
        for ((haplotype, end), carrier) in both.iter_mut().zip(&mut deleted_to).zip(carriers) {
            if position < *end {
                continue;
            }
            match &event {
                Event::Snp(other) if carrier => haplotype.bases.push(*other),
                Event::Insertion(inserted) if carrier => {
                    haplotype.anchor(position as u64, true);
                    haplotype.bases.extend(inserted);
                    haplotype.anchor(position as u64, false);
                    haplotype.bases.push(base);
                }
                Event::Deletion(length) if carrier => {
                    *end = (position + length).min(contig.bases.len());
                    haplotype.anchor(*end as u64, false);
                }
                _ => haplotype.bases.push(base),
            }
        }
    }
    both
}

enum Event {
    Snp(u8),
    Insertion(Vec<u8>),
    Deletion(usize),
}

impl Event {
    fn draw(random: &mut Random, base: u8, snp: bool) -> Self {
        if snp {
            return Self::Snp(substitute(random, base));
        }
        // Half of the indels have one base, a quarter two, and so on.
        let length = u64::from(random.bits().trailing_ones() + 1).min(LONGEST_INDEL);
        if random.coin() {
            Self::Insertion((0..length).map(|_| *random.pick(&BASES)).collect())
        } else {
            Self::Deletion(length as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contig(length: usize) -> Contig {
        let mut random = Random::new(9, 0);
        Contig { name: "c".into(), bases: (0..length).map(|_| *random.pick(b"ACGTacgt")).collect() }
    }

    #[test]
    fn reference_positions_lead_back_to_the_same_base() {
        let contig = contig(50_000);
        let both = haplotypes_of(&contig, &Variation { snps: 0, indels: 5_000 }, &mut Random::new(1, 0));
        for haplotype in &both {
            let inserted = |donor: usize| {
                haplotype.anchors.iter().rev().find(|anchor| anchor.donor <= donor as u64).unwrap().inserted
            };
            let mut last = 0;
            for (donor, &base) in haplotype.bases.iter().enumerate() {
                let reference = haplotype.reference_position(donor as u64);
                assert!(reference >= last, "positions never go back");
                last = reference;
                if !inserted(donor) {
                    assert_eq!(base, contig.bases[reference as usize].to_ascii_uppercase(), "donor base {donor}");
                }
            }
            let events = haplotype.anchors.len();
            assert!((200..700).contains(&events), "{events} anchors for about 250 indels");
        }
    }

    #[test]
    fn each_haplotype_has_the_share_of_snps_that_was_asked() {
        let contig = contig(200_000);
        let both = haplotypes_of(&contig, &Variation { snps: 10_000, indels: 0 }, &mut Random::new(2, 0));
        let differences = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| !a.eq_ignore_ascii_case(b)).count();
        for haplotype in &both {
            let snps = differences(&haplotype.bases, &contig.bases);
            assert!((1_850..2_150).contains(&snps), "{snps} SNPs in 200,000 bases at 1 %");
        }
        assert!(differences(&both[0].bases, &both[1].bases) > 1_500, "the haplotypes differ");
    }
}
