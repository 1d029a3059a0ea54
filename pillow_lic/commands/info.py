"""`lic info`: what .lic files say about themselves."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import _words

SUMMARY = "Show what .lic files say about themselves and check them; runs no network."
EXAMPLES = """
  lic info a.lic
  lic info --json *.lic
  lic info a.lic --map map.png
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic info`."""
    parser.add_argument("files", nargs="+", metavar="file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--map", metavar="PICTURE", help="also draw the importance map: white has the highest quality")
    parser.add_argument("-f", "--force", action="store_true", help="let --map replace what is there")


def run(args: argparse.Namespace) -> int:
    """Print the facts of every file; 1 when one is damaged or cannot be read."""
    from .. import color, describe
    from ..batch import transcode

    if args.map is not None and len(args.files) != 1:
        print(f"lic: --map draws the map of one file, got {len(args.files)}", file=sys.stderr)
        return 2
    if args.map is not None and (args.map == "-" or Path(args.map).suffix.lower() == ".lic"):
        print(f"lic: --map must name a file to write other than a .lic file, got {args.map}", file=sys.stderr)
        return 2
    if args.map is not None and _words.refuses(args.files[0], args.map, args.force):
        return 2
    failed = 0
    for name in args.files:
        try:
            source = _words.source(name)
            data = Path(source).read_bytes() if isinstance(source, str) else source.read()
            facts = describe.describe(data)
        except (OSError, SyntaxError) as error:
            print(f"lic: {name}: {error}", file=sys.stderr)
            failed += 1
            continue
        failed += facts["damage"] is not None
        print(json.dumps({"file": name, **facts}) if args.json else f"{name}\n{describe.as_text(facts)}")
        if args.map is not None:
            suffix = Path(args.map).suffix.lower() or ".png"
            drawn = transcode.Transcoder(suffix, {}, False).encode(color.from_array(describe.draw_map(data)))
            _words.write(args.map, drawn)
    return 1 if failed else 0
