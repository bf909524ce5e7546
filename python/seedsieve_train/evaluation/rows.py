"""A data set with all that models and baselines look at."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from .. import labels, splits
from ..data import kept_reads
from ..dataset import EXTRACT_AGAIN, Manifest, packed_seeds, record_batches
from ..errors import TrainingError
from ..gate_features import seed_facts, window_features
from ..student.features import (
    FEATURES,
    WINDOW_1,
    WINDOW_2,
    as_version_2,
    best_of_others,
    facts_alone,
    gap_facts,
    mates,
)
from ..student.rows import COLUMNS as STUDENT_COLUMNS
from ..student.rows import GAP_BOUND, NARROW_SCORE, POPULATION, has_column, student_features

COLUMNS_WITHOUT_MASKS = tuple(name for name in STUDENT_COLUMNS if not name.endswith("_matches"))
FACTS = ("length", "ungapped_score", "occurrences", "query_start", "read_length")
RESAMPLED = ("places", "pairs")
"""What is drawn as a whole for intervals: seeds of one place are alike, and those of one read pair all the more."""
POPULATIONS = ("all", "chains")
"""Seeds that are looked at: all, or those of chains that survive the chain filter."""


@dataclass(frozen=True)
class Rows:
    """Seeds, row by row."""

    packed: np.ndarray
    """uint8[n, 128]."""
    features: np.ndarray
    """uint8[n, 288]: what a student of version 1 sees; n is 0 where the data set has no match masks."""
    gap_features: np.ndarray
    """uint8[n, 288]: what version 3 sees, its facts over the population; without narrow scores what version 2 does;
    n is 0 without gap bounds."""
    window_features: np.ndarray
    seed_facts: np.ndarray
    gap_facts: np.ndarray
    """float32[n, 3], `features.GAP_FACTS`; n is 0 without gap bounds."""
    narrow_facts: np.ndarray
    """int64[n, 2], `features.NARROW_FACTS`; n is 0 without narrow scores."""
    length: np.ndarray
    ungapped_score: np.ndarray
    occurrences: np.ndarray
    read_length: np.ndarray
    pair: np.ndarray
    """int64[n]: number of the read pair, 0 and up without gaps."""
    cluster: np.ndarray
    """int64[n]: number of the place (`splits.clusters`), 0 and up without gaps: what is resampled as a whole."""
    viable: dict[str, np.ndarray]
    """bool[n] for each policy."""

    def __len__(self) -> int:
        return len(self.length)

    @property
    def student_facts(self) -> np.ndarray:
        """uint8[n, 23]: what a student sees but for the match masks; n is 0 without gap bounds."""
        return facts_alone(self.gap_features)

    @property
    def facts_of_version_2(self) -> np.ndarray:
        """uint8[n, 21]: the same without narrow scores."""
        return facts_alone(self.gap_features, narrow_scores=False)

    def seen_by(self, window: str | None) -> np.ndarray:
        """What a student sees whose file states this `seedsieve.window`, uint8[n, 288].

        n is 0 where the data set lacks some of it.
        """
        if window == WINDOW_1:
            return self.features
        if window == WINDOW_2:
            return as_version_2(self.gap_features)
        return self.gap_features[: len(self.narrow_facts)]

    def groups(self, resampled: str) -> np.ndarray:
        """int64[n]: numbers of what is resampled as a whole, one of `RESAMPLED`."""
        return self.cluster if resampled == "places" else self.pair

    def take(self, rows: np.ndarray) -> "Rows":
        """Some rows; pairs and places are numbered anew."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "viable"}
        taken = {name: value[rows] if len(value) == len(self) else value for name, value in values.items()}
        for name in ("pair", "cluster"):
            taken[name] = np.unique(taken[name], return_inverse=True)[1].reshape(-1)
        return Rows(**taken, viable={policy: of_policy[rows] for policy, of_policy in self.viable.items()})


