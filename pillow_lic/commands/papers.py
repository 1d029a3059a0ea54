"""`lic papers`: the published systems of this package on one page."""

from __future__ import annotations

import argparse
import sys

from ..command_values import count, typed

SUMMARY = "Put the published systems on one page: curves, claims, costs, pictures; takes minutes."
EXAMPLES = """
  lic papers page/
  lic papers page/ --pictures kodak/ --cache measured.json
  lic papers page/ --pictures kodak/ --curves published.json --limit 4
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic papers`."""
    parser.add_argument("folder", help="folder for papers.html, papers.md and its drawings")
    parser.add_argument(
        "--pictures", metavar="FOLDER", help="folder of pictures; default: the photo that comes with the package"
    )
    parser.add_argument("--limit", type=typed(count), metavar="N", help="only the first N pictures, 1 or more")
    parser.add_argument("--cache", metavar="FILE", help="JSON file that keeps the measurements for the next run")
    parser.add_argument("--curves", metavar="FILE", help="JSON file of published curves to show too")


def run(args: argparse.Namespace) -> int:
    """Measure, write, and name what was written."""
    from ..bench import charts, demo, measurement
    from ..files import check_target, named, write_atomic
    from ..papers import curves, page

    folder = named(args.folder)
    drawings = {metric: f"{metric}.svg" for metric in curves.METRICS}
    for name in (*drawings.values(), "papers.md", "papers.html"):
        check_target(folder / name)  # an error comes before the minutes of measuring
    found = [demo.OWN_SAMPLE] if args.pictures is None else measurement.pictures_of(named(args.pictures), args.limit)
    cache, published = (None if name is None else named(name) for name in (args.cache, args.curves))
    measured = curves.measure(found, cache, published, _say)
    for metric, panel in page.panels(measured).items():
        write_atomic(folder / drawings[metric], charts.svg([panel], key=page.key(measured)).encode())
    write_atomic(folder / "papers.md", page.markdown(measured, drawings).encode())
    _say(f"crops, files cut short and maps of {found[0].name}")
    write_atomic(folder / "papers.html", page.html(measured).encode())
    print(f"wrote {folder / 'papers.html'} and {folder / 'papers.md'}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
