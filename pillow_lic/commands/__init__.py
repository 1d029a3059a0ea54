"""The commands of `lic`, one file each, found by their names. Imports anything, on use; only `__main__` imports this.

A module here is a command, unless its name begins with an underscore:

    SUMMARY                  one sentence for the list of commands
    EXAMPLES                 command lines for the end of its help
    add_words(parser)        adds what may follow the name of the command; `several` is set to the argument that takes any number of
                             names, which may stand before and behind options
    run(args) -> exit code   0 all is well, 1 something failed (said on stderr), 2 not understood, or would write over what
                             must not be lost

A command with parsers of its own has `main(words) -> exit code` in place of the last two, and `parser(words)`, which returns the
one that would read them, for shells that complete words. All are imported for one that
runs, so what they do is imported inside their functions.
"""

from __future__ import annotations

import argparse
import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, cast


class Command(Protocol):
    """A module of this folder, as the command `parser` adds."""

    SUMMARY: str
    EXAMPLES: str
    add_words: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    main: Callable[[Sequence[str]], int]
    parser: Callable[[Sequence[str]], argparse.ArgumentParser]


def commands() -> dict[str, Command]:
    """Return the commands by name, sorted."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name: cast(Command, import_module(f".{name}", __name__)) for name in names}
