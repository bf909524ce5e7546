"""Where the seeds lie while a network is trained on them: in main memory, or packed in the memory of a device.

Both give the same batches in the same order of rows; only the order of an epoch comes from different generators. Seeds
that fit into neither are streamed: `streaming`.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import nn

from .distributed import ALONE, Share
from .seeds import Seeds
from .windows import ONE_HOT_OF_BYTE, WINDOW_SIZE, expand_one_hot

SCORED_AT_ONCE = 32_768
"""Seeds in a forward pass on a device; their activations take about 3 GB."""


def weights_of_classes(viable: int, hopeless: int) -> np.ndarray:
    """Weights float32[2] of a hopeless and of a viable seed that give both classes the same total and average 1."""
    total = viable + hopeless
    return np.array([0.5 * total / hopeless, 0.5 * total / viable], dtype=np.float32)


def class_weights(viable: np.ndarray) -> np.ndarray:
    """Weights float32[n] of bool[n], from `weights_of_classes`."""
    number = int(viable.sum())
    return weights_of_classes(number, len(viable) - number)[viable.astype(np.int8)]


class Batch(NamedTuple):
    """Seeds as the network and the loss take them, on the device that trains."""

    contexts: torch.Tensor
    """What the network takes: float32[n, 2, 128, 4], or float32[n, 288] for the student."""
    labels: torch.Tensor
    """float32[n]: 1 viable, 0 hopeless; between them where a teacher was asked, too."""
    weights: torch.Tensor
    """float32[n], from `class_weights`."""


class PlacedSeeds(Protocol):
    """Labelled seeds to train on."""

    device: torch.device
    convolution_type: torch.dtype
    """In which the convolutions compute while training; everything else, and scoring, is float32."""

    def __len__(self) -> int: ...

    def batches(self, epoch: int, batch_size: int, share: Share) -> Iterator[Batch]:
        """One epoch in an order that depends on seed and epoch alone.

        Args:
            epoch: 1-based.
            batch_size: seeds of a batch of all processes together; the last one may be smaller.
            share: which process asks; each gets its part of every batch, and as many batches as the others.
        """
        ...


class ScoredSeeds(Protocol):
    """Labelled seeds to validate on."""

    viable: np.ndarray
    """bool[n]."""

    def __len__(self) -> int: ...

    def scores(self, network: nn.Module) -> np.ndarray:
        """Viability of all rows in their own order, float32[n] in [0, 1]; puts `network` into evaluation mode."""
        ...


def shares_of_batches(order: np.ndarray | torch.Tensor, batch_size: int, share: Share) -> Iterator:
    """A process's rows of each batch of an order."""
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        # With fewer rows than processes one would have none, and the others would wait for it.
        if len(rows) >= share.processes:
            yield rows[share.rank :: share.processes]


@torch.no_grad()
def score_packed(network: nn.Module, packed: np.ndarray, batch_size: int = 4096) -> np.ndarray:
    """Viability of packed seeds on the CPU; puts `network` into evaluation mode.

    Args:
        network: takes one-hot windows, gives logits.
        packed: uint8[n, 128].
        batch_size: seeds a forward pass; changes memory and speed, not the result beyond rounding.

    Returns:
        float32[n], in [0, 1].
    """
    network.eval()
    scores = [
        torch.sigmoid(network(torch.from_numpy(expand_one_hot(packed[start : start + batch_size]))))
        for start in range(0, len(packed), batch_size)
    ]
    return torch.cat(scores).numpy() if scores else np.empty(0, dtype=np.float32)


class HostSeeds:
    """Seeds in main memory, for training on the CPU: batches are expanded by numpy."""

    device = torch.device("cpu")

    def __init__(self, seeds: Seeds, seed: int, convolution_type: torch.dtype = torch.float32) -> None:
        self.viable = seeds.viable
        self.convolution_type = convolution_type
        self._packed = seeds.packed
        self._weights = class_weights(seeds.viable)
        self._seed = seed

    def __len__(self) -> int:
        return len(self.viable)

    def shuffled(self, epoch: int) -> np.ndarray:
        """All rows in the order of an epoch, int64[n]."""
        return np.random.default_rng([self._seed, epoch]).permutation(len(self))

    def batches(self, epoch: int, batch_size: int, share: Share = ALONE) -> Iterator[Batch]:
        """See `PlacedSeeds`."""
        return map(self.batch, shares_of_batches(self.shuffled(epoch), batch_size, share))

    def batch(self, rows: np.ndarray) -> Batch:
        """Some rows."""
        return Batch(
            torch.from_numpy(expand_one_hot(self._packed[rows])),
            torch.from_numpy(self.viable[rows].astype(np.float32)),
            torch.from_numpy(self._weights[rows]),
        )

    def scores(self, network: nn.Module) -> np.ndarray:
        """See `ScoredSeeds`."""
        return score_packed(network, self._packed)


class Expansion:
    """Packed windows to one-hot windows on a device; the same values as `windows.expand_one_hot`."""

    def __init__(self, device: torch.device) -> None:
        self._one_hot_of_byte = torch.from_numpy(ONE_HOT_OF_BYTE).to(device)

    def __call__(self, packed: torch.Tensor) -> torch.Tensor:
        """uint8[n, 128] to float32[n, 2, 128, 4]."""
        return self._one_hot_of_byte.index_select(0, packed.flatten().int()).reshape(len(packed), 2, WINDOW_SIZE, 4)


class ResidentSeeds:
    """Seeds of both classes in a device's memory, 129 bytes each: shuffled, expanded and weighted there.

    Nothing but the scores of `scores` comes back, so that the device never waits for main memory.
    """

    def __init__(
        self, seeds: Seeds, seed: int, device: torch.device, convolution_type: torch.dtype = torch.float32
    ) -> None:
        self.viable = seeds.viable
        self.device = device
        self.convolution_type = convolution_type
        self._packed = torch.from_numpy(seeds.packed).to(device)
        self._labels = torch.from_numpy(seeds.viable.astype(np.uint8)).to(device)
        weights = weights_of_classes(int(seeds.viable.sum()), int((~seeds.viable).sum()))
        self._weight_of_label = torch.from_numpy(weights).to(device)
        self._expanded = Expansion(device)
        self._seed = seed

    def __len__(self) -> int:
        return len(self.viable)

    def shuffled(self, epoch: int) -> torch.Tensor:
        """All rows in the order of an epoch, int64[n]."""
        random = torch.Generator(device=self.device)
        # One number of both, spread over all bits: neighbouring seeds of a generator can give similar streams.
        random.manual_seed(int(np.random.SeedSequence([self._seed, epoch]).generate_state(1, np.uint64)[0] >> 1))
        return torch.randperm(len(self), generator=random, device=self.device)

    def batches(self, epoch: int, batch_size: int, share: Share = ALONE) -> Iterator[Batch]:
        """See `PlacedSeeds`."""
        return map(self.batch, shares_of_batches(self.shuffled(epoch), batch_size, share))

    def batch(self, rows: torch.Tensor) -> Batch:
        """Some rows."""
        labels = self._labels.index_select(0, rows)
        return Batch(
            self._expanded(self._packed.index_select(0, rows)),
            labels.float(),
            self._weight_of_label.index_select(0, labels.int()),
        )

    @torch.no_grad()
    def scores(self, network: nn.Module) -> np.ndarray:
        """See `ScoredSeeds`."""
        network.eval()
        scores = [torch.sigmoid(network(self._expanded(packed))) for packed in self._packed.split(SCORED_AT_ONCE)]
        return torch.cat(scores).cpu().numpy()
