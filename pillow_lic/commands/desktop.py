"""`lic desktop`: file type, thumbnails and viewer of .lic files on the desktop of this user."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import _words

SUMMARY = "Make Linux desktops (freedesktop.org) know .lic files: type, icon, thumbnails, viewer."
EXAMPLES = """
  lic desktop on
  lic desktop status
  lic desktop thumbnails photos/
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic desktop`."""
    choices = ["on", "off", "status", "thumbnails"]
    parser.add_argument(
        "what",
        metavar="|".join(choices),
        choices=choices,
        help="switch it on or off, say which it is, or make thumbnails",
    )
    parser.add_argument(
        "files", nargs="*", default=[], metavar="FILE", help="for thumbnails: .lic files, or folders of them"
    )


def run(args: argparse.Namespace) -> int:
    """Write or remove the files of this user's desktop, and say whether they are there and what the system lacks.

    Or write thumbnails ahead, for file managers that cannot run this Python; 1 when that fails for a picture.
    """
    from ..desktop import directories, registration

    if (args.what == "thumbnails") != bool(args.files):
        print(f"lic: `lic desktop thumbnails` takes files, got {len(args.files)} for {args.what}", file=sys.stderr)
        return 2
    if args.what == "thumbnails":
        return _thumbnails(args.files)
    if args.what == "on":
        for path in registration.turn_on():
            print(f"wrote {path}")
    elif args.what == "off":
        for path in registration.turn_off():
            print(f"removed {path}")
    state = registration.status()
    print(f"desktop is {state} in {directories.data_home()}")
    for sentence in registration.shortcomings() if state != "off" else ():
        print(f"lic: {sentence}", file=sys.stderr)
    return 0


def _thumbnails(names: Sequence[str]) -> int:
    from PIL import Image

    from ..desktop import thumbnail
    from ..errors import let_pass
    from ..files import named

    found, closed = _words.lic_files(names)
    made = failed = 0
    for path in found:
        try:
            made += bool(thumbnail.share(named(path)))
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            let_pass(error)
            print(f"lic: {path}: {error}", file=sys.stderr)
            failed += 1
    print(f"{made} thumbnails made, {len(found) - made - failed} there already, {failed + closed} failed")
    return 1 if failed or closed else 0
