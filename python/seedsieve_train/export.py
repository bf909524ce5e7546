"""The model file: the network as an ONNX graph, built node by node from its folded weights.

Convolutions are written in two dimensions with kernels (1, k), which ONNX Runtime computes twice as fast as the
one-dimensional form and Core ML's quantiser needs. Batch normalisation is folded into weights and biases.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .files import write_atomically
from .model import CHANNELS, SeedViabilityNetwork
from .windows import WINDOW_SIZE, WINDOW_SPEC

OPSET = 17
IR_VERSION = 8
"""The version of ONNX's file format that came with opset 17, so that every runtime with that opset reads the file."""
CHECKSUM = "seedsieve.checksum"
"""Key of the property that `sealed` adds."""
CONTEXT_AXES = (2, WINDOW_SIZE, 4)
"""Axes of the input `contexts` behind the batch: read and reference; positions; A, C, G, T."""


@dataclass(frozen=True)
class ModelMetadata:
    """What a model file says about itself (docs/architecture/data-flow.md, "The model file")."""

    name: str
    label_policy: str
    label_threshold: int
    """T, the alignment score that the label policy asks for."""
    threshold: float
    """Decision threshold in [0, 1]: seeds that score below it are hopeless."""
    dataset_sha256: str
    """SHA-256 of each data set's dataset.json, separated by commas."""
    parameters: int
    trained_on: str
    """The data in words."""
    guarantee: dict[str, str] = field(default_factory=dict)
    """What the threshold rests on: `Guarantee.properties`; empty where it was given."""
    window: str = WINDOW_SPEC
    """What the network sees of a seed."""

    def properties(self) -> dict[str, str]:
        """Keys and values of the file's `metadata_props`."""
        properties = {
            "seedsieve.format": "1",
            "seedsieve.name": self.name,
            "seedsieve.window": self.window,
            "seedsieve.label_policy": self.label_policy,
            "seedsieve.label_threshold": str(self.label_threshold),
            "seedsieve.threshold": f"{self.threshold:.9g}",
            "seedsieve.dataset_sha256": self.dataset_sha256,
            "seedsieve.parameters": str(self.parameters),
            "seedsieve.trained_on": self.trained_on,
        }
        return properties | self.guarantee


@dataclass(frozen=True)
class Layer:
    """Weights of a convolution, float32[out, in, k], or of a dense layer, float32[out, in], and biases float32[out]."""

    weights: np.ndarray
    biases: np.ndarray


@torch.no_grad()
def folded_convolutions(network: SeedViabilityNetwork) -> list[Layer]:
    """The three convolutions with batch normalisation (in evaluation) folded in, computed in double precision."""
    layers = []
    for convolution, norm in zip(network.convolutions, network.norms, strict=True):
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weights = convolution.weight[:, :, 0].double() * scale[:, None, None]
        biases = (convolution.bias.double() - norm.running_mean.double()) * scale + norm.bias.double()
        layers.append(Layer(weights.float().numpy(), biases.float().numpy()))
    return layers


