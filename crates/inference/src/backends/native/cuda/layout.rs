//! A network in the order in which the kernels' threads read it: `Parameters` and `Head` of kernel.cu.

use crate::backends::native::head::Head;
use crate::backends::native::network::{Convolution, Network};

/// Products that one instruction sums up, and a warp's threads.
const STEP: usize = 32;
const LANES: usize = 32;

/// Weights, biases and multipliers of the three convolutions.
pub fn parameters(network: &Network) -> Vec<u8> {
    let mut bytes = Vec::new();
    for convolution in &network.convolutions {
        append_weights(convolution, &mut bytes);
    }
    for convolution in &network.convolutions {
        bytes.extend(convolution.biases.iter().flat_map(|bias| bias.to_le_bytes()));
    }
    for convolution in &network.convolutions {
        bytes.extend(convolution.multipliers.iter().flat_map(|multiplier| multiplier.to_le_bytes()));
    }
    bytes
}

/// Step by step, for each pair of tiles of eight columns, each lane: its four products of the step's first half and of its
/// second half in the one tile, then in the other (PTX ISA, matrix fragments of `mma.m16n8k32`).
fn append_weights(convolution: &Convolution, bytes: &mut Vec<u8>) {
    let depth = convolution.shape.depth();
    for step in 0..depth.div_ceil(STEP) {
        for pair in 0..convolution.shape.outputs / 16 {
            for lane in 0..LANES {
                let (column, quarter) = (lane / 4, lane % 4);
                for (tile, half) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    // A thread gets columns 2q and 2q + 1 of each tile's sums: together four neighbouring channels.
                    let channel = 16 * pair + 4 * (column / 2) + 2 * tile + column % 2;
                    let product = step * STEP + half * STEP / 2 + 4 * quarter;
                    bytes.extend((product..product + 4).map(|product| match product < depth {
                        true => convolution.weight(product, channel) as u8,
                        false => 0,
                    }));
                }
            }
        }
    }
}

/// The two dense layers.
pub fn head(head: &Head) -> Vec<u8> {
    let values = head.hidden_weights.as_flattened().iter().chain(&head.hidden_biases).chain(&head.logit_weights);
    let rest = [head.logit_bias, head.mean_scale, 0.0, 0.0];
    let values = values.chain(&rest);
    values.flat_map(|value| value.to_le_bytes()).collect()
}
