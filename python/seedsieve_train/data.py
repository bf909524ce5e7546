"""Seeds for training: windows, labels and what the baselines look at, divided by position."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from . import labels, splits
from .dataset import EXTRACT_AGAIN, Manifest, packed_seeds, read_manifest, record_batches
from .errors import TrainingError

COLUMNS = (
    "query_window",
    "reference_window",
    "length",
    "ungapped_score",
    *labels.COLUMNS,
    *splits.COLUMNS,
)
MAIN_SHARE = 0.9
"""Share of a data set's seeds that says at how many places it mostly lies; repeats scatter the rest widely."""


@dataclass(frozen=True)
class Seeds:
    """Labelled seeds, row by row."""

    packed: np.ndarray
    """uint8[n, 128]: packed windows."""
    viable: np.ndarray
    """bool[n]."""
    length: np.ndarray
    """int32[n]: bases of the seed."""
    ungapped_score: np.ndarray
    """int32[n]: best score of an ungapped extension to both ends, the seed included."""
    data_set: np.ndarray
    """int32[n]: number of the data set, 0-based, in the order of the folders."""

    def __len__(self) -> int:
        return len(self.viable)

    def take(self, rows: np.ndarray) -> "Seeds":
        """The rows of an index or mask."""
        return Seeds(*(getattr(self, field.name)[rows] for field in fields(self)))

    def counts(self) -> dict[str, int]:
        """Numbers of viable and hopeless seeds."""
        number_viable = int(self.viable.sum())
        return {"viable": number_viable, "hopeless": len(self) - number_viable}


@dataclass(frozen=True)
class DividedSeeds:
    """The parts of one or more data sets."""

    train: Seeds
    validation: Seeds
    test: Seeds
    left_out: int
    """Seeds in the margins between parts."""
    manifests: tuple[Manifest, ...]
    main_blocks: tuple[int, ...]
    """For each data set the least number of blocks that hold `MAIN_SHARE` of its seeds that have a place."""

    @property
    def label_threshold(self) -> int:
        """T, the same in all data sets."""
        return self.manifests[0].reporting_threshold


def load_seeds(
    directories: Sequence[Path],
    policy: str,
    max_seeds: int | None = None,
    seed: int = 1,
    block_bases: int = splits.BLOCK_BASES,
) -> DividedSeeds:
    """Read data sets, label their seeds and divide them by position.

    Args:
        directories: data set folders.
        policy: label policy, one of `labels.POLICIES`.
        max_seeds: about how many seeds to keep of all; reads are kept or dropped whole, both mates together, evenly
            over the data. None keeps all.
        seed: decides which reads are kept.
        block_bases: bases of a block of the division.

    Raises:
        TrainingError: if a data set cannot be read (see `dataset`), the data sets have different reporting
            thresholds, or a part lacks viable or hopeless seeds.
    """
    manifests = tuple(read_manifest(directory) for directory in directories)
    check_same_threshold(manifests)
    available = sum(manifest.seeds for manifest in manifests)
    kept_fraction = min(1.0, max_seeds / available) if max_seeds is not None and available else 1.0
    pieces = [
        _divided(manifest, number, policy, kept_fraction, seed, block_bases)
        for number, manifest in enumerate(manifests)
    ]
    seeds = _concatenated(piece for piece, _, _ in pieces)
    part = np.concatenate([part for _, part, _ in pieces])
    train, validation, test = (seeds.take(part == number) for number in range(len(splits.PARTS)))
    for name, of_part in zip(splits.PARTS, (train, validation, test), strict=True):
        _check_both_classes(name, of_part, len(seeds), policy)
    main_blocks = tuple(_main_blocks(blocks) for _, _, blocks in pieces)
    return DividedSeeds(train, validation, test, int((part == splits.LEFT_OUT).sum()), manifests, main_blocks)


def _divided(
    manifest: Manifest, number: int, policy: str, kept_fraction: float, seed: int, block_bases: int
) -> tuple[Seeds, np.ndarray, Counter[int]]:
    """Kept seeds of a data set, their parts, and the number of all its seeds in each block."""
    kept_seeds, kept_parts = [], []
    seeds_of_block: Counter[int] = Counter()
    for batch in record_batches(manifest, COLUMNS):
        seeds = Seeds(
            packed_seeds(batch),
            labels.viable(batch, policy, manifest.reporting_threshold),
            batch.column("length").to_numpy().astype(np.int32),
            batch.column("ungapped_score").to_numpy(),
            np.full(batch.num_rows, number, dtype=np.int32),
        )
        blocks, counts = np.unique(splits.blocks(batch, block_bases), return_counts=True)
        seeds_of_block.update(dict(zip(blocks.tolist(), counts.tolist(), strict=True)))
        kept = slice(None)
        if kept_fraction < 1.0:
            kept = np.flatnonzero(kept_reads(batch.column("read_hash").to_numpy(), kept_fraction, seed))
        kept_seeds.append(seeds.take(kept))
        kept_parts.append(splits.parts(batch, block_bases)[kept])
    if not kept_seeds:
        raise TrainingError(f"{manifest.directory}: holds no seeds; {EXTRACT_AGAIN} from reads that map")
    return _concatenated(kept_seeds), np.concatenate(kept_parts), seeds_of_block


def kept_reads(read_hash: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Which rows to keep, bool[n], of about that fraction of the reads; both mates of a pair together.

    Args:
        read_hash: uint64[n].
        fraction: 0 to 1; 1 keeps all.
        seed: another one keeps other reads.
    """
    if fraction >= 1:
        return np.ones(len(read_hash), dtype=bool)
    # Mixed twice, so that the choice has nothing to do with the division by the hash of the name.
    choice = splits.mix(splits.mix(read_hash) ^ splits.mix(np.array([seed], dtype=np.uint64)))
    return choice < np.uint64(fraction * (2**64 - 1))


def _main_blocks(seeds_of_block: Counter[int]) -> int:
    """The least number of blocks that hold `MAIN_SHARE` of the seeds counted."""
    held = np.cumsum(sorted(seeds_of_block.values(), reverse=True))
    return int(np.searchsorted(held, MAIN_SHARE * held[-1])) + 1 if len(held) else 0


def _concatenated(pieces: Iterable[Seeds]) -> Seeds:
    pieces = list(pieces)
    return Seeds(*(np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(Seeds)))


def check_same_threshold(manifests: Sequence[Manifest]) -> None:
    """Refuse data sets whose labels mean different things.

    Raises:
        TrainingError: if the reporting thresholds differ.
    """
    first = manifests[0]
    for other in manifests[1:]:
        if other.reporting_threshold != first.reporting_threshold:
            raise TrainingError(
                f"{other.directory}: reporting threshold {other.reporting_threshold}, but {first.directory} has "
                f"{first.reporting_threshold}; labels of the two differ: extract both with the same -T"
            )


def _check_both_classes(name: str, seeds: Seeds, of_all: int, policy: str) -> None:
    for label, number in seeds.counts().items():
        if number == 0:
            raise TrainingError(
                f"the {name} part holds no {label} seed (of {of_all} seeds in all, label policy {policy}); give more "
                "data or more seeds (--max-seeds), or smaller blocks (--block-bases) when the reads cover few places"
            )
