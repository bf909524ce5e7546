"""Writing small text files, TOML among them, whole or not at all. Standard library only; it reads TOML, writes none."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path


def toml_string(text: str) -> str:
    """A basic string of TOML: what JSON writes is one, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_whole(path: Path, text: str) -> None:
    """Write `text` to a temporary file beside `path`, and give it its name when it is on the disk."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for their owner only; the result gets the mode that the umask gives any other file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
