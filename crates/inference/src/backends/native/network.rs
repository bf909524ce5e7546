//! A network in integers, in the layout of the model file: what every kernel is made from, and the arithmetic that all of
//! them share.

use super::head::Head;
use super::shape::{CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS, ConvolutionShape};

/// Largest value of an activation in eight bits.
pub const LARGEST: f32 = 255.0;

/// The network of a model file.
pub struct Network {
    /// As [`CONVOLUTIONS`].
    pub convolutions: [Convolution; 3],
    /// What comes after them, in floating point.
    pub head: Head,
}

/// A convolution, its ReLU, and the rounding of its output to eight bits.
#[derive(Debug)]
pub struct Convolution {
    /// Sizes.
    pub shape: ConvolutionShape,
    /// Shape (taps, inputs, outputs), row-major.
    pub weights: Vec<i8>,
    /// What a sum starts from, one an output.
    pub biases: Vec<i32>,
    /// The value of one step of a sum in steps of the output, one an output; positive.
    pub multipliers: Vec<f32>,
}

impl Convolution {
    /// Checks that no input can make a sum, or its product with the multiplier, leave 32 bits.
    ///
    /// `weights` has the shape (taps, inputs, outputs).
    pub fn new(
        shape: ConvolutionShape,
        weights: Vec<i8>,
        biases: Vec<i32>,
        multipliers: Vec<f32>,
    ) -> Result<Self, String> {
        assert_eq!(weights.len(), shape.depth() * shape.outputs);
        assert_eq!((biases.len(), multipliers.len()), (shape.outputs, shape.outputs));
        for output in 0..shape.outputs {
            let column = weights.iter().skip(output).step_by(shape.outputs);
            let weights: i64 = column.map(|weight| i64::from(weight.unsigned_abs())).sum();
            let largest = i64::from(biases[output].unsigned_abs()) + weights * LARGEST as i64;
            let multiplier = multipliers[output];
            if !(multiplier > 0.0 && multiplier.is_finite()) {
                return Err(format!("the scale of its output channel {output} is {multiplier}, not above 0"));
            }
            if largest > i64::from(i32::MAX) || largest as f64 * f64::from(multiplier) > f64::from(i32::MAX / 2) {
                return Err(format!("the sums of its output channel {output} may leave 32 bits"));
            }
        }
        Ok(Self { shape, weights, biases, multipliers })
    }

    /// Weight of an output for a product: `product = tap * inputs + input`.
    pub fn weight(&self, product: usize, output: usize) -> i8 {
        self.weights[product * self.shape.outputs + output]
    }

    /// The output for one and the same input at all positions.
    fn output_of_constant(&self, input: &[u8]) -> Vec<u8> {
        let output = |output: usize| {
            let products = (0..self.shape.depth())
                .map(|product| i32::from(self.weight(product, output)) * i32::from(input[product % self.shape.inputs]));
            requantised(self.biases[output] + products.sum::<i32>(), self.multipliers[output])
        };
        (0..self.shape.outputs).map(output).collect()
    }
}

/// Added to a value below 2^22 and taken away again, rounds it to the nearest integer, ties to even.
const ROUNDING: f32 = 12_582_912.0;

/// ReLU and the step from a sum to eight bits: the product with the multiplier in 32-bit floating point, rounded to the
/// nearest integer, ties to even, at most 255. This is the rounding of ONNX's QuantizeLinear. Each of the operations is
/// exactly defined by IEEE 754, so that all processors give the same integer.
#[inline(always)]
pub fn requantised(sum: i32, multiplier: f32) -> u8 {
    let scaled = (sum.max(0) as f32 * multiplier).min(LARGEST);
    // The integer stands in the lowest bits of the sum's mantissa.
    (scaled + ROUNDING).to_bits() as u8
}

/// What the blocks give where a window has nothing but empty positions: most windows end with a stretch of them, whose
/// values need not be computed anew for each seed.
#[derive(Debug, Clone)]
pub struct EmptyOutputs {
    /// Of the first block and its pool.
    pub first: [u8; CHANNELS_1],
    /// Of the second block and its pool.
    pub second: [u8; CHANNELS_2],
    /// Of the third block.
    pub third: [u8; CHANNELS_3],
}

impl EmptyOutputs {
    /// Computes them from an empty input.
    pub fn of(network: &Network) -> Self {
        let [first, second, third] = &network.convolutions;
        let empty = [0; CONVOLUTIONS[0].inputs];
        let first = first.output_of_constant(&empty);
        let second = second.output_of_constant(&first);
        let third = third.output_of_constant(&second);
        let fits = "as many as the convolution has outputs";
        Self {
            first: first.try_into().expect(fits),
            second: second.try_into().expect(fits),
            third: third.try_into().expect(fits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest_ties_to_even() {
        for (sum, multiplier, expected) in [
            (-5, 1.0, 0),
            (0, 1.0, 0),
            (1, 0.5, 0),
            (3, 0.5, 2),
            (5, 0.5, 2),
            (7, 0.49, 3),
            (509, 0.5, 254),
            (511, 0.5, 255),
            (i32::MAX, 0.5, 255),
            (254, 1.0, 254),
        ] {
            assert_eq!(requantised(sum, multiplier), expected, "{sum} * {multiplier}");
        }
        for sum in (0..100_000).step_by(7) {
            let exact = (sum as f32 * 0.003_7).round_ties_even().min(LARGEST) as u8;
            assert_eq!(requantised(sum, 0.003_7), exact, "{sum}");
        }
    }

    #[test]
    fn sums_that_could_overflow_are_refused() {
        let shape = ConvolutionShape { inputs: 2, outputs: 1, taps: 1 };
        let convolution = |bias, multiplier| Convolution::new(shape, vec![100, -100], vec![bias], vec![multiplier]);
        convolution(i32::MAX - 51_000, 0.1).unwrap();
        assert!(convolution(i32::MAX - 50_999, 0.1).unwrap_err().contains("leave 32 bits"));
        assert!(convolution(i32::MIN, 0.1).unwrap_err().contains("leave 32 bits"));
        assert!(convolution(0, 1e6).unwrap_err().contains("leave 32 bits"));
        for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(convolution(0, bad).unwrap_err().contains("not above 0"), "{bad}");
        }
    }
}
