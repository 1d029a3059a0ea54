"""`lic view`: pictures in the viewer of the desktop, or in the browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import _words
from ._terminal import quoted

SUMMARY = "Show a picture in the desktop's viewer, or several on a page in the browser."
EXAMPLES = """
  lic view a.lic
  lic view photos/ original.png
  lic view photos/*.lic --out pictures.html
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic view`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a picture of any format, or a folder of them")
    parser.set_defaults(several="files")
    parser.add_argument(
        "--out", metavar="PAGE", help="write the page to this file, with all pictures inside, and do not open it"
    )
    parser.add_argument("-f", "--force", action="store_true", help="let --out replace an existing file")


def run(args: argparse.Namespace) -> int:
    """Open what was made, or print its path where there is no desktop; 1 when a picture could not be shown."""
    from ..desktop import view

    if args.out in ("", "-"):
        print(f"lic: --out must name a file to write the page to, got {args.out!r}", file=sys.stderr)
        return 2
    out = None if args.out is None else Path(args.out)
    if out is not None and out.exists() and not args.force:
        print(f"lic: {out} is there: name another page, or replace it with -f", file=sys.stderr)
        return 2

    def told(line: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)

    outcome = view.view(args.files, out, told)
    told("")
    for shown in outcome.failed:
        print(f"lic: {shown.path}: {shown.fault}", file=sys.stderr)
    path = quoted(str(outcome.path))
    print(f"opened {path}" if outcome.is_open else path, file=_words.stream_beside(args.out))
    return 1 if outcome.failed else 0
