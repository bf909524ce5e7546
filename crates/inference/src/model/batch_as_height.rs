//! The same network for tract: the seeds of a batch as the rows of one image, instead of an image each.
//!
//! The convolutions and pools look along a row, never at its neighbours. tract multiplies a matrix for each image, and is faster
//! with one of all seeds' positions than with many of a hundred.

use super::graph::malformed_is_error;
use super::operators::{Attribute, Node, Operators, read_operators};
use super::protobuf::{Field, Malformed, Message, Value};
use super::protobuf_writer::{append, integers_attribute, node, tensor};
use super::schema::{element, field};
use crate::NpuResult;

const CONTEXTS: &str = "contexts";
/// What is new in the graph.
const ROWS_SHAPE: &str = "rows_shape";
const SEEDS_FIRST: &str = "seeds_first";

/// The operators that change, by the names of their outputs.
struct Places<'a> {
    /// From (seeds, 2, positions, 4) to channels before positions.
    transpose: &'a str,
    /// Makes eight channels of it.
    reshape: &'a str,
    /// The mean over positions, and what it reads.
    mean: &'a str,
    mean_input: &'a str,
}

/// Rewrites a model file; `None` if its graph is not of this form.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`](crate::NpuError::UnsupportedFormat) if the bytes are no ONNX file.
pub(crate) fn batch_as_height(bytes: &[u8]) -> NpuResult<Option<Vec<u8>>> {
    let operators = read_operators(bytes)?;
    let Some(places) = places(&operators) else { return Ok(None) };
    malformed_is_error(rewritten(bytes, &places)).map(Some)
}

/// Follows the way from the input to the mean, on which every operator has to leave rows apart.
fn places<'a>(operators: &Operators<'a>) -> Option<Places<'a>> {
    let sole_reader = |value: &str| -> Option<(&Node<'a>, &'a str)> {
        let mut readers = operators.nodes.iter().filter(|node| node.inputs.contains(&value));
        let (node, None) = (readers.next()?, readers.next()) else { return None };
        let [output] = node.outputs[..] else { return None };
        Some((node, output))
    };
    let (node, transpose) = sole_reader(CONTEXTS)?;
    let order = Attribute::Integers(vec![0, 1, 3, 2]);
    if node.operator != "Transpose" || node.attributes != [("perm", order)] {
        return None;
    }
    let (node, reshape) = sole_reader(transpose)?;
    let shape = operators.constants.get(*node.inputs.get(1)?)?.integers()?;
    if node.operator != "Reshape" || !matches!(shape[..], [0 | -1, 8, 1, 128]) {
        return None;
    }
    let mut value = reshape;
    loop {
        let (node, output) = sole_reader(value)?;
        match node.operator {
            "Relu" | "QuantizeLinear" | "DequantizeLinear" => {}
            "Conv" | "MaxPool" if looks_along_rows(node) => {}
            "GlobalAveragePool" => return Some(Places { transpose, reshape, mean: output, mean_input: value }),
            _ => return None,
        }
        value = output;
    }
}

/// Whether a convolution or pool computes each row from that row alone.
fn looks_along_rows(node: &Node) -> bool {
    let is_sized = node.attributes.iter().any(|(name, _)| *name == "kernel_shape");
    let fits = |(name, value): &(&str, Attribute)| match (*name, value) {
        ("kernel_shape" | "strides", Attribute::Integers(sizes)) => sizes.len() == 2 && sizes[0] == 1,
        ("pads", Attribute::Integers(pads)) => pads.len() == 4 && pads[0] == 0 && pads[2] == 0,
        ("auto_pad", value) => [Attribute::Text("NOTSET"), Attribute::Text("VALID")].contains(value),
        _ => true,
    };
    is_sized && node.attributes.iter().all(fits)
}

fn rewritten(bytes: &[u8], places: &Places) -> Result<Vec<u8>, Malformed> {
    let mut file = Vec::with_capacity(bytes.len());
    for field in Message::file(bytes).fields_with_bytes() {
        match field? {
            (_, Field { number: field::MODEL_GRAPH, value: Value::Bytes(message) }) => {
                append(&mut file, field::MODEL_GRAPH, &graph(message, places)?);
            }
            (whole, _) => file.extend_from_slice(whole),
        }
    }
    Ok(file)
}

