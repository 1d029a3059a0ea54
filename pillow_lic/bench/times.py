"""`lic bench times`: what models of this package take beside peers, at about equal bytes, for pictures from small to large.

Pictures are mosaics of those in a folder. All codecs have their turn in every round, so that what slows the machine down slows
all of them, and ratios are taken within a round. The process is bound to as many processors as threads are asked for, which peers
keep to as well. With one thread time is that of the processor, so that other work on the machine does not count; with more
it is wall time.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..command_values import above_zero, count, typed
from ..files import named
from . import measurement, peers, words
from .equal_bytes import nearest
from .peers import Codec

if TYPE_CHECKING:
    from .peers import Pixels

PEERS = ("avif", "jxl")
MODELS = ("lic1", "lic2:0", "lic2")
MEGAPIXELS = (1.0, 2.0, 3.0, 6.0, 9.0, 12.0)
ASPECT = 4 / 3
STEPS = ("encode", "decode")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Row:
    """Times of one codec on one picture: seconds per megapixel, and by the name of a peer how many times its time that is."""

    megapixels: float
    threads: int
    quality: float
    codec: str
    step: str
    seconds: float
    ratios: Mapping[str, float]


def mosaic(pictures: Sequence[Pixels], megapixels: float) -> Pixels:
    """Return (H, W, 3) of so many megapixels, 4 to 3: pictures (h, w, 3) side by side, upright ones turned, cut at its edges."""
    height = max(round(math.sqrt(1e6 * megapixels / ASPECT)), 1)
    width = max(round(ASPECT * height), 1)
    lying = [np.rot90(p) if p.shape[0] > p.shape[1] else p for p in pictures]
    result = np.empty((height, width, 3), np.uint8)
    top = number = 0
    while top < height:
        left, lowest = 0, height
        while left < width:
            part = lying[number % len(lying)][: height - top, : width - left]
            result[top : top + part.shape[0], left : left + part.shape[1]] = part
            left, lowest, number = left + part.shape[1], min(lowest, part.shape[0]), number + 1
        top += lowest
    return result


@contextmanager
def on_processors(number: int) -> Iterator[None]:
    """Bind the process to `number` processors for a `with` block; ValueError where it has fewer or the system binds none."""
    if not hasattr(os, "sched_setaffinity"):
        msg = f"threads cannot be chosen on {platform.system()}, which binds no process to processors"
        raise ValueError(msg)
    own = os.sched_getaffinity(0)
    if number > len(own):
        msg = f"threads must be at most {len(own)}, the processors of this process, got {number}"
        raise ValueError(msg)
    os.sched_setaffinity(0, sorted(own)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def _timed(work: Callable[[], Made], clock: Callable[[], float]) -> tuple[Made, float]:
    start = clock()
    result = work()
    return result, clock() - start


def _size(codec: Codec, pixels: Pixels, quality: float) -> int:
    return len(codec.encode(pixels, quality))


def measured(
    plan: Mapping[str, tuple[Codec, float]], pixels: Pixels, threads: int, quality: float, rounds: int
) -> list[Row]:
    """Return the rows of codecs, each at its own quality, for one picture; `quality` is what the rows are called by."""
    clock = time.process_time if threads == 1 else time.perf_counter
    taken: dict[tuple[str, str], list[float]] = {(name, step): [] for name in plan for step in STEPS}
    with on_processors(threads):
        for _ in range(rounds):
            for name, (codec, own) in plan.items():
                data, seconds = _timed(partial(codec.encode, pixels, own), clock)
                taken[name, "encode"].append(seconds)
                taken[name, "decode"].append(_timed(partial(codec.decode, data), clock)[1])
    size = pixels.shape[0] * pixels.shape[1] / 1e6
    return [
        Row(
            size,
            threads,
            quality,
            name,
            step,
            median(seconds) / size,
            {p: median(a / b for a, b in zip(seconds, taken[p, step], strict=True)) for p in PEERS if p in plan},
        )
        for (name, step), seconds in taken.items()
        if name not in PEERS
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown, with medians over the pictures and qualities of a number of threads last."""
    keys = list(dict.fromkeys((row.codec, row.step) for row in rows))
    lines = [
        "| MP, quality, threads | " + " | ".join(f"{codec} {step}" for codec, step in keys) + " |",
        "|---" * (len(keys) + 1) + "|",
    ]

    def line(title: str, among: Sequence[Row]) -> str:
        cells = []
        for key in keys:
            own = [row for row in among if (row.codec, row.step) == key]
            ratios = [f"{median(row.ratios[peer] for row in own):.1f}" for peer in own[0].ratios]
            cells.append(f"{median(row.seconds for row in own):.2f} ({', '.join(ratios)})")
        return f"| {title} | " + " | ".join(cells) + " |"

    for case in dict.fromkeys((row.threads, row.quality, row.megapixels) for row in rows):
        threads, quality, size = case
        among = [row for row in rows if (row.threads, row.quality, row.megapixels) == case]
        lines.append(line(f"{size:.2g}, {quality:g}, {threads}", among))
    counts = dict.fromkeys(row.threads for row in rows)
    lines += [line(f"median, {threads}", [row for row in rows if row.threads == threads]) for threads in counts]
    return "\n".join(lines)


