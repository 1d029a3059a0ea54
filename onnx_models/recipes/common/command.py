"""The command of a recipe: `train PATCHES RUN`, further steps of the same form, and `export WEIGHTS PATCHES --id N`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from . import training
from .export import add_export

Command = Callable[[argparse.Namespace], None]
NO_MORE: Mapping[str, Command] = {}


def run(
    description: str | None,
    train: Command,
    export: Command,
    add_words: Callable[[argparse.ArgumentParser], object] = lambda parser: None,
    *,
    counts: bool = True,
    further: Mapping[str, Command] = NO_MORE,
) -> None:
    """Do what the words of the command line say, by `train`, one of `further`, or `export`.

    add_words: adds to those of every training. counts: whether `export` counts symbols of patches. further: what is run before
    `train` or after it, by the name of its command, with the same words.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, command in {"train": train, **further}.items():
        words = commands.add_parser(name, help=(command.__doc__ or "").partition("\n")[0])
        training.add_arguments(words)
        add_words(words)
        words.set_defaults(command=command)
    add_export(commands, export, counts=counts)
    given = parser.parse_args()
    given.command(given)
