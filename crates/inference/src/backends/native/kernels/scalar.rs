//! Plain Rust: the fallback, and what the other levels have to equal.

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::{BlockEnds, Kernel};
use crate::backends::native::first_block::{FirstBlock, TAPS_1};
use crate::backends::native::head::Head;
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{Convolution, EmptyOutputs, Network, requantised};
use crate::backends::native::shape::{CHANNELS_1, CHANNELS_2, CHANNELS_3, POOLED_1, POOLED_2, POSITIONS_3};
use crate::backends::native::windows::{occupied_bytes, position_codes};

pub const ENTRY: Entry = Entry {
    level: Level::Scalar,
    is_supported: || true,
    prepare: |network| Box::new(ScalarKernel::new(network)),
    products: BlockEnds::products,
    multiply_only: None,
};

struct ScalarKernel {
    table: FirstBlock,
    first_biases: Vec<i32>,
    first_multipliers: Vec<f32>,
    second: Layer<CHANNELS_2>,
    third: Layer<CHANNELS_3>,
    empty: EmptyOutputs,
    head: Head,
}

/// A convolution with one row of weights for each product.
struct Layer<const OUTPUTS: usize> {
    rows: Vec<[i16; OUTPUTS]>,
    biases: [i32; OUTPUTS],
    multipliers: [f32; OUTPUTS],
}

impl<const OUTPUTS: usize> Layer<OUTPUTS> {
    fn new(convolution: &Convolution) -> Self {
        let row = |product| std::array::from_fn(|output| convolution.weight(product, output).into());
        Self {
            rows: (0..convolution.shape.depth()).map(row).collect(),
            biases: std::array::from_fn(|output| convolution.biases[output]),
            multipliers: std::array::from_fn(|output| convolution.multipliers[output]),
        }
    }

    /// The sums of one position; `input` starts at its first channel.
    fn sums(&self, input: &[u8]) -> [i32; OUTPUTS] {
        let mut sums = self.biases;
        for (&value, row) in input.iter().zip(&self.rows) {
            for (sum, &weight) in sums.iter_mut().zip(row) {
                *sum += i32::from(weight) * i32::from(value);
            }
        }
        sums
    }

    fn requantise(&self, sums: &[i32; OUTPUTS], output: &mut [u8]) {
        for ((output, &sum), &multiplier) in output.iter_mut().zip(sums).zip(&self.multipliers) {
            *output = requantised(sum, multiplier);
        }
    }
}

impl ScalarKernel {
    fn new(network: &Network) -> Self {
        let [first, second, third] = &network.convolutions;
        Self {
            table: FirstBlock::new(first),
            first_biases: first.biases.clone(),
            first_multipliers: first.multipliers.clone(),
            second: Layer::new(second),
            third: Layer::new(third),
            empty: EmptyOutputs::of(network),
            head: network.head.clone(),
        }
    }

    /// The first block at the positions that one byte of the windows holds.
    fn first_block(&self, codes: &[u16], output: &mut [u8]) {
        let sums = |position: usize| {
            let mut sums = [0i16; CHANNELS_1];
            for tap in 0..TAPS_1 {
                let row = &self.table.rows[usize::from(codes[position + tap]) + tap];
                for (sum, value) in sums.iter_mut().zip(row.0) {
                    *sum += value;
                }
            }
            sums
        };
        let (even, odd) = (sums(0), sums(1));
        for channel in 0..CHANNELS_1 {
            let sum = i32::from(even[channel].max(odd[channel])) + self.first_biases[channel];
            output[channel] = requantised(sum, self.first_multipliers[channel]);
        }
    }

    fn channel_sums(&self, seed: &[u8; PACKED_SEED_BYTES]) -> [i32; CHANNELS_3] {
        let codes = position_codes(seed, TAPS_1 as u16);
        let ends = BlockEnds::of(occupied_bytes(seed));

        let mut pooled_1 = [self.empty.first; POOLED_1];
        for (index, output) in pooled_1[..ends.first].iter_mut().enumerate() {
            self.first_block(&codes[2 * index..], output);
        }
        let mut pooled_2 = [self.empty.second; POOLED_2];
        for (index, output) in pooled_2[..ends.second].iter_mut().enumerate() {
            let even = self.second.sums(pooled_1[2 * index..].as_flattened());
            let odd = self.second.sums(pooled_1[2 * index + 1..].as_flattened());
            self.second.requantise(&std::array::from_fn(|channel| even[channel].max(odd[channel])), output);
        }
        let empty_positions = (POSITIONS_3 - ends.third) as i32;
        let mut sums = self.empty.third.map(|value| empty_positions * i32::from(value));
        for position in 0..ends.third {
            let mut output = [0; CHANNELS_3];
            self.third.requantise(&self.third.sums(pooled_2[position..].as_flattened()), &mut output);
            for (sum, value) in sums.iter_mut().zip(output) {
                *sum += i32::from(value);
            }
        }
        sums
    }
}

impl Kernel for ScalarKernel {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        for (seed, score) in seeds.iter().zip(scores) {
            *score = self.head.viability(&self.channel_sums(seed));
        }
    }
}
