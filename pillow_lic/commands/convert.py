"""`lic convert`: many pictures."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..command_values import byte_count, typed
from ..process_start import INTERRUPTED
from . import _interrupts, _words

if TYPE_CHECKING:
    from ..batch.results import Result

SUMMARY = "Convert files, folders, patterns and URLs; a run that was stopped can be continued."
EXAMPLES = """
  lic convert photos/ out/ -j all
  lic convert photos/ out/ --dry-run
  lic convert photos/ out/ --budget 5GB
  lic convert out/ back/ --to jpg -q 8 --background white --resize 1920
  lic convert "s3://in/**/*.png" s3://out --scheduler tcp://host:8786
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic convert`."""
    add_run_words(parser, "lic")
    parser.add_argument(
        "--budget",
        type=typed(byte_count),
        metavar="BYTES",
        help="share so many bytes, more than 0 (5GB), among all files; every picture is measured first",
    )
    _words.add_save_options(parser, "convert")
    _words.add_adjustments(parser)


def add_run_words(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the words of a run over many files, whose format is `default` if nothing names another."""
    parser.usage = "%(prog)s [OPTION...] SRC... DST"
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="SRC... DST",
        help="pictures, folders, patterns or URLs, then a folder or file to write",
    )
    parser.set_defaults(several="paths")
    parser.add_argument("--to", metavar="FORMAT", help=f"{default} (default) or any extension that Pillow writes")
    parser.add_argument(
        "-j",
        "--jobs",
        type=typed(_jobs),
        metavar="N",
        help="worker processes, 1 or more (default 1); all: one per processor",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="use the Dask cluster of this scheduler")
    parser.add_argument(
        "-f", "--force", action="store_true", help="also write files that exist, even if they may be originals"
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="write nothing, only say what would be made")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print a line for every file: sizes, quality, seconds, and PSNR, for which it is decoded",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per file, and one for all")
    parser.add_argument("--quiet", action="store_true", help="print no progress")


def run(args: argparse.Namespace) -> int:
    """Convert, and say what became of every file and of all; 1 when one failed or nothing was found to do."""
    return run_over(args, "convert", budget=args.budget, measure=args.verbose)


def run_over(args: argparse.Namespace, name: str, **more: Any) -> int:
    """Run `pillow_lic.convert` with the words of a command of that name, and more arguments; as `run`."""
    from ..batch import conversion, report

    *sources, destination = args.paths
    if not sources:
        print(f"lic: {name} needs at least one SRC and a DST", file=sys.stderr)
        return 2
    if destination == "-":
        print(
            f"lic: {name} writes files, not to standard output; encode and decode do; a folder of that name is ./-",
            file=sys.stderr,
        )
        return 2
    told = report.Report(
        sys.stderr, verbose=args.verbose, quiet=args.quiet, json_lines=sys.stdout if args.json else None
    )

    def progress(result: Result, finished: int, total: int) -> None:
        told.update(result, finished, total)
        _interrupts.check()

    try:
        with _workers(args) as how, _interrupts.explained(how["workers"] > 1), warnings.catch_warnings():
            warnings.simplefilter("ignore", conversion.PictureWarning)  # told by picture, as it happens
            summary = conversion.convert(
                sources,
                destination,
                to=args.to,
                force=args.force,
                keep_metadata=not args.strip,
                progress=progress,
                dry_run=args.dry_run,
                **more,
                **how,
                **_words.adjustments(args),
                **_words.save_options(args),
            )
    except KeyboardInterrupt:
        told.close()
        print(f"lic: interrupted: {told.counts()}; run the same command again to go on", file=sys.stderr)
        return INTERRUPTED
    finally:
        told.close()
    told.finish(summary)
    if (budget := more.get("budget")) is not None and not args.json:
        used = sum(result.bytes_out for result in (*summary.done, *summary.skipped))
        print(f"{used:,} of {budget:,.0f} bytes used, {used / budget:.1%}")
    return 1 if summary.failed or (summary.passed_over and not summary.results) else 0


def _jobs(text: str) -> int:
    from ..engine.settings import available_cores

    if text == "all":
        return available_cores()
    try:
        return int(text)
    except ValueError:
        msg = f"must be a number of processes or all, got {text!r}"
        raise ValueError(msg) from None


@contextmanager
def _workers(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Give the arguments of `pillow_lic.convert` that say who does the work."""
    if args.scheduler is None:
        yield {"workers": 1 if args.jobs is None else args.jobs}
        return
    if args.jobs is not None:
        msg = f"-j must be left out with --scheduler, the cluster has its own workers, got {args.jobs}"
        raise ValueError(msg)
    from ..batch import cluster

    with cluster.connect(args.scheduler) as found:
        yield found._asdict()
