"""Data set folders that `seedsieve extract-seeds` writes: dataset.json and Parquet parts, schema versions 1 to 5."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import TrainingError
from .own_extensions import ALL, OwnExtensions
from .schema import SCHEMA, SCHEMA_VERSION, violations
from .windows import DOWNSTREAM, PACKED_WINDOW_BYTES, UPSTREAM, WINDOW_SIZE

MANIFEST_NAME = "dataset.json"
EXTRACT_AGAIN = "extract the data set again with `seedsieve extract-seeds`"


@dataclass(frozen=True)
class Part:
    """One Parquet file of a data set."""

    path: Path
    rows: int
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Input:
    """A file that seeds came from."""

    kind: str
    """reads or reference."""
    name: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Manifest:
    """What dataset.json says, as far as training needs it."""

    directory: Path
    sha256: str
    """Of dataset.json itself."""
    reporting_threshold: int
    """T, the alignment score from which the aligner reports."""
    min_seed_length: int | None
    """Least bases of a seed (-k); None where the program that wrote the data set does not say."""
    reads: int | None
    """Reads that the seeds came from, those without a seed included; None where nothing is said."""
    inputs: tuple["Input", ...]
    """The files that the seeds came from."""
    parts: tuple[Part, ...]
    """In the order of the reads."""
    own_extensions: OwnExtensions = ALL
    """Of which seeds the own extension is known for certain, and so the label."""

    @property
    def seeds(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)


def read_manifest(directory: Path) -> Manifest:
    """Read and check DIR/dataset.json.

    Raises:
        TrainingError: if the file is missing (the data set is unfinished), malformed, of a newer schema, made with
            another window, or lists a part that is missing or has another size.
    """
    path = directory / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TrainingError(
            f"{directory}: no {MANIFEST_NAME}: not a data set, or one whose extraction did not finish; {EXTRACT_AGAIN}"
        ) from None
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        fields = json.loads(content)
        version = fields["schema_version"]
        _check_version(path, version, fields)
        _check_window(path, fields["window"])
        manifest = Manifest(
            directory=directory,
            sha256=hashlib.sha256(content).hexdigest(),
            reporting_threshold=int(fields["reporting_threshold"]),
            min_seed_length=_number_or_none(fields.get("settings", {}).get("min_seed_length")),
            reads=_number_or_none(fields.get("counts", {}).get("reads")),
            inputs=tuple(Input(file["kind"], file["name"], int(file["size"])) for file in fields["inputs"]),
            parts=tuple(
                Part(directory / part["file"], int(part["rows"]), int(part["size"])) for part in fields["parts"]
            ),
            own_extensions=OwnExtensions.stated_in(fields.get("settings", {})),
        )
    except json.JSONDecodeError as error:
        raise TrainingError(
            f"{path}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}; {EXTRACT_AGAIN}"
        ) from error
    except KeyError as error:
        raise TrainingError(f"{path}: the key {error} is missing; {EXTRACT_AGAIN}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: not what a data set's manifest holds: {error}; {EXTRACT_AGAIN}") from error
    for part in manifest.parts:
        _check_size(part)
    return manifest


def _number_or_none(value: object) -> int | None:
    return None if value is None else int(value)


def _check_version(path: Path, version: object, fields: dict[str, Any]) -> None:
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        producer = fields.get("producer", {})
        raise TrainingError(
            f"{path}: schema version {version!r}, written by {producer.get('name', 'an unknown program')} "
            f"{producer.get('version', '')}; this package reads versions 1 to {SCHEMA_VERSION}; use the training "
            "package of that program's version"
        )


def _check_window(path: Path, window: dict[str, int]) -> None:
    found = (window["size"], window["upstream"], window["downstream"])
    if found != (WINDOW_SIZE, UPSTREAM, DOWNSTREAM):
        raise TrainingError(
            f"{path}: windows of {'/'.join(map(str, found))} (size/upstream/downstream); this package trains on "
            f"{WINDOW_SIZE}/{UPSTREAM}/{DOWNSTREAM}; {EXTRACT_AGAIN}"
        )


def _check_size(part: Part) -> None:
    try:
        size = part.path.stat().st_size
    except FileNotFoundError:
        raise TrainingError(
            f"{part.path}: missing, but {MANIFEST_NAME} lists it with {part.rows} rows; restore it or {EXTRACT_AGAIN}"
        ) from None
    if size != part.size:
        raise TrainingError(
            f"{part.path}: {size} bytes, but {MANIFEST_NAME} says {part.size}: the file is truncated or was replaced; "
            f"restore it or {EXTRACT_AGAIN}"
        )


def record_batches(manifest: Manifest, columns: Sequence[str], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Stream the rows of a data set in the order of the reads.

    Args:
        manifest: from `read_manifest`.
        columns: names of the columns to read.
        rows: most rows in one batch.

    Raises:
        TrainingError: if a part is not Parquet, is damaged, contradicts the schema or has another number of rows
            than dataset.json says.
    """
    for part in manifest.parts:
        seen = 0
        try:
            with pq.ParquetFile(part.path) as file:
                problems = violations(file.schema_arrow, list(columns))
                if problems:
                    raise TrainingError(
                        f"{part.path}: {'; '.join(problems)} (schema version {SCHEMA_VERSION}); {EXTRACT_AGAIN}"
                    )
                for batch in file.iter_batches(batch_size=rows, columns=list(columns)):
                    _check_nulls(part.path, batch, seen)
                    seen += batch.num_rows
                    yield batch
        except (pa.ArrowException, OSError) as error:
            raise TrainingError(
                f"{part.path}: damaged or not Parquet, after row {seen} of {part.rows}: {error}; restore the file or "
                f"{EXTRACT_AGAIN}"
            ) from error
        if seen != part.rows:
            raise TrainingError(f"{part.path}: {seen} rows, but {MANIFEST_NAME} says {part.rows}; {EXTRACT_AGAIN}")


