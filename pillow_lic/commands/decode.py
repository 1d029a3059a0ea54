"""`lic decode`: one .lic picture in another format."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from PIL import UnidentifiedImageError

from ..errors import NotLicError
from . import _terminal, _words

SUMMARY = "Write a .lic picture in another format."
EXAMPLES = """
  lic decode a.lic a.png
  lic decode a.lic a.jpg --background white
  lic decode a.lic - --format webp > a.webp
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic decode`."""
    _words.add_files(parser)
    parser.add_argument("--format", help="format of the target; default: by its name, png for - and folders")
    _words.add_adjustments(parser, frames=False)


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes and seconds."""
    from .. import opening
    from ..batch import transcode
    from ..batch.adjustment import Adjustment

    begun = time.perf_counter()
    suffix = f".{args.format.lower().lstrip('.')}" if args.format else Path(args.target).suffix.lower() or ".png"
    if suffix == ".lic":
        print("lic: decode writes other formats than .lic; encode and convert write it anew", file=sys.stderr)
        return 2
    target = _words.target(args.source, args.target, suffix)
    if _words.refuses(args.source, target, args.force):
        return 2
    work = transcode.Transcoder(suffix, {}, not args.strip, Adjustment.of(**_words.adjustments(args)))
    with _terminal.naming(args.source):
        try:
            im = opening.open(_words.source(args.source))
        except UnidentifiedImageError as error:
            msg = "not a .lic file"
            raise NotLicError(msg) from error
        with im:
            data = work.encode(work.prepare(im))
    _words.write(target, data, args.target)
    _words.report(target, f"{len(data):,} bytes, {time.perf_counter() - begun:.2f} s")
    return 0
