"""Seeds that are read from Parquet while a network is trained on them, in bounded memory.

Row groups are read in an order that is new in each epoch, some ahead of need and several at a time; as many as fit are
shuffled together. Memory: the shuffle buffer, and the row groups that are being read.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from .data import TRAIN, DividedSeeds, Selection
from .dataset import EXTRACT_AGAIN, Manifest
from .distributed import ALONE, Share
from .errors import TrainingError
from .placement import Batch, Expansion, weights_of_classes


@dataclass(frozen=True)
class RowGroup:
    """Some tens of thousands of rows of one file, which are read together."""

    manifest: Manifest
    data_set: int
    path: Path
    number: int


def row_groups(manifests: tuple[Manifest, ...]) -> list[RowGroup]:
    """All row groups of data sets.

    Raises:
        TrainingError: if a file is damaged.
    """
    groups = []
    for data_set, manifest in enumerate(manifests):
        for part in manifest.parts:
            try:
                number = pq.read_metadata(part.path).num_row_groups
            except (pa.ArrowException, OSError) as error:
                raise _damaged(part.path, error) from error
            groups += [RowGroup(manifest, data_set, part.path, group) for group in range(number)]
    return groups


def train_rows(group: RowGroup, selection: Selection) -> tuple[np.ndarray, np.ndarray]:
    """Packed windows uint8[n, 128] and labels bool[n] of the training part of a row group.

    Raises:
        TrainingError: if the file is damaged.
    """
    try:
        with pq.ParquetFile(group.path) as file:
            table = file.read_row_group(group.number, columns=list(selection.columns), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(group.path, error) from error
    packed, viable = [], []
    for batch in table.combine_chunks().to_batches():
        seeds, part = selection.labelled(batch, group.manifest, group.data_set)
        rows = np.flatnonzero(part == TRAIN)
        packed.append(seeds.packed[rows])
        viable.append(seeds.viable[rows])
    return np.concatenate(packed), np.concatenate(viable)


def _damaged(path: Path, error: Exception) -> TrainingError:
    return TrainingError(f"{path}: damaged or not Parquet: {error}; restore the file or {EXTRACT_AGAIN}")


class StreamedSeeds:
    """The training part of data sets, see `placement.PlacedSeeds`."""

    def __init__(
        self,
        divided: DividedSeeds,
        seed: int,
        device: torch.device,
        convolution_type: torch.dtype = torch.float32,
        buffer_seeds: int = 1_048_576,
        threads: int = 1,
    ) -> None:
        """`threads` read row groups; `buffer_seeds` are shuffled at a time."""
        self.device = device
        self.convolution_type = convolution_type
        counts = divided.counts["train"]
        self._number = counts["viable"] + counts["hopeless"]
        self._groups = row_groups(divided.manifests)
        self._selection = divided.selection
        self._weight_of_label = torch.from_numpy(weights_of_classes(**counts)).to(device)
        self._expanded = Expansion(device)
        self._seed = seed
        self._buffer_seeds = buffer_seeds
        self._threads = threads

    def __len__(self) -> int:
        return self._number

    def batches(self, epoch: int, batch_size: int, share: Share = ALONE) -> Iterator[Batch]:
        """See `placement.PlacedSeeds`.

        Each process reads row groups of its own. One that comes to the end of them before the others begins again, so
        that all make the same number of steps.
        """
        of_process = max(batch_size // share.processes, 1)
        steps = -(-self._number // batch_size)
        for step, (packed, viable) in enumerate(self._packed_batches(epoch, of_process, share)):
            if step == steps:
                return
            yield self._placed(packed, viable)

    def _packed_batches(self, epoch: int, size: int, share: Share) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of packed windows and labels; endless where there are several processes."""
        random = np.random.default_rng([self._seed, epoch, share.rank])
        while True:
            left: tuple[np.ndarray, np.ndarray] | None = None
            for packed, viable in self._buffers(epoch, share, random):
                if left is not None:
                    packed, viable = np.concatenate([left[0], packed]), np.concatenate([left[1], viable])
                order = random.permutation(len(viable))
                whole = len(order) // size * size
                for start in range(0, whole, size):
                    rows = order[start : start + size]
                    yield packed[rows], viable[rows]
                left = packed[order[whole:]], viable[order[whole:]]
            if left is not None and len(left[1]):
                yield left
            if share.processes == 1:
                return

    def _buffers(
        self, epoch: int, share: Share, random: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The process's training rows, about `buffer_seeds` at a time."""
        # The order of all groups is the same in all processes, which take turns.
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._groups))[share.rank :: share.processes]
        if len(order) == 0:
            raise TrainingError(
                f"{share.processes} processes, but only {len(self._groups)} row groups: start fewer processes, or give "
                "more data"
            )
        collected: list[tuple[np.ndarray, np.ndarray]] = []
        for packed, viable in self._read_ahead([self._groups[number] for number in random.permutation(order)]):
            collected.append((packed, viable))
            if sum(len(labels) for _, labels in collected) >= self._buffer_seeds:
                yield _joined(collected)
                collected = []
        if collected:
            yield _joined(collected)

    def _read_ahead(self, groups: list[RowGroup]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Row groups in their order, `threads` being read at any time."""
        with ThreadPoolExecutor(self._threads) as pool:
            waiting: deque[Future] = deque()
            try:
                for group in groups:
                    waiting.append(pool.submit(train_rows, group, self._selection))
                    if len(waiting) > self._threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _placed(self, packed: np.ndarray, viable: np.ndarray) -> Batch:
        """Only packed windows are copied to the device: 128 bytes a seed and not 4,096."""
        on_device = self._moved(torch.from_numpy(packed))
        labels = self._moved(torch.from_numpy(viable.view(np.uint8)))
        return Batch(self._expanded(on_device), labels.float(), self._weight_of_label.index_select(0, labels.int()))

    def _moved(self, values: torch.Tensor) -> torch.Tensor:
        if self.device.type != "cuda":
            return values
        return values.pin_memory().to(self.device, non_blocking=True)


def _joined(pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([packed for packed, _ in pieces]), np.concatenate([viable for _, viable in pieces])
