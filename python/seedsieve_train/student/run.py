"""The student command: data sets in; NAME.onnx, NAME_int8.onnx, NAME.metrics.json and NAME.md out."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import splits
from ..by_data_set import data_set_names
from ..data import check_same_threshold
from ..dataset import read_manifest, sample_names
from ..device import chosen_device, device_words, prepare
from ..errors import TrainingError
from ..evaluation.scorers import feature_scores
from ..export import ModelMetadata, write_model
from ..files import make_folder, write_atomically
from ..guarantee import chosen_threshold, for_every_group, held_out, loss_by_group
from ..metrics import summary
from ..parity import compare
from ..report import network_figures, to_json
from .card import student_card
from .export import integer_scores, student_float_model, student_quantised_model
from .features import WINDOW, WINDOW_2, as_version_2
from .network import StudentNetwork
from .rows import StudentRows, student_rows
from .training import LabelledFeatures, StudentSettings, StudentTraining, train_student, train_teacher
from .trees import train_trees

PARITY_LIMIT = 1e-5
DEFAULT_THRESHOLD = 0.3
"""Decision threshold where the validation part is too small to choose one."""


@dataclass(frozen=True)
class StudentCommand:
    """Checked arguments of the student command."""

    data: tuple[Path, ...]
    out: Path
    name: str = "seed_student_v2"
    policy: str = "own-extension"
    settings: StudentSettings = field(default_factory=StudentSettings)
    device: str = "auto"
    threads: int = 1
    block_bases: int = splits.BLOCK_BASES
    held_out: tuple[str, ...] = ()
    """Samples of the test part, of which nothing is learnt."""
    every_data_set: bool = True
    """Whether the threshold is one at which no data set loses more than the miss rate, and not the mix alone."""


def run_student(command: StudentCommand, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Train a student and write its files; returns the content of the metrics file.

    Raises:
        TrainingError: if data or output folder cannot be used, or the exported network differs.
    """
    started = time.monotonic()
    device = chosen_device(command.device)
    prepare(device, command.threads)
    make_folder(command.out)
    say(f"device: {device_words(device)}")
    parts = divided_rows(command)
    train_part, validation = (labelled(parts[name], command.policy) for name in ("train", "validation"))
    for name, rows in parts.items():
        viable = rows.viable[command.policy]
        if viable.all() or not viable.any():
            raise TrainingError(
                f"the {name} part lacks viable or hopeless seeds under {command.policy}: give more data (--data)"
            )
        say(f"{name}: {int(viable.sum()):,} viable + {int((~viable).sum()):,} hopeless")
    teacher_scores = None
    if command.settings.distillation > 0:
        if command.settings.teacher == "trees":
            place = parts["train"].place
            seed, threads = command.settings.seed, command.threads
            teacher_scores = train_trees(train_part.features, train_part.viable, place, seed, threads)
        else:
            _, teacher_scores = train_teacher(train_part, validation, command.settings, device)
    training = train_student(train_part, validation, command.settings, teacher_scores, device)
    return write_student(command, training, parts, device_words(device), time.monotonic() - started, say)


def divided_rows(command: StudentCommand) -> dict[str, StudentRows]:
    """All seeds by part, their features as the student is to see them."""
    manifests = [read_manifest(directory) for directory in command.data]
    check_same_threshold(manifests)
    splits.check_held_out(command.held_out, {name for manifest in manifests for name in sample_names(manifest)})
    sets = [
        student_rows(manifest, command.block_bases, number, command.held_out)
        for number, manifest in enumerate(manifests)
    ]
    if not command.settings.narrow_scores:
        sets = [replace(rows, features=as_version_2(rows.features)) for rows in sets]
    return {
        name: StudentRows.concatenated([rows.take(np.flatnonzero(rows.part == number)) for rows in sets])
        for number, name in enumerate(splits.PARTS)
    }


def labelled(rows: StudentRows, policy: str) -> LabelledFeatures:
    """What the training looks at."""
    return LabelledFeatures(rows.features, rows.viable[policy])


