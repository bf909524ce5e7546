"""The sequence index of a 1000 Genomes collection: which run, address and MD5 belong to a sample."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from downloads import TIMEOUT_SECONDS, DataError, checksum_problem

COLUMNS = ("ENA_FILE_PATH", "MD5SUM", "RUN_ID", "SAMPLE_NAME")
RUN = re.compile(r"[EDS]RR[0-9]+")


@dataclass(frozen=True)
class IndexedRun:
    """What the index says of one sample's file."""

    run: str
    url: str
    md5: str


@dataclass(frozen=True)
class SequenceIndex:
    """An index that was read."""

    source: str
    """Name, date and SHA-256, in words."""
    runs: dict[str, IndexedRun]
    """By name of the sample."""


def read_index(source: str) -> SequenceIndex:
    """Read an index: lines `##KEY=what it means`, one line `#ENA_FILE_PATH<tab>MD5SUM...`, one line a file.

    Addresses of the form ftp:// are turned into https://: ENA's server gives the same files by both, and a download by
    https can go on after a cut.

    Args:
        source: file, or address (http, https, ftp).

    Raises:
        DataError: if it cannot be read, or is no such index.
    """
    content = _content(source)
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: is no text file: {error}") from error
    header: list[str] | None = None
    runs: dict[str, IndexedRun] = {}
    for number, line in enumerate(lines, start=1):
        if line.startswith("##") or not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t")]
        if line.startswith("#"):
            header = [fields[0].removeprefix("#"), *fields[1:]]
            if missing := [name for name in COLUMNS if name not in header]:
                raise DataError(f"{source}: line {number} has no column {', '.join(missing)}")
            continue
        if header is None:
            raise DataError(f"{source}: line {number} comes before the line #ENA_FILE_PATH, which names the columns")
        if len(fields) != len(header):
            raise DataError(f"{source}: line {number}: {len(fields)} columns, {len(header)} are named")
        row = dict(zip(header, fields, strict=True))
        name, run = _run(f"{source}: line {number}", row)
        if name in runs:
            raise DataError(f"{source}: line {number}: {name} has a second file; one CRAM file a sample is expected")
        runs[name] = run
    if not runs:
        raise DataError(f"{source}: names no file; 1000G_2504_high_coverage.sequence.index is wanted")
    date = next((line.partition("=")[2] for line in lines if line.startswith("##FileDate=")), "no date")
    name = PurePosixPath(urllib.parse.urlsplit(source).path).name
    return SequenceIndex(f"{name}, {date}, SHA-256 {sha256(content).hexdigest()}", runs)


def _content(source: str) -> bytes:
    if urllib.parse.urlsplit(source).scheme not in ("http", "https", "ftp"):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise DataError(f"cannot read the sequence index {source}: {error.strerror}") from error
    try:
        with urllib.request.urlopen(source, timeout=TIMEOUT_SECONDS) as response:
            return response.read()
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"cannot download the sequence index {source}: {reason}; download it, give the file") from error


def _run(where: str, row: dict[str, str]) -> tuple[str, IndexedRun]:
    address = urllib.parse.urlsplit(row["ENA_FILE_PATH"])
    if address.scheme not in ("ftp", "http", "https") or not address.path.endswith((".cram", ".bam")):
        raise DataError(f"{where}: ENA_FILE_PATH {row['ENA_FILE_PATH']!r}; the address of a CRAM or BAM file is wanted")
    if problem := checksum_problem("md5", row["MD5SUM"]):
        raise DataError(f"{where}: {problem}")
    if not RUN.fullmatch(row["RUN_ID"]):
        raise DataError(f"{where}: RUN_ID {row['RUN_ID']!r}; one like ERR and digits is wanted")
    if not row["SAMPLE_NAME"]:
        raise DataError(f"{where}: SAMPLE_NAME is empty")
    scheme = "https" if address.scheme == "ftp" else address.scheme
    return row["SAMPLE_NAME"], IndexedRun(
        row["RUN_ID"], address._replace(scheme=scheme).geturl(), row["MD5SUM"].lower()
    )
