"""Training of the seed-viability network on labelled seeds, on the CPU."""

import copy
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from .data import Seeds
from .errors import TrainingError
from .metrics import roc
from .model import SeedViabilityNetwork, score_packed, seeded_network
from .progress import Progress
from .windows import expand_one_hot


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; the same settings, data and number of threads give the same network."""

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


def class_weights(viable: np.ndarray) -> np.ndarray:
    """Weights float32[n] that give both classes of bool[n] the same total and average 1."""
    fraction = viable.mean()
    return np.where(viable, 0.5 / fraction, 0.5 / (1 - fraction)).astype(np.float32)


def weighted_loss(scores: np.ndarray, viable: np.ndarray) -> float:
    """Binary cross-entropy of scores float32[n] against labels bool[n], both classes weighing the same."""
    likelihood = np.clip(np.where(viable, scores, 1 - scores).astype(np.float64), 1e-7, 1)
    return float(np.mean(class_weights(viable) * -np.log(likelihood)))


def train(train_part: Seeds, validation_part: Seeds, settings: TrainingSettings) -> Training:
    """Train a network with AdamW on a weighted binary cross-entropy.

    Sets PyTorch's global random state, number of threads and deterministic mode.

    Args:
        train_part: seeds of both classes.
        validation_part: seeds of both classes; decides which epoch's network is kept and when to stop.
        settings: how to train.

    Raises:
        TrainingError: if the loss is no longer a number.
    """
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    # Every operation here writes all of its result, so filling it beforehand only takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    network = seeded_network(settings.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-len(train_part) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    weights = class_weights(train_part.viable)
    random = np.random.default_rng(settings.seed)

    epochs: list[Epoch] = []
    best: tuple[float, int, dict[str, torch.Tensor]] | None = None
    for number in range(1, settings.epochs + 1):
        started = time.monotonic()
        order = random.permutation(len(train_part))
        title = f"epoch {number}/{settings.epochs}"
        train_loss = _one_epoch(network, optimiser, schedule, train_part, weights, order, settings.batch_size, title)
        scores = score_packed(network, validation_part.packed)
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
    network.eval()
    return Training(network, tuple(epochs), best[1])


def _one_epoch(
    network: SeedViabilityNetwork,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    seeds: Seeds,
    weights: np.ndarray,
    order: np.ndarray,
    batch_size: int,
    title: str,
) -> float:
    """One pass over `seeds` in `order`; returns the mean weighted loss."""
    network.train()
    total = 0.0
    with Progress(title, len(order)) as progress:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            contexts = torch.from_numpy(expand_one_hot(seeds.packed[rows]))
            labels = torch.from_numpy(seeds.viable[rows].astype(np.float32))
            loss = binary_cross_entropy_with_logits(network(contexts), labels, weight=torch.from_numpy(weights[rows]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
            progress.advance(len(rows), f"loss {loss.item():.4f}")
    return total / len(order)
