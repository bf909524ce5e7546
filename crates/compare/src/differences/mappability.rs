use serde::Serialize;

use crate::change::Tally;
use crate::record::AlignmentRecord;

/// A mapped read lies in a repeat where the next best alignment scores less than this below its own (AS - XS). bwa's
/// MAPQ reaches its maximum about there: it gains 6 a point.
pub const REPEAT_SCORE_GAP: i64 = 10;

/// A read is of low complexity where two of its triplets, taken at random, are the same in at least one of ten cases. In
/// random sequence it is one of 64; a tandem repeat with a unit of nine bases or fewer is beyond, a homopolymer is at 1.
const LOW_COMPLEXITY: f64 = 0.1;
/// Triplets below which chance decides.
const MIN_TRIPLETS: u64 = 8;

/// How well a read can be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mappability {
    /// No other alignment comes near in score.
    Unique,
    /// Another one scores less than [`REPEAT_SCORE_GAP`] below.
    Repeat,
    /// The read itself is of low complexity, wherever it lies.
    LowComplexity,
    /// Mapped in neither file.
    Unmapped,
    /// Mapped, by a program that writes no AS.
    Unknown,
}

impl Mappability {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Unique, Self::Repeat, Self::LowComplexity, Self::Unmapped, Self::Unknown];

    /// Its name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Repeat => "repeat",
            Self::LowComplexity => "low complexity",
            Self::Unmapped => "unmapped",
            Self::Unknown => "no AS",
        }
    }

    /// By the record in the first file, or in the second where only that one is mapped.
    pub(crate) fn of(a: &AlignmentRecord, b: &AlignmentRecord) -> Self {
        let record = if a.is_mapped() { a } else { b };
        if is_low_complexity(record.field(crate::record::Field::Sequence)) {
            return Self::LowComplexity;
        }
        match (record.is_mapped(), record.number_tag(b"AS"), record.number_tag(b"XS")) {
            (false, ..) => Self::Unmapped,
            (true, None, _) => Self::Unknown,
            (true, Some(score), Some(next)) if next > 0 && score.saturating_sub(next) < REPEAT_SCORE_GAP => {
                Self::Repeat
            }
            (true, Some(_), _) => Self::Unique,
        }
    }
}

/// Reads of one class by what became of them.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct MappabilityCounts {
    /// The class.
    pub class: Mappability,
    /// How many reads changed in which way.
    #[serde(flatten)]
    pub tally: Tally,
}

impl MappabilityCounts {
    pub(crate) fn all() -> Vec<Self> {
        Mappability::ALL.map(|class| Self { class, tally: Tally::default() }).to_vec()
    }
}

/// As the score of DUST (Morgulis et al., 2006), but for the read's length, which would raise it.
fn is_low_complexity(bases: &[u8]) -> bool {
    let mut counts = [0u64; 64];
    let mut triplets = 0;
    for triplet in bases.windows(3) {
        let code = |base: u8| b"ACGT".iter().position(|&letter| letter == base.to_ascii_uppercase());
        if let (Some(first), Some(second), Some(third)) = (code(triplet[0]), code(triplet[1]), code(triplet[2])) {
            counts[16 * first + 4 * second + third] += 1;
            triplets += 1;
        }
    }
    let same: u64 = counts.iter().map(|&count| count * count.saturating_sub(1)).sum();
    triplets >= MIN_TRIPLETS && same as f64 >= LOW_COMPLEXITY * (triplets * (triplets - 1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tandem_repeats_are_of_low_complexity() {
        for unit in ["A", "CA", "TTAGGG", "ACGATTGCA"] {
            assert!(is_low_complexity(unit.repeat(15).as_bytes()), "{unit}");
            assert!(is_low_complexity(unit.to_lowercase().repeat(15).as_bytes()), "{unit}");
        }
        // A sequence of de Bruijn: every triplet once.
        let all = "AAACAAGAATACCACGACTAGCAGGAGTATCATGATTCCCGCCTCGGCGTCTGCTTGGGTGTTTAA";
        assert!(!is_low_complexity(all.as_bytes()));
        assert!(!is_low_complexity("N".repeat(90).as_bytes()));
        assert!(!is_low_complexity(b"AAAAA") && !is_low_complexity(b"*") && !is_low_complexity(b""));
    }

    #[test]
    fn classes_follow_the_scores_of_the_mapped_record() {
        let bases = "AAACAAGAATACCACGACTAGCAGGAGTATCATGATTCCCGCCTCGGCGTCTGCTTGGGTGTTTAA";
        let record = |flags: u16, bases: &str, tags: &str| {
            let line = format!("r\t{flags}\tc\t1\t0\t*\t*\t0\t0\t{bases}\t*\t{tags}");
            AlignmentRecord::parse(1, line.into_bytes()).unwrap()
        };
        let unmapped = record(4, bases, "AS:i:0\tXS:i:0");
        let class = |tags: &str| Mappability::of(&unmapped, &record(0, bases, tags));
        assert_eq!(class("AS:i:60\tXS:i:50"), Mappability::Unique);
        assert_eq!(class("AS:i:60\tXS:i:51"), Mappability::Repeat);
        assert_eq!(class("AS:i:60\tXS:i:60"), Mappability::Repeat);
        assert_eq!(class("AS:i:5\tXS:i:0"), Mappability::Unique);
        assert_eq!(class("AS:i:5"), Mappability::Unique);
        assert_eq!(class("NM:i:5"), Mappability::Unknown);
        assert_eq!(Mappability::of(&unmapped, &unmapped), Mappability::Unmapped);
        let poly_a = record(0, &"A".repeat(60), "AS:i:60\tXS:i:0");
        assert_eq!(Mappability::of(&poly_a, &unmapped), Mappability::LowComplexity);
    }
}
