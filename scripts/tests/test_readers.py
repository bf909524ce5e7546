"""Data sets are opened by other programs' readers. Skipped where python/optional/readers.lock is not installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyarrow.dataset
import pytest
from conftest import REPOSITORY, skip_or_fail

SEEDSIEVE = REPOSITORY / "target" / "release" / "seedsieve"
MISSING = "install python/optional/readers.lock to run this test"
SOME = ["read_hash", "length", "contig", "own_score", "region_score", "narrow_score", "reverse", "query_window"]
"""Columns of every type, with nulls and without."""


def run(*arguments: object) -> None:
    subprocess.run([SEEDSIEVE, *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of several files, and beside it, below `divided`, the same in three parts."""
    if not SEEDSIEVE.is_file():
        skip_or_fail(f"{SEEDSIEVE} is not built: cargo xtask setup")
    folder = tmp_path_factory.mktemp("readers")
    made = folder / "made"
    run("simulate", "--output", made, "--genome-size", 300_000, "--read-pairs", 800, "--seed", 4)
    run("index", made / "genome.fa")
    seeds = folder / "seeds"
    reads = sorted(made.glob("*.fastq*"))
    assert len(reads) == 2
    options = ["--paired", "--chunk-reads", 500, "--part-rows", 1000, "--reference", made / "genome.fa"]
    run("extract-seeds", *options, "-o", seeds, *reads)
    assert len(list((seeds / "data").glob("*.parquet"))) > 2
    run("dataset", "split", "-o", folder / "divided", seeds)
    return seeds


@pytest.fixture(scope="module")
def expected(seeds: Path) -> list[dict]:
    """The rows as pyarrow reads them, in their order."""
    rows = pyarrow.dataset.dataset(seeds / "data").to_table(columns=SOME).to_pylist()
    assert len(rows) > 2000
    assert {None} < {row["region_score"] for row in rows}
    return rows


def by_part(seeds: Path) -> dict[str, int]:
    """Rows of each part of the divided data set."""
    divided = pyarrow.dataset.dataset(seeds.parent / "divided" / "data", partitioning="hive")
    found = divided.to_table(columns=["split"]).column("split").value_counts().to_pylist()
    assert len(found) == 3
    return {row["values"]: row["counts"] for row in found}


def test_polars_opens_a_data_set(seeds: Path, expected: list[dict]) -> None:
    polars = pytest.importorskip("polars", reason=MISSING)
    assert polars.scan_parquet(seeds / "data" / "*.parquet").select(SOME).collect().to_dicts() == expected
    divided = polars.scan_parquet(seeds.parent / "divided" / "data", hive_partitioning=True)
    assert dict(divided.group_by("split").len().collect().iter_rows()) == by_part(seeds)


def test_duckdb_opens_a_data_set(seeds: Path, expected: list[dict]) -> None:
    duckdb = pytest.importorskip("duckdb", reason=MISSING)
    rows = duckdb.sql(f"SELECT {', '.join(SOME)} FROM '{seeds}/data/*.parquet'").fetchall()
    assert [dict(zip(SOME, row, strict=True)) for row in rows] == expected
    divided = f"read_parquet('{seeds.parent}/divided/data/**/*.parquet', hive_partitioning=true)"
    assert dict(duckdb.sql(f"SELECT split, count(*) FROM {divided} GROUP BY split").fetchall()) == by_part(seeds)


def test_hugging_face_datasets_opens_a_data_set(
    seeds: Path, expected: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason=MISSING)
    loaded = datasets.load_dataset(str(seeds), cache_dir=str(tmp_path), split="train")
    assert loaded.select_columns(SOME).to_list() == expected
