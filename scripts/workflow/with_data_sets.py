#!/usr/bin/env python3
"""Runs a command with the data sets of some parts as its options. Standard library only.

    python with_data_sets.py dataset --data train,validation --test-data test -- COMMAND...

runs `COMMAND... --data dataset/split=train --data dataset/split=validation --test-data dataset/split=test`. The folders
are looked up when the command starts, as a part whose samples all failed has none.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from collect_samples import data_sets
from sample_manifest import PARTS


def expanded(dataset: Path, options: list[str]) -> list[str]:
    """The options with each data set folder after the name of its option.

    Args:
        dataset: folder that `collect_samples` made.
        options: names and parts in turns; parts are separated by commas, `first:` before them takes one folder only.

    Raises:
        ValueError: if a part is unknown.
    """
    words = []
    for option, listed in zip(options[::2], options[1::2], strict=True):
        parts = listed.removeprefix("first:").split(",")
        if unknown := set(parts) - set(PARTS):
            raise ValueError(f"part {', '.join(sorted(unknown))}; valid are {', '.join(PARTS)}")
        folders = data_sets(dataset, *parts)
        for folder in folders[:1] if listed.startswith("first:") else folders:
            words += [option, str(folder)]
    return words


def main() -> int:
    """The command line; becomes the command, or returns an exit status."""
    words = sys.argv[1:]
    try:
        end = words.index("--")
        command = [*words[end + 1 :], *expanded(Path(words[0]), words[1:end])]
    except (ValueError, IndexError) as error:
        print(f"error: {error}; usage: DATASET OPTION PARTS ... -- COMMAND ...", file=sys.stderr)
        return 2
    print(shlex.join(command), file=sys.stderr, flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
