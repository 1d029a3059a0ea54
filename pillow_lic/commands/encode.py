"""`lic encode`: one picture of any format as .lic, or as a JPEG with more bits for the places that matter."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..fileformat.identity import EXTENSION, FORMAT
from . import _one_picture, _words

SUMMARY = "Write a picture of any format as .lic."
EXAMPLES = """
  lic encode a.png a.lic -q 7
  lic encode a.png folder/ --target-size 40k
  lic encode a.png a.lic --roi 200,80,420,300
  lic encode a.png a.jpg -q 7 --importance semantic
  cat a.png | lic encode - - > a.lic
  cat a.png | lic encode - - --to jpg --importance semantic > a.jpg
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic encode`."""
    _words.add_files(parser, "a picture of any format", "replace an existing file even if it may be an original")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also print the PSNR, for which the file is decoded"
    )
    parser.add_argument("--to", choices=("lic", "jpg"), help="format for - and folders; default: lic")
    _words.add_save_options(parser, "encode")
    _words.add_adjustments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes, quality and seconds."""
    from ..batch import formats, transcode

    asked = f".{args.to}" if args.to else EXTENSION
    own = Path(args.target).suffix.lower()
    named = own if own == EXTENSION or formats.names_another(Path(args.target), FORMAT) else ""
    suffix = named or asked
    format_of = formats.extensions().get
    has_places = bool(set(transcode.PLACES) & set(_words.save_options(args)))
    if format_of(suffix) != FORMAT and not (format_of(suffix) == "JPEG" and has_places):
        said = "encode writes .lic files, and .jpg files with --importance or --roi"
        print(f"lic: {said}, got {args.target if named else suffix}; decode and convert write others", file=sys.stderr)
        return 2
    if _one_picture.contradicts(args.target, suffix, args.to):
        return 2
    return _one_picture.write(args, args.source, args.target, suffix)
