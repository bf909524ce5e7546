//! The matches and their places against the stage crate's, which are bwa-mem2's.

use std::ops::Range;

use bwa_index::Smem;
use bwa_mem4_core::MemOpt;
use bwa_seed::{collect_smems_batched, mem_collect_smem_batched};
use seedsieve_simulate::Random;

use super::{Match, Places, SeededReads, find_matches};
use crate::gates::{Explained, FirstMatch, SeedingGate, SeedingVerdict};
use crate::{ReferenceIndex, build_index};

/// An index of a random genome with repeats: exact and diverged copies on both strands, tandem repeats, a run of N, and an end
/// that occurs once.
fn genome() -> (tempfile::TempDir, ReferenceIndex, Vec<u8>) {
    let mut random = Random::new(11, 0);
    let mut bases = |length: usize| (0..length).map(|_| random.below(4) as u8).collect::<Vec<u8>>();
    let element = bases(400);
    let mut genome = bases(20_000);
    for copy in 0..60 {
        let mut element = element.clone();
        if copy % 3 == 1 {
            element = element.iter().rev().map(|base| 3 - base).collect();
        }
        for place in (0..element.len()).skip(copy).step_by(17 + 5 * copy) {
            element[place] = (element[place] + 1) % 4;
        }
        genome.extend(element);
        genome.extend(bases(150));
    }
    let tandem = bases(7).repeat(60);
    genome.extend(&tandem);
    genome.extend(vec![4; 50]);
    genome.extend(bases(5_000));
    genome.extend(bases(2).repeat(150));
    for number in 0..COPIED {
        let mut copy = genome[copied(number)..copied(number) + 150].to_vec();
        // A difference in each part that the seeding gate cuts such a read into, but for one.
        (0..4).filter(|part| *part != number % 4).for_each(|part| copy[22 + 35 * part] ^= 1);
        genome.extend(copy);
    }
    genome.extend(bases(200));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genome.fa");
    let letters = |codes: &[u8]| codes.iter().map(|&code| char::from(b"ACGTN"[usize::from(code)])).collect::<String>();
    let (first, second) = genome.split_at(9_000);
    std::fs::write(&path, format!(">one\n{}\n>two\n{}\n", letters(first), letters(second))).unwrap();
    build_index(&path, &path).unwrap();
    let index = ReferenceIndex::load(&path).unwrap();
    (folder, index, genome)
}

/// The index as the stage crate loads it.
fn stage_index(folder: &tempfile::TempDir) -> bwa_index::FmIndex {
    bwa_index::FmIndex::load(&folder.path().join("genome.fa")).unwrap()
}

/// Pieces of the genome that occur once more with differences.
const COPIED: usize = 20;

/// Where they begin.
fn copied(number: usize) -> usize {
    1_000 + 200 * number
}

/// Pieces of the genome with more and more errors, some of them with N or put together of two pieces, random reads, reads
/// that are too short for anything, and some that go on where the forward strand ends.
fn reads(genome: &[u8]) -> Vec<Vec<u8>> {
    let mut random = Random::new(12, 0);
    let mut below = |most: usize| random.below(most as u64) as usize;
    let mut reads = Vec::new();
    for number in 0..900 {
        let length = [150, 101, 60, 30, 13, 8, 1, 0][below(8).min(number % 9)];
        let start = below(genome.len() - length);
        let mut read = genome[start..start + length].to_vec();
        if number % 11 == 0 {
            read = (0..length).map(|_| below(4) as u8).collect();
        }
        if number % 7 == 0 {
            let other = below(genome.len() - length);
            read.truncate(length / 2);
            read.extend(&genome[other..other + length / 3]);
        }
        for _ in 0..number % 5 * read.len() / 40 {
            let place = below(read.len());
            read[place] = below(4) as u8;
        }
        if number % 13 == 0 && !read.is_empty() {
            let place = below(read.len());
            read[place] = 4;
        }
        if number % 2 == 0 {
            read = read.iter().rev().map(|&base| if base < 4 { 3 - base } else { 4 }).collect();
        }
        reads.push(read);
    }
    reads.extend(reads_across_strands(genome));
    reads
}

