"""`lic cut`: a smaller file out of another one, coarser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..command_values import byte_count, typed
from ..fileformat.identity import FORMAT
from ..fileformat.source import opened, size_from
from . import _terminal, _words

SUMMARY = "Make a .lic file smaller, with less detail, without encoding it again; `lic models` lists the models that allow it."
EXAMPLES = """
  lic cut a.lic b.lic --size 20k
  lic cut a.lic small/ --size 1.5k
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic cut`."""
    _words.add_files(parser)
    parser.add_argument(
        "--size",
        required=True,
        type=typed(byte_count),
        metavar="BYTES",
        help="the most bytes that the target may have, more than 0: 20000, 20k, 1.5M",
    )


def run(args: argparse.Namespace) -> int:
    """Write the target and say its bytes."""
    from .. import opening
    from ..batch import formats

    if formats.names_another(Path(args.target), FORMAT):
        print(f"lic: cut writes .lic files, got {args.target}; decode and convert write others", file=sys.stderr)
        return 2
    target = _words.target(args.source, args.target, ".lic")
    if _words.refuses(args.source, target, args.force):
        return 2
    with _terminal.naming(args.source), opened(_words.source(args.source)) as source:
        whole = size_from(source, 0)
        source.seek(0)
        smaller = opening.cut(source, args.size)
    _words.write(target, smaller, args.target)
    _words.report(target, f"{len(smaller):,} bytes of {whole:,}")
    return 0
