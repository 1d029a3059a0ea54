"""`lic restore`: JPEG pictures without the marks of JPEG."""

from __future__ import annotations

import argparse

from . import _words, convert

SUMMARY = "Remove the block and ringing artefacts of JPEG from files, folders, patterns and URLs."
EXAMPLES = """
  lic restore photo.jpg photo.png
  lic restore photos/ out/ -j all
  lic restore old.jpg new.jpg -q 9.5
  lic restore small.jpg small.png --views 4
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
    return convert.run_over(args, "restore", restore=args.views)
