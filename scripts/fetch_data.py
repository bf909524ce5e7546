#!/usr/bin/env python3
"""Downloads the files of a data manifest, or checks those of a folder. Standard library only.

A file is downloaded to NAME.part and renamed once its size and its SHA-256 are those of the manifest, so that a file
under its own name is always whole. A download that was cut goes on where it stopped, also in the next run.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import sys
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MANIFEST_VERSION = 1
BLOCK = 1 << 16
ATTEMPTS = 4
TIMEOUT_SECONDS = 30
# What another attempt cannot change: the address, or the right to it.
LASTING_STATUS = range(400, 500)
PASSING_STATUS = {408, 425, 429}


class DataError(Exception):
    """A file or the manifest is not as it should be; the message says which, how, and what to do."""


@dataclass(frozen=True)
class DataFile:
    """One file of a manifest; `path` is relative to the data folder, `url` is None where there is no public address."""

    path: str
    size: int
    sha256: str
    url: str | None


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
    digest = entry["sha256"].lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise DataError(f"{where}: sha256 {entry['sha256']!r} is not 64 hexadecimal digits")
    url = entry.get("url")
    if url is not None and urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{where}: url {url!r} is neither http nor https")
    return DataFile(entry["path"], entry["bytes"], digest, url)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as 64 lower-case hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def difference(path: Path, file: DataFile) -> str | None:
    """What distinguishes the file at `path` from the one of the manifest; None where it is the same."""
    size = path.stat().st_size
    if size != file.size:
        return f"{size} bytes, {file.size} are expected"
    digest = sha256_of(path)
    if digest != file.sha256:
        return f"SHA-256 {digest}, {file.sha256} is expected"
    return None


def check(files: list[DataFile], folder: Path) -> int:
    """Compares the files of the manifest that are in `folder` with it; returns how many there are."""
    present = [file for file in files if (folder / file.path).is_file()]
    for file in present:
        if found := difference(folder / file.path, file):
            raise DataError(f"{folder / file.path} is not the file of the manifest: {found}. Replace it or remove it.")
    return len(present)


class Fetcher:
    """Downloads files into a folder.

    `attempts` and `pause` (seconds before the second attempt, doubled before each further one) are for servers and
    connections that fail now and then.
    """

    def __init__(self, folder: Path, say: Callable[[str], None], attempts: int = ATTEMPTS, pause: float = 1.0) -> None:
        self.folder = folder
        self.say = say
        self.attempts = attempts
        self.pause = pause

    def fetch(self, file: DataFile) -> Path:
        """The file, whole: the one that is there, or downloaded."""
        path = self.folder / file.path
        if path.is_file() and difference(path, file) is None:
            self.say(f"{file.path}: is there\n")
            return path
        if file.url is None:
            raise DataError(f"{file.path} has no public address: it was derived from other files")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        for attempt in range(1, self.attempts + 1):
            try:
                self._continue(file, part)
                break
            except (OSError, http.client.HTTPException) as error:
                reason = _reason(error)
                if _is_lasting(error) or attempt == self.attempts:
                    kept = part.stat().st_size if part.exists() else 0
                    raise DataError(
                        f"{file.path}: cannot download {file.url}: {reason} (attempt {attempt} of {self.attempts}; "
                        f"{kept} of {file.size} bytes are kept, the next run goes on there)"
                    ) from error
                seconds = self.pause * 2 ** (attempt - 1)
                self.say(f"\n{file.path}: {reason}; trying again in {seconds:g} s\n")
                time.sleep(seconds)
        if found := difference(part, file):
            part.unlink()
            raise DataError(
                f"{file.path}: what {file.url} gives is not the file of the manifest: {found}. It was thrown away; "
                "if this happens again, the file at that address has changed."
            )
        os.replace(part, path)
        self.say("\n")
        return path

    def _continue(self, file: DataFile, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have == file.size:
            # The checksum decides.
            return
        if have > file.size:
            # The remains of another file.
            have = 0
        request = urllib.request.Request(file.url, headers={"User-Agent": "seedsieve", "Accept-Encoding": "identity"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            # 200 is the whole file, from a server that does not know ranges.
            goes_on = response.status == 206 and _range_start(response) == have
            if response.status == 206 and not goes_on:
                raise http.client.HTTPException(f"asked for bytes from {have}, got others")
            if not goes_on:
                have = 0
            with part.open("ab" if goes_on else "wb") as stream:
                while block := response.read(BLOCK):
                    have += len(block)
                    if have > file.size:
                        break
                    stream.write(block)
                    self.say(f"\r{file.path}: {have / 1e6:.1f} of {file.size / 1e6:.1f} MB")
        if have < file.size:
            raise http.client.HTTPException(f"the connection ended after {have} of {file.size} bytes")
        if have > file.size:
            part.unlink()
            raise DataError(f"{file.path}: {file.url} gives more than the {file.size} bytes of the manifest")


def _range_start(response: http.client.HTTPResponse) -> int | None:
    """First byte of `Content-Range: bytes FIRST-LAST/SIZE`."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _is_lasting(error: Exception) -> bool:
    if not isinstance(error, urllib.error.HTTPError):
        return False
    return error.code in LASTING_STATUS and error.code not in PASSING_STATUS


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


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
