"""Evaluates a Core ML program (MIL) with numpy, operation by operation, where Core ML itself does not run.

Each operation's result is rounded to the type that the program states for it, so that float16 is seen. It is for
checking what the conversion has made of a network, not for speed: only the operations that `build` uses are known.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .build import coremltools


def read_program(path: Path) -> Any:
    """The program of a package on disk.

    Raises:
        TrainingError: if coremltools is not installed.
    """
    ct = coremltools()
    from coremltools.converters.mil.frontend.milproto.load import load

    model = ct.models.MLModel(str(path), skip_model_load=True)
    specification = model.get_spec()
    return load(specification, specification.specificationVersion, model.weights_dir)


def walk(program: Any, contexts: np.ndarray) -> np.ndarray:
    """The output `viability` float32[n] of a program for contexts float32[n, 2, 128, 4], n one of its batches.

    Raises:
        ValueError: if the program has an operation that is not known here.
    """
    function = program.functions["main"]
    values: dict[str, np.ndarray] = {}
    (name,) = function.inputs
    values[function.inputs[name].name] = contexts.astype(np.float32)
    for operation in function.operations:
        for output in operation.outputs:
            values[output.name] = _value(operation, output, values)
    return values[function.outputs[0].name].astype(np.float32)


def _value(operation: Any, output: Any, values: dict[str, np.ndarray]) -> Any:
    kind = operation.op_type
    if kind.startswith("constexpr_"):
        return operation.materialized_val_inference()
    if output.val is not None:
        return output.val
    if kind not in _OPERATIONS:
        raise ValueError(f"the operation {kind} ({operation.name}) is not known to the walker")
    arguments = {name: _argument(given, values) for name, given in operation.inputs.items() if given is not None}
    result = _OPERATIONS[kind](arguments)
    return result.astype(_numpy_type(output))


def _argument(given: Any, values: dict[str, np.ndarray]) -> Any:
    if isinstance(given, list | tuple):
        return [_argument(one, values) for one in given]
    return values.get(given.name, given.val)


def _numpy_type(output: Any) -> np.dtype:
    from coremltools.converters.mil.mil import types

    return np.dtype(types.nptype_from_builtin(output.dtype))


def _conv(arguments: dict[str, Any]) -> np.ndarray:
    """Valid convolution with kernels (1, k), sums in float32."""
    x, weight = arguments["x"].astype(np.float32), np.asarray(arguments["weight"], dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[3], axis=3)
    result = np.einsum("bchpk,ock->bohp", windows, weight[:, :, 0], optimize=True)
    return result + np.asarray(arguments["bias"], dtype=np.float32)[None, :, None, None]


def _max_pool(arguments: dict[str, Any]) -> np.ndarray:
    """Pairs of positions; an odd one at the end is left out."""
    if list(arguments["kernel_sizes"]) != [1, 2] or list(arguments["strides"]) != [1, 2]:
        raise ValueError("the walker knows pools of two positions only")
    x = arguments["x"]
    pairs = x[..., : x.shape[3] // 2 * 2].reshape(*x.shape[:3], -1, 2)
    return pairs.max(axis=4)


def _linear(arguments: dict[str, Any]) -> np.ndarray:
    weight, bias = (np.asarray(arguments[name], dtype=np.float32) for name in ("weight", "bias"))
    return arguments["x"].astype(np.float32) @ weight.T + bias


def _mean(arguments: dict[str, Any]) -> np.ndarray:
    keep = bool(arguments.get("keep_dims", False))
    return arguments["x"].astype(np.float32).mean(axis=tuple(arguments["axes"]), keepdims=keep)


_OPERATIONS: dict[str, Callable[[dict[str, Any]], np.ndarray]] = {
    "cast": lambda arguments: arguments["x"],
    "transpose": lambda arguments: arguments["x"].transpose(arguments["perm"]),
    "reshape": lambda arguments: arguments["x"].reshape(arguments["shape"]),
    "conv": _conv,
    "relu": lambda arguments: np.maximum(arguments["x"], 0),
    "max_pool": _max_pool,
    "reduce_mean": _mean,
    "linear": _linear,
    "sigmoid": lambda arguments: 1 / (1 + np.exp(-arguments["x"].astype(np.float32))),
    "squeeze": lambda arguments: np.squeeze(arguments["x"], axis=tuple(arguments["axes"])),
}
