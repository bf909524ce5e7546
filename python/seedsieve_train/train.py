"""Training of a network on labelled seeds, on the CPU, on a GPU or on several."""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from .captured import CapturedStep
from .device import device_words, prepare
from .distributed import ALONE, Share, of_first, sum_over, with_shared_gradients
from .errors import TrainingError
from .metrics import roc
from .model import seeded_network
from .placement import Batch, HostSeeds, PlacedSeeds, ResidentSeeds, ScoredSeeds, class_weights
from .progress import Progress
from .seeds import Seeds
from .settings import TrainingSettings
from .windows import PACKED_SEED_BYTES

CPU = torch.device("cpu")


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

    network: nn.Module
    epochs: tuple[Epoch, ...]
    best_epoch: int

    def epoch_rows(self) -> list[dict[str, float]]:
        """The epochs as the metrics file holds them."""
        return [asdict(epoch) for epoch in self.epochs]


@dataclass(frozen=True)
class TrainingState:
    """All that is needed to go on after an epoch: plain numbers, texts and tensors."""

    network: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    schedule: dict[str, Any]
    best: dict[str, torch.Tensor]
    """Weights of the best epoch."""
    best_epoch: int
    epochs: tuple[Epoch, ...]


def convolution_type(precision: str, device: torch.device) -> torch.dtype:
    """The type that `train.precision` means on a device."""
    reduced = precision == "bfloat16" or (precision == "auto" and device.type == "cuda")
    return torch.bfloat16 if reduced else torch.float32


def weighted_loss(scores: np.ndarray, viable: np.ndarray) -> float:
    """Binary cross-entropy of scores float32[n] against labels bool[n], both classes weighing the same."""
    likelihood = np.clip(np.where(viable, scores, 1 - scores).astype(np.float64), 1e-7, 1)
    return float(np.mean(class_weights(viable) * -np.log(likelihood)))


def train(
    train_part: Seeds,
    validation_part: Seeds,
    settings: TrainingSettings,
    device: torch.device = CPU,
    threads: int = 1,
    **more: Any,
) -> Training:
    """Train a network on seeds in memory with AdamW on a weighted binary cross-entropy.

    On the CPU the same settings and number of threads give the same network on the same kind of processor. On CUDA the
    seeds stay in the device's memory. Sets PyTorch's global state (`device.prepare`) and its global random state.

    Args:
        train_part: seeds of both classes.
        validation_part: seeds of both classes; decides which epoch's network is kept and when to stop.
        settings: how to train.
        device: where to train.
        threads: of the CPU.
        more: as in `train_placed`.

    Returns:
        The training; its network lies on the CPU.

    Raises:
        TrainingError: if the loss is no longer a number, or the device's memory is too small.
    """
    prepare(device, threads)
    kind = convolution_type(settings.precision, device)
    try:
        placed: PlacedSeeds
        if device.type == "cpu":
            placed, validation = (HostSeeds(part, settings.seed, kind) for part in (train_part, validation_part))
        else:
            placed, validation = (
                ResidentSeeds(part, settings.seed, device, kind) for part in (train_part, validation_part)
            )
        return train_placed(placed, validation, settings, **more)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"the memory of {device_words(device)} is too small for {len(train_part):,} + {len(validation_part):,} "
            f"seeds of {PACKED_SEED_BYTES} bytes and their activations; give fewer (--max-seeds), stream them "
            "(--set data.placement=stream), free the device, or give --device cpu"
        ) from error


