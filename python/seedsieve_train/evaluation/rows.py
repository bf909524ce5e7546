"""A data set with all that models and baselines look at."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from .. import labels, splits
from ..data import kept_reads
from ..dataset import EXTRACT_AGAIN, Manifest, packed_seeds, record_batches
from ..errors import TrainingError
from ..gate_features import seed_facts, window_features
from ..student.rows import COLUMNS as STUDENT_COLUMNS
from ..student.rows import has_masks, student_features

COLUMNS_WITHOUT_MASKS = tuple(name for name in STUDENT_COLUMNS if not name.endswith("_matches"))
FACTS = ("length", "ungapped_score", "occurrences", "query_start", "read_length")


@dataclass(frozen=True)
class Rows:
    """Seeds, row by row."""

    packed: np.ndarray
    """uint8[n, 128]."""
    features: np.ndarray
    """uint8[n, 288]: what the student sees; n is 0 where the data set has no match masks."""
    window_features: np.ndarray
    seed_facts: np.ndarray
    length: np.ndarray
    ungapped_score: np.ndarray
    occurrences: np.ndarray
    read_length: np.ndarray
    pair: np.ndarray
    """int64[n]: number of the read pair, 0 and up without gaps."""
    viable: dict[str, np.ndarray]
    """bool[n] for each policy."""

    def __len__(self) -> int:
        return len(self.length)

    def take(self, rows: np.ndarray) -> "Rows":
        """Some rows; pairs are numbered anew."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "viable"}
        taken = {name: value[rows] if len(value) == len(self) else value for name, value in values.items()}
        taken["pair"] = np.unique(taken["pair"], return_inverse=True)[1].reshape(-1)
        return Rows(**taken, viable={policy: of_policy[rows] for policy, of_policy in self.viable.items()})


def evaluation_rows(
    manifest: Manifest,
    part: str | None,
    max_seeds: int | None = None,
    seed: int = 1,
    block_bases: int = splits.BLOCK_BASES,
) -> Rows:
    """Read a data set; facts that compare a seed with its read's others are those of all seeds.

    Args:
        manifest: the data set.
        part: one of `splits.PARTS`, or None for all.
        max_seeds: about how many to keep; reads are kept or dropped whole, both mates together. None keeps all.
        seed: decides which reads are kept.
        block_bases: bases of a block of the division.

    Raises:
        TrainingError: as `dataset.record_batches`, and if nothing is left.
    """
    with_masks = has_masks(manifest)
    batches = list(record_batches(manifest, STUDENT_COLUMNS if with_masks else COLUMNS_WITHOUT_MASKS))
    table = pa.Table.from_batches(batches) if batches else None
    if table is None or len(table) == 0:
        raise TrainingError(f"{manifest.directory}: holds no seeds; {EXTRACT_AGAIN} from reads that map")
    batch = table.combine_chunks().to_batches()[0]
    facts = {name: batch.column(name).to_numpy() for name in FACTS}
    read_hash = batch.column("read_hash").to_numpy()
    pair = np.unique(read_hash, return_inverse=True)[1].reshape(-1)
    read = np.unique(pair * 3 + batch.column("mate").to_numpy(), return_inverse=True)[1].reshape(-1)
    packed = packed_seeds(batch)
    rows = Rows(
        packed=packed,
        features=student_features(manifest, batch, read) if with_masks else np.zeros((0, 288), dtype=np.uint8),
        window_features=window_features(packed, facts["length"]),
        seed_facts=seed_facts(facts, read),
        length=facts["length"].astype(np.int64),
        ungapped_score=facts["ungapped_score"].astype(np.int64),
        occurrences=facts["occurrences"].astype(np.int64),
        read_length=facts["read_length"].astype(np.int64),
        pair=pair,
        viable={policy: labels.viable(batch, policy, manifest.reporting_threshold) for policy in labels.POLICIES},
    )
    kept = np.ones(len(rows), dtype=bool)
    if part is not None:
        kept &= splits.parts(batch, block_bases) == splits.PARTS.index(part)
    if max_seeds is not None and kept.sum() > max_seeds:
        kept &= kept_reads(read_hash, max_seeds / kept.sum(), seed)
    if not kept.any():
        raise TrainingError(
            f"{manifest.directory}: its {part or 'whole'} part holds no seeds: give --part all, or another data set"
        )
    return rows.take(np.flatnonzero(kept))
