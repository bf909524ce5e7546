//! Messages of an ONNX file, for graphs that are written anew.

use super::schema::field;

/// NodeProto of one output.
pub fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node = Vec::new();
    inputs.iter().for_each(|input| append(&mut node, field::NODE_INPUTS, input.as_bytes()));
    append(&mut node, field::NODE_OUTPUTS, output.as_bytes());
    // Names of nodes are unique, and exporters name a node as its output.
    append(&mut node, field::NODE_NAME, format!("rewritten: {output}").as_bytes());
    append(&mut node, field::NODE_OPERATOR, operator.as_bytes());
    attributes.iter().for_each(|attribute| append(&mut node, field::NODE_ATTRIBUTES, attribute));
    node
}

/// AttributeProto of a whole number.
#[cfg(feature = "ort")]
pub fn integer_attribute(name: &str, value: u64) -> Vec<u8> {
    const INT: u64 = 2;
    let mut attribute = Vec::new();
    append(&mut attribute, field::ATTRIBUTE_NAME, name.as_bytes());
    append_integer(&mut attribute, field::ATTRIBUTE_INTEGER, value);
    append_integer(&mut attribute, field::ATTRIBUTE_TYPE, INT);
    attribute
}

/// AttributeProto of several whole numbers.
#[cfg(feature = "tract")]
pub fn integers_attribute(name: &str, values: &[u64]) -> Vec<u8> {
    const INTS: u64 = 7;
    let mut attribute = Vec::new();
    append(&mut attribute, field::ATTRIBUTE_NAME, name.as_bytes());
    values.iter().for_each(|&value| append_integer(&mut attribute, field::ATTRIBUTE_INTEGERS, value));
    append_integer(&mut attribute, field::ATTRIBUTE_TYPE, INTS);
    attribute
}

/// TensorProto.
pub fn tensor(name: &str, element: u64, axes: &[u64], content: &[u8]) -> Vec<u8> {
    let mut tensor = Vec::new();
    axes.iter().for_each(|&axis| append_integer(&mut tensor, field::TENSOR_AXES, axis));
    append_integer(&mut tensor, field::TENSOR_ELEMENT, element);
    append(&mut tensor, field::TENSOR_NAME, name.as_bytes());
    append(&mut tensor, field::TENSOR_BYTES, content);
    tensor
}

/// A field of bytes or of a message.
pub fn append(message: &mut Vec<u8>, number: u64, content: &[u8]) {
    append_varint(message, number << 3 | 2);
    append_varint(message, content.len() as u64);
    message.extend_from_slice(content);
}

/// A field of a whole number.
pub fn append_integer(message: &mut Vec<u8>, number: u64, value: u64) {
    append_varint(message, number << 3);
    append_varint(message, value);
}

fn append_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}