def _numbers(kind: Callable[[str], float]) -> Callable[[str], list[float]]:
    return lambda text: [kind(part) for part in text.split(",")]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench times`."""
    found = words.parser(
        "lic bench times",
        "Measure what models take beside AVIF and JPEG XL, for small and large pictures.",
        "lic bench times photos/ --megapixels 1,4 --threads 1 --rounds 2",
    )
    found.add_argument("folder", help="pictures that mosaics are made of")
    found.add_argument(
        "--megapixels",
        type=typed(_numbers(above_zero)),
        default=MEGAPIXELS,
        metavar="N,N",
        help="sizes, each above 0; default: 1 to 12",
    )
    found.add_argument(
        "--quality",
        type=typed(_numbers(above_zero)),
        default=(3.0, 6.0),
        metavar="Q,Q",
        help="of the models, 1-10; default: 3,6",
    )
    found.add_argument(
        "--threads", type=typed(_numbers(count)), default=(1, 2), metavar="N,N", help="each 1 or more; default: 1,2"
    )
    found.add_argument(
        "--models", default=",".join(MODELS), metavar="A,B", help="default: %(default)s; lic2:0 is lic2 at effort 0"
    )
    found.add_argument(
        "--rounds", type=typed(count), default=3, metavar="N", help="turns of every codec, 1 or more; default: 3"
    )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lic bench times`, print its table, and return the exit status: 0, or 1 after a sentence on stderr."""
    arguments = parser().parse_args(argv)
    try:
        pictures = [peers.read(path) for path in measurement.pictures_of(named(arguments.folder))]
        own = {name: measurement.our_codec(name) for name in arguments.models.split(",")}
        others = {name: peers.codec(name) for name in PEERS if peers.is_available(name)}
        rows = _rows(pictures, own, others, arguments)
    except (OSError, ValueError) as error:
        print(f"lic bench times: {error}", file=sys.stderr)
        return 1
    print(f"{platform.processor() or platform.machine()}; seconds per megapixel, in brackets times that of each of:")
    print("\n".join(codec.title for codec in others.values()), table(rows), sep="\n\n")
    return 0


def _rows(
    pictures: Sequence[Pixels], own: Mapping[str, Codec], others: Mapping[str, Codec], asked: argparse.Namespace
) -> list[Row]:
    """Return all rows. Peers have the quality that gives the bytes of the first model on the smallest picture, which warms all up."""
    rows = []
    smallest = mosaic(pictures, min(asked.megapixels))
    for quality in asked.quality:
        coded = {name: codec.encode(smallest, quality) for name, codec in own.items()}
        for name, codec in own.items():
            codec.decode(coded[name])
        plan = {name: (codec, quality) for name, codec in own.items()}
        wanted = len(next(iter(coded.values())))
        for name, codec in others.items():
            plan[name] = (codec, nearest(partial(_size, codec, smallest), wanted, codec.searched))
        for megapixels in asked.megapixels:
            pixels = mosaic(pictures, megapixels)
            for threads in asked.threads:
                rows += measured(plan, pixels, threads, quality, asked.rounds)
                print(table(rows[-len(STEPS) * len(own) :]).splitlines()[2], file=sys.stderr)
    return rows
