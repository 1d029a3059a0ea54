"""`lic encode`: one picture of any format as .lic."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import _words

SUMMARY = "Write a picture of any format as .lic; - is standard input or output."
EXAMPLES = """
  lic encode a.png a.lic -q 7
  lic encode a.png a.lic --target-size 40k
  lic encode a.png a.lic --roi 200,80,420,300
  cat a.png | lic encode - - > a.lic
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic encode`."""
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("-f", "--force", action="store_true", help="replace what is there, not only .lic files")
    _words.add_save_options(parser, "encode")
    parser.add_argument("--strip", action="store_true", help="leave EXIF and XMP out (ICC profiles are kept)")


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes, quality and seconds."""
    from PIL import Image

    from .. import plugin
    from ..batch import transcode

    target = Path(args.target)
    if transcode.is_picture(target) and target.suffix.lower() != ".lic":
        print(f"lic: encode writes .lic files, got {args.target}; decode and convert write others", file=sys.stderr)
        return 2
    if _words.refuses(args.source, args.target, args.force):
        return 2
    begun = time.perf_counter()
    work = transcode.Transcoder(".lic", _words.save_options(args), not args.strip)
    with Image.open(_words.source(args.source)) as im:
        width, height = im.size
        data = work.encode(im)
    _words.write(args.target, data)
    if args.target != "-":
        level = plugin.open(data).info["quality"]
        print(
            f"{args.target}: {len(data):,} bytes, {8 * len(data) / (width * height):.3f} bpp, quality {level:.2f}, "
            f"{time.perf_counter() - begun:.2f} s"
        )
    return 0
