"""The model file in eight bits: unsigned activations, signed weights per channel, a float head.

The graph states each rounding by a QuantizeLinear and DequantizeLinear pair ("QDQ"), the form that all runtimes take.
Convolutions and pools run in integers; mean, dense layers and sigmoid stay in float, where eight bits would cost
accuracy and gain nothing.
"""

from collections.abc import Sequence

import numpy as np
import onnx
import torch

from .export import GraphBuilder, ModelMetadata, folded_convolutions
from .model import SeedViabilityNetwork
from .rounding import WEIGHT_LEVELS
from .windows import expand_one_hot

ACTIVATION_LEVELS = 255
"""Largest quantised activation."""
COVERED = 0.99999
"""Fraction of the calibration's positive activations that a scale has to cover; the few above saturate."""


@torch.no_grad()
def activation_scales(network: SeedViabilityNetwork, packed: np.ndarray) -> list[float]:
    """Scale of each convolution block's output (value of one step), from real windows.

    Args:
        network: the trained network; is put into evaluation mode.
        packed: uint8[n, 128], packed seeds to calibrate with; some thousands are enough.

    Returns:
        Three scales, all positive.

    Raises:
        ValueError: if `packed` is empty.
    """
    if len(packed) == 0:
        raise ValueError("calibration needs at least one seed")
    network.eval()
    scales = []
    for values in network.activations(torch.from_numpy(expand_one_hot(packed))):
        positive = values[values > 0].numpy()
        largest = float(np.quantile(positive, COVERED)) if positive.size else 1.0
        scales.append(largest / ACTIVATION_LEVELS)
    return scales


def quantise_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round weights to signed seven bits, one scale for each output channel.

    Args:
        weights: float32[out, ...].

    Returns:
        int8[out, ...] within -63 to 63, and the scales float32[out]: weights = scale * integers, rounded.
    """
    largest = np.abs(weights).max(axis=tuple(range(1, weights.ndim)))
    scales = (np.where(largest > 0, largest, 1) / WEIGHT_LEVELS).astype(np.float32)
    return np.rint(weights / scales.reshape(-1, *[1] * (weights.ndim - 1))).astype(np.int8), scales


def quantise_biases(biases: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Round biases float[out] to int32 multiples of `steps` float32[out], those of the sums that they join."""
    return np.rint(biases.astype(np.float64) / steps).astype(np.int32)


def quantised_model(network: SeedViabilityNetwork, metadata: ModelMetadata, scales: Sequence[float]) -> onnx.ModelProto:
    """The network with convolutions and pools in eight bits; input and output as in `export.float_model`.

    Args:
        network: the trained network.
        metadata: properties of the file.
        scales: one for each convolution block's output, from `activation_scales`.
    """
    graph = GraphBuilder(metadata.name)
    graph.channels_first()
    # One-hot values are 0 and 1: a step of 1 represents them exactly.
    input_scale = 1.0
    graph.round_trip("input", input_scale)
    for number, (layer, scale) in enumerate(zip(folded_convolutions(network), scales, strict=True), start=1):
        name = f"convolution{number}"
        if number > 1:
            graph.operation("MaxPool", f"pool{number - 1}", kernel_shape=[1, 2], strides=[1, 2])
            graph.round_trip(f"pool{number - 1}", input_scale)
        integers, weight_scales = quantise_weights(layer.weights)
        bias_scales = (weight_scales * np.float32(input_scale)).astype(np.float32)
        biases = quantise_biases(layer.biases, bias_scales)
        weights = graph.dequantised(f"{name}_weights", integers[:, :, None, :], weight_scales)
        graph.operation(
            "Conv",
            name,
            weights,
            graph.dequantised(f"{name}_biases", biases, bias_scales),
            kernel_shape=[1, integers.shape[2]],
        )
        graph.operation("Relu", f"relu{number}")
        graph.round_trip(f"relu{number}", scale)
        input_scale = scale
    graph.head(network)
    return graph.model(metadata)