class GraphBuilder:
    """Collects nodes and constants of a chain of operations; each operation takes the previous one's output."""

    def __init__(self, name: str, input_name: str = "contexts", input_axes: tuple[int, ...] = CONTEXT_AXES) -> None:
        self.name = name
        self.input_name = input_name
        self.input_axes = input_axes
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.current = input_name

    def constant(self, name: str, values: np.ndarray) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def operation(self, kind: str, output: str, *constants: str, **attributes: object) -> None:
        """Apply an ONNX operator of the type `kind` to the current value and `constants`; its result is now current."""
        self.nodes.append(helper.make_node(kind, [self.current, *constants], [output], name=output, **attributes))
        self.current = output

    def channels_first(self) -> None:
        """Windows [batch, 2, 128, 4] to channels [batch, 8, 1, 128], channel = 4 * sequence + base."""
        self.operation("Transpose", "bases_before_positions", perm=[0, 1, 3, 2])
        # A zero keeps the batch dimension, whatever it is.
        shape = self.constant("channels_shape", np.array([0, CHANNELS, 1, WINDOW_SIZE], dtype=np.int64))
        self.operation("Reshape", "channels", shape)

    def head(self, network: SeedViabilityNetwork) -> None:
        """Mean over positions, the dense layers and the sigmoid: [batch, 64, 1, n] to `viability` [batch]."""
        self.operation("GlobalAveragePool", "mean_over_positions")
        self.operation("Flatten", "features", axis=1)
        for name, linear in (("hidden", network.hidden), ("logit", network.output)):
            weights = self.constant(f"{name}_weights", linear.weight.detach().numpy())
            biases = self.constant(f"{name}_biases", linear.bias.detach().numpy())
            self.operation("Gemm", name, weights, biases, transB=1)
            if name == "hidden":
                self.operation("Relu", "hidden_relu")
        self.probability()

    def probability(self) -> None:
        """The sigmoid of a logit: [batch, 1] to `viability` [batch]."""
        self.operation("Sigmoid", "probability")
        self.operation("Squeeze", "viability", self.constant("squeezed_axis", np.array([1], dtype=np.int64)))

    def round_trip(self, name: str, scale: float) -> None:
        """Round the current value to uint8 with the zero point 0, and take it back to float."""
        step = self.constant(f"{name}_scale", np.array(scale, dtype=np.float32))
        zero = self.constant(f"{name}_zero_point", np.array(0, dtype=np.uint8))
        self.operation("QuantizeLinear", f"{name}_quantised", step, zero)
        self.operation("DequantizeLinear", f"{name}_dequantised", step, zero)

    def dequantised(self, name: str, integers: np.ndarray, scales: np.ndarray) -> str:
        """Add constant integers with a scale for each first index, and return the name of their float form."""
        inputs = [
            self.constant(f"{name}_integers", integers),
            self.constant(f"{name}_scales", scales),
            self.constant(f"{name}_zero_points", np.zeros(len(scales), dtype=integers.dtype)),
        ]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name=name, axis=0))
        return name

    def model(self, metadata: ModelMetadata) -> onnx.ModelProto:
        """The checked model of the chain, with `metadata` in its properties."""
        contexts = helper.make_tensor_value_info(self.input_name, TensorProto.FLOAT, ["batch", *self.input_axes])
        viability = helper.make_tensor_value_info("viability", TensorProto.FLOAT, ["batch"])
        graph = helper.make_graph(self.nodes, self.name, [contexts], [viability], self.constants)
        model = helper.make_model(
            graph,
            producer_name="seedsieve_train",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(model, metadata.properties())
        onnx.checker.check_model(model, full_check=True)
        return model


def float_model(network: SeedViabilityNetwork, metadata: ModelMetadata) -> onnx.ModelProto:
    """The network in float32: `contexts` float32[batch, 2, 128, 4] to `viability` float32[batch]."""
    graph = GraphBuilder(metadata.name)
    graph.channels_first()
    for number, layer in enumerate(folded_convolutions(network), start=1):
        if number > 1:
            graph.operation("MaxPool", f"pool{number - 1}", kernel_shape=[1, 2], strides=[1, 2])
        weights = graph.constant(f"convolution{number}_weights", layer.weights[:, :, None, :])
        biases = graph.constant(f"convolution{number}_biases", layer.biases)
        graph.operation("Conv", f"convolution{number}", weights, biases, kernel_shape=[1, layer.weights.shape[2]])
        graph.operation("Relu", f"relu{number}")
    graph.head(network)
    return graph.model(metadata)


def write_model(model: onnx.ModelProto, path: Path) -> None:
    """Write a model file with a checksum of its content; the same model gives the same bytes.

    Raises:
        TrainingError: if `path` cannot be written.
    """
    write_atomically(path, sealed(model))


def sealed(model: onnx.ModelProto) -> bytes:
    """The file's bytes, at their end the property `seedsieve.checksum`: SHA-256 of all that stands before it.

    The program checks it when it loads the file: a flipped bit in a weight is a number as good as any other.
    """
    rest = onnx.ModelProto()
    rest.CopyFrom(model)
    del rest.metadata_props[:]
    rest.metadata_props.extend(prop for prop in model.metadata_props if prop.key != CHECKSUM)
    content = rest.SerializeToString(deterministic=True)
    only_checksum = onnx.ModelProto()
    only_checksum.metadata_props.add(key=CHECKSUM, value=hashlib.sha256(content).hexdigest())
    # A message that holds one field only is the encoding of that field; joined to another it adds the field to it.
    return content + only_checksum.SerializeToString(deterministic=True)
