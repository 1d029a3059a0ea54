"""`lic thumbnail`: a small picture of a .lic file, as file managers ask for it."""

from __future__ import annotations

import argparse

from . import _terminal, _words

SUMMARY = "Write a small PNG of a .lic file. File managers call this after `lic desktop on`."
EXAMPLES = """
  lic thumbnail a.lic a.png
  lic thumbnail a.lic a.png 512
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic thumbnail`."""
    parser.add_argument("source", help="a .lic file")
    parser.add_argument("target", help="the PNG file to write")
    parser.add_argument(
        "size", nargs="?", type=int, default=256, help="most pixels of its longer side, 1-4096 (default 256)"
    )
    parser.add_argument("-f", "--force", action="store_true", help="write over a target that is not empty")


def run(args: argparse.Namespace) -> int:
    """Write the thumbnail. File managers make an empty file first, which has nothing to lose."""
    from ..desktop import thumbnail

    if _words.refuses(args.source, args.target, args.force):
        return 2
    with _terminal.naming(args.source):
        thumbnail.write(args.source, args.target, args.size)
    return 0