def evaluation_rows(
    manifest: Manifest,
    part: str | None,
    max_seeds: int | None = None,
    seed: int = 1,
    block_bases: int = splits.BLOCK_BASES,
    population: str = "all",
    with_narrow: bool = True,
) -> Rows:
    """Read a data set.

    Facts that compare a seed with its read's others are those of all seeds, but for gap facts and what students of
    version 2 see, which are those of the population.

    Args:
        manifest: the data set.
        part: one of `splits.PARTS`, or None for all.
        max_seeds: about how many to keep; reads are kept or dropped whole, both mates together. None keeps all.
        seed: decides which reads are kept.
        block_bases: bases of a block of the division.
        population: one of `POPULATIONS`.
        with_narrow: read narrow scores where the data set has them.

    Raises:
        TrainingError: as `dataset.record_batches`, and if nothing is left.
    """
    with_masks = has_column(manifest, "left_matches")
    wanted = (GAP_BOUND, NARROW_SCORE) if with_narrow else (GAP_BOUND,)
    of_gaps = [name for name in wanted if has_column(manifest, name)]
    columns = [*(STUDENT_COLUMNS if with_masks else COLUMNS_WITHOUT_MASKS), *of_gaps]
    batches = list(record_batches(manifest, columns))
    table = pa.Table.from_batches(batches) if batches else None
    if table is None or len(table) == 0:
        raise TrainingError(f"{manifest.directory}: holds no seeds; {EXTRACT_AGAIN} from reads that map")
    batch = table.combine_chunks().to_batches()[0]
    facts = {name: batch.column(name).to_numpy() for name in FACTS}
    read_hash = batch.column("read_hash").to_numpy()
    pair = np.unique(read_hash, return_inverse=True)[1].reshape(-1)
    mate = batch.column("mate").to_numpy()
    read = mates(pair, mate)[0]
    packed = packed_seeds(batch)
    # One set of rows for all policies, also for those that could tell of more.
    kept = labels.known(batch, labels.POLICIES[0], manifest)
    if population == "chains":
        kept &= batch.column(POPULATION).to_numpy(zero_copy_only=False)
    if part is not None:
        kept &= splits.parts(batch, block_bases) == splits.PARTS.index(part)
    if max_seeds is not None and kept.sum() > max_seeds:
        kept &= kept_reads(read_hash, max_seeds / kept.sum(), seed)
    if not kept.any():
        raise TrainingError(
            f"{manifest.directory}: its {part or 'whole'} part holds no seeds: give --part all, or another data set"
        )
    gap_features, facts_of_gaps, narrow_facts = (
        _gap_columns(manifest, batch, pair, population)
        if of_gaps and with_masks
        else (
            np.zeros((0, FEATURES), dtype=np.uint8),
            np.zeros((0, 3), dtype=np.float32),
            np.zeros((0, 2), dtype=np.int64),
        )
    )
    rows = Rows(
        packed=packed,
        features=student_features(manifest, batch.drop_columns(of_gaps), pair)
        if with_masks
        else np.zeros((0, FEATURES), dtype=np.uint8),
        gap_features=gap_features,
        gap_facts=facts_of_gaps,
        narrow_facts=narrow_facts,
        window_features=window_features(packed, facts["length"]),
        seed_facts=seed_facts(facts, read),
        length=facts["length"].astype(np.int64),
        ungapped_score=facts["ungapped_score"].astype(np.int64),
        occurrences=facts["occurrences"].astype(np.int64),
        read_length=facts["read_length"].astype(np.int64),
        pair=pair,
        cluster=np.unique(splits.clusters(batch), return_inverse=True)[1].reshape(-1),
        viable={policy: labels.viable(batch, policy, manifest.reporting_threshold) for policy in labels.POLICIES},
    )
    return rows.take(np.flatnonzero(kept))


def _gap_columns(
    manifest: Manifest, batch: pa.RecordBatch, pair: np.ndarray, population: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`Rows.gap_features`, `gap_facts` and `narrow_facts`; zeros for rows outside the population."""
    inside = np.ones(len(batch), dtype=bool)
    if population == "chains":
        inside = batch.column(POPULATION).to_numpy(zero_copy_only=False)
    of_population = batch.filter(pa.array(inside))
    read, mate_read = mates(pair[inside], of_population.column("mate").to_numpy())
    bound = of_population.column(GAP_BOUND).to_numpy().astype(np.int64)
    seen = np.zeros((len(batch), FEATURES), dtype=np.uint8)
    seen[inside] = student_features(manifest, of_population, pair[inside])
    facts = np.zeros((len(batch), 3), dtype=np.float32)
    facts[inside] = np.column_stack(gap_facts(bound, read, mate_read))
    if NARROW_SCORE not in batch.schema.names:
        return seen, facts, np.zeros((0, 2), dtype=np.int64)
    score = of_population.column(NARROW_SCORE).to_numpy().astype(np.int64)
    narrow = np.zeros((len(batch), 2), dtype=np.int64)
    narrow[inside] = np.column_stack([score, best_of_others(score, read)])
    return seen, facts, narrow
