"""Training of the seed-viability network on labelled seeds, on the CPU or on a GPU."""

import copy
import time
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from .data import Seeds
from .device import device_words, prepare
from .errors import TrainingError
from .metrics import roc
from .model import SeedViabilityNetwork, seeded_network
from .placement import HostSeeds, PlacedSeeds, ResidentSeeds, class_weights
from .progress import Progress
from .windows import PACKED_SEED_BYTES

CPU = torch.device("cpu")


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; on the CPU the same settings and data give the same network."""

    epochs: int = 3
    seed: int = 1
    threads: int = 1
    batch_size: int = 2048
    learning_rate: float = 1e-3
    """At the start; falls to 0 along a half cosine over all steps."""
    weight_decay: float = 1e-5
    patience: int = 5
    """Epochs without a lower validation loss after which training stops."""


@dataclass(frozen=True)
class Epoch:
    """What came out of one pass over the training part."""

    epoch: int
    """1-based."""
    train_loss: float
    validation_loss: float
    validation_auc: float
    seconds: float


@dataclass(frozen=True)
class Training:
    """A trained network, that of the epoch with the lowest validation loss, and the way there."""

    network: SeedViabilityNetwork
    epochs: tuple[Epoch, ...]
    best_epoch: int

    def epoch_rows(self) -> list[dict[str, float]]:
        """The epochs as the metrics file holds them."""
        return [asdict(epoch) for epoch in self.epochs]


def weighted_loss(scores: np.ndarray, viable: np.ndarray) -> float:
    """Binary cross-entropy of scores float32[n] against labels bool[n], both classes weighing the same."""
    likelihood = np.clip(np.where(viable, scores, 1 - scores).astype(np.float64), 1e-7, 1)
    return float(np.mean(class_weights(viable) * -np.log(likelihood)))


def train(
    train_part: Seeds, validation_part: Seeds, settings: TrainingSettings, device: torch.device = CPU
) -> Training:
    """Train a network with AdamW on a weighted binary cross-entropy.

    On the CPU the same settings, number of threads included, give the same network on the same kind of processor. On
    CUDA the seeds stay in the device's memory, convolutions compute in bfloat16 while training, and the validation part
    is scored in float32. Sets PyTorch's global state (`device.prepare`) and its global random state.

    Args:
        train_part: seeds of both classes.
        validation_part: seeds of both classes; decides which epoch's network is kept and when to stop.
        settings: how to train.
        device: where to train.

    Returns:
        The training; its network lies on the CPU.

    Raises:
        TrainingError: if the loss is no longer a number, or the device's memory is too small.
    """
    prepare(device, settings.threads)
    try:
        if device.type == "cpu":
            return train_placed(
                HostSeeds(train_part, settings.seed), HostSeeds(validation_part, settings.seed), settings
            )
        return train_placed(
            ResidentSeeds(train_part, settings.seed, device, torch.bfloat16),
            ResidentSeeds(validation_part, settings.seed, device),
            settings,
        )
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"the memory of {device_words(device)} is too small for {len(train_part):,} + {len(validation_part):,} "
            f"seeds of {PACKED_SEED_BYTES} bytes and their activations; give fewer (--max-seeds), free the device, or "
            "give --device cpu"
        ) from error


def train_placed(train_part: PlacedSeeds, validation_part: PlacedSeeds, settings: TrainingSettings) -> Training:
    """Train on seeds of both classes that already lie where they are used; result and errors as in `train`."""
    network = seeded_network(settings.seed).to(train_part.device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-len(train_part) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    epochs: list[Epoch] = []
    best: tuple[float, int, dict[str, torch.Tensor]] | None = None
    for number in range(1, settings.epochs + 1):
        started = time.monotonic()
        title = f"epoch {number}/{settings.epochs}"
        train_loss = _one_epoch(network, optimiser, schedule, train_part, settings.batch_size, title)
        scores = validation_part.scores(network)
        loss = weighted_loss(scores, validation_part.viable)
        if not (np.isfinite(train_loss) and np.isfinite(loss)):
            raise TrainingError(
                f"epoch {number}: the loss is {train_loss} in training, {loss} in validation; lower the learning rate"
            )
        auc = roc(scores, validation_part.viable).auc
        epochs.append(Epoch(number, train_loss, loss, auc, round(time.monotonic() - started, 3)))
        if best is None or loss < best[0]:
            best = (loss, number, copy.deepcopy(network.state_dict()))
        elif number - best[1] >= settings.patience:
            break
    if best is None:
        raise TrainingError(f"--epochs {settings.epochs}: valid are 1 and more")
    network.load_state_dict(best[2])
    return Training(network.to(CPU).eval(), tuple(epochs), best[1])


def _one_epoch(
    network: SeedViabilityNetwork,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    seeds: PlacedSeeds,
    batch_size: int,
    title: str,
) -> float:
    """One pass over `seeds`; returns the mean weighted loss."""
    network.train()
    order = seeds.shuffled()
    # Summed on the device: asking for the loss of each batch would make the device wait for the CPU.
    total = torch.zeros((), dtype=torch.float64, device=seeds.device)
    with Progress(title, len(order)) as progress:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            loss = _loss(network, seeds, rows)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.detach().double() * len(rows)
            progress.advance(len(rows), partial(_loss_words, loss.detach()))
    return total.item() / len(order)


def _loss(network: SeedViabilityNetwork, seeds: PlacedSeeds, rows: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Weighted loss of some rows, with the convolutions in the type that `seeds` asks for and the rest in float32."""
    contexts, labels, weights = seeds.batch(rows)
    with torch.autocast(seeds.device.type, dtype=torch.bfloat16, enabled=seeds.convolution_type == torch.bfloat16):
        activations = network.activations(contexts)[-1]
    return binary_cross_entropy_with_logits(network.logits(activations), labels, weight=weights)


def _loss_words(loss: torch.Tensor) -> str:
    return f"loss {loss.item():.4f}"
