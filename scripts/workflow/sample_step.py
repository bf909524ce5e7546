#!/usr/bin/env python3
"""One step of one sample: fetch its reads, extract, validate, balance its seeds. Standard library only.

A sample whose files are wrong must not stop the others. So what is wrong with the data is the step's result and not its
failure: the exit status is 0, and FAILURE stands in the output folder instead of files; the later steps hand it on.
A step that was killed, or cannot be started, fails: another attempt may help there.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from downloads import DataError, DataFile, Fetcher, digest_of
from sample_manifest import Sample, read_samples
from whole_files import write_whole

FAILURE = "failure.json"
MANIFEST_NAME = "dataset.json"
ADDRESSES = "addresses.json"
"""Beside the files of a sample: addresses of those that extract-seeds fetches by itself, by name."""
BY_INDEX = (".bam", ".cram")
LAST_LINES = 20


def write_failure(folder: Path, sample: str, step: str, message: str) -> None:
    """Leave nothing in `folder` but what failed; the message goes to standard error too."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    record = {"sample": sample, "step": step, "message": message}
    write_whole(folder / FAILURE, json.dumps(record, indent=1) + "\n")
    print(f"{sample}: {step} failed: {message}", file=sys.stderr)


def failure_in(folder: Path) -> dict[str, str] | None:
    """What failed, where `folder` is of a sample that did."""
    try:
        return json.loads((folder / FAILURE).read_text())
    except FileNotFoundError:
        return None


def fetch(sample: Sample, scratch: Path, output: Path, excerpts: bool = False) -> None:
    """Bring the sample's files into the folder `output`: downloads, or links for `file:`.

    Args:
        sample: from the manifest.
        scratch: folder for what is not whole yet; it stays there for the next attempt.
        output: folder for the files under their own names.
        excerpts: leave BAM and CRAM files where they are, and note their addresses: extract-seeds fetches by their
            index what its regions ask for. No checksum tells of that, but for the one that it notes in dataset.json.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    # A line for each block would fill the log.
    fetcher = Fetcher(scratch, lambda text: None if text.startswith("\r") else print(text, end="", file=sys.stderr))
    left = {file.path: file.url for file in sample.files if excerpts and is_read_by_index(file)}
    try:
        for file in sample.files:
            if file.path not in left:
                fetcher.fetch(file)
        write_whole(scratch / ADDRESSES, json.dumps(left, indent=1) + "\n")
    except DataError as error:
        write_failure(output, sample.name, "fetch", str(error))
        return
    move_into_place(scratch, output)


def is_read_by_index(file: DataFile) -> bool:
    """Whether extract-seeds can fetch regions of a file by itself."""
    return file.url is not None and not file.url.startswith("file:") and file.path.endswith(BY_INDEX)


def move_into_place(scratch: Path, output: Path) -> None:
    """Give a finished folder its name."""
    if output.exists():
        shutil.rmtree(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch.rename(output)


def extract(sample: Sample, reads: Path, scratch: Path, output: Path, command: list[str]) -> None:
    """Extract the seeds of the fetched reads into the data set folder `output`.

    Args:
        sample: from the manifest.
        reads: folder that `fetch` made.
        scratch: folder in which the data set grows; after a kill extract-seeds finds there what is complete.
        output: folder for the data set.
        command: the program, `extract-seeds` and its options.
    """
    if failure := failure_in(reads):
        write_failure(output, **failure)
        return
    addresses = json.loads((reads / ADDRESSES).read_text())
    inputs = [addresses.get(file.path) or str(reads / file.path) for file in sample.files]
    scratch.parent.mkdir(parents=True, exist_ok=True)
    # What other settings have left there is replaced.
    problem = run([*command, "--sample", sample.name, "--overwrite", "--output", str(scratch), *inputs])
    if problem:
        write_failure(output, sample.name, "extract", problem)
    else:
        move_into_place(scratch, output)


def validate(sample: Sample, seeds: Path, output: Path, command: list[str]) -> None:
    """Check a data set through, and write to `output` (JSON) what it holds, or what failed.

    Args:
        sample: from the manifest.
        seeds: data set folder.
        output: file for the result.
        command: the program, `dataset validate` and its options.
    """
    failure = failure_in(seeds)
    if failure is None and (problem := run([*command, str(seeds)])):
        failure = {"sample": sample.name, "step": "validate", "message": problem}
        print(f"{sample.name}: validate failed: {problem}", file=sys.stderr)
    result = {"sample": sample.name, "part": sample.part, **sample.facts, "failure": failure}
    if failure is None:
        result |= counts_of(seeds)
    write_whole(output, json.dumps(result, indent=1) + "\n")


def counts_of(data_set: Path) -> dict[str, Any]:
    """What dataset.json says of reads, seeds and bytes, and its checksum."""
    content = json.loads((data_set / MANIFEST_NAME).read_text())
    return {
        **{key: content["counts"][key] for key in ("reads", "seeds", "viable")},
        "bytes": sum(part["size"] for part in content["parts"]),
        "dataset_sha256": digest_of(data_set / MANIFEST_NAME, "sha256"),
    }


def balance(sample: Sample, seeds: Path, scratch: Path, output: Path, command: list[str]) -> None:
    """Draw seeds of a data set that is valid, each class for itself, into the data set folder `output`.

    Args:
        sample: from the manifest.
        seeds: data set folder.
        scratch: folder for the data set until it is whole.
        output: folder for the data set.
        command: the program, `dataset sample` and its options.

    Raises:
        DataError: where nothing can be drawn; the options are to blame, not the sample.
    """
    if failure := failure_in(seeds):
        write_failure(output, **failure)
        return
    scratch.parent.mkdir(parents=True, exist_ok=True)
    problem = run([*command, "--overwrite", "--output", str(scratch), str(seeds)])
    if problem:
        raise DataError(f"{sample.name}: balance: {problem}")
    move_into_place(scratch, output)


def run(command: list[str]) -> str | None:
    """Run a program; what it says goes to standard error. None where it succeeds, else what is wrong, in words.

    Raises:
        SystemExit: where it was killed: that says nothing about the data.
    """
    print(shlex.join(command), file=sys.stderr, flush=True)
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", file=sys.stderr)
            lines = [*lines, line.rstrip("\n")][-LAST_LINES:]
    if process.returncode == 0:
        return None
    if process.returncode < 0:
        sys.exit(f"error: {command[0]} was ended by signal {-process.returncode}; more memory or time may help")
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return errors[-1] if errors else f"exit status {process.returncode}: {' '.join(lines[-1:]) or 'it said nothing'}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("fetch", "extract", "validate", "balance"))
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--input", type=Path, help="folder of the step before")
    parser.add_argument("--scratch", type=Path, help="folder for what is unfinished; not of validate")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--excerpts", action="store_true", help="of fetch: leave BAM and CRAM files at their addresses")
    parser.epilog = "all but fetch: after `--` the program and its arguments, to which the files are added"
    words = sys.argv[1:] if arguments is None else arguments
    end = words.index("--") if "--" in words else len(words)
    options, command = parser.parse_args(words[:end]), words[end + 1 :]
    try:
        found = [sample for sample in read_samples(options.manifest) if sample.name == options.sample]
        if not found:
            raise DataError(f"{options.manifest}: names no sample {options.sample}")
        if options.step == "fetch":
            fetch(found[0], options.scratch, options.output, options.excerpts)
        elif options.step == "extract":
            extract(found[0], options.input, options.scratch, options.output, command)
        elif options.step == "balance":
            balance(found[0], options.input, options.scratch, options.output, command)
        else:
            validate(found[0], options.input, options.output, command)
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
