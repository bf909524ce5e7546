//! The rows that the student network sees, against those of the training package: `student_rows.jsonl`, made by
//! `student_rows.py`.

use seedsieve_filter::{STUDENT_ROW, StudentRead, StudentSeed};
use serde_json::Value;

struct Case {
    read: u64,
    read_length: u32,
    seed: StudentSeed,
    row: Vec<u8>,
}

fn case(line: &str) -> Case {
    let fields: Value = serde_json::from_str(line).expect("a JSON object a line");
    let number = |key: &str| fields[key].as_u64().expect(key);
    let text = |key: &str| fields[key].as_str().expect(key);
    let mask = |key: &str| {
        // 256 bits in hexadecimal, of which the student sees the lowest 128.
        let digits = text(key);
        u128::from_str_radix(&digits[digits.len().saturating_sub(32)..], 16).expect(key)
    };
    let (length, query_start) = (number("length") as u32, number("query_start") as u32);
    let (reverse, position) = (fields["reverse"].as_bool().expect("a strand"), number("position") as i64);
    let (start, behind) = (i64::from(query_start), i64::from(length) + i64::from(query_start));
    let seed = StudentSeed {
        before: mask("before"),
        behind: mask("behind"),
        length,
        query_start,
        room_before: number("room_before"),
        room_behind: number("room_after"),
        occurrences: number("occurrences"),
        ungapped_score: number("ungapped_score") as i32,
        gap_bound: number("gap_bound") as i32,
        narrow_score: number("narrow_score") as i32,
        strand_of_contig: 2 * number("contig") + u64::from(reverse),
        // On the reverse strand read and reference run against each other.
        diagonal: if reverse { -(position + behind) } else { position - start },
    };
    let digits = text("row");
    let row = (0..STUDENT_ROW).map(|byte| u8::from_str_radix(&digits[2 * byte..2 * byte + 2], 16).expect("a byte"));
    Case { read: number("read"), read_length: number("read_length") as u32, seed, row: row.collect() }
}

#[test]
fn rows_are_those_of_the_training_package() {
    let cases: Vec<Case> = include_str!("student_rows.jsonl").lines().map(case).collect();
    assert!(cases.len() > 100);
    for read in cases.chunk_by(|one, next| one.read == next.read) {
        let seeds: Vec<StudentSeed> = read.iter().map(|case| case.seed).collect();
        let of_mate = cases.iter().filter(|case| case.read == read[0].read ^ 1).map(|case| case.seed.gap_bound);
        let mut of_read = StudentRead::default();
        of_read.set(&seeds, read[0].read_length, of_mate.max().unwrap_or(0));
        for case in read {
            let mut row = [9; STUDENT_ROW];
            of_read.write(&case.seed, 3, &mut row);
            assert_eq!(row[..], case.row[..], "{:?}", case.seed);
            of_read.write(&case.seed, 2, &mut row);
            assert_eq!((&row[..277], &row[277..]), (&case.row[..277], &[0; 11][..]), "no narrow scores in version 2");
            of_read.write(&case.seed, 1, &mut row);
            assert_eq!((&row[..274], &row[274..]), (&case.row[..274], &[0; 14][..]), "no bounds in version 1");
        }
    }
}
