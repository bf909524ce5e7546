#!/usr/bin/env python3
"""Measures a Core ML package where it runs, on macOS: speed by compute unit, placement, difference from the ONNX file.

Needs coremltools (python/optional/coreml.lock), numpy and onnxruntime. Placement needs macOS 14.4.

    python scripts/core_ml_on_macos.py --package models/seed_filter_v1.mlpackage --onnx models/seed_filter_v1.onnx \
        --windows windows.bin

`windows.bin`: packed windows, 128 bytes a seed, from `python -m seedsieve_train scores --windows`; random ones without.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

SEED_BYTES = 128
ONE_HOT = np.stack(
    [(np.arange(256) >> (bit + shift) & 1).astype(np.float32) for shift in (4, 0) for bit in range(4)], axis=1
)
"""float32[256, 8]: the two positions of four bases of each packed byte."""


def main() -> int:
    """Prints a table and, with --json, writes the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True, help=".mlpackage")
    parser.add_argument("--onnx", type=Path, required=True, help="the same network as ONNX file")
    parser.add_argument("--windows", type=Path, help="packed windows")
    parser.add_argument("--batch", type=int, default=512, help="one of the package's batches (%(default)s)")
    parser.add_argument("--seeds", type=int, default=10_240, help="how many windows (%(default)s)")
    parser.add_argument("--repeats", type=int, default=50, help="timed predictions (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the result")
    options = parser.parse_args()
    if platform.system() != "Darwin":
        print(f"error: Core ML runs on macOS, this is {platform.system()}", file=sys.stderr)
        return 1
    packed = windows(options.windows, options.seeds, options.batch)
    contexts = ONE_HOT[packed].reshape(len(packed), 2, 128, 4)
    expected, threshold = onnx_scores(options.onnx, contexts)
    result: dict[str, Any] = {"machine": platform.processor(), "macos": platform.mac_ver()[0], "batch": options.batch}
    result["units"] = measured(options.package, contexts, expected, threshold, options.batch, options.repeats)
    result["placement"] = placement(options.package)
    for unit, row in result["units"].items():
        print(
            f"{unit:12} {row['milliseconds']:.3f} ms a batch of {options.batch}, "
            f"{row['seeds_per_second']:,.0f} seeds/s, largest difference {row['largest_difference']:.2g}, "
            f"{row['decisions_changed']} decisions changed of {len(packed):,}"
        )
    print(f"placement of the operations: {result['placement']}")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def windows(path: Path | None, seeds: int, batch: int) -> np.ndarray:
    """Whole batches of packed windows, uint8[n, 128]."""
    if path is None:
        codes = np.random.default_rng(1).integers(0, 4, (seeds, 2 * SEED_BYTES))
        nibbles = (1 << codes).astype(np.uint8)
        packed = nibbles[:, 0::2] << 4 | nibbles[:, 1::2]
    else:
        content = path.read_bytes()
        if len(content) % SEED_BYTES:
            raise SystemExit(f"error: {path}: {len(content)} bytes are not whole seeds of {SEED_BYTES} bytes")
        packed = np.frombuffer(content, dtype=np.uint8).reshape(-1, SEED_BYTES)[:seeds]
    whole = len(packed) // batch * batch
    if whole == 0:
        raise SystemExit(f"error: {len(packed)} windows fill no batch of {batch}: give more, or a smaller --batch")
    return packed[:whole]


def onnx_scores(path: Path, contexts: np.ndarray) -> tuple[np.ndarray, float]:
    """Scores by ONNX Runtime on the CPU, and the model's decision threshold."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    scores = [session.run(["viability"], {"contexts": piece})[0] for piece in np.array_split(contexts, 10)]
    return np.concatenate(scores), float(session.get_modelmeta().custom_metadata_map["seedsieve.threshold"])


def measured(
    package: Path, contexts: np.ndarray, expected: np.ndarray, threshold: float, batch: int, repeats: int
) -> dict[str, dict[str, float]]:
    """Median time of a prediction, and how far scores lie from `expected`, on each choice of compute units."""
    import coremltools

    rows = {}
    for unit in ("CPU_ONLY", "CPU_AND_GPU", "CPU_AND_NE", "ALL"):
        model = coremltools.models.MLModel(str(package), compute_units=coremltools.ComputeUnit[unit])
        batches = np.split(contexts, len(contexts) // batch)
        scores = np.concatenate([model.predict({"contexts": piece})["viability"] for piece in batches])
        times = []
        for number in range(repeats):
            started = time.perf_counter()
            model.predict({"contexts": batches[number % len(batches)]})
            times.append(time.perf_counter() - started)
        seconds = statistics.median(times)
        rows[unit] = {
            "milliseconds": 1e3 * seconds,
            "seeds_per_second": batch / seconds,
            "largest_difference": float(np.abs(scores - expected).max()),
            "decisions_changed": int(((scores >= threshold) != (expected >= threshold)).sum()),
        }
    return rows


def placement(package: Path) -> dict[str, int]:
    """How many operations Core ML would place on which device, with all allowed."""
    import coremltools
    from coremltools.models.compute_plan import MLComputePlan

    compiled = coremltools.models.utils.compile_model(str(package))
    plan = MLComputePlan.load_from_path(path=str(compiled), compute_units=coremltools.ComputeUnit.ALL)
    devices: Counter[str] = Counter()
    for operation in plan.model_structure.program.functions["main"].block.operations:
        usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
        if usage is not None:
            devices[type(usage.preferred_compute_device).__name__] += 1
    return dict(devices)


if __name__ == "__main__":
    sys.exit(main())
