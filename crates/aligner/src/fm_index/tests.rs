//! The index against the stage crate's, and against the text itself.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use seedsieve_simulate::Random;

use super::{FmIndex, Interval, MAPPED_INDEX_SUFFIX};
use crate::index::index_file;
use crate::{AlignerError, ReferenceIndex, build_index, build_mapped_index};

/// Bases of the genome: not a multiple of a block, so that the last one is not full.
const BASES: u64 = 30_011;

/// A random genome with a repeat, as an index in a folder, and its bases.
fn genome(seed: u64) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let mut random = Random::new(seed, 0);
    let mut genome: Vec<u8> = (0..BASES).map(|_| random.below(4) as u8).collect();
    genome.copy_within(5_000..7_000, 20_000);
    let letters: String = genome.iter().map(|&code| char::from(b"ACGT"[usize::from(code)])).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genome.fa");
    fs::write(&path, format!(">one\n{letters}\n")).unwrap();
    build_index(&path, &path).unwrap();
    (folder, path, genome)
}

/// The index read into memory, and the mapped one.
fn both(path: &std::path::Path) -> [FmIndex; 2] {
    let read = FmIndex::load(path).unwrap();
    build_mapped_index(path).unwrap();
    [read, FmIndex::load(path).unwrap()]
}

#[test]
fn intervals_are_the_stage_crates() {
    let (_folder, path, genome) = genome(1);
    let theirs = bwa_index::FmIndex::load(&path).unwrap();
    let mut random = Random::new(2, 0);
    for ours in both(&path) {
        let mut compared = 0;
        for _ in 0..2_000 {
            let start = random.below(BASES - 40) as usize;
            let mut pattern = ours.of_base(genome[start + 30]);
            let base = usize::from(genome[start + 30]);
            let counts = theirs.counts();
            let mut smem = bwa_index::Smem {
                k: counts[base],
                l: counts[3 - base],
                s: counts[base + 1] - counts[base],
                ..Default::default()
            };
            for &base in genome[start..start + 30].iter().rev() {
                // Some patterns end in a base that is not there.
                let base = if random.below(50) == 0 { (base + 1) % 4 } else { base };
                pattern = ours.with_base_before(pattern, base);
                smem = theirs.backward_ext(smem, usize::from(base));
                let expected = Interval { row: smem.k, reverse_row: smem.l, occurrences: smem.s };
                assert_eq!(pattern, expected);
                compared += 1;
                if pattern.occurrences == 0 {
                    break;
                }
            }
        }
        assert!(compared > 20_000, "{compared}");
    }
}

#[test]
fn a_base_behind_is_its_complement_before_on_the_other_strand() {
    let (_folder, path, genome) = genome(3);
    for index in both(&path) {
        for start in (0..genome.len() - 20).step_by(97) {
            let codes = &genome[start..start + 20];
            let backwards =
                codes[..19].iter().rev().fold(index.of_base(codes[19]), |of, &base| index.with_base_before(of, base));
            let forwards =
                codes[1..].iter().fold(index.of_base(codes[0]), |of, &base| index.with_base_behind(of, base));
            assert_eq!(forwards, backwards);
            assert!(forwards.occurrences > 0);
        }
    }
}

#[test]
fn every_row_has_the_place_that_the_stage_crate_gives() {
    let (_folder, path, _) = genome(4);
    let theirs = bwa_index::FmIndex::load(&path).unwrap();
    let rows: Vec<i64> = (0..theirs.ref_seq_len).collect();
    let mut expected = vec![0; rows.len()];
    theirs.get_sa_batch(&rows, &mut expected);
    for index in both(&path) {
        assert_eq!(index.rows(), theirs.ref_seq_len);
        let mut places = vec![-1; rows.len()];
        index.places_into(&rows, &mut places);
        assert_eq!(places, expected);
        // Every suffix of both strands has a row.
        places.sort_unstable();
        assert_eq!(places, rows);
    }
}

