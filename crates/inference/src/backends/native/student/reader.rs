//! From an INT8 model file to a plan.

use super::plan::{GROUP, MAX_INPUTS, MAX_OUTPUTS, Plan};
use crate::NpuResult;
use crate::backends::native::network::Convolution;
use crate::backends::native::reader::{Chain, Checked, check_attributes, refuse};
use crate::backends::native::shape::ConvolutionShape;
use crate::model::{Attribute, Element, Node, read_operators};

/// Layers that a network may have; keeps a hostile file from taking much memory.
const MAX_LAYERS: usize = 8;

/// Reads the network of a file whose input has `features` numbers a seed.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`](crate::NpuError::UnsupportedFormat) with the layer and what differs.
pub fn read_plan(bytes: &[u8], source: &str, features: usize) -> NpuResult<Plan> {
    let operators = read_operators(bytes)?;
    let chain = Chain { operators: &operators, value: "features" };
    read(chain, features).map_err(|refusal| refusal.into_error(source, ""))
}

fn read(mut chain: Chain, features: usize) -> Checked<Plan> {
    if features > MAX_INPUTS || !features.is_multiple_of(GROUP) {
        return refuse(
            chain.value,
            format!("it has {features} values; possible are multiples of {GROUP} up to {MAX_INPUTS}"),
        );
    }
    let mut scale = chain.round_trip()?;
    if scale != 1.0 {
        return refuse(chain.value, format!("its step is {scale}; features are whole numbers, in steps of 1"));
    }
    let mut layers = Vec::new();
    let mut inputs = features;
    loop {
        let (node, mut layer) = (chain.next("Gemm")?, Dense::default());
        let name = chain.value;
        layer.read(&chain, node, inputs, scale)?;
        let shape = ConvolutionShape { inputs, outputs: layer.outputs, taps: 1 };
        let last = chain.next_operator() == Some("Sigmoid");
        if !last {
            chain.next("Relu")?;
            let output_scale = chain.round_trip()?;
            layer.multipliers.iter_mut().for_each(|multiplier| *multiplier /= output_scale);
            scale = output_scale;
        }
        let convolution = Convolution::new(shape, layer.weights, layer.biases, layer.multipliers);
        layers.push(convolution.or_else(|why| refuse(name, why))?);
        inputs = layer.outputs;
        if last {
            break;
        }
        if layers.len() == MAX_LAYERS {
            return refuse(name, format!("a network has at most {MAX_LAYERS} layers"));
        }
    }
    if inputs != 1 {
        return refuse(chain.value, format!("the last layer has {inputs} outputs, expected is one"));
    }
    chain.next("Sigmoid")?;
    // From (batch, 1) to (batch): whichever way, it moves no value.
    match chain.next_operator() {
        Some(operator @ ("Squeeze" | "Reshape")) => chain.next(operator).map(|_| ())?,
        _ => return refuse(chain.value, "it is not followed by Squeeze or Reshape to one axis"),
    }
    if chain.value != "viability" {
        return refuse(chain.value, "it is not the output `viability`");
    }
    Ok(Plan::new(&layers))
}

#[derive(Default)]
struct Dense {
    outputs: usize,
    /// Shape (inputs, outputs), row-major.
    weights: Vec<i8>,
    biases: Vec<i32>,
    /// The value of one step of a sum, one an output.
    multipliers: Vec<f32>,
}

impl Dense {
    /// Weights in integers with a scale for each output, biases in steps of the sums.
    fn read(&mut self, chain: &Chain, node: &Node, inputs: usize, input_scale: f32) -> Checked<()> {
        let layer = chain.value;
        let outputs_first = node.attributes.contains(&("transB", Attribute::Integer(1)));
        let orientation: &[i64] = if outputs_first { &[1] } else { &[0] };
        check_attributes(node, layer, &[("transA", &[0]), ("transB", orientation)], &[])?;
        let axis = if outputs_first { 0 } else { 1 };
        let (axes, integers, scales) = dequantised(chain, node, 1, Element::Int8, axis)?;
        let (rows, columns) = if outputs_first { (1, 0) } else { (0, 1) };
        if axes.len() != 2 || axes[rows] != inputs || !(1..=MAX_OUTPUTS).contains(&axes[columns]) {
            return refuse(
                layer,
                format!(
                    "its weights have the shape {axes:?}, expected are {inputs} inputs and 1 to {MAX_OUTPUTS} outputs"
                ),
            );
        }
        self.outputs = axes[columns];
        let index = |input: usize, output: usize| match outputs_first {
            true => output * inputs + input,
            false => input * self.outputs + output,
        };
        let pairs = (0..inputs).flat_map(|input| (0..self.outputs).map(move |output| (input, output)));
        self.weights = pairs.map(|(input, output)| integers[index(input, output)] as i8).collect();
        self.multipliers = scales.iter().map(|scale| scale * input_scale).collect();

        let (axes, integers, scales) = dequantised(chain, node, 2, Element::Int32, 0)?;
        if axes != [self.outputs] {
            return refuse(layer, format!("its biases have the shape {axes:?}, expected is [{}]", self.outputs));
        }
        for (output, (&scale, &expected)) in scales.iter().zip(&self.multipliers).enumerate() {
            if (scale - expected).abs() > expected * 1e-5 {
                let why = format!("the step of the bias of output {output} is {scale}, that of its sums is {expected}");
                return refuse(layer, why);
            }
        }
        self.biases = integers.into_iter().map(|bias| bias as i32).collect();
        Ok(())
    }
}

/// Axes, integers, and one scale for each index of `axis`, of a constant that an operator reads through
/// DequantizeLinear.
fn dequantised(
    chain: &Chain,
    node: &Node,
    input: usize,
    element: Element,
    axis: usize,
) -> Checked<(Vec<usize>, Vec<i64>, Vec<f32>)> {
    let name = node.inputs.get(input).copied().unwrap_or_default();
    let maker = chain.operators.maker(name).filter(|maker| maker.operator == "DequantizeLinear");
    let Some(maker) = maker else {
        return refuse(chain.value, format!("its input {input}, `{name}`, is no constant in integers with a scale"));
    };
    check_attributes(maker, name, &[("axis", &[axis as i64])], &["axis"])?;
    let integers = chain.constant(maker, 0)?;
    if integers.element != element {
        return refuse(chain.value, format!("`{name}` has the type {:?}, expected is {element:?}", integers.element));
    }
    let count = integers.axes.get(axis).copied().unwrap_or(0);
    if maker.inputs.len() > 2 {
        let zero_points = chain.integers(maker, 2)?;
        if zero_points.len() != count || zero_points.iter().any(|&point| point != 0) {
            return refuse(chain.value, format!("`{name}` has not {count} zero points of 0"));
        }
    }
    let scales = chain.floats(maker, 1)?;
    if scales.len() != count || scales.iter().any(|&scale| !(scale > 0.0 && scale.is_finite())) {
        return refuse(chain.value, format!("`{name}` has not {count} scales above 0"));
    }
    Ok((integers.axes.clone(), integers.integers().expect("the element type was checked"), scales))
}
