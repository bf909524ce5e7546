"""A data set as the student sees it: whole reads, with the facts that compare a seed with its read's others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .. import labels, splits
from ..dataset import EXTRACT_AGAIN, Manifest, packed_seeds, record_batches
from ..errors import TrainingError
from ..schema import MATCH_MASK_BYTES
from ..windows import DOWNSTREAM, MAX_SEED_IN_WINDOW, UPSTREAM
from .features import SeedColumns, features, mates

NUMBERS = ("length", "query_start", "read_length", "occurrences", "ungapped_score", "position", "read_hash", "mate")
POPULATION = "chain_kept"
"""Column that says which seeds a student decides on, and its facts are taken over."""
GAP_BOUND = "gap_bound"
"""Column since schema version 4."""
NARROW_SCORE = "narrow_score"
"""Column since schema version 5."""
COLUMNS = tuple(
    dict.fromkeys(
        (
            *NUMBERS,
            *("reverse", "contig", "left_matches", "right_matches", "query_window", "reference_window", POPULATION),
            *labels.COLUMNS,
            *splits.COLUMNS,
        )
    )
)
ROOM_UNKNOWN = np.iinfo(np.int64).max


@dataclass(frozen=True)
class StudentRows:
    """Seeds, row by row."""

    features: np.ndarray
    """uint8[n, 288]."""
    viable: dict[str, np.ndarray]
    """bool[n] for each policy."""
    part: np.ndarray
    """int8[n], as `splits.parts` gives it."""
    pair: np.ndarray
    """int64[n]: number of the read pair."""
    place: np.ndarray
    """uint64[n]: seeds with the same number are not independent, see `splits.clusters`."""
    length: np.ndarray
    ungapped_score: np.ndarray
    gap_bound: np.ndarray
    narrow_score: np.ndarray
    data_set: np.ndarray
    """int32[n]: number of the data set, 0 and up in the order that they were read in."""

    def __len__(self) -> int:
        return len(self.part)

    def take(self, rows: np.ndarray) -> "StudentRows":
        """Some rows."""
        arrays = {name: value[rows] for name, value in vars(self).items() if name != "viable"}
        return StudentRows(**arrays, viable={policy: values[rows] for policy, values in self.viable.items()})

    @staticmethod
    def concatenated(pieces: Sequence["StudentRows"]) -> "StudentRows":
        """All rows of the pieces; numbers of pairs are of the piece alone."""
        arrays = {
            name: np.concatenate([getattr(piece, name) for piece in pieces])
            for name in vars(pieces[0])
            if name != "viable"
        }
        viable = {policy: np.concatenate([piece.viable[policy] for piece in pieces]) for policy in pieces[0].viable}
        return StudentRows(**arrays, viable=viable)


def student_rows(
    manifest: Manifest, block_bases: int = splits.BLOCK_BASES, number: int = 0, held_out: Sequence[str] = ()
) -> StudentRows:
    """Read the seeds of surviving chains of a data set of schema version 5 or later, which gets this number.

    `held_out` are samples of the test part, see `splits.without_held_out`.

    Raises:
        TrainingError: as `dataset.record_batches`, and if the data set has no narrow scores, or no such seeds.
    """
    if not has_column(manifest, NARROW_SCORE):
        raise TrainingError(
            f"{manifest.directory}: no column {NARROW_SCORE}: the student needs a data set of schema version 5 or "
            f"later; {EXTRACT_AGAIN} of this version"
        )
    columns = (*COLUMNS, GAP_BOUND, NARROW_SCORE, *(["sample"] if held_out else []))
    batches = [batch.filter(batch.column(POPULATION)) for batch in record_batches(manifest, columns)]
    if not sum(map(len, batches)):
        raise TrainingError(f"{manifest.directory}: holds no seeds of chains; {EXTRACT_AGAIN} from reads that map")
    batch = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    pair = np.unique(batch.column("read_hash").to_numpy(), return_inverse=True)[1].reshape(-1)
    known = labels.known(batch, labels.POLICIES[0], manifest)
    part = splits.parts(batch, block_bases)
    if held_out:
        part = splits.without_held_out(part, batch.column("sample"), held_out)
    rows = StudentRows(
        features=student_features(manifest, batch, pair),
        viable={policy: labels.viable(batch, policy, manifest.reporting_threshold) for policy in labels.POLICIES},
        part=part,
        pair=pair,
        place=splits.clusters(batch),
        length=batch.column("length").to_numpy().astype(np.int64),
        ungapped_score=batch.column("ungapped_score").to_numpy().astype(np.int64),
        gap_bound=batch.column(GAP_BOUND).to_numpy().astype(np.int64),
        narrow_score=batch.column(NARROW_SCORE).to_numpy().astype(np.int64),
        data_set=np.full(len(batch), number, dtype=np.int32),
    )
    # Facts are over all seeds of a read.
    return rows if known.all() else rows.take(np.flatnonzero(known))


def has_column(manifest: Manifest, name: str) -> bool:
    """Whether the files of a data set have a column that came with a later schema version."""
    return all(name in pq.read_schema(part.path).names for part in manifest.parts)


def student_features(manifest: Manifest, batch: pa.RecordBatch, pair: np.ndarray) -> np.ndarray:
    """The student's input uint8[rows, 288], of version 2 where the batch has gap bounds, of 3 with narrow scores, too.

    Args:
        manifest: names the data set in errors.
        batch: rows with `COLUMNS`: all seeds that facts are taken over.
        pair: number of the read pair of each row.

    Raises:
        TrainingError: if the data set has no match masks or, in some rows, no gap bounds or narrow scores.
    """
    read, mate_read = mates(pair, batch.column("mate").to_numpy())
    gap_bound, narrow_score = (
        _filled(manifest, batch, name, version).to_numpy() if name in batch.schema.names else None
        for name, version in ((GAP_BOUND, 4), (NARROW_SCORE, 5))
    )
    length = batch.column("length").to_numpy()
    windows = packed_seeds(batch)
    before, after = contig_room(windows[:, windows.shape[1] // 2 :], length)
    numbers = {
        name: batch.column(name).to_numpy()
        for name in ("query_start", "read_length", "occurrences", "ungapped_score", "position")
    }
    return features(
        SeedColumns(
            left_matches=_masks(manifest, batch, "left_matches"),
            right_matches=_masks(manifest, batch, "right_matches"),
            length=length,
            reverse=batch.column("reverse").to_numpy(zero_copy_only=False),
            contig=pc.dictionary_encode(batch.column("contig")).indices.to_numpy(),
            read=read,
            room_before=before,
            room_after=after,
            gap_bound=gap_bound,
            mate_read=mate_read,
            narrow_score=narrow_score,
            **numbers,
        )
    )


def contig_room(reference_window: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bases of the contig before and after each seed where fewer than 32 are left, else `ROOM_UNKNOWN`.

    Read off the window, which is empty beyond the contig. N is empty, too; a base beyond it shows that more follows.
    """
    nibbles = np.stack([reference_window >> 4, reference_window & 15], axis=2).reshape(len(reference_window), -1)
    before = nibbles[:, :UPSTREAM][:, ::-1] != 0
    shown = np.minimum(length.astype(np.int64), MAX_SEED_IN_WINDOW)
    places = UPSTREAM + shown[:, None] + np.arange(DOWNSTREAM)[None, :]
    after = np.take_along_axis(nibbles, places, axis=1) != 0
    return _room(before), _room(after)


def _room(filled: np.ndarray) -> np.ndarray:
    """Place behind the last filled one; unknown where that is the last of all."""
    last = filled.shape[1] - np.argmax(filled[:, ::-1], axis=1)
    last = np.where(filled.any(axis=1), last, 0)
    return np.where(last == filled.shape[1], ROOM_UNKNOWN, last)


def _masks(manifest: Manifest, batch: pa.RecordBatch, name: str) -> np.ndarray:
    column = _filled(manifest, batch, name, 3)
    values = np.frombuffer(column.buffers()[1], dtype=np.uint8).reshape(-1, MATCH_MASK_BYTES)
    return values[column.offset : column.offset + len(column)]


def _filled(manifest: Manifest, batch: pa.RecordBatch, name: str, version: int) -> pa.Array:
    column = batch.column(name)
    if column.null_count:
        raise TrainingError(
            f"{manifest.directory}: null in the column {name}: the student needs a data set of schema version "
            f"{version} or later; {EXTRACT_AGAIN} of this version"
        )
    return column
