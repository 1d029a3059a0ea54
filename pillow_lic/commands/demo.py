"""`lic demo`: a photo as .lic beside other formats."""

from __future__ import annotations

import argparse

SUMMARY = "Show a photo as .lic beside JPEG, WebP and AVIF at the same size."
EXAMPLES = """
  lic demo
  lic demo photo.png -q 4 --keep files/
  lic demo photo.png --html
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic demo`."""
    parser.add_argument("pictures", nargs="*", metavar="picture", help="default: a photo that comes with the package")
    parser.add_argument(
        "-q",
        "--quality",
        type=float,
        default=6,
        metavar="Q",
        help="quality of the .lic file, 1-10 or 11-100 as percent (default 6)",
    )
    parser.add_argument("--keep", metavar="DIR", help="keep the files in this folder")
    parser.add_argument(
        "--html", action="store_true", help="also write demo.html, in that folder or here: crops to compare, and curves"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table for every picture, and write the page."""
    from ..bench import demo

    return demo.main(args.pictures, args.quality, args.keep, args.html)