/// What is written into the file is seen: it was not read.
#[test]
fn a_mapped_index_is_the_file() {
    let (_folder, path, _) = genome(8);
    let [read, mapped] = both(&path);
    let (place, row) = (read.place(8), 8);
    assert_eq!(mapped.place(row), place);
    let file = index_file(&path, MAPPED_INDEX_SUFFIX);
    let mut bytes = fs::read(&file).unwrap();
    bytes[mapped.layout.places.clone()].fill(0);
    fs::OpenOptions::new().write(true).open(&file).unwrap().write_all(&bytes).unwrap();
    assert_eq!((read.place(row), mapped.place(row)), (place, 0));
    assert_ne!(place, 0);
}

#[test]
fn a_mapped_file_of_another_reference_or_cut_short_is_refused() {
    let (_folder, path, _) = genome(5);
    build_mapped_index(&path).unwrap();
    let mapped = index_file(&path, MAPPED_INDEX_SUFFIX);
    let whole = fs::read(&mapped).unwrap();
    let (_other_folder, other, _) = genome(6);
    build_mapped_index(&other).unwrap();
    let of_another = fs::read(index_file(&other, MAPPED_INDEX_SUFFIX)).unwrap();
    let mut of_another_version = whole.clone();
    of_another_version[20] += 1;
    let altered = |byte: usize| {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1;
        bytes
    };
    let refused = [
        (of_another, "of another reference"),
        (of_another_version, "not an FM-index of this version"),
        (whole[..whole.len() - 1].to_vec(), "bytes; for this reference it has"),
        (Vec::new(), "0 bytes; for this reference"),
        (altered(super::layout::HEAD_BYTES), "checksum"),
        (altered(whole.len() / 2), "checksum"),
        (altered(whole.len() - 1), "checksum"),
    ];
    for (bytes, expected) in refused {
        fs::write(&mapped, bytes).unwrap();
        let error = ReferenceIndex::load(&path).err().expect("an error").to_string();
        assert!(error.contains(expected) && error.contains("seedsieve index --map-only"), "{error}");
    }
    fs::write(&mapped, whole).unwrap();
    ReferenceIndex::load(&path).unwrap();
}

/// What [`ReferenceIndex::load`] says, and `build_mapped_index`, when this byte of the FM-index is another one.
fn with_altered_byte(path: &std::path::Path, at: usize) -> [Option<AlignerError>; 2] {
    let file = index_file(path, "bwt.2bit.64");
    let mut bytes = fs::read(&file).unwrap();
    bytes[at] ^= 0x80;
    fs::write(&file, &bytes).unwrap();
    let errors = [ReferenceIndex::load(path).err(), build_mapped_index(path).err()];
    bytes[at] ^= 0x80;
    fs::write(&file, &bytes).unwrap();
    errors
}

#[test]
fn an_altered_block_and_a_place_outside_are_found_wherever_they_are() {
    let (_folder, path, _) = genome(7);
    let blocks = (2 * BASES as usize + 1) / 64 + 1;
    let sampled = (2 * BASES as usize + 1) / 8 + 1;
    for block in (0..blocks).step_by(67).chain([blocks - 1]) {
        for byte in [3, 8, 22, 31, 33, 47, 50, 63] {
            for error in with_altered_byte(&path, 48 + 64 * block + byte) {
                let said = error.map(|error| error.to_string()).unwrap_or_default();
                let is_found = said.contains("do not follow from") || said.contains("those of the head are");
                assert!(is_found, "block {block}, byte {byte}: {said}");
            }
        }
    }
    for high_byte in (0..sampled).step_by(501) {
        for error in with_altered_byte(&path, 48 + 64 * blocks + high_byte) {
            let said = error.expect("a place far outside").to_string();
            assert!(said.contains("valid are 0 to"), "place {high_byte}: {said}");
        }
    }
}
