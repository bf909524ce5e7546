//! The same network for GPUs: packed windows for input, computed in 16-bit floating point.
//!
//! Packed windows are a thirty-second of the one-hot ones' bytes, which otherwise have to be made and copied to the device. The
//! graph is written anew: a table that expands a byte stands before the network, weights are rounded to 16 bits, the output is
//! in 32 bits as ever.

use super::graph::malformed_is_error;
use super::protobuf::{Field, Malformed, Message, Value};
use super::protobuf_writer::{append, append_integer, integer_attribute, node, tensor};
use super::schema::{element, field};
use crate::{NpuError, NpuResult};

/// Name of the new input, uint8[batch, 128].
const PACKED_INPUT: &str = "packed";

const CONTEXTS: &str = "contexts";
const OUTPUT: &str = "viability";
const HALF_OUTPUT: &str = "viability_half";

/// Rewrites a model file whose network computes in 32-bit floating point and takes `contexts`.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`] if a weight is too large for 16 bits, or the bytes are no ONNX file.
pub(crate) fn packed_half(bytes: &[u8]) -> NpuResult<Vec<u8>> {
    let mut file = Vec::with_capacity(bytes.len());
    for field in Message::file(bytes).fields_with_bytes() {
        match malformed_is_error(field)? {
            (_, Field { number: field::MODEL_GRAPH, value: Value::Bytes(message) }) => {
                append(&mut file, field::MODEL_GRAPH, &malformed_is_error(graph(message))??);
            }
            (whole, _) => file.extend_from_slice(whole),
        }
    }
    Ok(file)
}

fn graph(old: Message) -> Result<NpuResult<Vec<u8>>, Malformed> {
    let mut new = Vec::new();
    for node in [
        node("Cast", &[PACKED_INPUT], "packed_bytes", &[integer_attribute("to", element::INT32)]),
        node("Gather", &["one_hot_of_byte", "packed_bytes"], "bases_of_bytes", &[integer_attribute("axis", 0)]),
        node("Reshape", &["bases_of_bytes", "contexts_shape"], CONTEXTS, &[]),
    ] {
        append(&mut new, field::GRAPH_NODES, &node);
    }
    for (name, element, axes, content) in [
        ("one_hot_of_byte", element::FLOAT16, &[256, 8][..], one_hot_of_byte()),
        (
            "contexts_shape",
            element::INT64,
            &[4],
            [0i64, 2, 128, 4].iter().flat_map(|axis| axis.to_le_bytes()).collect(),
        ),
    ] {
        append(&mut new, field::GRAPH_INITIALIZERS, &tensor(name, element, axes, &content));
    }
    for field in old.fields_with_bytes() {
        match field? {
            (_, Field { number: field::GRAPH_NODES, value: Value::Bytes(node) }) => {
                append(&mut new, field::GRAPH_NODES, &with_half_output(node)?);
            }
            (_, Field { number: field::GRAPH_INITIALIZERS, value: Value::Bytes(weights) }) => match in_half(weights)? {
                Ok(weights) => append(&mut new, field::GRAPH_INITIALIZERS, &weights),
                Err(refusal) => return Ok(Err(refusal)),
            },
            (_, Field { number: field::GRAPH_INPUTS, .. }) => append(&mut new, field::GRAPH_INPUTS, &packed_input()),
            // Their types are no longer true, and every library finds them out by itself.
            (_, Field { number: field::GRAPH_VALUES, .. }) => {}
            (whole, _) => new.extend_from_slice(whole),
        }
    }
    append(
        &mut new,
        field::GRAPH_NODES,
        &node("Cast", &[HALF_OUTPUT], OUTPUT, &[integer_attribute("to", element::FLOAT32)]),
    );
    Ok(Ok(new))
}

/// A node; the one that gives the network's output gives it under another name.
fn with_half_output(node: Message) -> Result<Vec<u8>, Malformed> {
    let mut new = Vec::new();
    for field in node.fields_with_bytes() {
        match field? {
            (_, Field { number: field::NODE_OUTPUTS, value: Value::Bytes(name) })
                if name.bytes() == OUTPUT.as_bytes() =>
            {
                append(&mut new, field::NODE_OUTPUTS, HALF_OUTPUT.as_bytes());
            }
            (whole, _) => new.extend_from_slice(whole),
        }
    }
    Ok(new)
}

