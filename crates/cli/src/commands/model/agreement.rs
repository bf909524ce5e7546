//! How far scores of the same seeds may differ, and where they differ by more.

use std::io::Write;

use anyhow::bail;
use seedsieve_inference::Precision;

/// Largest part of the decisions at the model's threshold that may differ.
const ALLOWED_PART: f64 = 1e-3;

/// Scores of the same seeds from one source.
pub struct Scores {
    pub source: String,
    /// The arithmetic that they come from.
    pub precision: Precision,
    pub values: Vec<f32>,
}

/// Prints the largest difference of each pair and the decisions at `threshold` that differ; an error if more than the coarser
/// one's arithmetic may.
pub fn report(output: &mut impl Write, all: &[Scores], threshold: f32) -> anyhow::Result<()> {
    let mut refused = Vec::new();
    for (number, right) in all.iter().enumerate() {
        for left in &all[..number] {
            let precision = coarser(left.precision, right.precision);
            let allowed = precision.largest_difference();
            let names = format!("{:<8} - {}", right.source, left.source);
            let (seed, difference) = largest_difference(&left.values, &right.values);
            let count = |differs: fn(f32, f32, f32) -> bool, limit| {
                left.values.iter().zip(&right.values).filter(|(left, right)| differs(**left, **right, limit)).count()
            };
            let beyond = count(|left, right, allowed| (left - right).abs() > allowed, allowed);
            let changed = count(|left, right, threshold| (left < threshold) != (right < threshold), threshold);
            writeln!(
                output,
                "{names}: largest difference {difference:.2e} (seed {seed}), {beyond} above {allowed:e}; {changed} decisions \
                 at {threshold} differ"
            )?;
            if precision == Precision::Bf16 {
                let half = Precision::Fp16.largest_difference();
                let beyond = count(|left, right, half| (left - right).abs() > half, half);
                writeln!(
                    output,
                    "         in bfloat16, whose 8 bits do not reach the {half:e} of half precision ({beyond} above it): {allowed:e} \
                     is a limit of its own"
                )?;
            }
            let part = ALLOWED_PART * right.values.len() as f64;
            if beyond > 0 || difference.is_infinite() {
                let most = format!("where {allowed:e} is allowed");
                refused.push(format!("{} and {} by {difference:.2e} at seed {seed} {most}", right.source, left.source));
            }
            if changed as f64 > part {
                refused.push(format!("{} and {} in {changed} decisions at {threshold}", right.source, left.source));
            }
        }
        let above = right.values.iter().filter(|&&score| score >= 0.5).count();
        writeln!(output, "{:<8} runs; {above} of {} seeds score 0.5 or more", right.source, right.values.len())?;
    }
    if !refused.is_empty() {
        bail!(
            "scores differ by more than their arithmetic allows, or decisions by more than one in a thousand: {}; export the \
             model again",
            refused.join(", ")
        );
    }
    Ok(())
}

/// The one that scores may differ more in.
fn coarser(left: Precision, right: Precision) -> Precision {
    if left.largest_difference() < right.largest_difference() { right } else { left }
}

/// 0-based seed and size of the largest difference. Scores that are not numbers differ by infinity.
fn largest_difference(left: &[f32], right: &[f32]) -> (usize, f32) {
    let differences = left.iter().zip(right).map(|(left, right)| {
        let difference = (left - right).abs();
        if difference.is_nan() { f32::INFINITY } else { difference }
    });
    differences.enumerate().max_by(|left, right| left.1.total_cmp(&right.1)).unwrap_or((0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLD: f32 = 0.5;

    fn scores(source: &str, precision: Precision, values: &[f32]) -> Scores {
        Scores { source: source.to_owned(), precision, values: values.to_vec() }
    }

    #[test]
    fn differences_above_the_allowed_are_errors_that_name_the_seed() {
        let compare = |precision: Precision, difference: f32, output: &mut Vec<u8>| {
            let all = [
                scores("PyTorch", Precision::Fp32, &[0.1, 0.2, 0.3]),
                scores("cuda", precision, &[0.1, 0.2 + difference, 0.3]),
            ];
            report(output, &all, THRESHOLD)
        };
        for (precision, fits, differs) in [
            (Precision::Fp32, 0.9e-5, 1.1e-5),
            (Precision::Fp16, 1.9e-3, 2.1e-3),
            (Precision::Bf16, 1.5e-2, 1.7e-2),
            (Precision::Int8, 0.049, 0.051),
        ] {
            let mut output = Vec::new();
            compare(precision, fits, &mut output).unwrap();
            let error = compare(precision, differs, &mut output).unwrap_err().to_string();
            assert!(error.contains("cuda and PyTorch") && error.contains("seed 1"), "{error}");
            let output = String::from_utf8(output).unwrap();
            assert!(output.contains("(seed 1), 1 above"), "{precision:?}: {output}");
            let told = output.contains("2e-3 of half precision (1 above it): 1.6e-2 is a limit of its own");
            assert_eq!(told, precision == Precision::Bf16, "{output}");
        }
    }

    #[test]
    fn a_pair_is_measured_by_the_coarser_arithmetic_of_the_two() {
        let [exact, half] = [(Precision::Fp32, 0.2), (Precision::Fp16, 0.201)];
        let compare = |left: (Precision, f32), right: (Precision, f32)| {
            let all = [scores("left", left.0, &[left.1]), scores("right", right.0, &[right.1])];
            report(&mut Vec::new(), &all, THRESHOLD)
        };
        compare(exact, half).unwrap();
        compare(half, exact).unwrap();
        assert!(compare(exact, (Precision::Fp32, 0.201)).is_err());
    }

    #[test]
    fn one_decision_in_a_thousand_may_differ_and_no_score_by_more_than_the_limit() {
        let compare = |other: f32, differing: usize| {
            let mut right = vec![0.48; 2000];
            right[..differing].fill(other);
            let all = [scores("PyTorch", Precision::Fp32, &[0.48; 2000]), scores("native", Precision::Int8, &right)];
            report(&mut Vec::new(), &all, THRESHOLD)
        };
        compare(0.52, 2).unwrap();
        let error = compare(0.52, 3).unwrap_err().to_string();
        assert!(error.contains("3 decisions at 0.5"), "{error}");
        assert!(compare(0.42, 1).is_err());
    }

    #[test]
    fn scores_that_are_not_numbers_never_agree() {
        let all = [scores("PyTorch", Precision::Fp32, &[f32::NAN]), scores("ort", Precision::Int8, &[0.5])];
        assert!(report(&mut Vec::new(), &all, THRESHOLD).is_err());
    }
}
