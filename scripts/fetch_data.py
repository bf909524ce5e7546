#!/usr/bin/env python3
"""Downloads the files of a data manifest, or checks those of a folder. Standard library only."""

from __future__ import annotations

import argparse
import sys
import tomllib
import urllib.parse
from pathlib import Path, PurePosixPath

from downloads import DataError, DataFile, Fetcher, checksum_problem, difference

MANIFEST_VERSION = 1


def read_manifest(manifest: Path) -> list[DataFile]:
    """The files of a manifest, checked entry by entry."""
    try:
        with manifest.open("rb") as stream:
            content = tomllib.load(stream)
    except OSError as error:
        raise DataError(f"cannot read the manifest {manifest}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{manifest} is no TOML file: {error}") from error
    if content.get("version") != MANIFEST_VERSION:
        raise DataError(f"{manifest}: version {content.get('version')!r}; this program reads {MANIFEST_VERSION}")
    entries = content.get("file", [])
    if not entries:
        raise DataError(f"{manifest}: names no file; each is a table [[file]]")
    return [_entry(manifest, number, entry) for number, entry in enumerate(entries, start=1)]


def _entry(manifest: Path, number: int, entry: dict) -> DataFile:
    where = f"{manifest}: file {number}"
    for key, kind in (("path", str), ("bytes", int), ("sha256", str)):
        if not isinstance(entry.get(key), kind):
            raise DataError(f"{where}: {key} is {entry.get(key)!r}; a {kind.__name__} is wanted")
    path = PurePosixPath(entry["path"])
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise DataError(f"{where}: path {entry['path']!r} leads out of the data folder")
    if problem := checksum_problem("sha256", entry["sha256"]):
        raise DataError(f"{where}: {problem}")
    url = entry.get("url")
    if url is not None and urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{where}: url {url!r} is neither http nor https")
    return DataFile(entry["path"], entry["bytes"], entry["sha256"].lower(), url)


def check(files: list[DataFile], folder: Path) -> int:
    """Compares the files of the manifest that are in `folder` with it; returns how many there are."""
    present = [file for file in files if (folder / file.path).is_file()]
    for file in present:
        if found := difference(folder / file.path, file):
            raise DataError(f"{folder / file.path} is not the file of the manifest: {found}. Replace it or remove it.")
    return len(present)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Download the files of a data manifest, or check those of a folder.")
    parser.add_argument("--manifest", type=Path, required=True, help="TOML file that names them")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--into", type=Path, metavar="DIR", help="download every file that has a public address")
    action.add_argument("--check", type=Path, metavar="DIR", help="compare the files that are there with the manifest")
    options = parser.parse_args(arguments)

    def say(text: str) -> None:
        # Progress lines overwrite each other on a terminal, and would only fill a log.
        if sys.stderr.isatty() or not text.startswith("\r"):
            sys.stderr.write(text)
            sys.stderr.flush()

    try:
        files = read_manifest(options.manifest)
        if options.check is not None:
            print(f"{check(files, options.check)} files are those of {options.manifest}")
        else:
            fetcher = Fetcher(options.into, say)
            for file in files:
                if file.url is not None:
                    fetcher.fetch(file)
            print(f"the files of {options.manifest} are in {options.into}")
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