/// Weights in 16 bits, if they have 32.
fn in_half(weights: Message) -> Result<NpuResult<Vec<u8>>, Malformed> {
    if weights.integer(field::TENSOR_ELEMENT)? != Some(element::FLOAT32) {
        return Ok(Ok(weights.bytes().to_vec()));
    }
    let (mut new, mut halves) = (Vec::new(), Vec::new());
    for field in weights.fields_with_bytes() {
        match field? {
            (_, Field { number: field::TENSOR_ELEMENT, .. }) => {
                append_integer(&mut new, field::TENSOR_ELEMENT, element::FLOAT16)
            }
            (_, Field { number: field::TENSOR_FLOATS, value: Value::Fixed32(bits) }) => {
                halves.push(half(f32::from_bits(bits)))
            }
            (_, Field { number: field::TENSOR_FLOATS | field::TENSOR_BYTES, value: Value::Bytes(values) }) => {
                halves.extend(values.bytes().as_chunks().0.iter().map(|&value| half(f32::from_le_bytes(value))));
            }
            (whole, _) => new.extend_from_slice(whole),
        }
    }
    if halves.contains(&None) {
        let name = weights.text(field::TENSOR_NAME)?;
        return Ok(Err(NpuError::UnsupportedFormat(format!(
            "a weight of `{name}` is too large for 16-bit floating point, in which GPUs compute; choose ort or tract"
        ))));
    }
    let bytes: Vec<u8> = halves.into_iter().flatten().flat_map(u16::to_le_bytes).collect();
    append(&mut new, field::TENSOR_BYTES, &bytes);
    Ok(Ok(new))
}

/// A number in 16-bit floating point (IEEE 754), rounded to the nearest, ties to even; `None` beyond its range.
fn half(value: f32) -> Option<u16> {
    /// Smallest of the numbers of full precision, and the step below it.
    const SMALLEST: f32 = 1.0 / 16_384.0;
    const STEP: f32 = 1.0 / 16_777_216.0;
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let value = value.abs();
    if value < SMALLEST {
        return Some(sign | (value / STEP).round_ties_even() as u16);
    }
    let bits = value.to_bits();
    let rounded = bits + 0xfff + (bits >> 13 & 1);
    let half = (rounded >> 13).wrapping_sub(112 << 10);
    (half < 0x7c00).then_some(sign | half as u16)
}

/// Row of a byte: its two positions, the one in the high bits first, four bases each.
fn one_hot_of_byte() -> Vec<u8> {
    let one = half(1.0).expect("within range");
    let values = (0..256usize).flat_map(|byte| (0..8).map(move |place| byte >> ((place + 4) % 8) & 1 == 1));
    values.flat_map(|is_one| if is_one { one } else { 0 }.to_le_bytes()).collect()
}

/// ValueInfoProto of uint8[batch, 128].
fn packed_input() -> Vec<u8> {
    let (mut batch, mut bytes, mut shape, mut tensor, mut kind, mut input) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    append(&mut batch, field::AXIS_NAME, b"batch");
    append_integer(&mut bytes, field::AXIS_SIZE, 128);
    append(&mut shape, field::SHAPE_AXES, &batch);
    append(&mut shape, field::SHAPE_AXES, &bytes);
    append_integer(&mut tensor, field::TENSOR_TYPE_ELEMENT, element::UINT8);
    append(&mut tensor, field::TENSOR_TYPE_SHAPE, &shape);
    append(&mut kind, field::TYPE_TENSOR, &tensor);
    append(&mut input, field::VALUE_NAME, PACKED_INPUT.as_bytes());
    append(&mut input, field::VALUE_TYPE, &kind);
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_half() {
        for (value, bits) in [
            (0.0, 0),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (65519.9, 0x7bff),
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            (5.960_464_5e-8, 1),
            (2.9e-8, 0),
            (6.103_515_6e-5, 0x0400),
            (6.1e-5, 0x03ff),
        ] {
            assert_eq!(half(value), Some(bits), "{value}");
        }
        assert_eq!((half(65520.0), half(f32::INFINITY), half(f32::NAN)), (None, None, None));
    }
}