def train_placed(
    train_part: PlacedSeeds,
    validation_part: ScoredSeeds,
    settings: TrainingSettings,
    network: nn.Module | None = None,
    share: Share = ALONE,
    state: TrainingState | None = None,
    after_epoch: Callable[[TrainingState], None] = lambda _: None,
    title: str = "epoch",
) -> Training:
    """Train on seeds of both classes that already lie where they are used.

    Args:
        train_part: what to learn from.
        validation_part: decides which epoch's network is kept and when to stop.
        settings: how to train.
        network: where to start, not changed; None for random weights.
        share: which of several processes this is.
        state: of an interrupted training with the same settings and data: goes on behind it, as if without a break.
        after_epoch: is given the state after each epoch.
        title: of the progress bar.

    Returns:
        The training; its network lies on the CPU.

    Raises:
        TrainingError: if the loss is no longer a number.
    """
    network = copy.deepcopy(network) if network is not None else seeded_network(settings.seed)
    network.to(train_part.device)
    captured = settings.captured and train_part.device.type == "cuda" and share.processes == 1
    # A graph reads the learning rate where it lay when the graph was recorded.
    rate = torch.tensor(settings.learning_rate, device=train_part.device) if captured else settings.learning_rate
    # Of a small network half of a step on a CPU was the optimiser's, parameter by parameter.
    fused = True if train_part.device.type == "cpu" else None
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=rate, weight_decay=settings.weight_decay, capturable=captured, fused=fused
    )
    steps = settings.epochs * -(-len(train_part) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    epochs: tuple[Epoch, ...] = ()
    best_epoch, best = 0, network.state_dict()
    if state is not None:
        network.load_state_dict(state.network)
        optimiser.load_state_dict(state.optimiser)
        schedule.load_state_dict(state.schedule)
        epochs, best_epoch, best = state.epochs, state.best_epoch, state.best
    step = Step(with_shared_gradients(network, share), optimiser, train_part.convolution_type, captured)
    while len(epochs) < settings.epochs and len(epochs) - best_epoch < settings.patience:
        number = len(epochs) + 1
        started = time.monotonic()
        line = Progress(f"{title} {number}/{settings.epochs}", len(train_part), quiet=not share.is_first)
        batches = train_part.batches(number, settings.batch_size, share)
        train_loss = _one_epoch(step, schedule, batches, train_part, share, line)
        scores = validation_part.scores(network)
        loss = of_first(weighted_loss(scores, validation_part.viable), share, train_part.device)
        if not (np.isfinite(train_loss) and np.isfinite(loss)):
            raise TrainingError(
                f"epoch {number}: the loss is {train_loss} in training, {loss} in validation; lower the learning rate"
            )
        auc = roc(scores, validation_part.viable).auc
        epochs += (Epoch(number, train_loss, loss, auc, round(time.monotonic() - started, 3)),)
        if best_epoch == 0 or loss < epochs[best_epoch - 1].validation_loss:
            best_epoch, best = number, copy.deepcopy(network.state_dict())
        after_epoch(
            TrainingState(network.state_dict(), optimiser.state_dict(), schedule.state_dict(), best, best_epoch, epochs)
        )
    network.load_state_dict(best)
    return Training(network.to(CPU).eval(), epochs, best_epoch)


class Step:
    """One step of training on a batch; on a GPU recorded once and replayed for all batches of the first one's size."""

    def __init__(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, convolution_type: torch.dtype, captured: bool
    ) -> None:
        self.network = network
        self._optimiser = optimiser
        self._convolution_type = convolution_type
        self._captured = captured
        self._recorded: CapturedStep | None = None

    def __call__(self, batch: Batch) -> torch.Tensor:
        """The loss before the step; of a recorded one valid until the next."""
        if self._captured and self._recorded is None:
            self._recorded = CapturedStep(self.network, self._optimiser, self._loss, batch)
        if self._recorded is not None and self._recorded.size == len(batch.labels):
            return self._recorded(batch)
        # The last batch is smaller. Its gradients must not lie where the graph's do.
        self._optimiser.zero_grad()
        loss = self._loss(self.network, batch)
        loss.backward()
        self._optimiser.step()
        return loss.detach()

    def _loss(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """Weighted loss of a batch, with the convolutions in a type of their own and the rest in float32."""
        kind = batch.contexts.device.type
        reduced = self._convolution_type == torch.bfloat16
        # Each weight is used once: a cache of converted ones would only outlive a recording.
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=reduced, cache_enabled=False):
            logits = network(batch.contexts)
        return binary_cross_entropy_with_logits(logits.float(), batch.labels, weight=batch.weights)


def _one_epoch(
    step: Step,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    batches: Iterable[Batch],
    seeds: PlacedSeeds,
    share: Share,
    line: Progress,
) -> float:
    """One pass over the batches; returns the mean weighted loss of all processes' seeds."""
    step.network.train()
    # Summed on the device: asking for the loss of each batch would make the device wait for the CPU.
    total = torch.zeros((), dtype=torch.float64, device=seeds.device)
    seen = 0
    with line:
        for batch in batches:
            loss = step(batch)
            schedule.step()
            number = len(batch.labels)
            total += loss.detach().double() * number
            seen += number
            line.advance(number * share.processes, partial(_loss_words, loss.detach()))
    of_all, seen_by_all = sum_over(torch.stack([total, torch.full_like(total, seen)]), share)
    return of_all / seen_by_all


def _loss_words(loss: torch.Tensor) -> str:
    return f"loss {loss.item():.4f}"
