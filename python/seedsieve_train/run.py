"""The train command: data sets in; model files, weights, figures and card out."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from . import splits
from .by_data_set import by_data_set
from .card import model_card
from .checkpoint import write_checkpoint
from .data import DividedSeeds, load_seeds
from .dataset import sample_names
from .device import chosen_device, device_words
from .errors import TrainingError
from .export import ModelMetadata, float_model, write_model
from .files import make_folder, write_atomically
from .metrics import CONFIDENCE, MISS_RATE, decision_threshold
from .model import parameter_count, score_packed
from .parity import compare, onnx_scores
from .quantise import activation_scales, quantised_model
from .report import metrics, table, to_json
from .train import TrainingSettings, train

DEFAULT_THRESHOLD = 0.3
"""Decision threshold where the validation part is too small to choose one."""
PARITY_LIMIT = 1e-5
"""Largest difference between PyTorch and ONNX Runtime with which a model file is written."""
PARITY_SEEDS = 10_000
CALIBRATION_SEEDS = 4_096


@dataclass(frozen=True)
class TrainCommand:
    """Checked arguments of the train command."""

    data: tuple[Path, ...]
    out: Path
    name: str
    policy: str
    settings: TrainingSettings
    max_seeds: int | None = None
    block_bases: int = splits.BLOCK_BASES
    threshold: float | None = None
    """Decision threshold; None chooses one on the validation part."""
    device: str = "auto"
    """Where to train, one of `device.DEVICES`. Export, figures and comparison are made on the CPU."""


def run_training(command: TrainCommand, say: Callable[[str], None] = print) -> dict[str, object]:
    """Train a network and write OUT/NAME.onnx, NAME_int8.onnx, NAME.pt, NAME.metrics.json and NAME.md.

    Files are written at the end, after the exported networks were compared with PyTorch.

    Args:
        command: what to do.
        say: takes each line of the report.

    Returns:
        The content of the metrics file.

    Raises:
        TrainingError: if data, settings or output folder cannot be used, or the exported network differs.
    """
    started = time.monotonic()
    device = chosen_device(command.device)
    make_folder(command.out)
    say(f"device: {device_words(device)}")
    seeds = load_seeds(command.data, command.policy, command.max_seeds, command.settings.seed, command.block_bases)
    say(_data_line(seeds))
    training = train(seeds.train, seeds.validation, command.settings, device)
    network = training.network

    threshold, origin = _threshold(command, score_packed(network, seeds.validation.packed), seeds.validation.viable)
    metadata = ModelMetadata(
        name=command.name,
        label_policy=command.policy,
        label_threshold=seeds.label_threshold,
        threshold=threshold,
        dataset_sha256=",".join(manifest.sha256 for manifest in seeds.manifests),
        parameters=parameter_count(network),
        trained_on=_trained_on(seeds),
    )
    model = float_model(network, metadata)
    calibration = np.random.default_rng(command.settings.seed).permutation(len(seeds.train))[:CALIBRATION_SEEDS]
    scales = activation_scales(network, seeds.train.packed[calibration])
    model_int8 = quantised_model(network, metadata, scales)

    scores = score_packed(network, seeds.test.packed)
    checked = slice(PARITY_SEEDS)
    parity = compare(scores[checked], onnx_scores(model.SerializeToString(), seeds.test.packed[checked]), threshold)
    if parity.largest_difference > PARITY_LIMIT:
        raise TrainingError(
            f"{command.name}.onnx: scores differ from PyTorch's by {parity.largest_difference:.3g}, at most "
            f"{PARITY_LIMIT:g} is valid; no file was written: check the versions of torch and onnxruntime"
        )
    scores_int8 = onnx_scores(model_int8.SerializeToString(), seeds.test.packed)
    figures = metrics(
        name=command.name,
        parameters=metadata.parameters,
        policy=command.policy,
        seeds=seeds,
        training=training,
        threshold=threshold,
        threshold_origin=origin,
        test_scores={"float32": scores, "int8": scores_int8},
        int8_parity=compare(scores, scores_int8, threshold),
        seconds=time.monotonic() - started,
    )
    figures["parity"] = asdict(parity)
    figures["device"] = device_words(device)
    figures["by_data_set"] = by_data_set(command.name, seeds, scores, threshold)

    used = len(seeds.train) + len(seeds.validation) + len(seeds.test) + seeds.left_out
    kept_fraction = used / sum(manifest.seeds for manifest in seeds.manifests)
    card = model_card(figures, metadata, command.settings, command.block_bases, kept_fraction)
    write_model(model, command.out / f"{command.name}.onnx")
    write_model(model_int8, command.out / f"{command.name}_int8.onnx")
    write_checkpoint(network, command.out / f"{command.name}.pt")
    write_atomically(command.out / f"{command.name}.metrics.json", to_json(figures))
    write_atomically(command.out / f"{command.name}.md", card.encode())
    say(table(figures))
    say(f"decision threshold {threshold:.4g}: {origin}")
    say(f"wrote {command.out / command.name}.onnx, _int8.onnx, .pt, .metrics.json, .md")
    return figures


def _threshold(command: TrainCommand, scores: np.ndarray, viable: np.ndarray) -> tuple[float, str]:
    """Decision threshold and, in words, where it comes from."""
    if command.threshold is not None:
        return command.threshold, "given on the command line"
    chosen = decision_threshold(scores, viable)
    number = int(viable.sum())
    if chosen is None:
        return DEFAULT_THRESHOLD, (
            f"the default, because the validation part's {number:,} viable seeds are too few to choose one"
        )
    return chosen, (
        f"the highest at which the {number:,} viable seeds of the validation part bound the rate of dropped ones below "
        f"{100 * MISS_RATE:g} % (one-sided, {100 * CONFIDENCE:g} % confidence, seeds taken as independent)"
    )


def _data_line(seeds: DividedSeeds) -> str:
    counts = ", ".join(
        f"{name} {part.counts()['viable']:,} viable + {part.counts()['hopeless']:,} hopeless"
        for name, part in zip(splits.PARTS, (seeds.train, seeds.validation, seeds.test), strict=True)
    )
    return f"seeds: {counts}; {seeds.left_out:,} between parts left out"


def _trained_on(seeds: DividedSeeds) -> str:
    """The data in words, from what the data sets say about themselves."""
    samples = sorted({name for manifest in seeds.manifests for name in sample_names(manifest)})
    inputs = sorted({f"{file.kind} {file.name}" for manifest in seeds.manifests for file in manifest.inputs})
    return f"{len(seeds.train):,} seeds of {', '.join(samples)}; {', '.join(inputs)}"
