"""`lic info`: the facts of .lic files, and a check of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ..errors import let_pass
from ..fileformat.source import opened
from . import _words
from ._terminal import quoted

SUMMARY = "Show what .lic files contain, and check them, without running a network."
EXAMPLES = """
  lic info a.lic
  lic info --json photos/
  lic info a.lic --map map.png
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic info`."""
    parser.add_argument("files", nargs="+", metavar="file", help="a .lic file, or a folder of them")
    parser.set_defaults(several="files")
    parser.add_argument("--json", action="store_true", help="print one JSON object per file")
    parser.add_argument(
        "--map", metavar="PICTURE", help="also write the importance map as a picture: white has the highest quality"
    )
    parser.add_argument("-f", "--force", action="store_true", help="let --map replace an existing file")


def run(args: argparse.Namespace) -> int:
    """Print the facts of every file; 1 when one is damaged or cannot be read."""
    from ..inspecting import description

    if args.map is not None and len(args.files) != 1:
        print(f"lic: --map draws the map of one file, got {len(args.files)}", file=sys.stderr)
        return 2
    if args.map is not None and (args.map == "-" or Path(args.map).suffix.lower() == ".lic"):
        print(f"lic: --map must name a file to write other than a .lic file, got {args.map}", file=sys.stderr)
        return 2
    if args.map is not None and _words.refuses(args.files[0], args.map, args.force):
        return 2
    files, failed = _words.lic_files(args.files)
    for name in files:
        try:
            facts = _facts(name, args)
        except (OSError, SyntaxError) as error:
            let_pass(error)
            print(f"lic: {name}: {error}", file=sys.stderr)
            failed += 1
            continue
        # What is wrong with standard output is none of the file's.
        told = json.dumps({"file": name, **facts}) if args.json else f"{quoted(name)}\n{description.as_text(facts)}"
        print(told, file=_words.stream_beside(args.map))
        failed += facts["damage"] is not None
    return 1 if failed else 0


def _facts(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Return the facts of a file, and draw its map where that is wanted."""
    from .. import color
    from ..batch.transcode import Transcoder
    from ..inspecting import description

    with opened(_words.source(name)) as file:
        facts = description.describe(file)
        if args.map is not None:
            file.seek(0)
            work = Transcoder(Path(args.map).suffix.lower() or ".png", {}, False)
            _words.write(args.map, work.encode(work.prepare(color.from_array(description.draw_map(file)))))
    return facts
