//! The model loader on files made as a fuzzer makes them: no panic, no hang. (What the fuzzer itself keeps is replayed in
//! `crates/fuzzing`.)
#![cfg(feature = "native")]

#[path = "common/student_model.rs"]
mod student_model;

use seedsieve_inference::{Model, load_and_score};
use student_model::{Random, RandomStudent};

fn sound_files() -> [Vec<u8>; 3] {
    let student = RandomStudent::new(&[288, 16, 16, 1], 3).to_onnx(true);
    [Model::embedded().bytes().to_vec(), Model::embedded_int8().sealed(), student]
}

#[test]
fn sound_files_pass() {
    for file in sound_files() {
        load_and_score(&file).unwrap();
    }
}

/// Bytes changed, pieces left out, doubled, and exchanged between files.
#[test]
fn files_changed_at_random_are_refused_or_scored() {
    let files = sound_files();
    let (mut random, mut refused) = (Random(77), 0);
    for round in 0..3000 {
        let mut file = files[round % 3].clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(file.len() as u64) as usize;
            let end = file.len().min(at + 1 + random.below(200) as usize);
            match random.below(6) {
                0 | 1 => file[at] = random.next() as u8,
                2 => file[at] ^= 1 << random.below(8),
                3 => drop(file.drain(at..end)),
                4 => {
                    let piece = file[at..end].to_vec();
                    file.splice(at..at, piece);
                }
                _ => {
                    let other = &files[random.below(3) as usize];
                    let from = random.below(other.len() as u64) as usize;
                    let piece = other[from..other.len().min(from + 200)].to_vec();
                    file.splice(at..end, piece);
                }
            }
        }
        refused += usize::from(load_and_score(&file).is_err());
    }
    assert!(refused > 1000, "{refused} of 3000 files were refused");
}
