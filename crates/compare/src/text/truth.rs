//! Which reads lie right.

use std::fmt::Write as _;

use super::layout::{aligned, heading, thousands};
use crate::comparison::Comparison;
use crate::truth::{Accuracy, TRUTH_TOLERANCE};

/// Lowest mapping qualities of the rows of precision and recall.
pub(crate) const FROM: [u8; 6] = [60, 30, 20, 10, 1, 0];

/// Empty where the truth is not known.
pub(super) fn tables(comparison: &Comparison) -> String {
    let (a, b) = (&comparison.a, &comparison.b);
    let (Some(of_a), Some(of_b)) = (&a.truth, &b.truth) else { return String::new() };
    let heads = ["right in A", "of", "% right", "right in B", "of", "% right"];
    let mut rows = vec![heading("MAPQ", heads.iter())];
    for (a, b) in of_a.iter().zip(of_b) {
        let mut row = vec![a.mapq.label().to_owned()];
        for counts in [a, b] {
            let share = counts.share_right().map_or("-".to_owned(), |share| format!("{:.3}", 100.0 * share));
            row.extend([thousands(counts.right), thousands(counts.right + counts.wrong + counts.foreign), share]);
        }
        rows.push(row);
    }
    let mut text = format!(
        "\nWithin {TRUTH_TOLERANCE} bases of the true start; each file by its own MAPQ; reads of other genomes are wrong where \
         mapped.\n{}",
        aligned(&rows)
    );
    if let (Some(of_a), Some(of_b)) = (&a.accuracy, &b.accuracy) {
        let heads = ["precision A", "recall A", "precision B", "recall B"];
        let mut rows = vec![heading("MAPQ from", heads.iter())];
        for from in FROM {
            let mut row = vec![from.to_string()];
            for accuracy in [of_a, of_b] {
                row.extend(at(accuracy, from).map_or(["-".to_owned(), "-".to_owned()], |shares| {
                    shares.map(|share| format!("{:.3}", 100.0 * share))
                }));
            }
            rows.push(row);
        }
        let _ = write!(text, "\nIn percent; recall is of all reads of the reference.\n{}", aligned(&rows));
    }
    if let Some(changes) = &comparison.truth_changes {
        let _ = writeln!(
            text,
            "\nreads of the reference that lie right in both: {}   in A only: {}   in B only: {}   in neither: {}",
            thousands(changes.right_in_both),
            thousands(changes.right_in_a_only),
            thousands(changes.right_in_b_only),
            thousands(changes.right_in_neither)
        );
    }
    text
}

/// Precision and recall of the reads of this mapping quality and above; none where there are no such reads.
pub(crate) fn at(accuracy: &Accuracy, mapq: u8) -> Option<[f64; 2]> {
    let from = accuracy.by_mapq.iter().rev().find(|from| from.mapq >= mapq)?;
    Some([from.precision, from.recall])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::AccuracyFrom;

    #[test]
    fn the_row_of_a_quality_is_that_of_the_next_one_that_occurs() {
        let from = |mapq, precision, recall| AccuracyFrom { mapq, right: 1, wrong: 0, foreign: 0, precision, recall };
        let by_mapq = vec![from(60, 1.0, 0.5), from(25, 0.75, 0.625)];
        let accuracy = Accuracy { tolerance: 20, reads_of_reference: 8, foreign_reads: 0, by_mapq };
        assert_eq!(at(&accuracy, 61), None);
        assert_eq!(at(&accuracy, 60), Some([1.0, 0.5]));
        assert_eq!(at(&accuracy, 26), Some([1.0, 0.5]));
        assert_eq!(at(&accuracy, 25), Some([0.75, 0.625]));
        assert_eq!(at(&accuracy, 0), Some([0.75, 0.625]));
    }
}
