"""Fetches single files by address and checks them. Standard library only.

A file is downloaded to NAME.part and renamed once it is the file that was described, so that a file under its own name
is always whole. A download that was cut goes on where it stopped, also in the next run.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 16
ATTEMPTS = 4
TIMEOUT_SECONDS = 30
# What another attempt cannot change: the address, or the right to it.
LASTING_STATUS = range(400, 500)
PASSING_STATUS = {408, 425, 429}
DIGITS = {"sha256": 64, "md5": 32}
"""Checksums that a manifest may state, best first, and their hexadecimal digits."""


class DataError(Exception):
    """A file or the manifest is not as it should be; the message says which, how, and what to do."""


@dataclass(frozen=True)
class DataFile:
    """One file; `path` is relative to the data folder, `url` is None where there is no public address.

    What is not known is None, but for one of the checksums.
    """

    path: str
    size: int | None
    sha256: str | None
    url: str | None
    md5: str | None = None


def checksum_problem(algorithm: str, digest: str) -> str | None:
    """What is wrong with the form of a checksum, in words; None where nothing is."""
    if len(digest) == DIGITS[algorithm] and not set(digest.lower()) - set("0123456789abcdef"):
        return None
    return f"{algorithm} {digest!r} is not {DIGITS[algorithm]} hexadecimal digits"


def digest_of(path: Path, algorithm: str) -> str:
    """MD5 or SHA-256 of a file, in lower-case hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def difference(path: Path, file: DataFile) -> str | None:
    """What distinguishes the file at `path` from the described one; None where nothing does."""
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"{size} bytes, {file.size} are expected"
    for algorithm, expected in (("sha256", file.sha256), ("md5", file.md5)):
        if expected is not None and (digest := digest_of(path, algorithm)) != expected.lower():
            return f"{algorithm.upper().replace('SHA', 'SHA-')} {digest}, {expected.lower()} is expected"
    return None


class Fetcher:
    """Brings files into a folder: downloads those of http and https, links to those of `file:`.

    `attempts` and `pause` (seconds before the second attempt, doubled before each further one) are for servers and
    connections that fail now and then.
    """

    def __init__(self, folder: Path, say: Callable[[str], None], attempts: int = ATTEMPTS, pause: float = 1.0) -> None:
        self.folder = folder
        self.say = say
        self.attempts = attempts
        self.pause = pause

    def fetch(self, file: DataFile) -> Path:
        """The file, whole and checked: the one that is there, a link, or downloaded."""
        path = self.folder / file.path
        if path.is_file() and difference(path, file) is None:
            self.say(f"{file.path}: is there\n")
            return path
        if file.url is None:
            raise DataError(f"{file.path} has no public address: it was derived from other files")
        path.parent.mkdir(parents=True, exist_ok=True)
        if urllib.parse.urlsplit(file.url).scheme == "file":
            return self._link(file, path)
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
                        f"{kept} of {file.size or 'an unknown number of'} bytes are kept, the next run goes on there)"
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

    def _link(self, file: DataFile, path: Path) -> Path:
        source = Path(urllib.request.url2pathname(urllib.parse.urlsplit(file.url).path)).absolute()
        try:
            found = difference(source, file)
        except OSError as error:
            raise DataError(f"{file.path}: cannot read {source}: {error.strerror}; correct its address") from error
        if found:
            raise DataError(f"{source} is not the file of the manifest: {found}. Replace it or correct the manifest.")
        path.unlink(missing_ok=True)
        path.symlink_to(source)
        self.say(f"{file.path}: is {source}\n")
        return path

    def _continue(self, file: DataFile, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have == file.size:
            # The checksum decides.
            return
        if file.size is not None and have > file.size:
            # The remains of another file.
            have = 0
        request = urllib.request.Request(file.url, headers={"User-Agent": "seedsieve", "Accept-Encoding": "identity"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            if error.code == 416 and have and file.size is None:
                # Nothing comes after what is there: the checksum decides.
                return
            raise
        with response:
            # 200 is the whole file, from a server that does not know ranges.
            goes_on = response.status == 206 and _range_start(response) == have
            if response.status == 206 and not goes_on:
                raise http.client.HTTPException(f"asked for bytes from {have}, got others")
            if not goes_on:
                have = 0
            size = file.size if file.size is not None else _whole_size(response, have)
            with part.open("ab" if goes_on else "wb") as stream:
                while block := response.read(BLOCK):
                    have += len(block)
                    if size is not None and have > size:
                        break
                    stream.write(block)
                    self.say(f"\r{file.path}: {have / 1e6:.1f} of {(size or have) / 1e6:.1f} MB")
        if size is not None and have < size:
            raise http.client.HTTPException(f"the connection ended after {have} of {size} bytes")
        if size is not None and have > size:
            part.unlink()
            raise DataError(f"{file.path}: {file.url} gives more than the {size} bytes of the manifest")


def _range_start(response: http.client.HTTPResponse) -> int | None:
    """First byte of `Content-Range: bytes FIRST-LAST/SIZE`."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _whole_size(response: http.client.HTTPResponse, have: int) -> int | None:
    """Bytes of the whole file by what the server says of the rest; None where it says nothing."""
    length = response.headers.get("Content-Length", "")
    return have + int(length) if length.isdigit() else None


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
