//! The network family that the kernels compute: `SeedViabilityNetwork` of the training package, whose layers have the
//! sizes below. A model of any other shape is refused when it is read.

use seedsieve_encoding::WINDOW_SIZE;

/// Sizes of a convolution over positions, without padding, one position a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvolutionShape {
    /// Channels of its input.
    pub inputs: usize,
    /// Channels of its output.
    pub outputs: usize,
    /// Neighbouring positions that it looks at.
    pub taps: usize,
}

impl ConvolutionShape {
    /// Products that one value of the output sums up.
    pub const fn depth(self) -> usize {
        self.inputs * self.taps
    }

    /// Positions of its output.
    pub const fn positions(self, input: usize) -> usize {
        input + 1 - self.taps
    }
}

/// The three convolutions.
pub const CONVOLUTIONS: [ConvolutionShape; 3] = [
    // One-hot: A, C, G, T of the read, A, C, G, T of the reference.
    ConvolutionShape { inputs: 8, outputs: 32, taps: 7 },
    ConvolutionShape { inputs: 32, outputs: 64, taps: 5 },
    ConvolutionShape { inputs: 64, outputs: 64, taps: 3 },
];
const FIRST: ConvolutionShape = CONVOLUTIONS[0];
const SECOND: ConvolutionShape = CONVOLUTIONS[1];
const THIRD: ConvolutionShape = CONVOLUTIONS[2];

/// Channels of the first block's output.
pub const CHANNELS_1: usize = FIRST.outputs;
/// Channels of the second block's output.
pub const CHANNELS_2: usize = SECOND.outputs;
/// Channels of the third block's output, whose means are the dense layers' input.
pub const CHANNELS_3: usize = THIRD.outputs;
/// Positions after the third convolution.
pub const POSITIONS_3: usize = THIRD.positions(POOLED_2);
/// Positions after the second convolution and its pool, which takes the larger of two neighbours and drops an odd last
/// one.
pub const POOLED_2: usize = SECOND.positions(FIRST.positions(WINDOW_SIZE) / 2) / 2;
/// Positions after the first convolution and its pool, as far as the second block looks at them.
pub const POOLED_1: usize = 2 * POOLED_2 + SECOND.taps - 1;
/// Values of the hidden dense layer.
pub const HIDDEN: usize = 32;

/// Products of one seed as the network is defined: what a kernel without any short cut computes.
pub const PRODUCTS: usize = {
    let positions_1 = FIRST.positions(WINDOW_SIZE);
    let positions_2 = SECOND.positions(positions_1 / 2);
    positions_1 * FIRST.outputs * FIRST.depth()
        + positions_2 * SECOND.outputs * SECOND.depth()
        + POSITIONS_3 * THIRD.outputs * THIRD.depth()
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_training_package() {
        assert_eq!((POOLED_1, POOLED_2, POSITIONS_3), (60, 28, 26));
        assert_eq!(PRODUCTS, 122 * 32 * 56 + 57 * 64 * 160 + 26 * 64 * 192);
    }
}
