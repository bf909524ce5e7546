"""Where the seeds lie while a network is trained on them: in main memory, or packed in the memory of a device.

Both give the same batches in the same order of rows; only the order of an epoch comes from different generators.
"""

from typing import NamedTuple, Protocol

import numpy as np
import torch

from .data import Seeds
from .model import SeedViabilityNetwork, score_packed
from .windows import ONE_HOT_OF_BYTE, WINDOW_SIZE, expand_one_hot

SCORED_AT_ONCE = 32_768
"""Seeds in a forward pass on a device; their activations take about 3 GB."""


def class_weights(viable: np.ndarray) -> np.ndarray:
    """Weights float32[n] that give both classes of bool[n] the same total and average 1."""
    fraction = viable.mean()
    return np.where(viable, 0.5 / fraction, 0.5 / (1 - fraction)).astype(np.float32)


class Batch(NamedTuple):
    """Seeds as the network and the loss take them, on the device that trains."""

    contexts: torch.Tensor
    """float32[n, 2, 128, 4]."""
    labels: torch.Tensor
    """float32[n]: 1 viable, 0 hopeless."""
    weights: torch.Tensor
    """float32[n], from `class_weights`."""


class PlacedSeeds(Protocol):
    """Labelled seeds that give batches to train on and can be scored."""

    viable: np.ndarray
    """bool[n]."""
    device: torch.device
    convolution_type: torch.dtype
    """In which the convolutions compute while training; everything else, and scoring, is float32."""

    def __len__(self) -> int: ...

    def shuffled(self) -> np.ndarray | torch.Tensor:
        """All rows in a new order, int64[n]; the orders depend on the seed alone."""
        ...

    def batch(self, rows: np.ndarray | torch.Tensor) -> Batch:
        """Some of the rows that `shuffled` gave."""
        ...

    def scores(self, network: SeedViabilityNetwork) -> np.ndarray:
        """Viability of all rows in their own order, float32[n] in [0, 1]; puts `network` into evaluation mode."""
        ...


class HostSeeds:
    """Seeds in main memory, for training on the CPU: batches are expanded by numpy."""

    device = torch.device("cpu")
    convolution_type = torch.float32

    def __init__(self, seeds: Seeds, seed: int) -> None:
        self.viable = seeds.viable
        self._packed = seeds.packed
        self._weights = class_weights(seeds.viable)
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.viable)

    def shuffled(self) -> np.ndarray:
        """See `PlacedSeeds`."""
        return self._random.permutation(len(self))

    def batch(self, rows: np.ndarray) -> Batch:
        """See `PlacedSeeds`."""
        return Batch(
            torch.from_numpy(expand_one_hot(self._packed[rows])),
            torch.from_numpy(self.viable[rows].astype(np.float32)),
            torch.from_numpy(self._weights[rows]),
        )

    def scores(self, network: SeedViabilityNetwork) -> np.ndarray:
        """See `PlacedSeeds`."""
        return score_packed(network, self._packed)


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
        first_of_label = [self.viable.argmin(), self.viable.argmax()]
        self._weight_of_label = torch.from_numpy(class_weights(seeds.viable)[first_of_label]).to(device)
        self._one_hot_of_byte = torch.from_numpy(ONE_HOT_OF_BYTE).to(device)
        self._random = torch.Generator(device=device)
        self._random.manual_seed(seed)

    def __len__(self) -> int:
        return len(self.viable)

    def shuffled(self) -> torch.Tensor:
        """See `PlacedSeeds`."""
        return torch.randperm(len(self), generator=self._random, device=self.device)

    def batch(self, rows: torch.Tensor) -> Batch:
        """See `PlacedSeeds`."""
        labels = self._labels.index_select(0, rows)
        return Batch(
            self._expanded(self._packed.index_select(0, rows)),
            labels.float(),
            self._weight_of_label.index_select(0, labels.int()),
        )

    def _expanded(self, packed: torch.Tensor) -> torch.Tensor:
        """uint8[n, 128] to float32[n, 2, 128, 4]; the same values as `windows.expand_one_hot`."""
        return self._one_hot_of_byte.index_select(0, packed.flatten().int()).reshape(len(packed), 2, WINDOW_SIZE, 4)

    @torch.no_grad()
    def scores(self, network: SeedViabilityNetwork) -> np.ndarray:
        """See `PlacedSeeds`."""
        network.eval()
        scores = [torch.sigmoid(network(self._expanded(packed))) for packed in self._packed.split(SCORED_AT_ONCE)]
        return torch.cat(scores).cpu().numpy()