/// Reads around the end of the forward strand, behind which the FM-index has the reverse strand, and around the end of that one,
/// behind which it has nothing.
fn reads_across_strands(genome: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let turned = |codes: &[u8]| codes.iter().rev().map(|&base| 3 - base).collect::<Vec<u8>>();
    let end = &genome[genome.len() - 150..];
    let border = [end, &turned(end)].concat();
    let last = [turned(&genome[..100]), [0, 1, 2, 3].repeat(10)].concat();
    let around = move |text: &[u8], step: usize| -> Vec<Vec<u8>> {
        text.windows(101).step_by(step).map(<[u8]>::to_vec).collect()
    };
    around(&border, 3).into_iter().chain(around(&last, 1))
}

#[test]
fn a_match_goes_on_from_one_strand_to_the_other() {
    let (_folder, index, genome) = genome();
    let reads: Vec<Vec<u8>> = reads_across_strands(&genome).collect();
    let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let found = find_matches(&index, &MemOpt::default(), None, &reads).of_reads;
    let border = genome.len() as i64;
    let across = |of: &&Match| {
        let is_across = |place: i64| place < border && place + i64::from(of.end - of.start) > border;
        matches!(of.places, Places::At(place) if is_across(place))
    };
    assert!(found.iter().flatten().filter(across).count() > 20);
    let to_the_end =
        |of: &Match| matches!(of.places, Places::At(place) if place + i64::from(of.end - of.start) == 2 * border);
    assert!(found.iter().flatten().filter(|of| to_the_end(of)).count() > 20);
}

fn settings() -> impl Iterator<Item = MemOpt> {
    let all = [
        (19, 1.5, 10, 20, 500),
        (12, 1.5, 10, 20, 500),
        (14, 1.0, 500, 3, 60),
        (8, 2.5, 1, 1, 2),
        (5, 1.5, 10, 20, 500),
        (31, 1.5, 10, 0, 500),
        (19, 1.5, 10, 5_000, 500),
    ];
    all.into_iter().map(|(min_seed_len, split_factor, split_width, max_mem_intv, max_occ)| MemOpt {
        min_seed_len,
        split_factor,
        split_width,
        max_mem_intv,
        max_occ,
        ..MemOpt::default()
    })
}

/// Start, end, occurrences and round of each match, sorted.
type Found = Vec<(u32, u32, i64, u8)>;

#[test]
fn matches_are_those_of_the_stage_crate_round_by_round() {
    let (folder, index, genome) = genome();
    let stage_index = stage_index(&folder);
    let reads = reads(&genome);
    let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let mut of_round = [0; 3];
    for options in settings() {
        let found = find_matches(&index, &options, None, &reads).of_reads;
        let all = mem_collect_smem_batched(&stage_index, &reads, &options);
        let first = collect_smems_batched(&stage_index, &reads, options.min_seed_len, 1);
        let without_third = MemOpt { max_mem_intv: 0, ..options.clone() };
        let two_rounds = mem_collect_smem_batched(&stage_index, &reads, &without_third);
        for (number, smems) in all.iter().enumerate() {
            let ends = [first[number].len(), two_rounds[number].len()];
            let round = |smem: usize| 1 + ends.iter().filter(|&&end| smem >= end).count() as u8;
            let expected = smems.iter().enumerate().map(|(place, of)| (of.m, of.n + 1, of.s, round(place)));
            let mut expected: Found = expected.collect();
            let mut found: Found =
                found[number].iter().map(|of| (of.start, of.end, of.occurrences, of.round)).collect();
            expected.sort_unstable();
            found.sort_unstable();
            let about = format!("read {number}, -k {}, -y {}", options.min_seed_len, options.max_mem_intv);
            assert_eq!(found, expected, "{about}: {:?}", reads[number]);
            found.iter().for_each(|of| of_round[usize::from(of.3) - 1] += 1);
        }
    }
    assert!(of_round.iter().all(|&matches| matches > 1_000), "{of_round:?}");
}

