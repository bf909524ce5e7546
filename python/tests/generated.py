"""Small data sets of the schema with a planted rule, written as `extract-seeds` writes real ones."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedsieve_train.schema import SCHEMA
from seedsieve_train.windows import encode_window

REPORTING_THRESHOLD = 30


def random_columns(rows: int, seed: int) -> dict[str, list]:
    """Columns of `rows` seeds, three a read. Planted: viable seeds lie in AT-rich, hopeless in GC-rich reference.

    Seed length and ungapped score say nothing about viability.
    """
    random = np.random.default_rng(seed)
    viable = random.random(rows) < 0.6
    read = np.arange(rows) // 3
    locus = random.integers(0, 4_000_000, read[-1] + 1)
    query_windows, reference_windows = [], []
    for row in range(rows):
        strong = 0.35 if viable[row] else 0.65
        probabilities = [(1 - strong) / 2, strong / 2, strong / 2, (1 - strong) / 2]
        reference = random.choice(4, 150, p=probabilities).astype(np.uint8)
        query = random.integers(0, 4, 150, dtype=np.uint8)
        start, length = 40, 25
        query[start : start + length] = reference[start : start + length]
        query_windows.append(encode_window(query, start, length).tobytes())
        reference_windows.append(encode_window(reference, start, length).tobytes())
    return {
        "sample": ["generated"] * rows,
        "read_hash": [int.from_bytes(hashlib.sha256(f"read{n}".encode()).digest()[:8], "big") for n in read],
        "mate": [0] * rows,
        "read_length": [150] * rows,
        "query_start": [40] * rows,
        "length": random.integers(19, 60, rows).tolist(),
        "contig": ["chrA"] * rows,
        "position": locus[read].tolist(),
        "reverse": [False] * rows,
        "occurrences": [1] * rows,
        "chain": [0] * rows,
        "chain_weight": [25] * rows,
        "chain_kept": [True] * rows,
        "extended": [True] * rows,
        "ungapped_score": random.integers(19, 150, rows).tolist(),
        "own_score": np.where(viable, random.integers(30, 150, rows), random.integers(19, 30, rows)).tolist(),
        "own_query_start": [0] * rows,
        "own_query_end": [150] * rows,
        "region_score": [None] * rows,
        "region_distance": [None] * rows,
        "role": ["none"] * rows,
        "read_best": [100] * rows,
        "read_second": [0] * rows,
        "locus_contig": ["chrA"] * rows,
        "locus_position": locus[read].tolist(),
        "source_mapped": [None] * rows,
        "source_mapq": [None] * rows,
        "source_on_path": [None] * rows,
        "query_window": query_windows,
        "reference_window": reference_windows,
    }


def write_dataset(directory: Path, columns: dict[str, list], part_files: int = 2, **changes: object) -> Path:
    """Write a data set folder; `changes` replaces keys of dataset.json."""
    (directory / "data").mkdir(parents=True)
    # Version 1: the columns that came later are not there.
    table = pa.table(columns, schema=pa.schema([field for field in SCHEMA if field.name in columns]))
    listed = []
    for number in range(part_files):
        start, end = number * len(table) // part_files, (number + 1) * len(table) // part_files
        path = directory / "data" / f"part-{number:05}.parquet"
        pq.write_table(table.slice(start, end - start), path, compression="zstd", row_group_size=500)
        listed.append(
            {
                "file": f"data/{path.name}",
                "rows": end - start,
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )
    manifest = {
        "schema_version": 1,
        "producer": {"name": "generated", "version": "0"},
        "window": {"size": 128, "upstream": 32, "downstream": 32},
        "reporting_threshold": REPORTING_THRESHOLD,
        "settings": {},
        "inputs": [{"kind": "reads", "name": "generated.bam", "size": 1, "sha256": "00"}],
        "counts": {"reads": len(table) // 3, "seeds": len(table)},
        "parts": listed,
    }
    (directory / "dataset.json").write_text(json.dumps(manifest | changes))
    return directory


def with_masks(columns):
    """Planted: viable seeds have matches beside them."""
    random = np.random.default_rng(5)
    rows = len(columns["own_score"])
    share = np.where(np.array(columns["own_score"]) >= 30, 0.7, 0.3)
    masks = np.packbits(random.random((rows, 256)) < share[:, None], axis=1)
    bound = [max(length, score) for length, score in zip(columns["length"], columns["ungapped_score"], strict=True)]
    return columns | {
        "gap_bound": bound,
        "narrow_score": bound,
        "left_matches": [mask.tobytes() for mask in masks],
        "right_matches": [bytes(32)] * rows,
    }
