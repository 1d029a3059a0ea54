"""`lic probe`: how the installed Pillow plugins behave."""

from __future__ import annotations

import argparse
import sys

from . import _words

SUMMARY = "Compare how the installed Pillow plugins of lossy formats behave; takes minutes."
EXAMPLES = """
  lic probe --only LIC --only AVIF
  lic probe --markdown --json answers.json
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic probe`."""
    parser.add_argument(
        "--only", action="append", metavar="PLUGIN", help="test only this plugin (JPEG, LIC, ...); repeatable"
    )
    parser.add_argument("--row", action="append", metavar="KEY", help="only this row, by its key in --json; repeatable")
    parser.add_argument("--json", metavar="FILE", help="also write the results, with details and methods")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")


def run(args: argparse.Namespace) -> int:
    """Ask, and print the table."""
    from ..files import check_target, write_atomic
    from ..probe import probe

    def told(*words: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{' '.join(words)}\x1b[K", end="", file=sys.stderr, flush=True)

    names = args.only or probe.installed()
    if missing := set(names) - set(probe.installed()):
        print(f"lic: not installed: {', '.join(sorted(missing))}", file=sys.stderr)
        return 2
    if args.json is not None:
        check_target(args.json)
    answers = probe.probe(names, args.row or (), told)
    told()
    try:
        if args.json is not None:
            write_atomic(args.json, probe.as_json(answers).encode())
    finally:  # what was asked for minutes is shown
        print(probe.as_table(answers, args.markdown), file=_words.stream_beside(args.json))
    return 0
