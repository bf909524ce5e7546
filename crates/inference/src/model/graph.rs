use std::ops::RangeInclusive;

use seedsieve_encoding::WINDOW_SIZE;
use serde::Serialize;

use super::protobuf::{Malformed, Message};
use super::schema::{element, field};
use crate::{NpuError, NpuResult};

/// Versions of ONNX's operator set in which these networks mean what they do in that of the training package, 17: Squeeze takes
/// its axes, and DequantizeLinear an axis, from 13 on; ONNX Runtime 1.24, the oldest that is loaded, knows 23.
const OPSETS: RangeInclusive<u64> = 13..=23;
/// What half precision holds, in which some backends compute; weights of trained networks are a thousand times smaller.
const LARGEST_WEIGHT: f32 = 65_504.0;
const LOCATION_OTHER_FILE: u64 = 1;

const OUTPUT_NAME: &str = "viability";

/// What a network of one kind takes, one row a seed.
pub(crate) struct Interface {
    /// Name of the input.
    pub input: &'static str,
    /// Axes of the input after the first, which is the batch; `None` where any size will do.
    pub axes: &'static [Option<u64>],
    /// How the input is written in messages.
    pub expected: &'static str,
}

/// Networks that see windows, one-hot.
pub(crate) const WINDOWS: Interface = Interface {
    input: "contexts",
    axes: &[Some(2), Some(WINDOW_SIZE as u64), Some(4)],
    expected: "contexts: float32[batch, 2, 128, 4]",
};
/// Networks that see a row of small whole numbers.
pub(crate) const FEATURES: Interface =
    Interface { input: "features", axes: &[None], expected: "features: float32[batch, N]" };

/// What the file says about its network, without running it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelGraph {
    /// Input, as `name: float32[batch, 2, 128, 4]`.
    pub input: String,
    /// Output, as `name: float32[batch]`.
    pub output: String,
    /// Version of the ONNX operator set; a check has found it to be from 13 to 23.
    pub opset: u64,
    /// Program that wrote the file.
    pub producer: String,
    /// The network computes in INT8 (QuantizeLinear and DequantizeLinear nodes).
    pub quantized: bool,
}

/// The graph's description and the file's own metadata, in the file's order.
pub(crate) struct Contents {
    pub graph: ModelGraph,
    /// Sizes of the input's axes after the batch; a check has found them to be fixed.
    pub input_axes: Vec<u64>,
    pub properties: Vec<(String, String)>,
}

struct Tensor {
    name: String,
    element: u64,
    /// `None` for a dynamic axis.
    axes: Vec<Option<u64>>,
}

/// Reads what is needed of an ONNX file and checks that the network takes and gives what this program expects.
pub(crate) fn read_contents(bytes: &[u8], interface: &Interface) -> NpuResult<Contents> {
    let file = Message::file(bytes);
    let graph = malformed_is_error(file.message(field::MODEL_GRAPH))?
        .ok_or_else(|| NpuError::UnsupportedFormat("the file holds no ONNX graph; is it an ONNX file?".into()))?;
    malformed_is_error(check_weights(graph))??;
    let input = single(malformed_is_error(inputs(graph))?, "input")?;
    let output = single(malformed_is_error(tensors(graph, field::GRAPH_OUTPUTS))?, "output")?;
    check_shapes(interface, &input, &output)?;
    let contents = malformed_is_error(describe(file, graph, &input, &output))?;
    check_opset(contents.graph.opset)?;
    Ok(contents)
}

/// The name of a network's only input, as far as the bytes tell one.
pub(crate) fn input_name(bytes: &[u8]) -> Option<String> {
    let graph = Message::file(bytes).message(field::MODEL_GRAPH).ok()??;
    let [input] = <[Tensor; 1]>::try_from(inputs(graph).ok()?).ok()?;
    Some(input.name)
}

