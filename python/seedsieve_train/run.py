"""The train command: data sets in; model files, weights, figures, plots and card out."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import splits
from .by_data_set import by_data_set
from .card import model_card
from .checkpoint import read_checkpoint, write_checkpoint
from .configuration import Configuration
from .data import DividedSeeds, load_seeds
from .dataset import sample_names
from .device import chosen_device, device_words, prepare
from .distributed import Share, local_device, process_group
from .errors import TrainingError
from .events import EventLog
from .export import ModelMetadata, float_model, write_model
from .files import make_folder, write_atomically
from .guarantee import Guarantee, chosen_threshold, held_out
from .input_forms import with_packed_input
from .model import SeedViabilityNetwork, parameter_count
from .parity import compare, onnx_scores
from .placement import HostSeeds, ResidentSeeds, score_packed
from .quantisation_aware import RoundedNetwork, folded, on_the_grid
from .quantise import activation_scales, quantised_model
from .report import metrics, table, to_json
from .report_page import report_page
from .resume import identity, read_state, write_state
from .seeds import Seeds
from .settings import TrainingSettings
from .streaming import StreamedSeeds
from .train import Training, TrainingState, convolution_type, train, train_placed

DEFAULT_THRESHOLD = 0.3
"""Decision threshold where the validation part is too small to choose one."""
PARITY_LIMIT = 1e-5
"""Largest difference between PyTorch and ONNX Runtime with which a model file is written."""
PARITY_SEEDS = 10_000


@dataclass(frozen=True)
class TrainCommand:
    """Checked arguments of the train command."""

    data: tuple[Path, ...]
    out: Path
    configuration: Configuration = field(default_factory=Configuration)
    device: str = "auto"
    """Where to train, one of `device.DEVICES`. Export, figures and comparison are made on the CPU."""
    threads: int = 1
    resume: bool = False
    """Go on with what an interrupted run of the same command left in `out`."""
    init_from: Path | None = None
    """Checkpoint whose weights are trained further; None starts with random ones."""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.configuration.model.name

    def path(self, ending: str) -> Path:
        """A file of the run: OUT/NAME and an ending."""
        return self.out / f"{self.name}{ending}"


@dataclass(frozen=True)
class Networks:
    """What a training leads to: the float network, and the steps of the eight-bit one's activations."""

    network: SeedViabilityNetwork
    scales: tuple[float, ...]
    training: Training
    rounded_training: Training | None
    """The epochs with rounding; None where there were none."""


