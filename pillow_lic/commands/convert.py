"""`lic convert`: many pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..parsing import byte_count
from . import _words

SUMMARY = "Convert files, directories, patterns and URLs; goes on where it was stopped."
EXAMPLES = """
  lic convert photos/ out/ -j 4
  lic convert photos/ out/ --budget 5GB
  lic convert out/ back/ --to png
  lic convert "s3://in/**/*.png" s3://out --scheduler tcp://host:8786
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic convert`."""
    parser.add_argument("paths", nargs="+", metavar="SRC... DST")
    parser.add_argument("--to", metavar="FORMAT", help="lic (default) or any extension Pillow writes")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="worker processes (default 1)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="work on the Dask cluster of this scheduler")
    parser.add_argument(
        "--budget",
        type=_words.typed(byte_count),
        metavar="BYTES",
        help="for all files together (5GB): measure, then share",
    )
    parser.add_argument("-f", "--force", action="store_true", help="also make what is there, even over originals")
    parser.add_argument("--quiet", action="store_true", help="no progress line")
    _words.add_save_options(parser, "convert")
    parser.add_argument("--strip", action="store_true", help="leave EXIF and XMP out (ICC profiles are kept)")


def run(args: argparse.Namespace) -> int:
    """Convert, and say how many files were made, were there and failed; 1 when one failed."""
    from ..batch import conversion
    from ..batch.progress import ProgressLine

    *sources, destination = args.paths
    if not sources:
        print("lic: convert needs at least one SRC and a DST", file=sys.stderr)
        return 2
    line = ProgressLine(sys.stderr, shown=not args.quiet)
    try:
        with _workers(args) as how:
            summary = conversion.convert(
                sources,
                destination,
                to=args.to,
                force=args.force,
                keep_metadata=not args.strip,
                progress=line.update,
                budget=args.budget,
                **how,
                **_words.save_options(args),
            )
    finally:
        line.close()
    for result in summary.failed:
        print(f"lic: {result.pair.source}: {result.error}", file=sys.stderr)
    saved = f", {1 - summary.bytes_out / summary.bytes_in:.0%} saved" if summary.bytes_in > summary.bytes_out else ""
    print(
        f"{len(summary.done)} converted, {len(summary.skipped)} there already, {len(summary.failed)} failed; "
        f"{summary.bytes_in:,} -> {summary.bytes_out:,} bytes{saved}; {summary.seconds:.1f} s"
    )
    if args.budget is not None:
        used = sum(result.bytes_out for result in (*summary.done, *summary.skipped))
        print(f"{used:,} of {args.budget:,.0f} bytes used, {used / args.budget:.1%}")
    return 1 if summary.failed else 0


@contextmanager
def _workers(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Who does the work, in the words of `pillow_lic.convert`."""
    if args.scheduler is None:
        yield {"workers": 1 if args.jobs is None else args.jobs}
        return
    if args.jobs is not None:
        msg = f"-j must be left out with --scheduler, the cluster has its own workers, got {args.jobs}"
        raise ValueError(msg)
    from ..batch import cluster

    with cluster.connect(args.scheduler) as found:
        yield found._asdict()
