"""`lic decode`: one .lic picture in another format."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import _words

SUMMARY = "Write a .lic picture in another format; - is standard input or output."
EXAMPLES = """
  lic decode a.lic a.png
  lic decode a.lic - --format webp > a.webp
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic decode`."""
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--format", help="of the target (default: by its name; png for -)")
    parser.add_argument("-f", "--force", action="store_true", help="replace what is there")
    parser.add_argument("--strip", action="store_true", help="leave EXIF and XMP out")


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes and seconds."""
    from .. import plugin
    from ..batch import transcode

    begun = time.perf_counter()
    suffix = f".{args.format.lower().lstrip('.')}" if args.format else Path(args.target).suffix.lower() or ".png"
    if suffix == ".lic":
        print("lic: decode writes other formats than .lic; encode and convert write it anew", file=sys.stderr)
        return 2
    if _words.refuses(args.source, args.target, args.force):
        return 2
    with plugin.open(_words.source(args.source)) as im:
        data = transcode.Transcoder(suffix, {}, not args.strip).encode(im)
    _words.write(args.target, data)
    if args.target != "-":
        print(f"{args.target}: {len(data):,} bytes, {time.perf_counter() - begun:.2f} s")
    return 0