#[test]
fn seeds_come_in_the_order_and_at_the_places_of_the_stage_crate() {
    let (folder, index, genome) = genome();
    let stage_index = stage_index(&folder);
    let reads = reads(&genome);
    let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let mut compared = 0;
    for options in settings() {
        let seeded =
            SeededReads::locate(&index, &options, None, &find_matches(&index, &options, None, &reads).of_reads);
        let mut all: Vec<Vec<Smem>> = mem_collect_smem_batched(&stage_index, &reads, &options);
        for (number, smems) in all.iter_mut().enumerate() {
            let mut rows = Vec::new();
            let counts = bwa_mem4_chain::sa_positions_for_read(&options, smems, &mut rows, &mut Vec::new());
            let mut places = vec![0; rows.len()];
            stage_index.get_sa_batch(&rows, &mut places);
            let (matches, of_each, starts) = seeded.for_chaining(number);
            let about = format!("read {number}, -k {}, -y {}", options.min_seed_len, options.max_mem_intv);
            let facts = |smem: &Smem| (smem.m, smem.n, smem.s);
            assert_eq!(matches.iter().map(facts).collect::<Vec<_>>(), smems.iter().map(facts).collect::<Vec<_>>());
            assert_eq!((of_each, starts), (counts.as_slice(), places.as_slice()), "{about}");
            compared += starts.len();
        }
    }
    assert!(compared > 50_000, "{compared} seeds");
}

/// How often `pattern` occurs in the genome and its reverse complement.
fn occurrences(genome: &[u8], pattern: &[u8]) -> usize {
    let turned: Vec<u8> = pattern.iter().rev().map(|&base| 3 - base).collect();
    let count = |pattern: &[u8]| genome.windows(pattern.len()).filter(|window| *window == pattern).count();
    count(pattern) + count(&turned)
}

#[test]
fn further_rounds_are_left_out_where_no_part_of_the_read_occurs_twice() {
    let (_folder, index, genome) = genome();
    let mut random = Random::new(13, 0);
    let starts: Vec<usize> = (0..150).map(|_| random.below(genome.len() as u64 - 150) as usize).collect();
    let reads: Vec<Vec<u8>> = starts
        .iter()
        .enumerate()
        .map(|(number, &start)| {
            let mut read = genome[start..start + 150].to_vec();
            (0..number % 4).for_each(|error| read[35 * (error + 1)] ^= 1);
            read
        })
        .chain((0..COPIED).map(|number| genome[copied(number)..copied(number) + 150].to_vec()))
        .filter(|read| read.iter().all(|&base| base < 4))
        .collect();
    let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
    let options = MemOpt::default();
    let gate = Explained::new(&options);
    let all = find_matches(&index, &options, None, &reads).of_reads;
    let gated = find_matches(&index, &options, Some(&gate), &reads);
    let (mut enough, mut seeded_further, mut for_one_part) = (0, 0, 0);
    for ((read, all), gated) in reads.iter().zip(&all).zip(&gated.of_reads) {
        let first: Vec<Match> = all.iter().filter(|of| of.round == 1).copied().collect();
        let place = |of: &Match| if let Places::At(place) = of.places { Some(place) } else { None };
        let facts =
            |of: &Match| FirstMatch { start: of.start, end: of.end, occurrences: of.occurrences, place: place(of) };
        let verdict = gate.judge(read.len(), &first.iter().map(facts).collect::<Vec<_>>());
        let is_enough = match verdict {
            SeedingVerdict::Further => false,
            SeedingVerdict::Enough => true,
            SeedingVerdict::EnoughIfUnique(parts) => {
                let often = |part: &Range<u32>| occurrences(&genome, &read[part.start as usize..part.end as usize]);
                let often: Vec<usize> = parts.iter().map(often).filter(|&often| often > 1).collect();
                // What one part that occurs twice is asked for has to be found, or the answer would not matter.
                for_one_part += usize::from(often == [2] && &first != all);
                often.is_empty()
            }
        };
        assert_eq!(gated, if is_enough { &first } else { all });
        *(if is_enough { &mut enough } else { &mut seeded_further }) += 1;
    }
    assert_eq!(gated.first_round_enough, enough);
    assert!(enough > 20 && seeded_further > 20, "{enough}, {seeded_further}");
    assert!(for_one_part > 10, "{for_one_part} reads of which one part occurs twice");
}
