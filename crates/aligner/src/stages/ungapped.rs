//! The ungapped extension of a seed: what its diagonal alone can score.

/// Score that an extension may fall below its best before it stops.
pub(crate) const X_DROP: i32 = 40;

/// Best score of extending the exact match `sequence[start..start + length]` without gaps to both sides.
///
/// `read` and `reference` hold base codes and are aligned base by base: the seed lies at `read_start` of one and
/// `reference_start` of the other. A pair of equal bases scores `matched`, any other pair loses `mismatched` (N always
/// loses 1, as in bwa's matrix).
pub(crate) fn ungapped_score(
    read: &[u8],
    read_start: usize,
    reference: &[u8],
    reference_start: usize,
    length: usize,
    matched: i32,
    mismatched: i32,
) -> i32 {
    let score = |(a, b): (&u8, &u8)| match (a, b) {
        (4.., _) | (_, 4..) => -1,
        (a, b) if a == b => matched,
        _ => -mismatched,
    };
    let left = read[..read_start].iter().rev().zip(reference[..reference_start].iter().rev());
    let right = read[read_start + length..].iter().zip(&reference[reference_start + length..]);
    length as i32 * matched + best_prefix(left.map(score)) + best_prefix(right.map(score))
}

/// Largest sum of a prefix, where the search ends once a sum lies more than the X-drop under the best.
fn best_prefix(scores: impl Iterator<Item = i32>) -> i32 {
    let (mut sum, mut best) = (0, 0);
    for score in scores {
        sum += score;
        best = best.max(sum);
        if sum < best - X_DROP {
            break;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().map(|base| b"ACGT".iter().position(|&b| b == base).unwrap_or(4) as u8).collect()
    }

    #[test]
    fn extends_over_a_mismatch_when_more_matches_follow() {
        let reference = codes("TTTTTACGTACGTACCCCCCCC");
        let read = codes("TTTTTACGTACGTAGCCCCCCC");
        assert_eq!(ungapped_score(&read, 5, &reference, 5, 9, 1, 4), 14 - 4 + 7);
        assert_eq!(ungapped_score(&read[..17], 5, &reference[..17], 5, 9, 1, 4), 14);
    }

    #[test]
    fn stops_at_the_shorter_sequence_and_counts_n_as_minus_one() {
        assert_eq!(ungapped_score(&codes("ACGTNA"), 0, &codes("ACGTCAAAA"), 0, 4, 1, 4), 4);
        assert_eq!(ungapped_score(&codes("ACGTNAA"), 0, &codes("ACGTCAAAA"), 0, 4, 1, 4), 5);
    }
}
