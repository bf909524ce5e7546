//! From an INT8 model file to a network in integers.
//!
//! The file states its arithmetic in floating point, with a QuantizeLinear and DequantizeLinear pair at each place where a
//! value is rounded to eight bits ("QDQ"). The pairs are read here for what they mean: which integers, and which step.

use super::head::Head;
use super::network::{Convolution, Network};
use super::shape::{CHANNELS_3, CONVOLUTIONS, ConvolutionShape, HIDDEN};
use crate::model::{Attribute, Element, Node, Operators, read_operators};
use crate::{Model, NpuError, NpuResult};

/// Reads the network of a model.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`] if the network is not of the family that the kernels compute, with the layer and what
/// differs.
pub fn read_network(model: &Model) -> NpuResult<Network> {
    if !model.graph().quantized {
        return Err(NpuError::UnsupportedFormat(format!(
            "{}: the network computes in floating point, the native backend in integers; give the file that ends in \
             _int8.onnx, or choose ort or tract",
            model.source()
        )));
    }
    let operators = read_operators(model.bytes())?;
    read(&operators).map_err(|refusal| refusal.into_error(model.source(), ", or choose ort or tract"))
}

/// Which layer is not as the kernels need it, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    layer: String,
    why: String,
}

impl Refusal {
    /// The error for the user; `alternative` continues the advice.
    pub fn into_error(self, source: &str, alternative: &str) -> NpuError {
        let Self { layer, why } = self;
        NpuError::UnsupportedFormat(format!(
            "{source}: the native backend cannot compute the layer `{layer}`: {why}; export the network with this project's \
             training package{alternative}"
        ))
    }
}

pub(super) type Checked<T> = Result<T, Refusal>;

pub(super) fn refuse<T>(layer: &str, why: impl Into<String>) -> Checked<T> {
    Err(Refusal { layer: layer.to_owned(), why: why.into() })
}

fn read(operators: &Operators) -> Checked<Network> {
    let mut chain = Chain { operators, value: "contexts" };
    chain.channels_first()?;
    let mut scale = chain.round_trip()?;
    if scale != 1.0 {
        return refuse(chain.value, format!("its step is {scale}; one-hot values need a step of 1"));
    }
    let mut convolutions = Vec::new();
    for (number, shape) in CONVOLUTIONS.into_iter().enumerate() {
        if number > 0 {
            chain.pool(scale)?;
        }
        let (convolution, output_scale) = chain.convolution(shape, scale)?;
        convolutions.push(convolution);
        scale = output_scale;
    }
    let head = chain.head(scale)?;
    let convolutions = convolutions.try_into().expect("one for each shape");
    Ok(Network { convolutions, head })
}

/// The way from the input to the output, operator by operator.
pub(super) struct Chain<'a, 'file> {
    pub operators: &'a Operators<'file>,
    /// The last operator's output.
    pub value: &'a str,
}

impl<'a, 'file> Chain<'a, 'file> {
    /// The next operator, which has to be of this kind, and the only one that reads the last one's output.
    pub fn next(&mut self, operator: &str) -> Checked<&'a Node<'file>> {
        let mut readers = self.operators.readers(self.value);
        let (Some(node), None) = (readers.next(), readers.next()) else {
            return refuse(self.value, "it is not read by exactly one operator");
        };
        let [output] = node.outputs[..] else {
            return refuse(self.value, format!("the operator {} after it has not one output", node.operator));
        };
        if node.operator != operator {
            return refuse(output, format!("it is a {}, expected is a {operator}", node.operator));
        }
        self.value = output;
        Ok(node)
    }

