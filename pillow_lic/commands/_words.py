"""What several commands take and tell: the options of save, texts as argparse wants them, sources and targets."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from typing import IO, Any

from ..options import OPTIONS


def typed(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return `parse` as argparse wants it, which shows only its own kind of error."""

    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def add_save_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options of save that a command has."""
    for name, row in OPTIONS.items():
        if command not in row.commands:
            continue
        flags = [f"-{row.letter}"] * bool(row.letter) + [f"--{name.replace('_', '-')}"]
        words: dict[str, Any] = {"help": f"{row.written or row.legal}. {row.meaning}".replace("%", "%%")}
        if row.parse is None:
            parser.add_argument(*flags, action="store_true", default=None, **words)
            continue
        action = "append" if row.repeatable else "store"
        parser.add_argument(*flags, type=typed(row.parse), metavar=row.metavar, action=action, **words)


def save_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of save that were given."""
    return {name: getattr(args, name) for name in OPTIONS if getattr(args, name, None) is not None}


def source(name: str) -> str | IO[bytes]:
    """Return the name of a file to read, or of "-" all of standard input; OSError when that is closed."""
    if name != "-":
        return name
    if sys.stdin is None:
        msg = "standard input is closed"
        raise OSError(msg)
    return io.BytesIO(sys.stdin.buffer.read())


def refuses(source: str, target: str, force: bool) -> bool:
    """Whether the target must not be written over, which is then said."""
    from ..batch import overwriting

    if words := overwriting.objection(source, target, force=force):
        print(f"lic: {words}", file=sys.stderr)
    return bool(words)


def write(target: str, data: bytes) -> None:
    """Write a file whole or not at all, or to standard output; OSError when that is closed."""
    from ..files import write_atomic

    if target != "-":
        write_atomic(target, data)
    elif sys.stdout is None:
        msg = "standard output is closed"
        raise OSError(msg)
    else:
        sys.stdout.buffer.write(data)
