"""What the validation said of each sample, as the steps that look at several samples take it. Standard library only."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options `--seeds` and `--results`, one folder and one file a sample, in the same order."""
    parser.add_argument("--seeds", type=Path, nargs="+", required=True, help="data set folder of each sample")
    parser.add_argument("--results", type=Path, nargs="+", required=True, help="what the validation wrote, likewise")


def read_results(paths: list[Path]) -> list[dict[str, Any]]:
    """The results in the order of their files."""
    return [json.loads(path.read_text()) for path in paths]


def usable(seeds: list[Path], results: list[dict[str, Any]]) -> list[tuple[Path, dict[str, Any]]]:
    """Folder and result of the samples that did not fail."""
    return [(folder, one) for folder, one in zip(seeds, results, strict=True) if one["failure"] is None]