fn describe(file: Message, graph: Message, input: &Tensor, output: &Tensor) -> Result<Contents, Malformed> {
    let mut quantized = false;
    for node in graph.messages(field::GRAPH_NODES)? {
        quantized |= node.text(field::NODE_OPERATOR)? == "QuantizeLinear";
    }
    let mut opset = 0;
    for import in file.messages(field::MODEL_OPSETS)? {
        if matches!(import.text(field::OPSET_DOMAIN)?, "" | "ai.onnx") {
            opset = import.integer(field::OPSET_VERSION)?.unwrap_or(0);
        }
    }
    let mut properties = Vec::new();
    for property in file.messages(field::MODEL_PROPERTIES)? {
        properties.push((property.text(field::PROPERTY_KEY)?.into(), property.text(field::PROPERTY_VALUE)?.into()));
    }
    let producer = file.text(field::MODEL_PRODUCER)?.to_owned();
    let graph = ModelGraph { input: input.to_string(), output: output.to_string(), opset, producer, quantized };
    let input_axes = input.axes.iter().skip(1).flatten().copied().collect();
    Ok(Contents { graph, input_axes, properties })
}

/// Weights have to be in this file, for another would be looked for wherever the program happens to run, and such as training
/// gives: a network's last layers may turn one that is not a number, or too large, into a score that looks sound (ONNX Runtime's
/// Sigmoid makes 1 of what is not a number).
fn check_weights(graph: Message) -> Result<NpuResult<()>, Malformed> {
    let mut weights = graph.messages(field::GRAPH_INITIALIZERS)?;
    for node in graph.messages(field::GRAPH_NODES)? {
        for attribute in node.messages(field::NODE_ATTRIBUTES)? {
            weights.extend(attribute.message(field::ATTRIBUTE_TENSOR)?);
        }
    }
    for tensor in weights {
        let name = tensor.text(field::TENSOR_NAME)?;
        if tensor.integer(field::TENSOR_LOCATION)? == Some(LOCATION_OTHER_FILE) {
            return Ok(Err(NpuError::UnsupportedFormat(format!(
                "the weights `{name}` are stored in another file; export the model as a single file"
            ))));
        }
        if tensor.integer(field::TENSOR_ELEMENT)? == Some(element::FLOAT32) && !are_sound(tensor)? {
            return Ok(Err(NpuError::UnsupportedFormat(format!(
                "the weights `{name}` are not all finite numbers up to {LARGEST_WEIGHT}: the file is damaged, or the training \
                 diverged; compare its SHA-256, or train again"
            ))));
        }
    }
    Ok(Ok(()))
}

fn are_sound(tensor: Message) -> Result<bool, Malformed> {
    let mut sound = true;
    for number in [field::TENSOR_BYTES, field::TENSOR_FLOATS] {
        for values in tensor.messages(number)? {
            let mut values = values.bytes().chunks_exact(4);
            // Not a number is not below anything either.
            sound &=
                values.all(|value| f32::from_le_bytes(value.try_into().expect("four bytes")).abs() <= LARGEST_WEIGHT);
        }
    }
    Ok(sound)
}

/// Inputs that are no weights: old exporters list weights among the inputs.
fn inputs(graph: Message) -> Result<Vec<Tensor>, Malformed> {
    let mut weights = Vec::new();
    for tensor in graph.messages(field::GRAPH_INITIALIZERS)? {
        weights.push(tensor.text(field::TENSOR_NAME)?);
    }
    let mut inputs = tensors(graph, field::GRAPH_INPUTS)?;
    inputs.retain(|input| !weights.contains(&input.name.as_str()));
    Ok(inputs)
}

fn tensors(graph: Message, number: u64) -> Result<Vec<Tensor>, Malformed> {
    graph.messages(number)?.into_iter().map(read_tensor).collect()
}

