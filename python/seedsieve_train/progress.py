"""Progress on standard error: one line that moves on a terminal, plain lines at every tenth elsewhere."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

BAR_WIDTH = 30
SECONDS_BETWEEN_DRAWS = 0.1


class Progress:
    """Counts steps of a known total; use as a context manager."""

    def __init__(self, title: str, total: int, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.title = title
        self.total = total
        self.stream = stream if stream is not None else sys.stderr
        self.started = time.monotonic()
        self.done = 0
        self._drawn_at = 0.0
        self._tenths_told = 0
        self._moving = self.stream.isatty() and not quiet
        self._quiet = quiet

    def advance(self, steps: int, note: Callable[[], str]) -> None:
        """Count `steps` more; `note` is called when a line is written, for what stands behind the count (the loss)."""
        self.done += steps
        if self._quiet:
            return
        now = time.monotonic()
        if self._moving:
            if now - self._drawn_at >= SECONDS_BETWEEN_DRAWS or self.done >= self.total:
                self._drawn_at = now
                filled = BAR_WIDTH * self.done // max(self.total, 1)
                self.stream.write(f"\r\x1b[K{self.title} [{'#' * filled:<{BAR_WIDTH}}] {self._state()} {note()}")
                self.stream.flush()
            return
        tenths = 10 * self.done // max(self.total, 1)
        if tenths > self._tenths_told:
            self._tenths_told = tenths
            self.stream.write(f"{self.title}: {self._state()} {note()}\n")
            self.stream.flush()

    def _state(self) -> str:
        elapsed = time.monotonic() - self.started
        return f"{self.done:,}/{self.total:,} seeds, {self.done / max(elapsed, 1e-9):,.0f}/s"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._moving:
            self.stream.write("\n")
            self.stream.flush()
