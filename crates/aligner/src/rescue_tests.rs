//! Mate rescue with a gate that leaves nothing out, against the stage crate's own, region by region.

use std::fmt::Write as _;

use bwa_mem4_mem::{MemAlnReg, PairRescueData, PeStat, align_read_dedup, batch_mate_rescue};
use seedsieve_simulate::Random;

use crate::stages::rescue::rescue_mates;
use crate::{AlignOptions, ReferenceIndex, RescueGate, build_index};

/// Leaves nothing out.
struct Passive;

impl RescueGate for Passive {}

/// Copies of the repeat in the reference, every other one turned round.
const COPIES: usize = 40;
/// Bases of the repeat, and of what lies between two copies: of a cluster of them, and of two clusters. A mate that is found
/// beside one copy of a cluster lies where it is looked for beside the next one, too.
const REPEAT: usize = 140;
const BETWEEN: [usize; 4] = [900, 30, 60, 10];

fn reverse_complement(codes: &[u8]) -> Vec<u8> {
    codes.iter().rev().map(|&code| if code < 4 { 3 - code } else { 4 }).collect()
}

/// Changes bases, `rate` in a million of them, into others or, where `unknown`, into N.
fn changed(random: &mut Random, codes: &[u8], rate: u64, unknown: bool) -> Vec<u8> {
    let change = |&code: &u8| match random.chance(rate) {
        true if unknown && random.coin() => 4,
        true => (code + 1 + random.below(3) as u8) % 4,
        false => code,
    };
    codes.iter().map(change).collect()
}

/// A reference of copies that differ here and there, and pairs of which one read lies in a copy and the other beside it, with
/// so many errors that seeds are rare.
fn reference_and_pairs(random: &mut Random) -> (Vec<u8>, Vec<[Vec<u8>; 2]>) {
    let repeat: Vec<u8> = (0..REPEAT).map(|_| random.below(4) as u8).collect();
    let (mut reference, mut copies) = (Vec::new(), Vec::new());
    for copy in 0..COPIES {
        reference.extend((0..BETWEEN[copy % BETWEEN.len()]).map(|_| random.below(4) as u8));
        copies.push(reference.len());
        let bases = changed(random, &repeat, 10_000, false);
        reference.extend(if copy % 5 < 3 { bases } else { reverse_complement(&bases) });
    }
    reference.extend((0..BETWEEN[0]).map(|_| random.below(4) as u8));
    let pairs = (0..240).map(|number| {
        let within = copies[number % COPIES] + random.below((REPEAT - 99) as u64) as usize;
        let before = random.coin();
        let distance = random.between(150, 400) as usize;
        let beside = if before { within - distance } else { within + distance };
        let first = changed(random, &reference[within..within + 100], 10_000, false);
        let mate = changed(random, &reference[beside..beside + 100], 150_000, number % 3 == 0);
        // Mates of all orientations.
        let turned = |codes: Vec<u8>, turn: bool| if turn { reverse_complement(&codes) } else { codes };
        let pair = [turned(first, random.coin()), turned(mate, random.coin())];
        if random.coin() { [pair[1].clone(), pair[0].clone()] } else { pair }
    });
    let pairs = pairs.collect();
    (reference, pairs)
}

#[test]
fn regions_of_rescued_mates_are_those_of_the_stage_crate() {
    let mut random = Random::new(11, 0);
    let (reference, pairs) = reference_and_pairs(&mut random);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("repeats.fa");
    let mut fasta = String::from(">repeats\n");
    reference.iter().for_each(|&code| fasta.write_char(char::from(b"ACGT"[usize::from(code)])).unwrap());
    std::fs::write(&path, fasta + "\n").unwrap();
    build_index(&path, &path).unwrap();
    let index = ReferenceIndex::load(&path).unwrap();
    let stage_index = bwa_index::FmIndex::load(&path).unwrap();
    let orientation = |low, high| PeStat { low, high, failed: false, avg: 330.0, std: 60.0 };
    for insert_size in [
        [PeStat::default(), orientation(100, 520), orientation(60, 480), PeStat::default()],
        [orientation(50, 450), orientation(100, 520), orientation(1, 300), orientation(120, 500)],
    ] {
        let options = AlignOptions::default();
        let regions: Vec<[Vec<MemAlnReg>; 2]> = pairs
            .iter()
            .map(|pair| [0, 1].map(|read| align_read_dedup(&stage_index, &index.bns, &options.mem, &pair[read])))
            .collect();
        let rescued = |rescue: &dyn Fn(&mut [PairRescueData<'_>])| {
            let mut regions = regions.clone();
            let mut data: Vec<PairRescueData<'_>> = pairs
                .iter()
                .zip(&mut regions)
                .map(|([seq0, seq1], [a0, a1])| PairRescueData { seq0, seq1, a0, a1 })
                .collect();
            rescue(&mut data);
            regions
        };
        let expected = rescued(&|pairs| {
            batch_mate_rescue(&stage_index, &index.bns, &options.mem, &insert_size, pairs);
        });
        let proven = std::cell::Cell::new((0, 0));
        let ours = rescued(&|pairs| {
            let counts = rescue_mates(&index, &options, &insert_size, &Passive, pairs);
            proven.set((counts.rescues_in, counts.rescues_proven));
        });
        for (number, (ours, expected)) in ours.iter().zip(&expected).enumerate() {
            assert_eq!(format!("{ours:?}"), format!("{expected:?}"), "pair {number}");
        }
        let found = expected
            .iter()
            .zip(&regions)
            .filter(|(after, before)| after.iter().map(Vec::len).sum::<usize>() > before.iter().map(Vec::len).sum());
        let (found, (searches, proven)) = (found.count(), proven.get());
        assert!(found > 60, "mates of {found} pairs found");
        assert!(proven > searches / 4 && proven < searches, "{proven} of {searches} searches proven to find nothing");
    }
}
