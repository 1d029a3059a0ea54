"""Arguments that several commands share: options of save, adjustments, texts as argparse wants them, sources and targets."""

from __future__ import annotations

import argparse
import errno
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, TextIO

from ..command_values import typed
from ..errors import Ignoring
from ..fileformat.identity import EXTENSION
from ..fileformat.source import Fetched
from ..files import files_below, named, names_folder, write_atomic
from ..options import OPTIONS
from ._terminal import naming_output, quoted

_ADJUSTMENTS = ("first_frame", "auto_orient", "resize", "background")


_STANDARD_OUTPUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


def add_files(
    parser: argparse.ArgumentParser, source: str = "a .lic file", force: str = "replace an existing file"
) -> None:
    """Add the source, the target and -f of a command that makes one file of another, with what help says the source is and -f does."""
    parser.add_argument("source", help=f"{source}; - is standard input")
    parser.add_argument(
        "target", help="the file to write, or a folder for a file named like the source; - is standard output"
    )
    parser.add_argument("-f", "--force", action="store_true", help=force)


def add_save_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options of save that a command has."""
    for name, row in OPTIONS.items():
        if command not in row.commands:
            continue
        flags = [f"-{row.letter}"] * bool(row.letter) + [f"--{name.replace('_', '-')}"]
        legal = "" if row.parse is None else f"{row.written or row.legal}. "
        words: dict[str, Any] = {"help": f"{legal}{row.meaning}".replace("%", "%%")}
        if row.parse is None:
            parser.add_argument(*flags, action="store_true", default=None, **words)
            continue
        action = "append" if row.repeatable else "store"
        added = parser.add_argument(*flags, type=typed(row.parse), metavar=row.metavar, action=action, **words)
        if name == "model":
            added.completer = _models  # type: ignore[attr-defined]  # where argcomplete looks for it


def _models(prefix: str, **_: object) -> list[str]:
    """Return the names of models that begin so."""
    from ..engine import models

    return sorted({model.name for model in models.models() if model.name.startswith(prefix)})


def save_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of save that were given."""
    return {name: getattr(args, name) for name in OPTIONS if getattr(args, name, None) is not None}


def add_adjustments(parser: argparse.ArgumentParser, *, frames: bool = True) -> None:
    """Add what may be done to pictures on the way; frames: also to those of which a file holds several."""
    if frames:
        parser.add_argument(
            "--first-frame", action="store_true", help="take the first frame of an animation, or the first page"
        )
    parser.add_argument(
        "--auto-orient", action="store_true", help="rotate the pixels as EXIF says, instead of keeping that entry"
    )
    parser.add_argument(
        "--resize",
        type=typed(_size),
        metavar="PIXELS",
        help="shrink to fit 1920 (the longer side), 800x600, 800x or x600",
    )
    parser.add_argument(
        "--background",
        type=typed(_color),
        metavar="COLOR",
        help="put a transparent picture on this colour: white, #ffffff, ...",
    )
    parser.add_argument(
        "--strip",
        action="store_true",
        help="leave EXIF and XMP out, keep ICC profiles; the pixels are rotated as EXIF says",
    )


def adjustments(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is done to pictures on the way, in the words of `pillow_lic.convert`."""
    return {name: getattr(args, name, None) for name in _ADJUSTMENTS}


def _size(text: str) -> Any:
    from ..batch import adjustment

    return adjustment.size(text)


def _color(text: str) -> Any:
    from ..batch import adjustment

    return adjustment.color(text)


def source(name: str) -> Path | IO[bytes]:
    """Return the path of a file to read, or of "-" all of standard input; OSError when that is closed and for no name."""
    if name != "-":
        return named(name)
    if sys.stdin is None:
        msg = "standard input is closed"
        raise OSError(msg)
    return Fetched(sys.stdin.buffer.read(), "standard input")


def lic_files(names: Iterable[str]) -> tuple[list[str], int]:
    """Return the names, in place of a folder those of the .lic files below it, and how many folders failed, each of which is said.

    A folder fails if it cannot be listed, or if it is named and there are none.
    """
    found: list[str] = []
    failed = 0
    for name in names:
        if name == "-" or not os.path.isdir(name):
            found.append(name)
            continue
        below, closed = files_below(Path(name), EXTENSION)
        faults = closed if below or closed else [f"{name}: a folder without .lic files"]
        for fault in faults:
            print(f"lic: {fault}", file=sys.stderr)
        found += map(str, below)
        failed += len(faults)
    return found, failed


def target(source: str, name: str, suffix: str) -> str:
    """Return the file to write: in a folder, which is there or named by a slash at its end, one of the source's name.

    All names of standard output become "-". For a folder ValueError when the source has no name, OSError when it is a folder too.
    """
    if name in _STANDARD_OUTPUT:
        return "-"
    if not (names_folder(name) or os.path.isdir(name)):
        return name
    if source == "-":
        msg = f"a target must be a file when standard input is the source, got the folder {name}"
        raise ValueError(msg)
    own = named(source)
    if not own.name or names_folder(source):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), source)
    return os.path.join(name, own.with_suffix(suffix).name)


def refuses(source: str, target: str, force: bool) -> bool:
    """Whether the target must not be written, over what is there or onto a terminal, which is then said."""
    from ..batch import overwriting

    if _is_terminal(target):
        shown = "standard output" if target == "-" else target
        words = f"{shown} is a terminal, which cannot show a picture: name a file, or redirect it"
    else:
        words = overwriting.objection(source, target, force=force)
    if words:
        print(f"lic: {words}", file=sys.stderr)
    return bool(words)


def _is_terminal(target: str) -> bool:
    if target == "-":
        return sys.stdout is not None and sys.stdout.isatty()
    try:
        if not stat.S_ISCHR(os.stat(target).st_mode):
            return False
        with open(target, "wb", buffering=0) as device:
            return device.isatty()
    except OSError:
        return False


def write(target: str, data: bytes, given: str = "") -> None:
    """Write a file whole or not at all, or to standard output; OSError when that is closed.

    given: the target as it was named; if that is a folder, it is made.
    """
    if target == "-":
        if sys.stdout is None:
            msg = "standard output is closed"
            raise OSError(msg)
        with naming_output():
            sys.stdout.buffer.write(data)
        return
    if names_folder(given):
        os.makedirs(given, exist_ok=True)
    write_atomic(target, data)


def stream_beside(target: str | None) -> TextIO:
    """Return where words about a target are printed: standard output, unless the data may be going there."""
    return sys.stdout if target is None or (os.path.isfile(target) and not _is_standard_output(target)) else sys.stderr


def _is_standard_output(target: str) -> bool:
    """Whether a file that is there is the one that standard output goes to."""
    with Ignoring(OSError):
        return os.path.samestat(os.stat(target), os.fstat(1))
    return False


def report(target: str, words: str) -> None:
    """Say what was made, where it was not sent on by "-"."""
    if target != "-":
        print(f"{quoted(target)}: {words}", file=stream_beside(target))
