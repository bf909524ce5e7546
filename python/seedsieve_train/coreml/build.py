"""Builds NAME.mlpackage operation by operation from the folded weights, as `export` builds the ONNX file.

In float16, with a fixed batch or several enumerated ones; or with weights in eight bits. Runs on Linux, too; Core ML
itself, which runs such a package, is on macOS alone. Needs coremltools (python/optional/coreml.in).
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import TrainingError
from ..export import ModelMetadata, folded_convolutions
from ..model import CHANNELS, SeedViabilityNetwork
from ..windows import WINDOW_SIZE

BATCHES = (512, 1024, 2048)
"""Enumerated batches; the first is the default."""


def coremltools() -> ModuleType:
    """The package, which is not part of every installation.

    Raises:
        TrainingError: if it is not installed.
    """
    try:
        import coremltools
    except ImportError as error:
        raise TrainingError(
            f"{error.name} is not installed: Core ML packages need coremltools; `pip install --require-hashes -r "
            "python/optional/coreml.lock` installs it"
        ) from error
    return coremltools


def core_ml_model(
    network: SeedViabilityNetwork, metadata: ModelMetadata, batches: Sequence[int] = BATCHES, eight_bits: bool = False
) -> Any:
    """A `coremltools.models.MLModel`: `contexts` float[batch, 2, 128, 4] to `viability` float[batch].

    Args:
        network: the trained network.
        metadata: stored as user-defined metadata, under the keys of the ONNX file.
        batches: one makes a fixed batch, several enumerated ones; the first is the default.
        eight_bits: weights in eight bits, linear and symmetric, a scale for each output channel.

    Raises:
        TrainingError: if coremltools is not installed.
    """
    ct = coremltools()
    program = _program(network, batches[0] if len(batches) == 1 else None)
    shapes = [(batch, 2, WINDOW_SIZE, 4) for batch in batches]
    inputs = (
        {} if len(batches) == 1 else {"inputs": [ct.TensorType("contexts", ct.EnumeratedShapes(shapes, shapes[0]))]}
    )
    model = ct.convert(
        program,
        convert_to="mlprogram",
        compute_precision=ct.precision.FLOAT16,
        minimum_deployment_target=ct.target.macOS13,
        skip_model_load=True,
        **inputs,
    )
    if eight_bits:
        from coremltools.optimize import coreml as optimise

        settings = optimise.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=512)
        model = optimise.linear_quantize_weights(model, optimise.OptimizationConfig(global_config=settings))
    model.short_description = f"Viability of seeds of a short-read aligner: {metadata.name}"
    model.license = "MIT OR Apache-2.0"
    for key, value in metadata.properties().items():
        model.user_defined_metadata[key] = value
    return model


def _program(network: SeedViabilityNetwork, batch: int | None) -> Any:
    """The operations, in float32, which the conversion turns into float16; `batch` None is any."""
    from coremltools.converters.mil import Builder as mb  # noqa: N813 the name of its documentation
    from coremltools.converters.mil.mil import get_new_symbol

    size = get_new_symbol() if batch is None else batch

    @mb.program(input_specs=[mb.TensorSpec(shape=(size, 2, WINDOW_SIZE, 4))])
    def program(contexts: Any) -> Any:
        values = mb.transpose(x=contexts, perm=[0, 1, 3, 2])
        values = mb.reshape(x=values, shape=[-1, CHANNELS, 1, WINDOW_SIZE])
        for number, layer in enumerate(folded_convolutions(network)):
            if number > 0:
                values = mb.max_pool(x=values, kernel_sizes=[1, 2], strides=[1, 2], pad_type="valid")
            values = mb.conv(x=values, weight=layer.weights[:, :, None, :], bias=layer.biases, pad_type="valid")
            values = mb.relu(x=values)
        values = mb.reduce_mean(x=values, axes=[2, 3], keep_dims=False)
        for linear in (network.hidden, network.output):
            values = mb.linear(x=values, weight=linear.weight.detach().numpy(), bias=linear.bias.detach().numpy())
            if linear is network.hidden:
                values = mb.relu(x=values)
        values = mb.sigmoid(x=values)
        return mb.squeeze(x=values, axes=[1], name="viability")

    return program


def write_package(model: Any, path: Path) -> None:
    """Write NAME.mlpackage, a folder; the folder stands whole or not at all.

    Raises:
        TrainingError: if `path` cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            unfinished = Path(folder) / path.name
            model.save(str(unfinished))
            if path.exists():
                shutil.rmtree(path)
            unfinished.rename(path)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be written: {error.strerror}; give a folder that is writable") from error


def package_bytes(path: Path) -> int:
    """Bytes of all files of a package."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
