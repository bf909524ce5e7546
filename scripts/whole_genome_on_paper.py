#!/usr/bin/env python3
"""What the cascade would save on a whole human genome, on paper, from runs on a small reference.

How many chance seeds a read has follows from how far its shortest seed lies above the logarithm of the text. A -k on
the genome is therefore like one some 3.5 bases shorter on the small reference: what lies between two whole numbers is
interpolated in logarithms. Prints a table for docs/filter-comparison.md, and the measured rows behind it.

    python3 scripts/whole_genome_on_paper.py --index human_mix.fa --out FOLDER --runs 3 \
        --reads foreign=R1.fastq.gz,R2.fastq.gz --reads 30x=R1.fastq.gz,R2.fastq.gz

Standard library only.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import statistics
import subprocess
import sys
from itertools import islice
from pathlib import Path

GENOME_BASES = 3_100_000_000
SEED_LENGTHS = (16, 17)
"""-k on the genome."""
PARTS = {
    "seeding and look-up": ("seeding", "locating"),
    "filter": ("filter",),
    "extension": ("extension",),
    "rescue": ("rescue",),
    "rest": ("chaining", "output"),
}
"""Stages of `align --stats` that make up a column."""


def main() -> int:
    """Runs the aligner and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="the small reference, indexed")
    parser.add_argument("--bases", type=int, default=24_323_763, help="its bases but for N (%(default)s: human_mix)")
    parser.add_argument(
        "--reads", action="append", required=True, metavar="NAME=R1,R2", help="gzip FASTQ of both mates"
    )
    parser.add_argument("--pairs", type=int, default=10_000, help="the first so many of each (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of each kind, in turn; medians are taken (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder for reads and statistics")
    parser.add_argument("--seedsieve", type=Path, default=Path("target/release/seedsieve"), help="(%(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shift = math.log(GENOME_BASES / options.bases, 4)
    print(f"-k on the genome is like {shift:.2f} bases less on these {options.bases:,} bases\n")
    measured_rows, rows = [], []
    for argument in options.reads:
        name, _, files = argument.partition("=")
        mates = [
            head(Path(file), options.pairs, options.out / f"{name}_{mate}.fastq")
            for mate, file in enumerate(files.split(","), 1)
        ]
        lengths = sorted({math.floor(k - shift) + step for k in SEED_LENGTHS for step in (0, 1)})
        rates = {
            (length, mode): median_rates([rates_of(run(options, length, mode, mates)) for _ in range(options.runs)])
            for length in lengths
            for mode in ("off", "cascade")
        }
        for (length, mode), of_run in rates.items():
            measured_rows.append(
                f"| {name}, {length}, {mode} | {of_run['seeds']:.1f} | {of_run['extensions']:.1f} | {times(of_run)} |"
            )
        for k in SEED_LENGTHS:
            off, cascade = (between(rates, k - shift, mode) for mode in ("off", "cascade"))
            rows.append(row(name, k, off, cascade))
    print("| reads, `-k` | seeds | extensions | us a read: " + ", ".join(PARTS) + " |\n|---|---|---|---|")
    print("\n".join(measured_rows), end="\n\n")
    print(
        "| reads, `-k` on the human genome | seeds | extensions, off and cascade | CPU us, off | cascade | ratio | "
        "of the cascade's: " + ", ".join(PARTS) + " |\n|---|---|---|---|---|---|---|"
    )
    print("\n".join(rows))
    return 0


def head(fastq: Path, records: int, out: Path) -> Path:
    """The first records of a gzip FASTQ, as plain text."""
    with gzip.open(fastq, "rt", encoding="ascii") as lines, out.open("w", encoding="ascii") as file:
        file.writelines(islice(lines, 4 * records))
    return out


def run(options: argparse.Namespace, length: int, mode: str, mates: list[Path]) -> dict:
    """What `align --stats` says of one run."""
    stats = options.out / "stats.json"
    command = [
        options.seedsieve,
        "--log",
        "error",
        "align",
        "-t",
        "1",
        "-k",
        length,
        "--filter",
        mode,
        "--stats",
        stats,
    ]
    subprocess.run(
        [*map(str, command), "-o", str(options.out / "out.sam"), str(options.index), *map(str, mates)], check=True
    )
    return json.loads(stats.read_text(encoding="utf-8"))


def rates_of(report: dict) -> dict[str, float]:
    """Seeds, computed extensions and microseconds of each part, a read."""
    reads, counts = report["reads"], report["counts"]
    seconds = {stage["name"]: stage["cpu_seconds"] for stage in report["stages"]}
    rates = {part: 1e6 * sum(seconds[stage] for stage in stages) / reads for part, stages in PARTS.items()}
    return {"seeds": counts["seeds"] / reads, "extensions": counts["extensions"] / reads, **rates}


def median_rates(runs: list[dict[str, float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(rates[name] for rates in runs) for name in runs[0]}


def between(rates: dict[tuple[int, str], dict[str, float]], length: float, mode: str) -> dict[str, float]:
    """Rates at a length between two that were measured, in logarithms."""
    lower = math.floor(length)
    share = length - lower
    one, other = rates[lower, mode], rates[lower + 1, mode]
    return {name: one[name] ** (1 - share) * other[name] ** share for name in one}


def total(rates: dict[str, float]) -> float:
    """Microseconds a read."""
    return sum(rates[part] for part in PARTS)


def times(rates: dict[str, float]) -> str:
    """Microseconds of each part."""
    return "; ".join(f"{rates[part]:.0f}" for part in PARTS)


def row(name: str, k: int, off: dict[str, float], cascade: dict[str, float]) -> str:
    """A row of the table."""
    extensions = f"{off['extensions']:.1f}; {cascade['extensions']:.1f}"
    costs = f"{total(off):.0f} | {total(cascade):.0f} | {total(cascade) / total(off):.2f}"
    return f"| {name}, {k} | {off['seeds']:.0f} | {extensions} | {costs} | {times(cascade)} |"


if __name__ == "__main__":
    sys.exit(main())
