"""The parsers of `lic bench` and its commands: examples at the end of the help, and numbers that say what is legal."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable

from ..parsing import real


def parser(command: str, description: str, *examples: str) -> argparse.ArgumentParser:
    """Return a parser of what may follow a command, with a description and examples for its help."""
    return argparse.ArgumentParser(
        prog=command,
        description=textwrap.fill(description, 100),
        epilog="\n  ".join(["examples:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def count(least: int = 1) -> Callable[[str], int]:
    """Return a reader of whole numbers of at least so many."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            msg = f"must be a whole number, at least {least}, got {text!r}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)

    return read


def above_zero(text: str) -> float:
    """Return a number above 0."""
    try:
        value = real(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        msg = f"must be a number above 0, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value
