"""Seeds for training: windows, labels and what the baselines look at, divided by position."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from . import labels, splits
from .dataset import EXTRACT_AGAIN, Manifest, packed_seeds, read_manifest, record_batches, sample_names
from .errors import TrainingError
from .seeds import Seeds
from .settings import DataSettings

COLUMNS = tuple(
    dict.fromkeys(("query_window", "reference_window", "length", "ungapped_score", *labels.COLUMNS, *splits.COLUMNS))
)
MAIN_SHARE = 0.9
"""Share of a data set's seeds that says at how many places it mostly lies; repeats scatter the rest widely."""
TRAIN = splits.PARTS.index("train")


@dataclass(frozen=True)
class Selection:
    """Which rows of data sets are used, and what they are called."""

    policy: str
    """Label policy, one of `labels.POLICIES`."""
    kept_fraction: float = 1.0
    """Part of the reads; mates are kept or dropped together."""
    seed: int = 1
    """Decides which reads are kept."""
    block_bases: int = splits.BLOCK_BASES
    held_out: tuple[str, ...] = ()
    """Samples of the test part, see `splits.without_held_out`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are looked at."""
        return (*COLUMNS, "sample") if self.held_out else COLUMNS

    def labelled(self, batch: pa.RecordBatch, manifest: Manifest, number: int) -> tuple[Seeds, np.ndarray]:
        """Kept rows of a batch that has `columns`, and the part of each, as `splits.parts` gives it.

        Rows whose label is not known are not kept.
        """
        seeds = Seeds(
            packed_seeds(batch),
            labels.viable(batch, self.policy, manifest.reporting_threshold),
            batch.column("length").to_numpy().astype(np.int32),
            batch.column("ungapped_score").to_numpy(),
            np.full(batch.num_rows, number, dtype=np.int32),
            splits.clusters(batch),
        )
        known = labels.known(batch, self.policy, manifest)
        if self.kept_fraction < 1.0:
            known &= kept_reads(batch.column("read_hash").to_numpy(), self.kept_fraction, self.seed)
        kept: slice | np.ndarray = slice(None) if known.all() else np.flatnonzero(known)
        part = splits.parts(batch, self.block_bases)
        if self.held_out:
            part = splits.without_held_out(part, batch.column("sample"), self.held_out)
        return seeds.take(kept), part[kept]


@dataclass(frozen=True)
class DividedSeeds:
    """The parts of one or more data sets."""

    train: Seeds | None
    """None where it is streamed."""
    validation: Seeds
    test: Seeds
    counts: dict[str, dict[str, int]]
    """Viable and hopeless seeds of each part, all of them also where a part holds only some."""
    calibration: np.ndarray
    """uint8[n, 128]: packed windows of some of the training part, of reads all over it."""
    left_out: int
    """Seeds in the margins between parts."""
    manifests: tuple[Manifest, ...]
    main_blocks: tuple[int, ...]
    """For each data set the least number of blocks that hold `MAIN_SHARE` of its seeds that have a place."""
    selection: Selection

    @property
    def label_threshold(self) -> int:
        """T, the same in all data sets."""
        return self.manifests[0].reporting_threshold

    @property
    def used(self) -> int:
        """Seeds of all parts and margins."""
        return sum(sum(of_part.values()) for of_part in self.counts.values()) + self.left_out


