"""Other forms of a model file's input: packed windows that are expanded inside the graph, and fixed batches."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .windows import ONE_HOT_OF_BYTE, PACKED_SEED_BYTES, WINDOW_SIZE

PACKED_INPUT = "packed"
FIXED_BATCHES = (512, 1024, 2048)
"""Batches of accelerators, whose compilers want to know shapes."""


def with_packed_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with the input `packed` uint8[batch, 128]: packed windows, 1/32 of the bytes.

    A look-up table turns each byte into its two positions of four bases, which is all that is put before the network.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    constants = {
        "one_hot_of_byte": ONE_HOT_OF_BYTE,
        "contexts_shape": np.array([0, 2, WINDOW_SIZE, 4], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Cast", [PACKED_INPUT], ["bytes"], name="bytes", to=TensorProto.INT32),
        helper.make_node("Gather", ["one_hot_of_byte", "bytes"], ["bases_of_bytes"], name="bases_of_bytes", axis=0),
        helper.make_node("Reshape", ["bases_of_bytes", "contexts_shape"], ["contexts"], name="contexts"),
    ]
    following = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *following])
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in constants.items())
    batch = graph.input[0].type.tensor_type.shape.dim[0]
    of_batch = batch.dim_value or batch.dim_param
    graph.input[0].CopyFrom(
        helper.make_tensor_value_info(PACKED_INPUT, TensorProto.UINT8, [of_batch, PACKED_SEED_BYTES])
    )
    onnx.checker.check_model(result, full_check=True)
    return result


def with_fixed_batch(model: onnx.ModelProto, batch: int) -> onnx.ModelProto:
    """The same network for batches of exactly so many seeds."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for value in (*result.graph.input, *result.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    onnx.checker.check_model(result, full_check=True)
    return result