fn graph(old: Message, places: &Places) -> Result<Vec<u8>, Malformed> {
    let transposed = |input: &str, output: &str, order: [u64; 4]| {
        node("Transpose", &[input], output, &[integers_attribute("perm", &order)])
    };
    let mut new = Vec::new();
    let shape: Vec<u8> = [1i64, 8, -1, 128].iter().flat_map(|axis| axis.to_le_bytes()).collect();
    append(&mut new, field::GRAPH_INITIALIZERS, &tensor(ROWS_SHAPE, element::INT64, &[4], &shape));
    for field in old.fields_with_bytes() {
        match field? {
            (whole, Field { number: field::GRAPH_NODES, value: Value::Bytes(message) }) => {
                let output = message.text(field::NODE_OUTPUTS)?;
                if output == places.transpose {
                    append(&mut new, field::GRAPH_NODES, &transposed(CONTEXTS, output, [1, 3, 0, 2]));
                } else if output == places.reshape {
                    append(
                        &mut new,
                        field::GRAPH_NODES,
                        &node("Reshape", &[places.transpose, ROWS_SHAPE], output, &[]),
                    );
                } else if output == places.mean {
                    append(&mut new, field::GRAPH_NODES, &transposed(places.mean_input, SEEDS_FIRST, [2, 1, 0, 3]));
                    append(&mut new, field::GRAPH_NODES, &node("GlobalAveragePool", &[SEEDS_FIRST], output, &[]));
                } else {
                    new.extend_from_slice(whole);
                }
            }
            // Their shapes are no longer true, and tract finds them out by itself.
            (_, Field { number: field::GRAPH_VALUES, .. }) => {}
            (whole, _) => new.extend_from_slice(whole),
        }
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;

    /// A graph of one convolution with these settings, then an operator, then the mean.
    fn file(order: &[u64], convolution: &[(&str, &[u64])], operator: &str, more: &[Vec<u8>]) -> Vec<u8> {
        let settings: Vec<Vec<u8>> =
            convolution.iter().map(|(name, values)| integers_attribute(name, values)).collect();
        let mut graph = Vec::new();
        let shape: Vec<u8> = [0i64, 8, 1, 128].iter().flat_map(|axis| axis.to_le_bytes()).collect();
        append(&mut graph, field::GRAPH_INITIALIZERS, &tensor("shape", element::INT64, &[4], &shape));
        for node in [
            node("Transpose", &[CONTEXTS], "turned", &[integers_attribute("perm", order)]),
            node("Reshape", &["turned", "shape"], "channels", &[]),
            node("Conv", &["channels", "weights"], "sums", &settings),
            node(operator, &["sums"], "values", &[]),
            node("GlobalAveragePool", &["values"], "means", &[]),
        ]
        .iter()
        .chain(more)
        {
            append(&mut graph, field::GRAPH_NODES, node);
        }
        let mut file = Vec::new();
        append(&mut file, field::MODEL_GRAPH, &graph);
        file
    }

    #[test]
    fn only_graphs_that_leave_rows_apart_are_rewritten() {
        let kernel: (&str, &[u64]) = ("kernel_shape", &[1, 7]);
        let is_rewritten = |file: Vec<u8>| batch_as_height(&file).unwrap().is_some();
        assert!(is_rewritten(file(&[0, 1, 3, 2], &[kernel, ("pads", &[0, 3, 0, 3])], "Relu", &[])));
        for (order, convolution, operator) in [
            ([0, 1, 2, 3], &[kernel][..], "Relu"),
            ([0, 1, 3, 2], &[("kernel_shape", &[3, 7])], "Relu"),
            ([0, 1, 3, 2], &[kernel, ("strides", &[2, 1])], "Relu"),
            ([0, 1, 3, 2], &[kernel, ("pads", &[1, 0, 0, 0])], "Relu"),
            ([0, 1, 3, 2], &[kernel, ("pads", &[0, 0, 1, 0])], "Relu"),
            ([0, 1, 3, 2], &[], "Relu"),
            ([0, 1, 3, 2], &[kernel], "Softmax"),
            ([0, 1, 3, 2], &[kernel], "MaxPool"),
        ] {
            assert!(!is_rewritten(file(&order, convolution, operator, &[])), "{order:?} {convolution:?} {operator}");
        }
        let other_reader = node("Relu", &["sums"], "other", &[]);
        assert!(!is_rewritten(file(&[0, 1, 3, 2], &[kernel], "Relu", &[other_reader])));
    }

    #[test]
    fn shipped_models_are_rewritten_and_stay_models() {
        for model in [Model::embedded(), Model::embedded_int8()] {
            let bytes = batch_as_height(model.bytes()).unwrap().expect("the form of the training package");
            let before = read_operators(model.bytes()).unwrap();
            let after = read_operators(&bytes).unwrap();
            assert_eq!(after.nodes.len(), before.nodes.len() + 1);
            assert_eq!(after.constants.len(), before.constants.len() + 1);
            assert_eq!(after.readers(SEEDS_FIRST).map(|node| node.operator).collect::<Vec<_>>(), ["GlobalAveragePool"]);
        }
    }
}
