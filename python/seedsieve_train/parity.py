"""Whether a model file computes what PyTorch computes, on windows of a data set."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from .errors import TrainingError
from .windows import expand_one_hot


def onnx_scores(
    model: Path | bytes, packed: np.ndarray, batch_size: int = 4096, threads: int | None = None
) -> np.ndarray:
    """Viability of packed seeds uint8[n, 128] by ONNX Runtime on the CPU: float32[n]. `threads` None: all.

    Raises:
        TrainingError: if ONNX Runtime cannot load the model.
    """
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
        )
    # ONNX Runtime's errors have no common base of their own.
    except Exception as error:
        name = "the model" if isinstance(model, bytes) else model
        raise TrainingError(
            f"{name}: ONNX Runtime cannot load it: {error}; give a .onnx file of the train command"
        ) from error
    scores = [
        session.run(["viability"], {"contexts": expand_one_hot(packed[start : start + batch_size])})[0]
        for start in range(0, len(packed), batch_size)
    ]
    return np.concatenate(scores) if scores else np.empty(0, dtype=np.float32)


@dataclass(frozen=True)
class Parity:
    """How far two runtimes' scores of the same seeds lie apart."""

    seeds: int
    largest_difference: float
    mean_difference: float
    threshold: float
    decisions_changed: int
    """Seeds that one keeps and the other drops at `threshold`."""


def compare(reference: np.ndarray, scores: np.ndarray, threshold: float) -> Parity:
    """Compare scores float32[n] with the reference's float32[n] at a decision threshold."""
    difference = np.abs(reference.astype(np.float64) - scores)
    return Parity(
        seeds=len(reference),
        largest_difference=float(difference.max(initial=0.0)),
        mean_difference=float(difference.mean()) if len(difference) else 0.0,
        threshold=threshold,
        decisions_changed=int(((reference >= threshold) != (scores >= threshold)).sum()),
    )
