//! What a simulated data set has to be: the same every time, repetitive like a genome, and true to its names.

use std::collections::HashMap;

use seedsieve_simulate::{
    Genome, GenomeOptions, Origin, ReadName, ReadOptions, ReadPairs, SimulatedRead, SimulationError, write_data_set,
};

fn genome(size: u64, seed: u64) -> Genome {
    Genome::generate(&GenomeOptions { size, seed, ..GenomeOptions::default() }).unwrap()
}

/// FNV-1a, 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let contents: Vec<[Vec<u8>; 3]> = folders
        .iter()
        .zip([5, 5, 6])
        .map(|(folder, seed)| {
            let genome = GenomeOptions { size: 100_000, seed, ..GenomeOptions::default() };
            let reads = ReadOptions { pairs: 300, foreign_rate: 100_000, seed, ..ReadOptions::default() };
            let files = write_data_set(folder.path(), &genome, &reads).unwrap();
            [files.genome, files.first_reads, files.second_reads].map(|path| std::fs::read(path).unwrap())
        })
        .collect();
    assert!(contents[0] == contents[1], "two runs of one seed differ");
    assert!(contents[0][0] != contents[2][0] && contents[0][1] != contents[2][1], "two seeds give the same");
    // Every platform has to arrive here. A change of these numbers changes everybody's simulated data: say so in the changelog.
    assert_eq!(contents[0].each_ref().map(|bytes| checksum(bytes)), EXPECTED_CHECKSUMS);
}

const EXPECTED_CHECKSUMS: [u64; 3] = [10882848350424661513, 2624622918282450736, 14709358161523319658];

#[test]
fn a_pair_does_not_depend_on_how_many_are_made() {
    let genome = genome(60_000, 1);
    let few: Vec<_> = ReadPairs::new(&genome, &ReadOptions { pairs: 5, ..ReadOptions::default() }).unwrap().collect();
    let many = ReadPairs::new(&genome, &ReadOptions { pairs: 500, ..ReadOptions::default() }).unwrap();
    assert!(few == many.take(5).collect::<Vec<_>>());
}

#[test]
fn sizes_are_what_was_asked_and_every_kind_of_sequence_is_there() {
    let genome = genome(2_000_000, 1);
    assert_eq!(genome.contigs.iter().map(|contig| contig.bases.len()).sum::<usize>(), 2_000_000);
    let names: Vec<_> = genome.contigs.iter().map(|contig| contig.name.as_str()).collect();
    assert_eq!(names, ["synthetic1", "synthetic2", "synthetic3"]);
    let all: Vec<u8> = genome.contigs.iter().flat_map(|contig| contig.bases.clone()).collect();
    assert!(all.iter().all(|base| b"ACGTNacgt".contains(base)));
    let share = |wanted: &[u8]| all.iter().filter(|base| wanted.contains(base)).count() * 1_000 / all.len();
    assert!((350..550).contains(&share(b"acgt")), "{} per mille masked as repeats", share(b"acgt"));
    assert!((4..12).contains(&share(b"N")), "{} per mille N", share(b"N"));
    assert!((380..500).contains(&share(b"GCgc")), "{} per mille GC", share(b"GCgc"));
    let upper = all.to_ascii_uppercase();
    for (what, stretch) in [("poly-A", [b'A'; 15]), ("its other strand", [b'T'; 15])] {
        let count = upper.windows(15).filter(|window| *window == stretch).count();
        assert!(count > 500, "{count} positions of {what}");
    }
    let cpg = upper.windows(2).filter(|pair| pair == b"CG").count();
    let gpc = upper.windows(2).filter(|pair| pair == b"GC").count();
    assert!(cpg * 10 < gpc * 7, "{cpg} CpG, {gpc} GpC");
}

#[test]
fn without_masking_everything_is_upper_case_and_otherwise_the_same() {
    let options = GenomeOptions { size: 50_000, ..GenomeOptions::default() };
    let masked = Genome::generate(&options).unwrap();
    let plain = Genome::generate(&GenomeOptions { soft_mask: false, ..options }).unwrap();
    for (masked, plain) in masked.contigs.iter().zip(&plain.contigs) {
        assert!(masked.bases.iter().any(u8::is_ascii_lowercase));
        assert!(masked.bases.to_ascii_uppercase() == plain.bases, "{} differs", plain.name);
    }
}

/// Share of the positions, in per mille, whose 31-mer (the smaller of both strands) occurs elsewhere too.
fn repeated_31_mers(genome: &Genome) -> usize {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for contig in &genome.contigs {
        let (mut forward, mut reverse, mut length) = (0u64, 0u64, 0);
        for &base in &contig.bases {
            let Some(code) = b"ACGT".iter().position(|&b| b == base.to_ascii_uppercase()) else {
                length = 0;
                continue;
            };
            forward = (forward << 2 | code as u64) & ((1 << 62) - 1);
            reverse = reverse >> 2 | (3 - code as u64) << 60;
            length += 1;
            if length >= 31 {
                *counts.entry(forward.min(reverse)).or_default() += 1;
            }
        }
    }
    let total: u32 = counts.values().sum();
    let repeated: u32 = counts.values().filter(|&&count| count > 1).sum();
    repeated as usize * 1_000 / total as usize
}

#[test]
fn the_share_of_repeated_31_mers_is_that_of_human_sequence() {
    for seed in [1, 2] {
        let share = repeated_31_mers(&genome(2_000_000, seed));
        assert!((60..220).contains(&share), "seed {seed}: {share} per mille");
    }
}