fn read_tensor(value: Message) -> Result<Tensor, Malformed> {
    let mut tensor = Tensor { name: value.text(field::VALUE_NAME)?.to_owned(), element: 0, axes: Vec::new() };
    let Some(value_type) = value.message(field::VALUE_TYPE)? else { return Ok(tensor) };
    let Some(tensor_type) = value_type.message(field::TYPE_TENSOR)? else { return Ok(tensor) };
    tensor.element = tensor_type.integer(field::TENSOR_TYPE_ELEMENT)?.unwrap_or(0);
    if let Some(shape) = tensor_type.message(field::TENSOR_TYPE_SHAPE)? {
        for axis in shape.messages(field::SHAPE_AXES)? {
            tensor.axes.push(axis.integer(field::AXIS_SIZE)?);
        }
    }
    Ok(tensor)
}

fn single(mut tensors: Vec<Tensor>, what: &str) -> NpuResult<Tensor> {
    match (tensors.pop(), tensors.len()) {
        (Some(tensor), 0) => Ok(tensor),
        (_, others) => Err(NpuError::UnsupportedFormat(format!(
            "the network has {} {what}s where one is expected",
            if others == 0 { 0 } else { others + 1 }
        ))),
    }
}

fn check_shapes(interface: &Interface, input: &Tensor, output: &Tensor) -> NpuResult<()> {
    let axis_fits = |(axis, expected): (&Option<u64>, &Option<u64>)| match expected {
        Some(_) => axis == expected,
        None => axis.is_some_and(|size| size > 0),
    };
    let input_fits = input.name == interface.input
        && input.element == element::FLOAT32
        && input.axes.len() == interface.axes.len() + 1
        && input.axes[1..].iter().zip(interface.axes).all(axis_fits);
    let output_fits = output.name == OUTPUT_NAME && output.element == element::FLOAT32 && output.axes.len() == 1;
    if !input_fits || !output_fits {
        let next = match input.name.as_str() {
            name if name == FEATURES.input && interface.input != name => {
                "it is a student network, which sees facts of a read's seeds: `align --student FILE` asks it, and \
                 `python -m seedsieve_train evaluate --model FILE` evaluates it"
            }
            name if name == WINDOWS.input && interface.input != name => {
                "it is a network that sees windows, which `align --model FILE` asks"
            }
            _ => "export it with this project's training package",
        };
        return Err(NpuError::UnsupportedFormat(format!(
            "the network maps `{input}` to `{output}`, expected is `{}` to `{OUTPUT_NAME}: float32[batch]`; {next}",
            interface.expected
        )));
    }
    match input.axes[0] {
        Some(fixed) => Err(NpuError::UnsupportedBatchSize(usize::try_from(fixed).unwrap_or(usize::MAX))),
        None => Ok(()),
    }
}

/// In another version an operator may take other inputs, and mean something else, without any backend noticing.
fn check_opset(opset: u64) -> NpuResult<()> {
    if OPSETS.contains(&opset) {
        return Ok(());
    }
    let stated = if opset == 0 { "no ONNX operator set".to_owned() } else { format!("the ONNX operator set {opset}") };
    Err(NpuError::UnsupportedFormat(format!(
        "the network is written in {stated}, this program reads versions {} to {}; export it with opset 17",
        OPSETS.start(),
        OPSETS.end()
    )))
}

impl std::fmt::Display for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let axes: Vec<String> =
            self.axes.iter().map(|axis| axis.map_or_else(|| "batch".into(), |size| size.to_string())).collect();
        let element = match self.element {
            element::FLOAT32 => "float32".to_owned(),
            other => format!("(ONNX element type {other})"),
        };
        write!(f, "{}: {element}[{}]", self.name, axes.join(", "))
    }
}

pub(super) fn malformed_is_error<T>(result: Result<T, Malformed>) -> NpuResult<T> {
    result.map_err(|Malformed { offset, why }| {
        NpuError::UnsupportedFormat(format!(
            "not an ONNX file, or cut off: {why} at byte {offset}; compare its SHA-256, or export it again"
        ))
    })
}
