"""`lic desktop`: .lic known to the desktop of this user."""

from __future__ import annotations

import argparse
import sys

SUMMARY = "Give .lic files a type, an icon, thumbnails and a viewer on desktops that follow freedesktop.org."
EXAMPLES = """
  lic desktop on
  lic desktop status
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic desktop`."""
    parser.add_argument("what", choices=["on", "off", "status"])


def run(args: argparse.Namespace) -> int:
    """Write or remove the files of this user's desktop, and say whether they are there and what the system lacks."""
    from ..desktop import registration

    if args.what == "on":
        for path in registration.turn_on():
            print(f"wrote {path}")
    elif args.what == "off":
        for path in registration.turn_off():
            print(f"removed {path}")
    state = registration.status()
    print(f"desktop is {state} in {registration.data_home()}")
    for sentence in registration.shortcomings() if state != "off" else ():
        print(f"lic: {sentence}", file=sys.stderr)
    return 0
