"""Writing files that are either whole or not there."""

import os
import tempfile
from pathlib import Path

from .errors import TrainingError


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`: to a temporary file beside it first, renamed at the end.

    Raises:
        TrainingError: if the folder is missing or not writable; nothing is left behind then.
    """
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        # mkstemp makes files for their owner only; the result gets the mode that the umask gives any other file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise TrainingError(f"{path}: cannot be written: {error.strerror}; give a folder that is writable") from error


def make_folder(path: Path) -> None:
    """Create `path` and its parents if they are not there.

    Raises:
        TrainingError: if that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be created: {error.strerror}; give another folder with --out") from error