def run_training(command: TrainCommand, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Train a network and write the run folder.

    OUT/NAME.onnx and NAME_int8.onnx, the same with `_packed` that take packed windows, NAME.pt, NAME.metrics.json,
    NAME.html, NAME.md, NAME.toml (the configuration), and events/ for TensorBoard. Model files are written at the end,
    after the exported networks were compared with PyTorch.

    Args:
        command: what to do.
        say: takes each line of the report.

    Returns:
        The content of the metrics file; empty in all processes but the first.

    Raises:
        TrainingError: if data, settings or output folder cannot be used, or the exported network differs.
    """
    started = time.monotonic()
    device = local_device(chosen_device(command.device))
    with process_group(device) as share:
        say = say if share.is_first else _silent
        make_folder(command.out)
        say(f"device: {device_words(device)}" + (f", {share.processes} processes" if share.processes > 1 else ""))
        seeds = load_seeds(
            command.data,
            command.configuration.data,
            command.configuration.train.seed,
            command.configuration.quantise.calibration_seeds,
        )
        say(_data_line(seeds))
        networks = train_networks(command, seeds, device, share, say)
    # Nothing of what follows is faster with more processes.
    return write_run(command, seeds, networks, device, started, say) if share.is_first else {}


def train_networks(
    command: TrainCommand, seeds: DividedSeeds, device: torch.device, share: Share, say: Callable[[str], None]
) -> Networks:
    """Train in float32 or bfloat16, then with the rounding of eight bits."""
    settings, quantise = command.configuration.train, command.configuration.quantise
    same = identity(command.configuration, ",".join(manifest.sha256 for manifest in seeds.manifests))
    state_file = command.path(".state.pt")
    state = read_state(state_file, same, device) if command.resume else None
    if state is not None:
        say(f"going on after epoch {len(state.epochs)}")
    start = read_checkpoint(command.init_from) if command.init_from is not None else None
    log = EventLog(command.out / "events") if share.is_first else None
    if share.is_first:
        write_atomically(command.path(".toml"), command.configuration.to_toml().encode())

    def after_epoch(state: TrainingState) -> None:
        if log is not None:
            epoch = state.epochs[-1]
            rates = {"validation__loss": epoch.validation_loss, "validation__auc": epoch.validation_auc}
            log.add(epoch.epoch, train__loss=epoch.train_loss, **rates)
            write_state(state_file, state, same)

    more: dict[str, Any] = {"share": share, "network": start, "state": state, "after_epoch": after_epoch}
    if seeds.train is not None:
        training = train(seeds.train, seeds.validation, settings, device, command.threads, **more)
    else:
        prepare(device, command.threads)
        training = train_placed(*_streamed(command, seeds, settings, device), settings, **more)
    network = folded(training.network)
    scales = activation_scales(network, seeds.calibration)
    rounded = None
    if quantise.epochs > 0:
        rounding = replace(
            settings,
            epochs=quantise.epochs,
            learning_rate=quantise.learning_rate,
            # What is rounded to eight bits must not have been rounded to eight other ones before.
            precision="float32",
            seed=settings.seed + 1,
        )
        more = {"share": share, "network": RoundedNetwork(network, scales), "title": "epoch with rounding"}
        if seeds.train is not None:
            rounded = train(seeds.train, seeds.validation, rounding, device, command.threads, **more)
        else:
            rounded = train_placed(*_streamed(command, seeds, rounding, device), rounding, **more)
        network = rounded.network.network
    # Once more: the weights have moved, and a step that is a little too small would cut the highest values off.
    scales = activation_scales(network, seeds.calibration)
    return Networks(on_the_grid(network, scales), tuple(scales), training, rounded)


def _streamed(
    command: TrainCommand, seeds: DividedSeeds, settings: TrainingSettings, device: torch.device
) -> tuple[StreamedSeeds, HostSeeds | ResidentSeeds]:
    kind = convolution_type(settings.precision, device)
    buffer = command.configuration.data.shuffle_buffer
    train_part = StreamedSeeds(seeds, settings.seed, device, kind, buffer, command.threads)
    if device.type == "cpu":
        return train_part, HostSeeds(seeds.validation, settings.seed)
    return train_part, ResidentSeeds(seeds.validation, settings.seed, device)


def write_run(
    command: TrainCommand,
    seeds: DividedSeeds,
    networks: Networks,
    device: torch.device,
    started: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Choose the threshold, export, compare, and write all files of the run; returns the metrics."""
    network, configuration = networks.network, command.configuration
    validation_scores = score_packed(network, seeds.validation.packed)
    threshold, origin, guarantee = _threshold(configuration, validation_scores, seeds.validation)
    metadata = ModelMetadata(
        name=command.name,
        label_policy=configuration.data.policy,
        label_threshold=seeds.label_threshold,
        threshold=threshold,
        dataset_sha256=",".join(manifest.sha256 for manifest in seeds.manifests),
        parameters=parameter_count(network),
        trained_on=_trained_on(seeds),
        guarantee=guarantee.properties() if guarantee is not None else {},
    )
    model = float_model(network, metadata)
    model_int8 = quantised_model(network, metadata, networks.scales)

    scores = score_packed(network, seeds.test.packed)
    checked = slice(PARITY_SEEDS)
    parity = compare(scores[checked], onnx_scores(model.SerializeToString(), seeds.test.packed[checked]), threshold)
    if parity.largest_difference > PARITY_LIMIT:
        raise TrainingError(
            f"{command.name}.onnx: scores differ from PyTorch's by {parity.largest_difference:.3g}, at most "
            f"{PARITY_LIMIT:g} is valid; no model was written: check the versions of torch and onnxruntime"
        )
    scores_int8 = onnx_scores(model_int8.SerializeToString(), seeds.test.packed)
    figures = metrics(
        name=command.name,
        parameters=metadata.parameters,
        policy=configuration.data.policy,
        seeds=seeds,
        training=networks.training,
        threshold=threshold,
        threshold_origin=origin,
        test_scores={"float32": scores, "int8": scores_int8},
        int8_parity=compare(scores, scores_int8, threshold),
        seconds=time.monotonic() - started,
    )
    figures["rounded_epochs"] = networks.rounded_training.epoch_rows() if networks.rounded_training else []
    figures["parity"] = asdict(parity)
    figures["device"] = device_words(device)
    figures["configuration"] = configuration.values()
    figures["data"] = [
        {"name": path.resolve().name, "sha256": manifest.sha256}
        for path, manifest in zip(command.data, seeds.manifests, strict=True)
    ]
    limits = configuration.threshold
    figures["guarantee"] = (asdict(guarantee) if guarantee is not None else {}) | held_out(
        scores, seeds.test.viable, seeds.test.place, threshold, limits.miss_rate, limits.confidence
    )
    figures["by_data_set"] = by_data_set(command.name, seeds, scores, threshold)

    kept_fraction = seeds.used / sum(manifest.seeds for manifest in seeds.manifests)
    card = model_card(figures, metadata, configuration, command.threads, kept_fraction)
    for ending, file in (("", model), ("_int8", model_int8)):
        write_model(file, command.path(f"{ending}.onnx"))
        write_model(with_packed_input(file), command.path(f"{ending}_packed.onnx"))
    write_checkpoint(network, command.path(".pt"))
    write_atomically(command.path(".metrics.json"), to_json(figures))
    write_atomically(command.path(".html"), report_page(figures).encode())
    write_atomically(command.path(".md"), card.encode())
    command.path(".state.pt").unlink(missing_ok=True)
    say(table(figures))
    say(f"decision threshold {threshold:.4g}: {origin}")
    say(f"wrote {command.path('')}.onnx, _int8.onnx, _packed.onnx, .pt, .metrics.json, .html, .md, .toml, events/")
    return figures


def _threshold(
    configuration: Configuration, scores: np.ndarray, validation: Seeds
) -> tuple[float, str, Guarantee | None]:
    """Decision threshold; in words, where it comes from; what it rests on."""
    settings = configuration.threshold
    if settings.value >= 0:
        return settings.value, "given on the command line", None
    chosen = chosen_threshold(scores, validation.viable, validation.place, settings.miss_rate, settings.confidence)
    if chosen is None:
        number = int(validation.viable.sum())
        return (
            DEFAULT_THRESHOLD,
            f"the default, because the validation part's {number:,} viable seeds are too few to choose one",
            None,
        )
    return chosen.threshold, chosen.words(), chosen


def _data_line(seeds: DividedSeeds) -> str:
    counts = ", ".join(
        f"{name} {seeds.counts[name]['viable']:,} viable + {seeds.counts[name]['hopeless']:,} hopeless"
        for name in splits.PARTS
    )
    where = "" if seeds.train is not None else "; the training part is streamed"
    return f"seeds: {counts}; {seeds.left_out:,} between parts left out{where}"


def _trained_on(seeds: DividedSeeds) -> str:
    """The data in words, from what the data sets say about themselves."""
    samples = sorted({name for manifest in seeds.manifests for name in sample_names(manifest)})
    inputs = sorted({f"{file.kind} {file.name}" for manifest in seeds.manifests for file in manifest.inputs})
    number = sum(seeds.counts["train"].values())
    return f"{number:,} seeds of {', '.join(samples)}; {', '.join(inputs)}"


def _silent(_: str) -> None:
    """What another process than the first says."""