/// The read as it would lie on the forward strand.
fn on_forward_strand(read: &SimulatedRead, reverse: bool) -> Vec<u8> {
    if !reverse {
        return read.bases.clone();
    }
    let complement = |base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => *other,
    };
    read.bases.iter().rev().map(complement).collect()
}

/// Mismatches of each read without a shift (most reads have no indel) against the place in its name.
fn mismatches_at_named_places(genome: &Genome, options: &ReadOptions) -> Vec<usize> {
    let mut mismatches = Vec::new();
    for pair in ReadPairs::new(genome, options).unwrap() {
        let Origin::Reference { contig, mates } = ReadName::parse(&pair.name).unwrap().origin else { continue };
        assert_ne!(mates[0].reverse, mates[1].reverse, "mates face each other");
        let contig = genome.contigs.iter().find(|candidate| candidate.name == contig).unwrap();
        for (read, mate) in pair.reads.iter().zip(mates) {
            let start = mate.start as usize - 1;
            let reference = &contig.bases[start..(start + read.bases.len()).min(contig.bases.len())];
            let read = on_forward_strand(read, mate.reverse);
            mismatches.push(reference.iter().zip(&read).filter(|(a, b)| !a.eq_ignore_ascii_case(b)).count());
        }
    }
    mismatches
}

#[test]
fn reads_match_the_genome_at_the_place_in_their_name() {
    let genome = genome(300_000, 3);
    let mismatches = mismatches_at_named_places(&genome, &ReadOptions { pairs: 2_000, ..ReadOptions::default() });
    assert_eq!(mismatches.len(), 4_000);
    let far = mismatches.iter().filter(|&&count| count > 15).count();
    assert!(far < 4_000 * 3 / 100, "{far} of 4,000 reads with more than 15 mismatches: only indels explain those");
}

#[test]
fn the_error_rate_is_what_was_asked() {
    let genome = genome(300_000, 4);
    for asked in [1_000, 3_000, 10_000] {
        let options =
            ReadOptions { pairs: 4_000, error_rate: asked, snp_rate: 0, indel_rate: 0, ..ReadOptions::default() };
        let mismatches = mismatches_at_named_places(&genome, &options);
        // Reads with an indel error are left out, which takes a few of the substitutions with them.
        let straight: Vec<usize> = mismatches.into_iter().filter(|&count| count <= 15).collect();
        let found = straight.iter().sum::<usize>() * 1_000_000 / (straight.len() * 150);
        assert!(found as u64 * 10 > asked * 8 && found as u64 * 10 < asked * 12, "{found} for {asked} per million");
    }
}

#[test]
fn both_strands_both_mates_and_every_contig_are_read() {
    let genome = genome(120_000, 5);
    let mut seen: HashMap<(String, bool), u32> = HashMap::new();
    let mut inserts = Vec::new();
    for pair in ReadPairs::new(&genome, &ReadOptions { pairs: 3_000, ..ReadOptions::default() }).unwrap() {
        let Origin::Reference { contig, mates } = ReadName::parse(&pair.name).unwrap().origin else {
            panic!("foreign")
        };
        let (forward, reverse) = if mates[0].reverse { (mates[1], mates[0]) } else { (mates[0], mates[1]) };
        inserts.push(reverse.start as i64 + 150 - forward.start as i64);
        *seen.entry((contig, mates[0].reverse)).or_default() += 1;
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.values().all(|&count| count > 300), "{seen:?}");
    let mean = inserts.iter().sum::<i64>() / inserts.len() as i64;
    assert!((440..460).contains(&mean), "mean insert size {mean}");
}

#[test]
fn foreign_pairs_say_so_and_have_the_share_that_was_asked() {
    let genome = genome(100_000, 6);
    let options = ReadOptions { pairs: 2_000, foreign_rate: 250_000, ..ReadOptions::default() };
    let foreign =
        ReadPairs::new(&genome, &options).unwrap().filter(|pair| pair.name.starts_with("sim:*:0:*:0:*:")).count();
    assert!((420..580).contains(&foreign), "{foreign} of 2,000");
}

#[test]
fn options_out_of_range_are_named_with_their_range() {
    let genome = genome(30_000, 7);
    let refuse = |options: ReadOptions| ReadPairs::new(&genome, &options).err().unwrap().to_string();
    let error = refuse(ReadOptions { error_rate: 10_001, ..ReadOptions::default() });
    assert_eq!(error, "the error rate is 10001; it has to be from 0 to 10000 per million");
    let error = refuse(ReadOptions { insert_mean: 149, ..ReadOptions::default() });
    assert!(error.contains("the insert size is 149") && error.contains("150"), "{error}");
    let error = refuse(ReadOptions { insert_mean: 10_000, insert_deviation: 2_000, ..ReadOptions::default() });
    assert!(error.contains("22008 bases in a row without N"), "{error}");
    let error = Genome::generate(&GenomeOptions { size: 100, ..GenomeOptions::default() }).err().unwrap();
    assert_eq!(error.to_string(), "the genome size is 100; it has to be from 30000 to 4000000000 bases");
}

#[test]
fn an_unwritable_folder_is_an_error_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    // A folder in the way of the last file: the first two must not appear either.
    std::fs::create_dir_all(folder.path().join("reads_2.fastq/in-the-way")).unwrap();
    let genome = GenomeOptions { size: 30_000, ..GenomeOptions::default() };
    let reads = ReadOptions { pairs: 2, ..ReadOptions::default() };
    let error = write_data_set(folder.path(), &genome, &reads).unwrap_err();
    assert!(matches!(&error, SimulationError::Write { path, .. } if path.ends_with("reads_2.fastq")), "{error}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["reads_2.fastq"]);
}