def load_seeds(
    directories: Sequence[Path],
    settings: DataSettings | None = None,
    seed: int = 1,
    calibration_seeds: int = 4_096,
) -> DividedSeeds:
    """Read data sets, label their seeds and divide them by position.

    Args:
        directories: data set folders.
        settings: which seeds, under which policy; whether the training part is kept in memory.
        seed: decides which reads are kept where not all are.
        calibration_seeds: about how many of the training part to keep for `DividedSeeds.calibration`.

    Raises:
        TrainingError: if a data set cannot be read (see `dataset`), the data sets have different reporting
            thresholds, a held-out sample is not there, or a part lacks viable or hopeless seeds.
    """
    settings = settings or DataSettings()
    manifests = tuple(read_manifest(directory) for directory in directories)
    check_same_threshold(manifests)
    available = sum(manifest.seeds for manifest in manifests)
    kept_fraction = min(1.0, settings.max_seeds / available) if settings.max_seeds and available else 1.0
    selection = Selection(settings.policy, kept_fraction, seed, settings.block_bases, settings.held_out)
    if selection.held_out:
        splits.check_held_out(selection.held_out, {name for manifest in manifests for name in sample_names(manifest)})
    number_of_seeds = kept_fraction * available
    streamed = settings.placement == "stream" or (
        settings.placement == "auto" and number_of_seeds > settings.memory_seeds
    )
    collector = _Collector(
        keeps_train=not streamed,
        calibration_share=min(1.0, calibration_seeds / max(0.8 * number_of_seeds, 1)),
        evaluation_share=min(1.0, settings.evaluation_seeds / max(0.1 * number_of_seeds, 1)),
        seed=seed,
    )
    main_blocks = []
    for number, manifest in enumerate(manifests):
        seeds_of_block: Counter[int] = Counter()
        for batch in record_batches(manifest, selection.columns):
            blocks, counts = np.unique(splits.blocks(batch, settings.block_bases), return_counts=True)
            seeds_of_block.update(dict(zip(blocks.tolist(), counts.tolist(), strict=True)))
            collector.add(*selection.labelled(batch, manifest, number))
        if manifest.seeds == 0:
            raise TrainingError(f"{manifest.directory}: holds no seeds; {EXTRACT_AGAIN} from reads that map")
        main_blocks.append(_main_blocks(seeds_of_block))
    for name, counts_of_part in collector.counts.items():
        _check_both_classes(name, counts_of_part, int(number_of_seeds), settings.policy)
    train, validation, test = (collector.part(name) for name in splits.PARTS)
    return DividedSeeds(
        train=None if streamed else train,
        validation=validation,
        test=test,
        counts=collector.counts,
        calibration=np.concatenate(collector.calibration)[:calibration_seeds],
        left_out=collector.left_out,
        manifests=manifests,
        main_blocks=tuple(main_blocks),
        selection=selection,
    )


class _Collector:
    """Counts all seeds of the parts and keeps those that are asked for."""

    def __init__(self, keeps_train: bool, calibration_share: float, evaluation_share: float, seed: int) -> None:
        self.counts = {name: {"viable": 0, "hopeless": 0} for name in splits.PARTS}
        self.left_out = 0
        self.calibration: list[np.ndarray] = []
        self._kept: dict[str, list[Seeds]] = {name: [] for name in splits.PARTS}
        self._share = {"train": float(keeps_train), "validation": evaluation_share, "test": evaluation_share}
        self._calibration_share = calibration_share
        self._random = np.random.default_rng(seed)

    def add(self, seeds: Seeds, part: np.ndarray) -> None:
        self.left_out += int((part == splits.LEFT_OUT).sum())
        for number, name in enumerate(splits.PARTS):
            of_part = seeds.take(part == number)
            for label, count in of_part.counts().items():
                self.counts[name][label] += count
            if name == "train":
                chosen = self._random.random(len(of_part)) < self._calibration_share
                self.calibration.append(of_part.packed[chosen])
            if self._share[name] < 1 and self._share[name] > 0:
                of_part = of_part.take(self._random.random(len(of_part)) < self._share[name])
            if self._share[name] > 0:
                self._kept[name].append(of_part)

    def part(self, name: str) -> Seeds | None:
        return Seeds.concatenated(self._kept[name]) if self._kept[name] else None


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


def _check_both_classes(name: str, counts: dict[str, int], of_all: int, policy: str) -> None:
    for label, number in counts.items():
        if number == 0:
            raise TrainingError(
                f"the {name} part holds no {label} seed (of {of_all} seeds in all, label policy {policy}); give more "
                "data or more seeds (--max-seeds), or smaller blocks (--block-bases) when the reads cover few places"
            )
