"""The line that shows how far a batch is: count, rate, estimate; only on a terminal, and rarely enough not to cost."""

from __future__ import annotations

import os
import time
from typing import TextIO

from ..errors import Ignoring, let_pass
from .results import Result

_INTERVAL = 0.1
"""Seconds between two drawings."""


class ProgressLine:
    """A line that is drawn over and over on a terminal, and not at all on anything else."""

    def __init__(self, stream: TextIO, shown: bool = True) -> None:
        self._stream = stream
        self._shown = shown and stream.isatty()
        self._begun = time.monotonic()
        self._drawn = 0.0
        self._worked = 0
        self._bytes = 0

    def update(self, result: Result, finished: int, total: int) -> None:
        """Take the next result; `jobs.run` calls it."""
        self._worked += result.outcome != "skipped"
        self._bytes += result.bytes_in
        now = time.monotonic()
        if not self._shown or (finished < total and now - self._drawn < _INTERVAL):
            return
        self._drawn = now
        text = self.text(finished, total, now - self._begun)
        self._write("\r" + text[: self._width()] + "\x1b[K")

    def _width(self) -> int | None:
        """Return how long the line may be, None where that is not known: one that is wrapped could not be drawn over."""
        with Ignoring(OSError, ValueError):
            return (os.get_terminal_size(self._stream.fileno()).columns or 1) - 1 or None
        return None

    def text(self, finished: int, total: int, seconds: float) -> str:
        """Return the line after so many seconds; what was skipped counts as finished but not for the rate."""
        rate = self._worked / seconds if seconds > 0 else 0.0
        left = f"{_clock((total - finished) / rate)} left" if rate else "- left"
        bar = "#" * (20 * finished // max(total, 1))
        return f"[{bar:20}] {finished}/{total}  {rate:.1f}/s  {self._bytes / 1e6 / max(seconds, 1e-9):.1f} MB/s  {left}"

    def say(self, text: str) -> None:
        """Write a line of its own above the line."""
        if self._shown and self._drawn:
            self._write("\r\x1b[K")
            self._drawn = 0.0
        self._write(f"{on_one_line(text)}\n")

    def close(self) -> None:
        """End the line, so that what is printed next starts on its own."""
        if self._shown and self._drawn:
            self._write("\n")

    def _write(self, text: str) -> None:
        """Write, as long as the stream takes it: a log on a full disk and a terminal that is gone end no work.

        Those who close a pipe want no more of it.
        """
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            let_pass(error)


def on_one_line(text: str) -> str:
    """Return text with the ends of lines that are in names written as escapes, so that no name looks like a line of ours."""
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
