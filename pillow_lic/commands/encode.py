"""`lic encode`: one picture of any format as .lic, or as a JPEG with more bits for the places that matter."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..fileformat.identity import FORMAT
from . import _terminal, _words

SUMMARY = "Write a picture of any format as .lic."
EXAMPLES = """
  lic encode a.png a.lic -q 7
  lic encode a.png folder/ --target-size 40k
  lic encode a.png a.lic --roi 200,80,420,300
  lic encode a.png a.jpg -q 7 --importance semantic
  cat a.png | lic encode - - > a.lic
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic encode`."""
    _words.add_files(parser, "a picture of any format", "replace an existing file even if it may be an original")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also print the PSNR, for which the file is decoded"
    )
    _words.add_save_options(parser, "encode")
    _words.add_adjustments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes, quality and seconds."""
    from ..batch import conversion, formats, transcode
    from ..batch.adjustment import Adjustment

    suffix, options = ".lic", _words.save_options(args)
    if formats.names_another(Path(args.target), FORMAT):
        suffix = Path(args.target).suffix.lower()
        if formats.extensions().get(suffix) != "JPEG" or not set(transcode.PLACES) & set(options):
            said = "encode writes .lic files, and .jpg files with --importance or --roi"
            print(f"lic: {said}, got {args.target}; decode and convert write others", file=sys.stderr)
            return 2
    target = _words.target(args.source, args.target, suffix)
    if _words.refuses(args.source, target, args.force):
        return 2
    begun = time.perf_counter()
    work = transcode.Transcoder(
        suffix,
        conversion.checked_options(suffix, options),
        not args.strip,
        Adjustment.of(**_words.adjustments(args)),
        args.verbose,
    )
    with _terminal.naming(args.source), formats.open_picture(_words.source(args.source)) as im:
        picture = work.prepare(im)
        data = work.encode(picture)
        made = work.made(picture, data)
    _words.write(target, data, args.target)
    pixels = picture.image.width * picture.image.height
    words = [f"{len(data):,} bytes", f"{8 * len(data) / pixels:.3f} bpp", *made.words()]
    _words.report(target, ", ".join([*words, f"{time.perf_counter() - begun:.2f} s"]))
    return 0
