"""Small text files of ours outside of the package, put there by a command `on` and removed by `off`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .files import write_atomic

Status = Literal["on", "off", "outdated"]


@dataclass(frozen=True)
class FileSet:
    """Files that belong together: the text of each by its path in a directory, in the order in which they are written."""

    directory: Path
    contents: Mapping[str, str]

    def write(self) -> list[Path]:
        """Write every file, with the folders it needs, and return their paths.

        OSError if one cannot be written; where none was there before, none is left then.
        """
        was_off = self.status() == "off"
        try:
            for path, text in self._files().items():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, text.encode())
        except BaseException:
            if was_off:
                self.remove()
            raise
        return list(self._files())

    def remove(self) -> list[Path]:
        """Remove the files, the last first, and return the paths of those that were there; folders stay."""
        gone = [path for path in reversed(self._files()) if path.exists()]
        for path in gone:
            path.unlink()
        return gone

    def status(self) -> Status:
        """Return whether the files are there; "outdated" when some are missing or hold another text."""
        there = {path: text for path, text in self._files().items() if path.exists()}
        if not there:
            return "off"
        same = len(there) == len(self.contents) and all(
            path.read_bytes() == text.encode() for path, text in there.items()
        )
        return "on" if same else "outdated"

    def _files(self) -> dict[Path, str]:
        return {self.directory / name: text for name, text in self.contents.items()}
