"""The student's model files: float32, and eight bits for a kernel that computes in integers alone.

Input `features` float32[batch, 288] with whole values 0 to 255, which enter the eight-bit network with a step of 1,
that is, unchanged.
"""

from collections.abc import Sequence

import numpy as np
import onnx
import torch

from ..export import GraphBuilder, ModelMetadata
from ..quantise import quantise_biases, quantise_weights
from .features import FEATURES
from .network import StudentNetwork

INPUT = "features"
IntegerLayer = tuple[np.ndarray, np.ndarray, np.ndarray, float | None]
"""int8[out, in] weights, int32[out] biases, float32[out] steps of the sums, and the step behind it, None at the end."""


def student_float_model(network: StudentNetwork, metadata: ModelMetadata) -> onnx.ModelProto:
    """`features` float32[batch, 288] to `viability` float32[batch]."""
    graph = GraphBuilder(metadata.name, INPUT, (FEATURES,))
    for number, layer in enumerate(network.layers, start=1):
        weights = graph.constant(f"dense{number}_weights", network.weights(number - 1).detach().numpy())
        biases = graph.constant(f"dense{number}_biases", layer.bias.detach().numpy())
        graph.operation("Gemm", f"dense{number}", weights, biases, transB=1)
        if number < len(network.layers):
            graph.operation("Relu", f"relu{number}")
    graph.probability()
    return graph.model(metadata)


def student_quantised_model(network: StudentNetwork, metadata: ModelMetadata) -> onnx.ModelProto:
    """The same in eight bits, each rounding a QuantizeLinear and DequantizeLinear pair; needs `network.scales`."""
    graph = GraphBuilder(metadata.name, INPUT, (FEATURES,))
    input_scale = 1.0
    graph.round_trip("features", input_scale)
    for number, (weights, biases, step, scale) in enumerate(integer_layers(network), start=1):
        names = [
            graph.dequantised(f"dense{number}_weights", weights, (step / np.float32(input_scale)).astype(np.float32)),
            graph.dequantised(f"dense{number}_biases", biases, step),
        ]
        graph.operation("Gemm", f"dense{number}", *names, transB=1)
        if scale is not None:
            graph.operation("Relu", f"relu{number}")
            graph.round_trip(f"relu{number}", scale)
            input_scale = scale
    graph.probability()
    return graph.model(metadata)


def integer_layers(network: StudentNetwork) -> list[IntegerLayer]:
    """The layers of a network with scales.

    Raises:
        ValueError: if the network was not calibrated.
    """
    if network.scales is None:
        raise ValueError("a network without scales has no eight-bit form: calibrate it first")
    layers = []
    input_scale = np.float32(1)
    for number, (layer, scale) in enumerate(zip(network.layers, (*network.scales, None), strict=True)):
        weights, scales = quantise_weights(network.weights(number).detach().numpy())
        steps = (scales * input_scale).astype(np.float32)
        layers.append((weights, quantise_biases(layer.bias.detach().numpy(), steps), steps, scale))
        input_scale = np.float32(scale if scale is not None else 1)
    return layers


def integer_scores(network: StudentNetwork, features: np.ndarray) -> np.ndarray:
    """Viability float32[n] of features uint8[n, 288] by integers and the stated roundings, as a kernel has to."""
    return scores_of_layers(integer_layers(network), features)


def scores_of_layers(layers: Sequence[IntegerLayer], features: np.ndarray) -> np.ndarray:
    """The same of layers as `integer_layers` gives them."""
    values = features.astype(np.int32)
    for weights, biases, steps, scale in layers:
        sums = values @ weights.astype(np.int32).T + biases
        reals = sums.astype(np.float32) * steps
        if scale is None:
            logits = reals[:, 0]
            # Beyond float32's range the score is 0, as it should be.
            with np.errstate(over="ignore"):
                return (1 / (1 + np.exp(-logits, dtype=np.float32))).astype(np.float32)
        values = np.clip(np.rint(np.maximum(reals, 0) / np.float32(scale)), 0, 255).astype(np.int32)
    raise AssertionError("a network ends with a layer that has no following step")


@torch.no_grad()
def on_the_grid(network: StudentNetwork) -> StudentNetwork:
    """A copy of a calibrated network with each weight and bias replaced by the nearest that its integers can state."""
    result = StudentNetwork(network.hidden, network.masks)
    result.load_state_dict(network.state_dict())
    result.scales = network.scales
    input_scale = np.float32(1)
    for number, (weights, biases, steps, scale) in enumerate(integer_layers(network)):
        result.set_weights(number, torch.from_numpy(weights * (steps / input_scale)[:, None]))
        result.layers[number].bias.copy_(torch.from_numpy(biases * steps))
        input_scale = np.float32(scale if scale is not None else 1)
    return result.eval()
