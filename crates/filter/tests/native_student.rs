//! The student network as the cascade takes it: one that sees what the cascade shows, and no other.
#![cfg(feature = "native")]

#[path = "../../inference/tests/common/student_model.rs"]
mod student_model;

use std::path::Path;

use seedsieve_filter::{NativeStudent, STUDENT_ROW, SeedScorer};
use seedsieve_inference::NpuError;
use student_model::{RandomStudent, mask_features};

/// A network whose seeds have rows of this width, in a file of this name.
fn network(folder: &Path, inputs: usize) -> (RandomStudent, std::path::PathBuf) {
    let network = RandomStudent::new(&[inputs, 16, 1], 3);
    let file = folder.join(format!("{inputs}.onnx"));
    std::fs::write(&file, network.to_onnx(true)).unwrap();
    (network, file)
}

#[test]
fn a_student_is_shown_the_rows_that_the_cascade_makes() {
    let folder = tempfile::tempdir().unwrap();
    let (network, file) = network(folder.path(), STUDENT_ROW);
    let student = NativeStudent::read(&file).unwrap();
    let rows = mask_features(40, 5);
    let mut scores = [f32::NAN; 40];
    student.score(&rows, &mut scores).unwrap();
    for (row, score) in rows.chunks(STUDENT_ROW).zip(scores) {
        assert!((f64::from(score) - network.reference(row)).abs() < 1e-5, "{score}");
    }
    assert_eq!(NativeStudent::built_in().version(), 2);
}

#[test]
fn a_student_of_another_width_is_refused_with_both_widths() {
    let folder = tempfile::tempdir().unwrap();
    for inputs in [STUDENT_ROW - 32, STUDENT_ROW + 4] {
        let (_, file) = network(folder.path(), inputs);
        match NativeStudent::read(&file).map(|_| ()) {
            Err(NpuError::ModelLoadFailed(why)) => {
                let expected =
                    format!("random_student: it takes {inputs} features of a seed; the cascade makes {STUDENT_ROW}");
                assert_eq!(why, expected);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(NativeStudent::read(&folder.path().join("nowhere.onnx")).is_err());
}
