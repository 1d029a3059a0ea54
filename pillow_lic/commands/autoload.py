"""`lic autoload`: .lic known to Pillow in every program of an environment."""

from __future__ import annotations

import argparse

SUMMARY = "Let every program of this environment read .lic without importing anything."
EXAMPLES = """
  lic autoload on
  lic autoload status
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic autoload`."""
    parser.add_argument("what", metavar="on|off|status", choices=["on", "off", "status"])


def run(args: argparse.Namespace) -> int:
    """Write or remove the start-up files, and say whether they are there."""
    from ..autoload import installation

    if args.what == "on":
        for path in installation.turn_on():
            print(f"wrote {path}")
    elif args.what == "off":
        for path in installation.turn_off():
            print(f"removed {path}")
    print(f"autoload is {installation.status()} in {installation.site_directory()}")
    return 0