def _check_nulls(path: Path, batch: pa.RecordBatch, rows_before: int) -> None:
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if column.null_count and not SCHEMA.field(field.name).nullable:
            row = rows_before + column.is_null().index(True).as_py()
            raise TrainingError(f"{path}: null in the column {field.name}, row {row} (0-based); {EXTRACT_AGAIN}")


def packed_seeds(batch: pa.RecordBatch) -> np.ndarray:
    """The packed windows of a batch that has the columns query_window and reference_window: uint8[rows, 128]."""
    return np.concatenate([_bytes_of(batch, name) for name in ("query_window", "reference_window")], axis=1)


def _bytes_of(batch: pa.RecordBatch, name: str) -> np.ndarray:
    column = batch.column(name)
    values = np.frombuffer(column.buffers()[1], dtype=np.uint8).reshape(-1, PACKED_WINDOW_BYTES)
    return values[column.offset : column.offset + len(column)]


def first_seeds(directory: Path, seeds: int) -> np.ndarray:
    """Packed windows of the first `seeds` rows, in the order of the rows: uint8[min(seeds, rows), 128].

    Raises:
        TrainingError: as `read_manifest` and `record_batches`; and if the data set is empty.
    """
    collected: list[np.ndarray] = []
    for batch in record_batches(read_manifest(directory), ["query_window", "reference_window"]):
        collected.append(packed_seeds(batch)[: seeds - sum(map(len, collected))])
        if sum(map(len, collected)) >= seeds:
            break
    packed = np.concatenate(collected) if collected else np.empty((0, 2 * PACKED_WINDOW_BYTES), dtype=np.uint8)
    if len(packed) == 0:
        raise TrainingError(f"{directory}: holds no seeds; {EXTRACT_AGAIN} from reads that map")
    return packed


def sample_names(manifest: Manifest) -> list[str]:
    """The names in the column `sample`, sorted. Errors as in `record_batches`."""
    names: set[str] = set()
    for batch in record_batches(manifest, ["sample"]):
        names.update(batch.column("sample").unique().to_pylist())
    return sorted(names)
