#!/usr/bin/env python3
"""Writes the read pairs of a BAM file as two FASTQ files. Standard library only.

Taken are primary records (neither secondary, 0x100, nor supplementary, 0x800) of reads whose both mates are in the
file. Reads are written as they were sequenced: those aligned to the reverse strand are turned back. The pairs come in
the order in which the second of the two records is met. Formats: SAM specification v1, sections 4.1 (BGZF: gzip
members one after the other) and 4.2 (BAM).
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

FLAG_PAIRED = 0x1
FLAG_REVERSE = 0x10
FLAG_FIRST = 0x40
FLAG_LAST = 0x80
FLAG_SECONDARY = 0x100
FLAG_SUPPLEMENTARY = 0x800
NIBBLES = "=ACMGRSVTWYHKDBN"
BASES_OF_BYTE = [high + low for high in NIBBLES for low in NIBBLES]
COMPLEMENT = str.maketrans("ACGTMRWSYKVHDBN", "TGCAKYWSRMBDHVN")
TO_FASTQ_QUALITY = bytes(min(quality + 33, 126) for quality in range(256))
FIXED_FIELDS = struct.Struct("<iiBBHHHIiii")
MAX_RECORD = 1 << 28
# An empty BGZF block, with which every whole file ends (section 4.1.2).
END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class BamError(Exception):
    """The BAM file is damaged or is none; the message names the file and the record."""


class Read(NamedTuple):
    """A read as it was sequenced; qualities are ASCII, offset 33."""

    name: str
    mate: int
    bases: str
    qualities: str

    def fastq(self) -> str:
        """Four lines; the name without /1 or /2, which the aligner would leave out anyway."""
        return f"@{self.name}\n{self.bases}\n+\n{self.qualities}\n"


def read_bam(path: Path) -> Iterator[Read]:
    """The primary records of paired reads, in the file's order."""
    return (read for read, _ in reads_and_positions(path))


def reads_and_positions(path: Path) -> Iterator[tuple[Read, int]]:
    """The primary records of paired reads, in the file's order, and the 0-based position of each; -1: none."""
    _check_end(path)
    number = 0
    with gzip.open(path, "rb") as stream:
        try:
            _skip_header(stream)
            while length := stream.read(4):
                number += 1
                size = struct.unpack("<i", _exactly(length, 4))[0]
                if not FIXED_FIELDS.size <= size <= MAX_RECORD:
                    raise BamError(f"its length is {size}; {FIXED_FIELDS.size} to {MAX_RECORD} are possible")
                record = _exactly(stream.read(size), size)
                read = _parse(record)
                if read is not None:
                    yield read, FIXED_FIELDS.unpack_from(record)[1]
        except (BamError, EOFError, gzip.BadGzipFile, zlib.error, struct.error, UnicodeDecodeError) as error:
            where = f"record {number}" if number else "header"
            raise BamError(f"{path}, {where}: {error}. Is the file complete, and a BAM file?") from error


def _check_end(path: Path) -> None:
    """Refuses a file that was cut between two blocks, which decompression does not notice."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - len(END_OF_FILE)))
        if stream.read() != END_OF_FILE:
            raise BamError(f"{path}: {size} bytes, and no BGZF end-of-file block at the end: cut, or no BAM file")


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise BamError(f"the file ends after {len(data)} of {size} bytes")
    return data


def _skip_header(stream: BinaryIO) -> None:
    def number() -> int:
        value = struct.unpack("<i", _exactly(stream.read(4), 4))[0]
        if not 0 <= value <= MAX_RECORD:
            raise BamError(f"a length or number of {value} cannot be")
        return value

    if stream.read(4) != b"BAM\x01":
        raise BamError("the file does not start with the BAM magic")
    size = number()
    _exactly(stream.read(size), size)
    for _ in range(number()):
        size = number() + 4
        _exactly(stream.read(size), size)


def _parse(record: bytes) -> Read | None:
    """The read of a record; None for one that is not primary or not of a pair."""
    _, _, name_size, _, _, operations, flag, length, _, _, _ = FIXED_FIELDS.unpack_from(record)
    if not flag & FLAG_PAIRED or flag & (FLAG_SECONDARY | FLAG_SUPPLEMENTARY):
        return None
    mate = {FLAG_FIRST: 1, FLAG_LAST: 2}.get(flag & (FLAG_FIRST | FLAG_LAST))
    start = FIXED_FIELDS.size
    name = record[start : start + name_size - 1].decode("ascii")
    if mate is None:
        raise BamError(f"read {name!r} is of a pair, but flag {flag} says neither first nor last")
    start += name_size + 4 * operations
    packed_end = start + (length + 1) // 2
    if packed_end + length > len(record):
        raise BamError(f"read {name!r} with {length} bases does not fit into its {len(record)} bytes")
    bases = "".join(map(BASES_OF_BYTE.__getitem__, record[start:packed_end]))[:length]
    scores = record[packed_end : packed_end + length]
    # 255 in each place stands for "not stored"; FASTQ has no such thing, and 0 promises nothing.
    qualities = "!" * length if scores.startswith(b"\xff") else scores.translate(TO_FASTQ_QUALITY).decode("ascii")
    if flag & FLAG_REVERSE:
        bases, qualities = bases.translate(COMPLEMENT)[::-1], qualities[::-1]
    return Read(name, mate, bases, qualities)


def pairs(reads: Iterator[Read]) -> Iterator[tuple[Read, Read]]:
    """First and second read of each pair that is complete; what waits for its mate is held in memory."""
    waiting: dict[str, Read] = {}
    for read in reads:
        mate = waiting.pop(read.name, None)
        if mate is None:
            waiting[read.name] = read
        elif mate.mate == read.mate:
            raise BamError(f"read {read.name!r} has two primary records of mate {read.mate}")
        else:
            yield (mate, read) if mate.mate == 1 else (read, mate)


def convert(bam: Path, outputs: tuple[Path, Path], max_pairs: int | None = None) -> int:
    """Writes the pairs (the first `max_pairs` where given) and returns their number; writes both files or none."""
    parts = [path.with_name(path.name + ".part") for path in outputs]
    count = 0
    try:
        with parts[0].open("w", encoding="ascii") as first, parts[1].open("w", encoding="ascii") as second:
            for one, two in pairs(read_bam(bam)):
                if count == max_pairs:
                    break
                first.write(one.fastq())
                second.write(two.fastq())
                count += 1
        if count == 0:
            raise BamError(f"{bam}: holds no complete pair of primary records")
    except BaseException:
        for part in parts:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
        raise
    for part, path in zip(parts, outputs, strict=True):
        os.replace(part, path)
    return count


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the read pairs of a BAM file as two FASTQ files.")
    parser.add_argument("bam", type=Path)
    parser.add_argument("first", type=Path, help="FASTQ of the first reads")
    parser.add_argument("second", type=Path, help="FASTQ of their mates")
    parser.add_argument("--max-pairs", type=int, metavar="N", help="stop after this many pairs")
    options = parser.parse_args(arguments)
    if options.max_pairs is not None and options.max_pairs < 1:
        parser.error(f"--max-pairs {options.max_pairs}: 1 or more is wanted")
    try:
        count = convert(options.bam, (options.first, options.second), options.max_pairs)
    except (BamError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{count} pairs of {options.bam}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
