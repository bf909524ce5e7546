//! The operators of an ONNX graph and their constants, for backends that compute the network themselves.

use std::collections::HashMap;

use super::graph::malformed_is_error;
use super::protobuf::{Malformed, Message};
use super::schema::{element, field};
use crate::NpuResult;

/// The operators of a network in the file's order, and its constants by name.
pub(crate) struct Operators<'a> {
    pub nodes: Vec<Node<'a>>,
    pub constants: HashMap<&'a str, Constant<'a>>,
}

/// One operator.
pub(crate) struct Node<'a> {
    pub operator: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
}

/// The value of an operator's setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Attribute<'a> {
    Integer(i64),
    Integers(Vec<i64>),
    Float(f32),
    Text(&'a str),
    /// A tensor, a graph, or a list of something else than integers.
    Other,
}

/// A constant tensor: values lie in row-major order, little-endian.
#[derive(Clone)]
pub(crate) struct Constant<'a> {
    pub element: Element,
    pub axes: Vec<usize>,
    /// As many bytes as the axes and the element ask for.
    pub bytes: &'a [u8],
}

/// Type of a constant's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Float32,
    Uint8,
    Int8,
    Int32,
    Int64,
}

impl Element {
    fn of_number(number: u64) -> Option<Self> {
        Some(match number {
            element::FLOAT32 => Self::Float32,
            element::UINT8 => Self::Uint8,
            element::INT8 => Self::Int8,
            element::INT32 => Self::Int32,
            element::INT64 => Self::Int64,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 => 1,
            Self::Float32 | Self::Int32 => 4,
            Self::Int64 => 8,
        }
    }
}

/// Reads the graph of an ONNX file. Constants in a form that this program's exporter does not write are left out: whoever
/// asks for one finds it missing.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`](crate::NpuError::UnsupportedFormat) if the bytes are no ONNX file.
pub(crate) fn read_operators(file: &[u8]) -> NpuResult<Operators<'_>> {
    malformed_is_error(read(file))
}

fn read(file: &[u8]) -> Result<Operators<'_>, Malformed> {
    let mut operators = Operators { nodes: Vec::new(), constants: HashMap::new() };
    let Some(graph) = Message::file(file).message(field::MODEL_GRAPH)? else { return Ok(operators) };
    for node in graph.messages(field::GRAPH_NODES)? {
        operators.nodes.push(read_node(node)?);
    }
    for tensor in graph.messages(field::GRAPH_INITIALIZERS)? {
        if let Some(constant) = read_constant(tensor)? {
            operators.constants.insert(tensor.text(field::TENSOR_NAME)?, constant);
        }
    }
    Ok(operators)
}

fn read_node(node: Message<'_>) -> Result<Node<'_>, Malformed> {
    let mut attributes = Vec::new();
    for attribute in node.messages(field::NODE_ATTRIBUTES)? {
        attributes.push((attribute.text(field::ATTRIBUTE_NAME)?, read_attribute(attribute)?));
    }
    Ok(Node {
        operator: node.text(field::NODE_OPERATOR)?,
        inputs: node.texts(field::NODE_INPUTS)?,
        outputs: node.texts(field::NODE_OUTPUTS)?,
        attributes,
    })
}

fn read_attribute(attribute: Message<'_>) -> Result<Attribute<'_>, Malformed> {
    if let Some(value) = attribute.integer(field::ATTRIBUTE_INTEGER)? {
        return Ok(Attribute::Integer(value.cast_signed()));
    }
    if let Some(value) = attribute.float(field::ATTRIBUTE_FLOAT)? {
        return Ok(Attribute::Float(value));
    }
    if attribute.message(field::ATTRIBUTE_TENSOR)?.is_some() {
        return Ok(Attribute::Other);
    }
    if attribute.message(field::ATTRIBUTE_STRING)?.is_some() {
        return Ok(Attribute::Text(attribute.text(field::ATTRIBUTE_STRING)?));
    }
    let integers = attribute.integers(field::ATTRIBUTE_INTEGERS)?;
    Ok(match integers.is_empty() {
        true => Attribute::Other,
        false => Attribute::Integers(integers.into_iter().map(u64::cast_signed).collect()),
    })
}

fn read_constant(tensor: Message<'_>) -> Result<Option<Constant<'_>>, Malformed> {
    let Some(element) = tensor.integer(field::TENSOR_ELEMENT)?.and_then(Element::of_number) else { return Ok(None) };
    let axes: Option<Vec<usize>> =
        tensor.integers(field::TENSOR_AXES)?.into_iter().map(|axis| usize::try_from(axis).ok()).collect();
    let (Some(axes), Some(values)) = (axes, tensor.message(field::TENSOR_BYTES)?) else { return Ok(None) };
    let bytes = axes.iter().try_fold(element.bytes(), |product, &axis| product.checked_mul(axis));
    Ok((bytes == Some(values.bytes().len())).then(|| Constant { element, axes, bytes: values.bytes() }))
}

impl<'a> Operators<'a> {
    /// The operators that read a value as their first input.
    pub fn readers(&self, value: &str) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter().filter(move |node| node.inputs.first() == Some(&value))
    }

    /// The operator that makes a value.
    pub fn maker(&self, value: &str) -> Option<&Node<'a>> {
        self.nodes.iter().find(|node| node.outputs.contains(&value))
    }
}

impl Constant<'_> {
    /// The values, if they are 32-bit floats.
    pub fn floats(&self) -> Option<Vec<f32>> {
        let values = self.bytes.as_chunks().0.iter();
        (self.element == Element::Float32).then(|| values.map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }

    /// The values, if they are integers of any size.
    pub fn integers(&self) -> Option<Vec<i64>> {
        Some(match self.element {
            Element::Float32 => return None,
            Element::Uint8 => self.bytes.iter().map(|&byte| byte.into()).collect(),
            Element::Int8 => self.bytes.iter().map(|&byte| byte.cast_signed().into()).collect(),
            Element::Int32 => self.bytes.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect(),
            Element::Int64 => self.bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        })
    }
}
