//! This encoding against the numpy one of the training package, which was written from the layout alone.
//!
//! `numpy_windows.jsonl` holds random sequences. It is made, in the folder `python`, with
//! `python -m seedsieve_train windows --cases 300 --seed 1 --out ../crates/encoding/tests/numpy_windows.jsonl`;
//! the package's tests make it again and compare.

use seedsieve_encoding::{
    AMBIGUOUS, MAX_SEED_IN_WINDOW, ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, UPSTREAM, WINDOW_SIZE,
    encode_window, expand_one_hot, window_codes,
};
use serde_json::Value;

const LINES: &str = include_str!("numpy_windows.jsonl");

/// A seed and its windows by numpy.
struct Case {
    /// Base codes, 4 for N.
    codes: Vec<u8>,
    /// 0-based.
    start: usize,
    length: usize,
    packed: [u8; PACKED_WINDOW_BYTES],
    /// Window of the same seed in the reverse complement.
    reverse_packed: [u8; PACKED_WINDOW_BYTES],
}

impl Case {
    fn end(&self) -> usize {
        self.start + self.length
    }

    fn reverse_complement(&self) -> Vec<u8> {
        self.codes.iter().rev().map(|&code| if code == AMBIGUOUS { code } else { 3 - code }).collect()
    }

    /// Start of the seed in the reverse complement.
    fn reverse_start(&self) -> usize {
        self.codes.len() - self.end()
    }

    fn packed_seed(&self) -> [u8; PACKED_SEED_BYTES] {
        let mut packed = [0; PACKED_SEED_BYTES];
        packed[..PACKED_WINDOW_BYTES].copy_from_slice(&self.packed);
        packed[PACKED_WINDOW_BYTES..].copy_from_slice(&self.reverse_packed);
        packed
    }
}

fn cases() -> Vec<Case> {
    LINES.lines().map(case).collect()
}

fn case(line: &str) -> Case {
    let fields: Value = serde_json::from_str(line).expect("a JSON object a line");
    let number = |key: &str| usize::try_from(fields[key].as_u64().expect(key)).expect(key);
    let text = |key: &str| fields[key].as_str().expect(key);
    Case {
        codes: text("sequence").bytes().map(code_of_letter).collect(),
        start: number("start"),
        length: number("length"),
        packed: bytes_of_hexadecimal(text("packed")),
        reverse_packed: bytes_of_hexadecimal(text("reverse_packed")),
    }
}

fn code_of_letter(letter: u8) -> u8 {
    let code = b"ACGTN".iter().position(|&known| known == letter).expect("A, C, G, T or N");
    code as u8
}

fn bytes_of_hexadecimal(text: &str) -> [u8; PACKED_WINDOW_BYTES] {
    assert_eq!(text.len(), 2 * PACKED_WINDOW_BYTES, "digits of a packed window");
    std::array::from_fn(|byte| u8::from_str_radix(&text[2 * byte..2 * byte + 2], 16).expect("hexadecimal digits"))
}

/// The bits of each position, A = 1, C = 2, G = 4, T = 8.
fn nibbles(packed: &[u8]) -> Vec<u8> {
    packed.iter().flat_map(|byte| [byte / 16, byte % 16]).collect()
}

#[test]
fn windows_of_both_strands_are_those_of_numpy() {
    for (number, case) in cases().iter().enumerate() {
        let mut packed = [0xff; PACKED_WINDOW_BYTES];
        encode_window(&case.codes, case.start, case.length, &mut packed);
        assert_eq!(packed, case.packed, "line {} of the file", number + 1);
        encode_window(&case.reverse_complement(), case.reverse_start(), case.length, &mut packed);
        assert_eq!(packed, case.reverse_packed, "line {} of the file, reverse complement", number + 1);
    }
}

#[test]
fn codes_of_windows_are_those_of_numpy() {
    for (number, case) in cases().iter().enumerate() {
        for packed in [&case.packed, &case.reverse_packed] {
            let expected: Vec<u8> = nibbles(packed)
                .iter()
                .map(|nibble| [AMBIGUOUS, 0, 1, 9, 2, 9, 9, 9, 3][usize::from(*nibble)])
                .collect();
            assert_eq!(window_codes(packed).as_slice(), expected, "line {} of the file", number + 1);
        }
    }
}

#[test]
fn one_hot_values_are_the_bits_of_numpys_windows() {
    let cases = cases();
    let packed: Vec<u8> = cases.iter().flat_map(Case::packed_seed).collect();
    let mut one_hot = vec![f32::NAN; cases.len() * ONE_HOT_SEED_LEN];
    expand_one_hot(&packed, &mut one_hot);
    for (number, (case, values)) in cases.iter().zip(one_hot.chunks_exact(ONE_HOT_SEED_LEN)).enumerate() {
        let expected: Vec<f32> = nibbles(&case.packed_seed())
            .iter()
            .flat_map(|nibble| (0..4).map(move |base| f32::from(nibble >> base & 1)))
            .collect();
        assert_eq!(values, expected, "line {} of the file", number + 1);
    }
}

/// A file without a kind of seed would prove nothing about it.
#[test]
fn every_kind_of_seed_occurs_in_the_file() {
    let cases = cases();
    assert_eq!(cases.len(), 300);
    let count = |kind: &str, least: usize, holds: &dyn Fn(&Case) -> bool| {
        let found = cases.iter().filter(|case| holds(case)).count();
        assert!(found >= least, "{kind}: {found} seeds, at least {least} are needed");
    };
    count("at the start of the sequence", 50, &|case| case.start == 0);
    count("at its end", 50, &|case| case.end() == case.codes.len());
    count("the start within the upstream part", 10, &|case| (1..UPSTREAM).contains(&case.start));
    count("whole windows on both sides", 10, &|case| {
        case.start >= UPSTREAM && case.end() + UPSTREAM <= case.codes.len()
    });
    count("longer than a window shows", 50, &|case| case.length > MAX_SEED_IN_WINDOW);
    count("not longer than a window shows", 50, &|case| case.length <= MAX_SEED_IN_WINDOW);
    count("longer, with bases on both sides", 5, &|case| {
        case.length > MAX_SEED_IN_WINDOW && case.start > 0 && case.end() < case.codes.len()
    });
    count("sequence shorter than the window", 50, &|case| case.codes.len() < WINDOW_SIZE);
    count("N within the seed", 50, &|case| case.codes[case.start..case.end()].contains(&AMBIGUOUS));
    count("N just before or after the seed", 5, &|case| {
        case.start.checked_sub(1).is_some_and(|before| case.codes[before] == AMBIGUOUS)
            || case.codes.get(case.end()) == Some(&AMBIGUOUS)
    });
    count("another window on the other strand", 250, &|case| case.packed != case.reverse_packed);
}