def write_student(
    command: StudentCommand,
    training: StudentTraining,
    parts: dict[str, StudentRows],
    device: str,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Choose the threshold of the eight-bit network, export both forms, compare them, and write all files."""
    network = training.network
    validation, test = parts["validation"], parts["test"]
    of_validation = validation.viable[command.policy]
    validation_scores = integer_scores(network, validation.features)
    guarantee = chosen_threshold(validation_scores, of_validation, validation.place)
    names = data_set_names(list(command.data))
    if guarantee is not None and command.every_data_set:
        guarantee = for_every_group(guarantee, validation_scores, of_validation, validation.data_set, names)
    threshold = guarantee.threshold if guarantee is not None else DEFAULT_THRESHOLD
    if guarantee is None:
        say(f"{int(of_validation.sum()):,} viable validation seeds are too few to choose a threshold: {threshold}")
    manifests = [read_manifest(directory) for directory in command.data]
    samples = sorted({name for manifest in manifests for name in sample_names(manifest)})
    metadata = ModelMetadata(
        name=command.name,
        label_policy=command.policy,
        label_threshold=manifests[0].reporting_threshold,
        threshold=threshold,
        dataset_sha256=",".join(manifest.sha256 for manifest in manifests),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        trained_on=f"{len(parts['train']):,} seeds of {', '.join(samples)}",
        guarantee=guarantee.properties() if guarantee is not None else {},
        window=WINDOW if command.settings.narrow_scores else WINDOW_2,
    )
    float_file, integer_file = student_float_model(network, metadata), student_quantised_model(network, metadata)
    viable = test.viable[command.policy]
    scores, integers = _torch_scores(network, test.features), integer_scores(network, test.features)
    onnx_float = feature_scores(float_file.SerializeToString(), test.features)
    onnx_integer = feature_scores(integer_file.SerializeToString(), test.features)
    parities = {
        "float file and PyTorch": compare(scores, onnx_float, threshold),
        "eight-bit file and integers": compare(integers, onnx_integer, threshold),
        "eight-bit file and float file": compare(onnx_float, onnx_integer, threshold),
    }
    if parities["float file and PyTorch"].largest_difference > PARITY_LIMIT:
        raise TrainingError(f"{command.name}.onnx differs from PyTorch: {parities}; no file was written")
    figures = {
        "name": command.name,
        "multiply_adds": network.multiply_adds,
        "parameters": metadata.parameters,
        "policy": command.policy,
        "label_threshold": metadata.label_threshold,
        "threshold": threshold,
        "threshold_origin": guarantee.words() if guarantee is not None else "the default: too few viable seeds",
        "dataset_sha256": metadata.dataset_sha256,
        "trained_on": metadata.trained_on,
        "settings": asdict(command.settings),
        "held_out_samples": list(command.held_out),
        "device": device,
        "seconds": round(seconds, 3),
        "counts": {
            name: {"viable": int(rows.viable[command.policy].sum()), "seeds": len(rows)} for name, rows in parts.items()
        },
        "test": network_figures(onnx_integer, viable, threshold),
        "float": summary(scores, viable),
        "baselines": {
            "narrow score": summary(test.narrow_score, viable),
            "gap bound": summary(test.gap_bound, viable),
            "ungapped score": summary(test.ungapped_score, viable),
            "seed length": summary(test.length, viable),
        },
        "parity": {name: asdict(parity) for name, parity in parities.items()},
        "guarantee": (asdict(guarantee) if guarantee is not None else {})
        | held_out(integers, viable, test.place, threshold),
        "loss_by_data_set": loss_by_group(integers, viable, test.data_set, names, threshold),
        "epochs": training.training.epoch_rows(),
        "rounded_epochs": training.rounded.epoch_rows(),
    }
    write_model(float_file, command.out / f"{command.name}.onnx")
    write_model(integer_file, command.out / f"{command.name}_int8.onnx")
    write_atomically(command.out / f"{command.name}.metrics.json", to_json(figures))
    write_atomically(command.out / f"{command.name}.md", student_card(figures).encode())
    rates = figures["test"]["fpr_at_tpr"]
    say(
        f"{command.name}: {network.multiply_adds:,} multiply-adds, FPR at TPR 95 / 99 / 99.9 %: "
        + " / ".join(f"{100 * rate:.2f} %" for rate in rates.values())
    )
    say(f"wrote {command.out / command.name}.onnx, _int8.onnx, .metrics.json, .md")
    return figures


@torch.no_grad()
def _torch_scores(network: StudentNetwork, features: np.ndarray) -> np.ndarray:
    scales, network.scales = network.scales, None
    try:
        pieces = [
            torch.sigmoid(network(torch.from_numpy(piece).float()))
            for piece in np.array_split(features, max(len(features) // 65_536, 1))
        ]
        return torch.cat(pieces).numpy()
    finally:
        network.scales = scales
