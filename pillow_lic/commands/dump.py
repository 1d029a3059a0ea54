"""`lic dump`: what a .lic file holds before it becomes a picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..fileformat import container
from ..fileformat.source import opened, read_all
from . import _terminal, _words

SUMMARY = "Write the symbols, indexes and latents of a .lic file as arrays for numpy.load; for teaching."
EXAMPLES = """
  lic dump a.lic a.npz
  lic dump a.lic arrays/
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic dump`."""
    _words.add_files(parser)


def run(args: argparse.Namespace) -> int:
    """Write the arrays and name them, with their shapes and types; 2 for a target that may be a picture."""
    from ..inspecting import dump

    target = _words.target(args.source, args.target, ".npz")
    if target != "-" and Path(target).suffix.lower() != ".npz":
        print(f"lic: dump writes .npz files, got {target}", file=sys.stderr)
        return 2
    if _words.refuses(args.source, target, args.force):
        return 2
    with _terminal.naming(args.source), opened(_words.source(args.source)) as source:
        start = source.tell()
        container.read_front(source)  # or a device without end would be read for ever
        source.seek(start)
        arrays = dump.dump(read_all(source))
    _words.write(target, dump.as_npz(arrays), args.target)
    for name, array in arrays.items() if target != "-" else ():
        print(f"{name:24} {array.dtype.name:8} {' x '.join(map(str, array.shape)) or array.item()}")
    return 0
