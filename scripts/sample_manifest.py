"""Manifests of many samples (data-manifests/prjeb31736_100.toml has the form in words). Standard library only."""

from __future__ import annotations

import re
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from downloads import DataError, DataFile, checksum_problem

MANIFEST_VERSION = 1
PARTS = ("train", "validation", "test")
SEXES = ("female", "male")
SCHEMES = ("https", "http", "file")
SAMPLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FACTS = ("population", "super_population", "sex", "run")
"""Keys of a sample that are told in reports, and may be missing."""


@dataclass(frozen=True)
class Sample:
    """One person or library; `files` is empty where the manifest is not filled in."""

    name: str
    part: str
    """One of `PARTS`."""
    files: tuple[DataFile, ...]
    """BAM, CRAM, or FASTQ files in the order of mates; `path` is the file's own name."""
    facts: dict[str, str]
    """Those of `FACTS` that the manifest states."""


def read_samples(manifest: Path) -> list[Sample]:
    """The samples of a manifest, checked entry by entry.

    A relative address (`file:NA12878.bam`) counts from the manifest's folder.

    Raises:
        DataError: if the file cannot be read, is no such manifest, or an entry is wrong.
    """
    try:
        with manifest.open("rb") as stream:
            content = tomllib.load(stream)
    except OSError as error:
        raise DataError(f"cannot read the manifest {manifest}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{manifest} is no TOML file: {error}") from error
    if content.get("version") != MANIFEST_VERSION:
        raise DataError(f"{manifest}: version {content.get('version')!r}; this program reads {MANIFEST_VERSION}")
    entries = content.get("sample", [])
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{manifest}: names no sample; each is a table [[sample]]")
    samples = [_sample(manifest, number, entry) for number, entry in enumerate(entries, start=1)]
    names = [sample.name for sample in samples]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"{manifest}: {', '.join(twice)} more than once; a sample has one entry and may have many files"
        )
    return samples


def without_files(samples: Iterable[Sample]) -> list[str]:
    """Names of the samples whose entry has no file yet."""
    return [sample.name for sample in samples if not sample.files]


def _sample(manifest: Path, number: int, entry: object) -> Sample:
    where = f"{manifest}: sample {number}"
    if not isinstance(entry, dict):
        raise DataError(f"{where}: is {entry!r}; a table [[sample]] is wanted")
    name = entry.get("name")
    # The name becomes a folder's and goes into command lines.
    if not isinstance(name, str) or not SAMPLE_NAME.fullmatch(name):
        raise DataError(f"{where}: name {name!r}; letters, digits, `.`, `_` and `-` are valid, the first no sign")
    where = f"{where} ({name})"
    if entry.get("part") not in PARTS:
        raise DataError(f"{where}: part {entry.get('part')!r}; valid are {', '.join(PARTS)}")
    facts = {key: entry[key] for key in FACTS if key in entry}
    for key, value in facts.items():
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"{where}: {key} is {value!r}; leave it out where it is not known")
    if facts.get("sex", SEXES[0]) not in SEXES:
        raise DataError(f"{where}: sex {facts['sex']!r}; valid are {', '.join(SEXES)}")
    files = entry.get("file", [])
    if not isinstance(files, list):
        raise DataError(f"{where}: file is {files!r}; a table [[sample.file]] is wanted")
    described = tuple(_file(manifest, f"{where}, file {count}", file) for count, file in enumerate(files, start=1))
    paths = [file.path for file in described]
    if len(set(paths)) < len(paths):
        raise DataError(f"{where}: two files of the same name; give one of them another with `path`")
    return Sample(name, entry["part"], described, facts)


def _file(manifest: Path, where: str, entry: object) -> DataFile:
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
        raise DataError(f"{where}: has no url; without an address leave the file out")
    url = entry["url"]
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise DataError(f"{where}: url {url!r}; valid schemes are {', '.join(SCHEMES)}")
    name = entry.get("path", PurePosixPath(urllib.parse.unquote(parts.path)).name)
    # A comma separates mates on the command line of extract-seeds.
    if not isinstance(name, str) or "/" in name or "," in name or name in ("", ".", ".."):
        raise DataError(f"{where}: path {name!r}; a file name without `/` and `,` is wanted")
    checksums = {key: entry[key] for key in ("sha256", "md5") if key in entry}
    if not checksums:
        raise DataError(f"{where}: neither sha256 nor md5; without one nobody notices a damaged file")
    for algorithm, digest in checksums.items():
        if not isinstance(digest, str):
            raise DataError(f"{where}: {algorithm} is {digest!r}; a string is wanted")
        if problem := checksum_problem(algorithm, digest):
            raise DataError(f"{where}: {problem}")
    size = entry.get("bytes")
    if size is not None and (not isinstance(size, int) or size < 0):
        raise DataError(f"{where}: bytes is {size!r}; a whole number is wanted, or no entry")
    if parts.scheme == "file":
        source = Path(urllib.request.url2pathname(parts.path))
        url = (manifest.resolve().parent / source).as_uri()
    return DataFile(name, size, checksums.get("sha256"), url, checksums.get("md5"))
