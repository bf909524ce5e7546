//! The Poisson bootstrap: every read counts as often as a draw says.

/// How often a read counts in a resample: Poisson with mean 1, by inversion of a hash of both.
///
/// `resample` 0 is the data as they are: every read counts once.
pub(crate) fn times(read: u64, resample: u32) -> f64 {
    if resample == 0 {
        return 1.0;
    }
    let uniform = (mixed(read ^ mixed(u64::from(resample))) >> 11) as f64 / (1u64 << 53) as f64;
    let mut probability = (-1.0f64).exp();
    let mut below = probability;
    let mut count = 0u32;
    while uniform >= below && count < 20 {
        count += 1;
        probability /= f64::from(count);
        below += probability;
    }
    f64::from(count)
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input bears on every bit of the result.
fn mixed(value: u64) -> u64 {
    let mut value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The value below which this share of the sorted `values` lies, interpolated; NaN where there are none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_mean_and_the_variance_of_poisson_and_depend_on_both_numbers() {
        let draws: Vec<f64> = (0..100_000).map(|read| times(read, 3)).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 1e5;
        assert!((mean - 1.0).abs() < 0.02 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");
        assert!((0..1000).any(|read| times(read, 1) != times(read, 2)));
        assert!((0..1000).all(|read| times(read, 0) == 1.0));
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.25), 1.25);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
