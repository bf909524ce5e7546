#!/usr/bin/env python3
"""Selects samples of the 1000 Genomes 30x collection, balanced over populations and sexes. Standard library only.

    python scripts/select_samples.py --panel PANEL.tsv [--sequence-index FILE|URL] -o data-manifests/prjeb31736_100.toml

The panel is the list of samples with population, super-population and sex (columns sample, pop, super_pop, gender);
the sequence index is the collection's own 1000G_2504_high_coverage.sequence.index, which says which samples belong to
it, and has run, address and MD5 of each. Without it these stay out of the manifest.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from balanced_selection import METHOD, Candidate, Choice, select
from downloads import DataError, digest_of
from sequence_index import IndexedRun, read_index
from whole_files import toml_string, write_whole

COLLECTION = "PRJEB31736"
PANEL_COLUMNS = ("sample", "pop", "super_pop", "gender")
SEXES = ("female", "male")
NOT_FILLED_IN = (
    "run, address (url) and MD5 of the samples are not filled in: this manifest was made without the collection's "
    "sequence index. Which of the panel's samples belong to the collection, only that index says: a sample that does "
    "not is replaced when this script runs with --sequence-index."
)


def read_panel(path: Path) -> list[Candidate]:
    """The samples of a panel file: a header line and one sample a line, separated by tabs."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"cannot read the panel {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text file: {error}") from error
    header = lines[0].split("\t") if lines else []
    if missing := [name for name in PANEL_COLUMNS if name not in header]:
        raise DataError(f"{path}: line 1 has no column {', '.join(missing)}; it names the columns, separated by tabs")
    columns = [header.index(name) for name in PANEL_COLUMNS]
    candidates: dict[str, Candidate] = {}
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if not line.strip():
            continue
        if len(fields) < len(header):
            raise DataError(f"{path}: line {number}: {len(fields)} of {len(header)} columns")
        name, population, super_population, sex = (fields[column].strip() for column in columns)
        if sex not in SEXES:
            raise DataError(f"{path}: line {number}: gender {sex!r}; valid are {', '.join(SEXES)}")
        if name in candidates:
            raise DataError(f"{path}: line {number}: {name} is there a second time")
        candidates[name] = Candidate(name, population, super_population, sex)
    return list(candidates.values())


def manifest_text(
    choices: list[Choice], seed: int, panel: Path, panel_rows: int, index: str | None, runs: dict[str, IndexedRun]
) -> str:
    """The manifest as TOML.

    Args:
        choices: the selected samples.
        seed: with which they were selected.
        panel: the panel file.
        panel_rows: samples in it.
        index: name and SHA-256 of the sequence index, or None where there was none.
        runs: of each selected sample, where there was an index.
    """
    parts = {part: sum(choice.part == part for choice in choices) for part in ("train", "validation", "test")}
    lines = [
        "# Samples of the 1000 Genomes 30x collection for training data. Made by scripts/select_samples.py: change",
        "# the selection there, not here.",
        "#",
        "#   sample   name, population, super-population, sex, part (train, validation, test)",
        "#   file     of a sample: url, md5 or sha256, and where known bytes; path where its name is not the address's",
        "#",
        "# scripts/workflow makes data sets and a model of such a manifest. Addresses are https, http or file.",
        "",
        "version = 1",
        f"content = {toml_string(f'{len(choices)} samples of {COLLECTION}')}",
        "",
        "[selection]",
        f"collection = {toml_string(COLLECTION)}",
        f"seed = {seed}",
        f"method = {toml_string(METHOD)}",
        f"panel = {toml_string(panel.name)}",
        f"panel_samples = {panel_rows}",
        f"panel_sha256 = {toml_string(digest_of(panel, 'sha256'))}",
        *(f"{part} = {number}" for part, number in parts.items()),
        "",
        "[sequence_index]",
        f"filled_in = {'true' if index else 'false'}",
        f"source = {toml_string(index)}" if index else f"missing = {toml_string(NOT_FILLED_IN)}",
    ]
    for choice in choices:
        candidate = choice.candidate
        lines += [
            "",
            "[[sample]]",
            f"name = {toml_string(candidate.name)}",
            f"population = {toml_string(candidate.population)}",
            f"super_population = {toml_string(candidate.super_population)}",
            f"sex = {toml_string(candidate.sex)}",
            f"part = {toml_string(choice.part)}",
        ]
        if run := runs.get(candidate.name):
            lines += [f"run = {toml_string(run.run)}", "[[sample.file]]"]
            lines += [f"url = {toml_string(run.url)}", f"md5 = {toml_string(run.md5)}"]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--panel", type=Path, required=True, help="list of samples: sample, pop, super_pop, gender")
    parser.add_argument("--sequence-index", metavar="FILE|URL", help="the collection's own index")
    parser.add_argument("--samples", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument("--validation", type=int, default=10, help="of them for validation (%(default)s)")
    parser.add_argument("--test", type=int, default=10, help="of them for tests (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed selects others (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the manifest to write")
    options = parser.parse_args(arguments)
    try:
        panel = read_panel(options.panel)
        index = read_index(options.sequence_index) if options.sequence_index else None
        candidates = [one for one in panel if index is None or one.name in index.runs]
        choices = select(
            candidates, options.samples, {"validation": options.validation, "test": options.test}, options.seed
        )
        runs = index.runs if index else {}
        text = manifest_text(choices, options.seed, options.panel, len(panel), index and index.source, runs)
        write_whole(options.output, text)
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{options.output}: {len(choices)} samples of {len({one.candidate.population for one in choices})} populations"
    )
    if index is None:
        print("run, address and MD5 are not filled in: run again with --sequence-index")
    elif outside := len(panel) - len(candidates):
        print(f"{outside} of {len(panel)} samples of the panel are not in the index and were no candidates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
