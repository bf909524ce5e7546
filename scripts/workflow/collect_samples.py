#!/usr/bin/env python3
"""Puts the data sets of all parts together, and says which samples failed. Standard library only.

OUT/split=train/dataset.json, data/sample=NAME/part-*.parquet     one data set a part, hive partitions
OUT/samples.json                                                  counts of each sample, and what failed
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample_manifest import PARTS
from sample_results import add_arguments, read_results, usable
from sample_step import MANIFEST_NAME, counts_of
from whole_files import write_whole

SAMPLES_NAME = "samples.json"


def data_sets(dataset: Path, *parts: str) -> list[Path]:
    """Folders of the data sets of those of these parts that there are, in their order."""
    folders = [dataset / f"split={part}" for part in parts]
    return [folder for folder in folders if (folder / MANIFEST_NAME).is_file()]


def collect(results: list[dict[str, Any]], seeds: list[Path], merged: list[Path], output: Path) -> None:
    """Make the folder `output` of the merged data sets.

    Files are linked where that is possible, so that the seeds do not take their place twice.

    Args:
        results: what the validation wrote, sample by sample.
        seeds: data set folder of each sample as it was merged, in the same order.
        merged: data set folder of each part, named as the part; one without a data set has no sample that did not fail.
        output: folder to make.
    """
    unfinished = output.with_name(f".{output.name}.unfinished")
    for old in (unfinished, output):
        if old.exists():
            shutil.rmtree(old)
    for source in merged:
        if (source / MANIFEST_NAME).is_file():
            folder = unfinished / f"split={source.name}"
            shutil.copytree(source, folder, copy_function=_link, ignore=shutil.ignore_patterns(".*"))
    for source, result in usable(seeds, results):
        # What was validated may have been drawn from.
        result |= counts_of(source)
    _check_counts(results, unfinished)
    unfinished.mkdir(parents=True, exist_ok=True)
    write_whole(unfinished / SAMPLES_NAME, json.dumps(_summary(results), indent=1) + "\n")
    unfinished.rename(output)


def _check_counts(results: list[dict[str, Any]], dataset: Path) -> None:
    """Make sure that each part holds the seeds of all its samples.

    Raises:
        OSError: where it does not.
    """
    for part in PARTS:
        expected = sum(one["seeds"] for one in results if one["part"] == part and one["failure"] is None)
        found = sum(counts_of(folder)["seeds"] for folder in data_sets(dataset, part))
        if found != expected:
            raise OSError(f"merged/{part}: {found} seeds, its samples have {expected}; remove the folder and run again")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without links.
        shutil.copy2(source, target)


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    good = [result for result in results if result["failure"] is None]
    parts = {}
    for part in PARTS:
        of_part = [result for result in good if result["part"] == part]
        counts = {key: sum(result[key] for result in of_part) for key in ("reads", "seeds", "viable", "bytes")}
        parts[part] = {"samples": len(of_part), **counts}
    failed = [result["failure"] for result in results if result["failure"] is not None]
    return {"parts": parts, "failed": failed, "samples": good}


def failures_in_words(results: list[dict[str, Any]]) -> str:
    """A line for each sample that failed."""
    failed = [result["failure"] for result in results if result["failure"] is not None]
    return "\n".join(f"  {one['sample']}: {one['step']}: {one['message']}" for one in failed)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--merged", type=Path, nargs="+", required=True, help="data set folder of each part")
    parser.add_argument("--allowed-failures", type=int, required=True, help="go on without so many samples")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    options = parser.parse_args(arguments)
    try:
        results = read_results(options.results)
        words = failures_in_words(results)
        number = words.count("\n") + 1 if words else 0
        if number:
            print(f"{number} of {len(results)} samples failed:\n{words}", file=sys.stderr)
        if number > options.allowed_failures or number == len(results):
            print(
                f"error: {number} samples failed, {options.allowed_failures} may (allowed_failures), and one at least "
                "has to be left. Correct the manifest, or remove seeds/SAMPLE to try a sample again, or allow more "
                "failures; what is finished stays finished.",
                file=sys.stderr,
            )
            return 1
        collect(results, options.seeds, options.merged, options.output)
    except (OSError, json.JSONDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
