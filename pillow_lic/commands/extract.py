"""`lic extract`: the file of another format that a .lic file holds."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import _terminal, _words

SUMMARY = (
    "Get back the JPEG file inside a .lic file of model restored, byte for byte; of jiang2017 the one of half its size."
)
EXAMPLES = """
  lic extract photo.lic photo.jpg
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic extract`."""
    _words.add_files(parser)


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes."""
    from .. import opening
    from ..batch import formats

    if formats.names_another(Path(args.target), "JPEG"):
        print(f"lic: extract writes JPEG files, got {args.target}; decode and convert write others", file=sys.stderr)
        return 2
    target = _words.target(args.source, args.target, ".jpg")
    if _words.refuses(args.source, target, args.force):
        return 2
    with _terminal.naming(args.source):
        data = opening.extract(_words.source(args.source))
    _words.write(target, data, args.target)
    _words.report(target, f"{len(data):,} bytes")
    return 0
