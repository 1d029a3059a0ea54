"""The command of a recipe: `train PATCHES RUN` and `export WEIGHTS PATCHES --id N`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from . import training
from .export import add_export

Command = Callable[[argparse.Namespace], None]


def run(
    description: str | None,
    train: Command,
    export: Command,
    add_words: Callable[[argparse.ArgumentParser], object] = lambda parser: None,
    *,
    counts: bool = True,
) -> None:
    """Do what the words of the command line say, by `train` or `export`.

    add_words: adds to those of `train`. counts: whether `export` counts symbols of patches.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    words = commands.add_parser("train", help="train, or go on")
    training.add_arguments(words)
    add_words(words)
    words.set_defaults(command=train)
    add_export(commands, export, counts=counts)
    given = parser.parse_args()
    given.command(given)
