"""`lic bench`: speed and size of codecs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from glob import escape, glob
from importlib import import_module
from typing import Any, cast

SUMMARY = "Compare codecs on a folder of pictures: bytes, quality, time. `lic bench --help` lists other measurements."

_MODULES = {
    "coder": "coder",
    "profile": "stations",
    "boxes": "boxes",
    "restore": "restoration",
    "prefixes": "prefixes",
    "times": "times",
}
"""The module of `bench` behind each of its commands."""


def main(words: Sequence[str]) -> int:
    """Run `lic bench`, or one of its commands, with its own words."""
    name = words[0] if words else ""
    return int(_module(name).main(words[1:] if name in _MODULES else words))


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of what may follow these words, for a shell that completes them."""
    if words and words[0] in _MODULES:
        found = argparse.ArgumentParser()
        found.add_subparsers().add_parser(words[0], parents=[_module(words[0]).parser()], add_help=False)
        return found
    found = cast("argparse.ArgumentParser", _module("").parser())
    folder = next(action for action in found._actions if action.dest == "folder")
    folder.completer = _begun  # type: ignore[attr-defined]  # where argcomplete looks for it
    return found


def _begun(prefix: str, **_: object) -> list[str]:
    """Return the commands and folders whose names begin so."""
    return [*(name for name in _MODULES if name.startswith(prefix)), *glob(f"{escape(prefix)}*/")]


def _module(name: str) -> Any:
    return import_module(f"...bench.{_MODULES.get(name, 'measurement')}", __name__)
