"""`lic restore`: JPEG pictures without the marks of JPEG."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import _one_picture, _words, convert

SUMMARY = "Remove the block and ringing artefacts of JPEG from files, folders, patterns and URLs."
EXAMPLES = """
  lic restore photo.jpg photo.png
  lic restore photos/ out/ -j all
  lic restore old.jpg new.jpg -q 9.5
  lic restore small.jpg small.png --views 4
  cat photo.jpg | lic restore - - --to webp > photo.webp
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic restore`."""
    convert.add_run_words(parser, "png")
    parser.add_argument(
        "--views",
        type=int,
        choices=(1, 2, 4),
        default=1,
        help="2 or 4 average the results for mirrored copies: slightly better, but 2 or 4 times slower; default 1",
    )
    _words.add_save_options(parser, "restore")
    _words.add_adjustments(parser)


def run(args: argparse.Namespace) -> int:
    """Restore, and say what became of every file and of all; 1 when one failed or nothing was found to do."""
    if "-" in args.paths:
        return _through_pipes(args)
    return convert.run_over(args, "restore", restore=args.views)


def _through_pipes(args: argparse.Namespace) -> int:
    """Restore one picture from standard input, to standard output, or both; 2 after a sentence for words that need files."""
    from ..batch import formats

    source, target = args.paths[0], args.paths[-1]
    own = Path(target).suffix.lower()
    named = own if own in formats.extensions() else ""
    asked = f".{args.to.lower().lstrip('.')}" if args.to else named or ".png"
    given = [word for word in ("jobs", "scheduler", "dry_run", "json") if getattr(args, word)]
    said = ""
    if len(args.paths) != 2:
        said = f"restore takes one SRC and one DST where one of them is -, got {' '.join(args.paths)}"
    elif given:
        said = f"--{given[0].replace('_', '-')} must be left out where SRC or DST is -"
    if said:
        print(f"lic: {said}", file=sys.stderr)
        return 2
    suffix = named or asked
    if _one_picture.contradicts(target, suffix, args.to):
        return 2
    return _one_picture.write(args, source, target, suffix, args.views)
