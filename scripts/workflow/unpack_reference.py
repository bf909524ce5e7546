#!/usr/bin/env python3
"""A reference as a plain FASTA with its `.fai` beside it: what CRAM files are decoded with. Standard library only.

Many jobs read the two files at the same time, so that none of them may have to write the index.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

GZIP = b"\x1f\x8b"


class FastaError(Exception):
    """The reference cannot be used."""


def unpack(reference: Path, fasta: Path) -> None:
    """Write the FASTA `reference`, plain or gzip, to `fasta` as it is, and its index to `fasta`.fai.

    Raises:
        FastaError: if the file is no FASTA, or its lines have different lengths, with which no index can tell where a
            base lies.
        OSError: if a file cannot be read or written.
    """
    with reference.open("rb") as stream:
        opened = gzip.open if stream.read(2) == GZIP else open
    with opened(reference, "rb") as source, fasta.open("wb") as target:
        index = [line for line in index_lines(source, target)]
    fasta.with_name(f"{fasta.name}.fai").write_text("".join(index))


def index_lines(source: Iterator[bytes], target) -> Iterator[str]:
    """Copy lines; give those of samtools' index: name, bases, offset of the first, bases and bytes of a line.

    Sequences without a base have none.
    """
    name, bases, start, width, line_bytes, offset, last = None, 0, 0, 0, 0, 0, False
    for number, line in enumerate(source, start=1):
        target.write(line)
        offset += len(line)
        if line.startswith(b">"):
            if bases > 0:
                yield f"{name}\t{bases}\t{start}\t{width}\t{line_bytes}\n"
            name = line[1:].split(maxsplit=1)[0].decode() if line[1:].strip() else ""
            bases, start, width, line_bytes, last = 0, offset, 0, 0, False
            continue
        length = len(line.rstrip())
        if name is None:
            raise FastaError(f"line {number}: a FASTA begins with `>`")
        if length == 0:
            last = True
            continue
        if last:
            raise FastaError(f"line {number} ({name}): follows a line that is shorter than those before it")
        if width == 0:
            width, line_bytes = length, len(line) + (not line.endswith(b"\n"))
        if length > width:
            raise FastaError(f"line {number} ({name}): is longer than those before it")
        last = length < width
        bases += length
    if name is None:
        raise FastaError("has no sequence")
    if bases > 0:
        yield f"{name}\t{bases}\t{start}\t{width}\t{line_bytes}\n"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path, help="FASTA, plain or gzip")
    parser.add_argument("fasta", type=Path, help="where it goes")
    options = parser.parse_args(arguments)
    try:
        unpack(options.reference, options.fasta)
    except (FastaError, OSError, EOFError) as error:
        print(f"error: {options.reference}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
