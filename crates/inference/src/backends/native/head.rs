//! From the third block's activations to a viability: mean over positions, two dense layers, sigmoid.

use super::shape::{CHANNELS_3, HIDDEN, POSITIONS_3};

/// The part of the network that the model file computes in floating point.
///
/// Sums are taken in the order of the inputs, each operation rounded by itself: the same bits on every processor,
/// whatever the width of its vectors, which hold different outputs, never parts of one sum.
#[derive(Debug, Clone)]
pub struct Head {
    /// From a sum over positions of eight-bit activations to their mean.
    pub(super) mean_scale: f32,
    /// Shape (channels, hidden): one row an input.
    pub(super) hidden_weights: [[f32; HIDDEN]; CHANNELS_3],
    pub(super) hidden_biases: [f32; HIDDEN],
    pub(super) logit_weights: [f32; HIDDEN],
    pub(super) logit_bias: f32,
}

impl Head {
    /// `scale`: value of one step of the third block's activations. `hidden_weights`: shape (hidden, channels).
    pub fn new(
        scale: f32,
        hidden_weights: &[f32],
        hidden_biases: [f32; HIDDEN],
        logit_weights: [f32; HIDDEN],
        logit_bias: f32,
    ) -> Self {
        assert_eq!(hidden_weights.len(), HIDDEN * CHANNELS_3);
        let row = |channel| std::array::from_fn(|hidden| hidden_weights[hidden * CHANNELS_3 + channel]);
        Self {
            mean_scale: scale / POSITIONS_3 as f32,
            hidden_weights: std::array::from_fn(row),
            hidden_biases,
            logit_weights,
            logit_bias,
        }
    }

    /// Viability of a seed from the sums over positions of its third block's activations.
    // Always inlined: compiled for each kernel's processor.
    #[inline(always)]
    pub fn viability(&self, sums: &[i32; CHANNELS_3]) -> f32 {
        let mut hidden = self.hidden_biases;
        for (&sum, weights) in sums.iter().zip(&self.hidden_weights) {
            let mean = sum as f32 * self.mean_scale;
            for (value, weight) in hidden.iter_mut().zip(weights) {
                *value += weight * mean;
            }
        }
        let mut logit = self.logit_bias;
        for (value, weight) in hidden.iter().zip(&self.logit_weights) {
            logit += weight * value.max(0.0);
        }
        sigmoid(logit)
    }
}

/// The logistic function, made of basic operations only: the `exp` of C libraries differs between systems in the last bit.
#[inline(always)]
pub fn sigmoid(logit: f32) -> f32 {
    // Beyond, the result is 0 or 1 in 32 bits. Not a number stays what it is.
    let logit = f64::from(logit).clamp(-120.0, 120.0);
    (1.0 / (1.0 + exp(-logit))) as f32
}

/// Logits to viabilities. For a whole call at once: a logistic function takes long, but does not wait for those of other seeds,
/// and the compiler makes vector instructions of the loop over some of them.
#[inline(always)]
pub fn logits_to_viabilities(logits: &mut [f32]) {
    let (eights, rest) = logits.as_chunks_mut::<8>();
    for logits in eights {
        for logit in logits {
            *logit = sigmoid(*logit);
        }
    }
    for logit in rest {
        *logit = sigmoid(*logit);
    }
}

/// 1/1 to 1/13: as many terms of the series as 1e-13 takes.
const INVERSES: [f64; 13] = {
    let mut inverses = [1.0; 13];
    let mut index = 0;
    while index < inverses.len() {
        inverses[index] = 1.0 / (index + 1) as f64;
        index += 1;
    }
    inverses
};

/// e^x for |x| <= 700, to 1e-13 of its value: x is split into a multiple of ln 2 and a rest, the rest's power is a series.
#[inline(always)]
fn exp(x: f64) -> f64 {
    /// Added and taken away again, rounds to the nearest integer: 1.5 * 2^52.
    const ROUNDING: f64 = 6_755_399_441_055_744.0;
    let rounded = x * std::f64::consts::LOG2_E + ROUNDING;
    let doublings = rounded - ROUNDING;
    let rest = x - doublings * std::f64::consts::LN_2;
    let mut power = 1.0;
    for inverse in INVERSES.iter().rev() {
        power = 1.0 + power * (rest * inverse);
    }
    // The integer stands in the lowest bits of the mantissa; shifted, in the exponent.
    power * f64::from_bits((rounded.to_bits().wrapping_add(1023)) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_function_is_right_everywhere() {
        let mut logit = -130.0;
        while logit < 130.0 {
            let expected = 1.0 / (1.0 + (-f64::from(logit)).exp());
            let difference = (f64::from(sigmoid(logit)) - expected).abs();
            assert!(difference <= expected * 6e-8 + 1e-45, "{logit}: {} for {expected}", sigmoid(logit));
            logit += 0.003_7;
        }
        assert_eq!((sigmoid(0.0), sigmoid(f32::INFINITY)), (0.5, 1.0));
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-37);
        assert!(sigmoid(f32::NAN).is_nan());
    }
}
