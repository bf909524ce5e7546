//! Interspersed and tandem repeats.

use crate::random::{MILLION, Random};
use crate::sequence::{BASES, diverge, random_base, reverse_complement};

/// A family of interspersed repeats: copies of one consensus, as old as they have diverged from it.
pub(crate) struct RepeatFamily {
    consensus: Vec<u8>,
    /// Youngest and oldest copy: substitutions in parts per million.
    divergence: (u64, u64),
    truncation: Truncation,
    poly_a: bool,
}

#[derive(Clone, Copy)]
enum Truncation {
    /// Nearly all copies are whole, as Alus are.
    Rare,
    /// Nearly all copies have lost their 5' end, as L1s have.
    FivePrime,
}

/// The families of a genome. Percentages are of inserted elements.
pub(crate) struct RepeatLibrary {
    alu: Vec<RepeatFamily>,
    l1: Vec<RepeatFamily>,
    old: Vec<RepeatFamily>,
    satellite: Vec<u8>,
}

impl RepeatLibrary {
    pub(crate) fn new(random: &mut Random) -> Self {
        let alu = alu_consensus(random);
        let l1 = random_sequence(random, 6_000, 420_000);
        // Half of the Alus belong to the middle subfamily, as the S subfamily does in man.
        let alu_ages = [(10_000, 40_000), (60_000, 110_000), (60_000, 110_000), (140_000, 180_000)];
        let l1_ages = [(10_000, 60_000), (60_000, 120_000), (120_000, 250_000)];
        Self {
            alu: subfamilies(random, &alu, &alu_ages, Truncation::Rare),
            l1: subfamilies(random, &l1, &l1_ages, Truncation::FivePrime),
            old: (0..4)
                .map(|_| RepeatFamily {
                    consensus: random_sequence(random, 260, 440_000),
                    divergence: (200_000, 250_000),
                    truncation: Truncation::FivePrime,
                    poly_a: false,
                })
                .collect(),
            satellite: random_sequence(random, 171, 380_000),
        }
    }

    /// One copy of an interspersed repeat, on either strand.
    pub(crate) fn interspersed(&self, random: &mut Random) -> Vec<u8> {
        let families = match random.below(100) {
            0..58 => &self.alu,
            58..83 => &self.l1,
            _ => &self.old,
        };
        random.pick(families).copy(random)
    }

    /// An array of satellite monomers: a unit of several diverged monomers, itself repeated nearly unchanged, not longer
    /// than `longest` bases.
    pub(crate) fn satellite_array(&self, random: &mut Random, longest: usize) -> Vec<u8> {
        let monomers = random.between(4, 8);
        let unit: Vec<u8> = (0..monomers).flat_map(|_| diverge(random, &self.satellite, 250_000)).collect();
        let copies = random.between(3, 12);
        let mut array: Vec<u8> = (0..copies).flat_map(|_| diverge(random, &unit, 15_000)).collect();
        array.truncate(longest);
        array
    }
}

impl RepeatFamily {
    fn copy(&self, random: &mut Random) -> Vec<u8> {
        let whole = self.consensus.len() as u64;
        let length = match self.truncation {
            Truncation::Rare => {
                if random.below(10) == 0 {
                    random.between(whole / 3, whole)
                } else {
                    whole
                }
            }
            Truncation::FivePrime if random.below(30) == 0 => whole,
            Truncation::FivePrime => {
                let longest = random.between(whole / 20, whole);
                random.between((whole / 40).max(60), longest)
            }
        };
        let age = random.between(self.divergence.0, self.divergence.1);
        let mut copy = diverge(random, &self.consensus[(whole - length) as usize..], age);
        if self.poly_a {
            let tail = vec![b'A'; random.between(8, 30) as usize];
            copy.extend(diverge(random, &tail, age));
        }
        if random.coin() { reverse_complement(&copy) } else { copy }
    }
}

