#!/usr/bin/env python3
r"""Merges the data sets of one part's samples, but for those that failed. Standard library only.

    python merge_samples.py --seeds seeds/A seeds/B --results validated/A.json validated/B.json \
        --scratch unfinished/train --output merged/train -- seedsieve dataset merge --by-sample

A part whose samples all failed gives an empty folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample_results import add_arguments, read_results, usable
from sample_step import move_into_place, run


def merge(seeds: list[Path], results: list[Path], scratch: Path, output: Path, command: list[str]) -> str | None:
    """Merge what did not fail into the data set folder `output`.

    Args:
        seeds: data set folder of each sample.
        results: what the validation wrote, in the same order.
        scratch: folder for the data set until it is whole.
        output: folder for the data set.
        command: the program, `dataset merge` and its options.

    Returns:
        What is wrong, in words; None where it succeeded.
    """
    folders = [str(folder) for folder, _ in usable(seeds, read_results(results))]
    scratch.parent.mkdir(parents=True, exist_ok=True)
    if folders:
        if problem := run([*command, "--overwrite", "--output", str(scratch), *folders]):
            return problem
    else:
        scratch.mkdir(exist_ok=True)
    move_into_place(scratch, output)
    return None


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is unfinished")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.epilog = "after `--` the program and its arguments, to which the folders are added"
    words = sys.argv[1:] if arguments is None else arguments
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:end])
    try:
        problem = merge(options.seeds, options.results, options.scratch, options.output, words[end + 1 :])
    except (OSError, json.JSONDecodeError) as error:
        problem = str(error)
    if problem:
        print(f"error: merge: {problem}", file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
