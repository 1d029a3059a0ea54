"""`lic autoload`: .lic registered with Pillow in every program of an environment."""

from __future__ import annotations

import argparse

SUMMARY = "Let every Pillow program of this Python environment read and write .lic files without importing pillow_lic."
EXAMPLES = """
  lic autoload on
  lic autoload status
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic autoload`."""
    parser.add_argument(
        "what", metavar="on|off|status", choices=["on", "off", "status"], help="switch it on or off, or say which it is"
    )


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