fn subfamilies(random: &mut Random, master: &[u8], ages: &[(u64, u64)], truncation: Truncation) -> Vec<RepeatFamily> {
    ages.iter()
        .map(|&divergence| RepeatFamily {
            consensus: diverge(random, master, 40_000),
            divergence,
            truncation,
            poly_a: true,
        })
        .collect()
}

/// Two related arms with an A-rich linker between them: 280 bases, rich in GC.
fn alu_consensus(random: &mut Random) -> Vec<u8> {
    let arm = random_sequence(random, 125, 630_000);
    let mut consensus = arm.clone();
    consensus.extend_from_slice(b"AAAATACAAAAA");
    consensus.extend(diverge(random, &arm, 120_000));
    consensus.extend(random_sequence(random, 20, 500_000));
    consensus
}

fn random_sequence(random: &mut Random, length: usize, gc: u64) -> Vec<u8> {
    (0..length).map(|_| random_base(random, gc)).collect()
}

/// A microsatellite: 15 to 80 bases of a unit of 1 to 6, with few mutations.
pub(crate) fn microsatellite(random: &mut Random) -> Vec<u8> {
    let length = *random.pick(&[1, 1, 2, 2, 2, 3, 4, 4, 5, 6]);
    let unit: Vec<u8> = (0..length).map(|_| random_base(random, 300_000)).collect();
    let total = random.between(15, 80) as usize;
    let perfect: Vec<u8> = unit.iter().copied().cycle().take(total).collect();
    let mutations = random.below(40_000);
    diverge(random, &perfect, mutations)
}

/// A minisatellite: 4 to 30 copies of a unit of 10 to 60 bases, each copy with its own mutations.
pub(crate) fn minisatellite(random: &mut Random) -> Vec<u8> {
    let length = random.between(10, 60);
    let unit: Vec<u8> = (0..length).map(|_| random_base(random, 550_000)).collect();
    let mutations = random.below(100_000);
    (0..random.between(4, 30)).flat_map(|_| diverge(random, &unit, mutations)).collect()
}

/// A stretch of 40 to 200 bases of which nine in ten are one of two bases.
pub(crate) fn low_complexity(random: &mut Random) -> Vec<u8> {
    let common = [*random.pick(&BASES), *random.pick(&BASES)];
    let length = random.between(40, 200);
    (0..length)
        .map(|_| if random.chance(MILLION / 10) { *random.pick(&BASES) } else { *random.pick(&common) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_of_satellites_repeats_itself_and_keeps_its_limit() {
        let mut random = Random::new(1, 0);
        let library = RepeatLibrary::new(&mut random);
        let array = library.satellite_array(&mut random, 4_000);
        assert!(array.len() <= 4_000);
        let period = (4 * 171 - 150..8 * 171 + 150)
            .map(|shift| {
                array.iter().zip(&array[shift..]).filter(|(a, b)| a == b).count() * 100 / (array.len() - shift)
            })
            .max();
        assert!(period > Some(50), "best agreement of the array with itself: {period:?} %");
    }

    #[test]
    fn alu_copies_resemble_each_other_by_age() {
        let mut random = Random::new(2, 0);
        let library = RepeatLibrary::new(&mut random);
        let shared = |family: &RepeatFamily, random: &mut Random| {
            let words = |copy: Vec<u8>| copy.windows(16).map(<[u8]>::to_vec).collect::<std::collections::HashSet<_>>();
            let consensus = words(family.consensus.clone());
            let reversed = words(reverse_complement(&family.consensus));
            let mut found = 0;
            for _ in 0..40 {
                let copy = words(family.copy(random));
                found += copy.intersection(&consensus).count().max(copy.intersection(&reversed).count());
            }
            found
        };
        let (young, old) = (shared(&library.alu[0], &mut random), shared(&library.alu[3], &mut random));
        assert!(young > 3 * old, "16-mers shared with the consensus: {young} young, {old} old");
        assert!(old > 0);
    }
}