    /// The operator that alone reads the last one's output.
    pub fn next_operator(&self) -> Option<&'a str> {
        let mut readers = self.operators.readers(self.value);
        let (node, None) = (readers.next()?, readers.next()) else { return None };
        Some(node.operator)
    }

    /// The order of axes: channel = 4 * sequence + base, then positions.
    fn channels_first(&mut self) -> Checked<()> {
        let transpose = self.next("Transpose")?;
        check_attributes(transpose, self.value, &[("perm", &[0, 1, 3, 2])], &["perm"])?;
        let reshape = self.next("Reshape")?;
        check_attributes(reshape, self.value, &[("allowzero", &[0])], &[])?;
        let axes = self.integers(reshape, 1)?;
        if !matches!(axes[..], [0 | -1, 8, 1, 128]) {
            return refuse(self.value, format!("it makes the shape {axes:?}, expected is [0, 8, 1, 128]"));
        }
        Ok(())
    }

    /// A rounding to eight bits and back; the step.
    pub fn round_trip(&mut self) -> Checked<f32> {
        let mut scales = [0.0; 2];
        for (operator, scale) in ["QuantizeLinear", "DequantizeLinear"].into_iter().zip(&mut scales) {
            let node = self.next(operator)?;
            check_attributes(node, self.value, &[("axis", &[1])], &[])?;
            *scale = self.step(node)?;
        }
        if scales[0] != scales[1] {
            return refuse(self.value, format!("it is rounded in steps of {} and taken back in others", scales[0]));
        }
        Ok(scales[0])
    }

    /// The step of a rounding to unsigned eight bits.
    fn step(&self, node: &Node) -> Checked<f32> {
        let zero_point = self.constant(node, 2)?;
        if zero_point.element != Element::Uint8 || zero_point.integers().as_deref() != Some(&[0]) {
            return refuse(self.value, "its zero point is not an unsigned 0");
        }
        let [scale] = self.floats(node, 1)?[..] else { return refuse(self.value, "it has not one scale") };
        if !(scale > 0.0 && scale.is_finite()) {
            return refuse(self.value, format!("its scale is {scale}, not a number above 0"));
        }
        Ok(scale)
    }

    fn pool(&mut self, scale: f32) -> Checked<()> {
        let pool = self.next("MaxPool")?;
        let expected: &[(&str, &[i64])] = &[
            ("kernel_shape", &[1, 2]),
            ("strides", &[1, 2]),
            ("dilations", &[1, 1]),
            ("pads", &[0, 0, 0, 0]),
            ("ceil_mode", &[0]),
            ("storage_order", &[0]),
        ];
        check_attributes(pool, self.value, expected, &["kernel_shape", "strides"])?;
        let layer = self.value;
        if self.round_trip()? != scale {
            return refuse(layer, "its output is rounded in other steps than its input");
        }
        Ok(())
    }

    /// A convolution, its ReLU and its rounding; the step of the output.
    fn convolution(&mut self, shape: ConvolutionShape, input_scale: f32) -> Checked<(Convolution, f32)> {
        let node = self.next("Conv")?;
        let layer = self.value;
        let taps = shape.taps as i64;
        let expected: &[(&str, &[i64])] = &[
            ("kernel_shape", &[1, taps]),
            ("strides", &[1, 1]),
            ("dilations", &[1, 1]),
            ("pads", &[0, 0, 0, 0]),
            ("group", &[1]),
        ];
        check_attributes(node, layer, expected, &[])?;
        let (weights, scales) = self.weights(node, shape)?;
        let biases = self.biases(node, shape, &scales, input_scale)?;
        self.next("Relu")?;
        let output_scale = self.round_trip()?;
        let multipliers = scales.iter().map(|scale| scale * input_scale / output_scale).collect();
        let convolution = Convolution::new(shape, weights, biases, multipliers);
        Ok((convolution.or_else(|why| refuse(layer, why))?, output_scale))
    }

    /// Weights in the order (taps, inputs, outputs), and the step of each output's.
    fn weights(&self, convolution: &Node, shape: ConvolutionShape) -> Checked<(Vec<i8>, Vec<f32>)> {
        let axes = [shape.outputs, shape.inputs, 1, shape.taps];
        let (integers, scales) = self.dequantised(convolution, 1, Element::Int8, &axes)?;
        let mut weights = vec![0; integers.len()];
        for (index, &weight) in integers.iter().enumerate() {
            let (output, rest) = (index / shape.depth(), index % shape.depth());
            let (input, tap) = (rest / shape.taps, rest % shape.taps);
            weights[(tap * shape.inputs + input) * shape.outputs + output] = weight as i8;
        }
        Ok((weights, scales))
    }

    /// Biases in the steps of the sums, in which the file has to give them.
    fn biases(
        &self,
        convolution: &Node,
        shape: ConvolutionShape,
        weight_scales: &[f32],
        input_scale: f32,
    ) -> Checked<Vec<i32>> {
        let (integers, scales) = self.dequantised(convolution, 2, Element::Int32, &[shape.outputs])?;
        for (output, (&scale, &weight_scale)) in scales.iter().zip(weight_scales).enumerate() {
            let expected = weight_scale * input_scale;
            if (scale - expected).abs() > expected * 1e-5 {
                let why = format!("the step of the bias of output {output} is {scale}, that of its sums is {expected}");
                return refuse(self.value, why);
            }
        }
        Ok(integers.into_iter().map(|bias| bias as i32).collect())
    }

    /// The integers, and one scale for each first index, of a constant that an operator reads through DequantizeLinear.
    fn dequantised(
        &self,
        node: &Node,
        input: usize,
        element: Element,
        axes: &[usize],
    ) -> Checked<(Vec<i64>, Vec<f32>)> {
        let name = node.inputs.get(input).copied().unwrap_or_default();
        let maker = self.operators.maker(name).filter(|maker| maker.operator == "DequantizeLinear");
        let Some(maker) = maker else {
            return refuse(self.value, format!("its input {input}, `{name}`, is no constant in integers with a scale"));
        };
        check_attributes(maker, name, &[("axis", &[0])], &["axis"])?;
        let integers = self.constant(maker, 0)?;
        if integers.element != element || integers.axes != axes {
            return refuse(
                self.value,
                format!(
                    "`{name}` has the type {:?} and the shape {:?}, expected are {element:?} and {axes:?}",
                    integers.element, integers.axes
                ),
            );
        }
        let zero_points = self.integers(maker, 2)?;
        if zero_points.len() != axes[0] || zero_points.iter().any(|&point| point != 0) {
            return refuse(self.value, format!("`{name}` has not {} zero points of 0", axes[0]));
        }
        let scales = self.floats(maker, 1)?;
        if scales.len() != axes[0] || scales.iter().any(|&scale| !(scale > 0.0 && scale.is_finite())) {
            return refuse(self.value, format!("`{name}` has not {} scales above 0", axes[0]));
        }
        Ok((integers.integers().expect("the element type was checked"), scales))
    }

    /// Mean, dense layers and sigmoid.
    fn head(&mut self, scale: f32) -> Checked<Head> {
        self.next("GlobalAveragePool")?;
        let flatten = self.next("Flatten")?;
        check_attributes(flatten, self.value, &[("axis", &[1])], &[])?;
        let (hidden_weights, hidden_biases) = self.dense::<HIDDEN>(CHANNELS_3)?;
        self.next("Relu")?;
        let (logit_weights, [logit_bias]) = self.dense::<1>(HIDDEN)?;
        self.next("Sigmoid")?;
        let squeeze = self.next("Squeeze")?;
        if self.integers(squeeze, 1)? != [1] || self.value != "viability" {
            return refuse(self.value, "it is not the output `viability` of one axis");
        }
        let logit_weights = logit_weights.try_into().expect("the shape was checked");
        Ok(Head::new(scale, &hidden_weights, hidden_biases, logit_weights, logit_bias))
    }

    /// Weights, shape (outputs, inputs), and biases of a dense layer.
    fn dense<const OUTPUTS: usize>(&mut self, inputs: usize) -> Checked<(Vec<f32>, [f32; OUTPUTS])> {
        let node = self.next("Gemm")?;
        check_attributes(node, self.value, &[("transB", &[1]), ("transA", &[0])], &["transB"])?;
        let weights = self.constant(node, 1)?;
        if weights.axes != [OUTPUTS, inputs] {
            return refuse(
                self.value,
                format!("its weights have the shape {:?}, expected is [{OUTPUTS}, {inputs}]", weights.axes),
            );
        }
        let biases = self.floats(node, 2)?;
        let count = biases.len();
        let Ok(biases) = biases.try_into() else {
            return refuse(self.value, format!("it has {count} biases, expected are {OUTPUTS}"));
        };
        Ok((self.floats(node, 1)?, biases))
    }

    pub fn constant(&self, node: &Node, input: usize) -> Checked<&'a crate::model::Constant<'file>> {
        let name = node.inputs.get(input).copied().unwrap_or_default();
        match self.operators.constants.get(name) {
            Some(constant) => Ok(constant),
            None => refuse(self.value, format!("its input {input}, `{name}`, is no constant of the file")),
        }
    }

    pub fn integers(&self, node: &Node, input: usize) -> Checked<Vec<i64>> {
        let integers = self.constant(node, input)?.integers();
        integers.map_or_else(|| refuse(self.value, format!("its input {input} holds no integers")), Ok)
    }

    pub fn floats(&self, node: &Node, input: usize) -> Checked<Vec<f32>> {
        let floats = self.constant(node, input)?.floats();
        floats.map_or_else(|| refuse(self.value, format!("its input {input} holds no 32-bit floats")), Ok)
    }
}

/// Checks an operator's settings: those that are given have to be as expected, those in `required` have to be given. A
/// float has to be 1, which both of Gemm's are where not given; `auto_pad` has to leave the padding to `pads`.
pub(super) fn check_attributes(
    node: &Node,
    layer: &str,
    expected: &[(&str, &[i64])],
    required: &[&str],
) -> Checked<()> {
    for (name, value) in &node.attributes {
        let allowed = expected.iter().find(|(expected, _)| expected == name).map(|(_, value)| *value);
        let fits = match (value, allowed) {
            (Attribute::Integer(value), Some(allowed)) => allowed == [*value],
            (Attribute::Integers(values), Some(allowed)) => allowed == values,
            (Attribute::Float(value), _) => *value == 1.0,
            (Attribute::Text(value), _) => *name == "auto_pad" && ["NOTSET", "VALID"].contains(value),
            _ => false,
        };
        if !fits {
            return refuse(layer, format!("its setting `{name}` is {value:?}, expected is {allowed:?}"));
        }
    }
    match required.iter().find(|name| node.attributes.iter().all(|(given, _)| given != *name)) {
        Some(missing) => refuse(layer, format!("its setting `{missing}` is missing")),
        None => Ok(()),
    }
}
