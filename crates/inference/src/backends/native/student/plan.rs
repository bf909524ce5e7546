//! A dense network laid out for the kernels, which all read the same layout.

use crate::backends::native::network::Convolution;

/// Outputs that are summed up at once.
pub const LANES: usize = 16;
/// Products of an output and step.
pub const GROUP: usize = 4;
/// Largest number of inputs.
pub const MAX_INPUTS: usize = 1024;
/// Largest number of a layer's outputs.
pub const MAX_OUTPUTS: usize = 64;

/// The weights of a step: for each of [`LANES`] outputs [`GROUP`] products, that of the first input first.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Step(pub [i8; LANES * GROUP]);

/// Sixteen outputs of a layer; those that the layer has not have weights and biases of 0.
pub struct Block {
    pub steps: Vec<Step>,
    pub biases: [i32; LANES],
    pub multipliers: [f32; LANES],
}

/// A layer: `inputs` is a multiple of [`GROUP`].
pub struct Layer {
    pub inputs: usize,
    pub blocks: Vec<Block>,
}

/// A chain of layers; the last has one output, whose multiplier makes the logit of its sum.
pub struct Plan {
    inputs: usize,
    products: usize,
    pub hidden: Vec<Layer>,
    pub output: Layer,
}

impl Plan {
    /// Lays out dense layers, which are convolutions of one tap. `layers` is not empty, its last layer has one output.
    pub fn new(layers: &[Convolution]) -> Self {
        let (output, hidden) = layers.split_last().expect("a network of one layer or more");
        assert_eq!(output.shape.outputs, 1);
        assert!(layers[0].shape.inputs.is_multiple_of(GROUP) && layers[0].shape.inputs <= MAX_INPUTS);
        let products = layers.iter().map(|layer| layer.shape.inputs * layer.shape.outputs).sum();
        let inputs = layers[0].shape.inputs;
        Self { inputs, products, hidden: hidden.iter().map(Layer::new).collect(), output: Layer::new(output) }
    }

    /// Inputs of the first layer.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Multiplications of the network as the file defines it.
    pub fn products(&self) -> usize {
        self.products
    }
}

impl Layer {
    fn new(layer: &Convolution) -> Self {
        let (inputs, outputs) = (layer.shape.inputs, layer.shape.outputs);
        assert!(outputs <= MAX_OUTPUTS);
        let block = |number: usize| {
            let first = number * LANES;
            let weight = |step: usize, byte: usize| {
                let (input, output) = (step * GROUP + byte % GROUP, first + byte / GROUP);
                if input < inputs && output < outputs { layer.weight(input, output) } else { 0 }
            };
            let step = |step| Step(std::array::from_fn(|byte| weight(step, byte)));
            Block {
                steps: (0..inputs.div_ceil(GROUP)).map(step).collect(),
                biases: std::array::from_fn(|lane| layer.biases.get(first + lane).copied().unwrap_or(0)),
                multipliers: std::array::from_fn(|lane| layer.multipliers.get(first + lane).copied().unwrap_or(1.0)),
            }
        };
        Self { inputs: inputs.next_multiple_of(GROUP), blocks: (0..outputs.div_ceil(LANES)).map(block).collect() }
    }
}
