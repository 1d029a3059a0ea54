"""`lic bench profile`: where the processor time of one picture goes, station by station, for a model of any family.

A network is a station by its role in the manifest, those of several passes (`means_0`, `means_1`, `means_z`) together; the
`exact` ones are the parse. Every other step is a station by the module that begins it (STATIONS), and what it calls belongs to it:
numpy, Pillow, native code, and modules that are no stations, as the engine is none. Time is that of the calling thread, which does
everything when one thread is asked for, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
from PIL import Image

from .. import color, families, opening, saving
from ..command_values import above_zero, count, typed
from ..engine import models, runtime
from ..engine.models import Model
from ..engine.settings import settings
from ..families.lic1 import analysis, detail, drafting, means, refinement, scales, synthesis
from ..files import named
from . import peers, words

PARSE, REST = "parse", "rest"
"""The stations of exact networks, and of all steps that take less than LEAST of the time."""
LEAST = 0.005
STATIONS = {
    "families/lic1/filtering": "filter",
    "families/lic1/fitting": "fitting",
    "families/lic1/gradient": "refinement",
    "families/lic1/quantiser": "quantiser",
    "families/lic1/refinement": "refinement",
    "families/lic1/reading": "tiles",
    "families/lic1/transforms": "tiles",
    "families/lic1/writing": "tiles",
    "families": "symbols",
    "engine/entropy": "range coder",
    "engine/bits": "range coder",
    "color": "colour",
    "channels": "colour",
    "writing": "colour",
    "exact": "letters",
    "importance": "importance",
    "fileformat": "container",
    "plugin": "container",
    "opening": "container",
    "saving": "container",
}
"""The stations of modules and folders of this package, the nearest one's; networks have theirs by their roles. `tiles` is the cutting
and joining of windows, `symbols` the order that values are coded in, and all that another family does."""
NATIVE: dict[CodeType, Callable[[Mapping[str, Any]], Sequence[str]]] = {
    analysis.analyse.__code__: lambda given: [given["role"]],
    analysis.latents.__code__: lambda given: ["latents"],
    scales.begin.__code__: lambda given: ["scales_z"],
    scales.find.__code__: lambda given: [f"scales_{given['stage']}"],
    means.begin.__code__: lambda given: ["means_z"],
    means.find.__code__: lambda given: [f"means_{given['stage']}"],
    means.find_first.__code__: lambda given: [f"means_{given['stage']}"],
    drafting.draw.__code__: lambda given: [f"draft_{given['scale']}"],
    synthesis.draw.__code__: lambda given: ["synthesis"],
    synthesis.paint.__code__: lambda given: ["synthesis", "detail"],
    detail.draw.__code__: lambda given: ["detail"],
}
"""The functions that are networks' work whether they run or native code does it: the roles of the networks by what they are given. Those
that native code does together are at the station of the first. The rest of their modules works for its caller."""
BEGINNINGS = ("scales_z", "scales_0", "means_z", "means_0")
"""The roles of networks that know no values: an encoder runs them once, however often it chooses."""
_PACKAGE = Path(__file__).parent.parent
_PASS = re.compile(r"_[a-z0-9]$")
_PEAK_EDGE, _PEAK_RUNS = 64, 100
"""Rows and columns of the matrices: of larger products OpenBLAS shares the work among threads, which wait for each other."""


@dataclass
class Clock:
    """Seconds of the calling thread by station, and the roles of the networks that ran with the station of each."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    roles: dict[str, str] = field(default_factory=dict)

    def time(self, work: Callable[[], object]) -> None:
        """Do the work and add its time, all of it to the innermost station that is being worked in."""
        inside, since = [REST], time.thread_time()
        package = f"{_PACKAGE}{os.sep}"

        def on_event(frame: FrameType, event: str, _: object) -> None:
            nonlocal since
            if event not in ("call", "return") or not frame.f_code.co_filename.startswith(package):
                return
            now = time.thread_time()
            self.seconds[inside[-1]] += now - since
            if event == "call":
                inside.append(self._station(frame) or inside[-1])
            else:
                inside.pop()
            since = time.thread_time()

        sys.setprofile(on_event)
        try:
            work()
        finally:
            sys.setprofile(None)
            self.seconds[inside[0]] += time.thread_time() - since

    def _station(self, frame: FrameType) -> str | None:
        """Return the station that a function begins, None for one that works for its caller's."""
        roles: Sequence[str]
        if frame.f_code is runtime.run.__code__:
            roles, networks = [frame.f_locals["role"]], frame.f_locals["networks"]
        elif frame.f_code in NATIVE:
            roles, networks = NATIVE[frame.f_code](frame.f_locals), frame.f_locals["model"]
        else:
            return station_at(frame.f_code.co_filename)
        station = station_of(roles[0], exact=networks.stored(roles[0]).exact)
        self.roles |= dict.fromkeys(roles, station)
        return station


@cache
def station_at(path: str) -> str | None:
    """Return the station of the module of this package at a path, None where it has none of its own, or those of NATIVE."""
    if path in {code.co_filename for code in NATIVE}:
        return None
    module = Path(path).relative_to(_PACKAGE).with_suffix("")
    places = (place.as_posix() for place in (module, *module.parents))
    return next((STATIONS[place] for place in places if place in STATIONS), None)


def station_of(role: str, *, exact: bool) -> str:
    """Return the station of a network by its role in the manifest."""
    return PARSE if exact else _PASS.sub("", role)


@dataclass(frozen=True)
class Row:
    """One station: milliseconds of processor time per megapixel, and thousands of multiply-adds per pixel of its networks."""

    station: str
    milliseconds: float
    kmac: float

    @property
    def rate(self) -> float:
        """Multiply-adds in 1e9 a second (thousands a pixel, over milliseconds a megapixel, times 1000); those of halos do not count."""
        return 1e3 * self.kmac / self.milliseconds if self.milliseconds else 0.0


def rows(clock: Clock, model: Model, pixels: int, passes: Callable[[str], int]) -> list[Row]:
    """Return the stations by falling time, of a picture of so many pixels; `passes` says how often a role sees all of it."""
    kmac = defaultdict[str, float](float)
    for role, station in clock.roles.items():
        if role in model.files or role in model.extras:
            kmac[station] += passes(role) * (model.stored(role).kmac_per_pixel or 0)
    all_seconds, seconds = sum(clock.seconds.values()), defaultdict[str, float](float)
    for station, taken in clock.seconds.items():
        seconds[station if kmac[station] or taken >= LEAST * all_seconds else REST] += taken
    falling = sorted(seconds.items(), key=lambda item: -item[1])
    return [Row(station, 1e9 * taken / pixels, kmac[station]) for station, taken in falling]


def table(title: str, found: Sequence[Row]) -> str:
    """Return the stations as text, their sum last."""
    total = Row("all", sum(row.milliseconds for row in found), sum(row.kmac for row in found))
    lines = [f"{title:20}{'ms/MP':>9}{'share':>8}{'kMAC/px':>10}{'GMAC/s':>9}"]
    for row in (*found, total):
        share = row.milliseconds / total.milliseconds
        work = f"{row.kmac:10.2f}{row.rate:9.1f}" if row.kmac else f"{'-':>10}{'-':>9}"
        lines.append(f"{row.station:20}{row.milliseconds:9.1f}{share:8.1%}{work}")
    return "\n".join(lines)


def peak() -> float:
    """Return the multiply-adds in 1e9 a second of one core in a float32 matrix product: the best of many, small enough for its caches."""
    a = np.ones((_PEAK_EDGE, _PEAK_EDGE), np.float32)
    seconds = []
    for _ in range(_PEAK_RUNS):
        start = time.thread_time()
        for _ in range(_PEAK_RUNS):
            np.matmul(a, a)
        seconds.append(time.thread_time() - start)
    return float(_PEAK_RUNS * _PEAK_EDGE**3 / min(seconds) / 1e9)


def _measured(work: Callable[[], Any], repeats: int) -> Clock:
    """Return the clock of the run that took least, after one that is not measured."""
    work()
    clocks = []
    for _ in range(repeats):
        clocks.append(Clock())
        clocks[-1].time(work)
    return min(clocks, key=lambda clock: sum(clock.seconds.values()))


def profile(image: Image.Image, model: Model, quality: float, effort: int, repeats: int) -> tuple[list[Row], list[Row]]:
    """Return the stations of encoding and of decoding an RGB image with one thread."""

    def encode() -> bytes:
        return saving.encode(image, model=model.number, quality=quality, effort=effort)

    def encoder_passes(role: str) -> int:
        if role == refinement.ROLE:
            return effort
        if role in BEGINNINGS or model.stored(role).side == "encoder":
            return 1
        return steps if model.stored(role).side == "decoder" else 1 + steps

    pixels = image.width * image.height
    steps = refinement.steps(model, effort) if "effort" in families.of(model).OPTIONS else 0
    with settings(threads=1):
        written = _measured(encode, repeats)
        data = encode()
        read = _measured(lambda: opening.open(data).load(), repeats)
    return rows(written, model, pixels, encoder_passes), rows(read, model, pixels, lambda _: 1)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench profile`."""
    found = words.parser(
        "lic bench profile",
        "Show where the processor time of a picture goes, station by station.",
        "lic bench profile photo.png --model lic1 --effort 3",
    )
    found.add_argument("picture")
    found.add_argument("--model", metavar="MODEL", help="name or number; default: what save writes")
    found.add_argument("--quality", type=typed(above_zero), default=6, metavar="Q", help="1-10; default: 6")
    found.add_argument(
        "--effort", type=typed(partial(count, least=0)), metavar="N", help="0-9; default: the model's own"
    )
    found.add_argument(
        "--repeats", type=typed(count), default=3, metavar="N", help="the best of N, 1 or more; default: 3"
    )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lic bench profile`, print its tables, and return the exit status: 0, or 1 after a sentence on stderr."""
    arguments = parser().parse_args(argv)
    try:
        number = arguments.model if arguments.model is None or not arguments.model.isdecimal() else int(arguments.model)
        model = models.choose(number)
        image = color.to_image(peers.read(named(arguments.picture)), "RGB")
        effort = model.effort if arguments.effort is None else arguments.effort
        encoding, decoding = profile(image, model, arguments.quality, effort, arguments.repeats)
    except (OSError, ValueError) as error:
        print(f"lic bench profile: {error}", file=sys.stderr)
        return 1
    print(
        f"{arguments.picture}, {image.width}x{image.height}, model {model.name} ({model.number}), "
        f"quality {arguments.quality:g}, effort {effort}, one thread, processor time, best of {arguments.repeats}"
    )
    print(f"{platform.processor() or platform.machine()}: {peak():.0f} GMAC/s in a matrix product of float32\n")
    print(table("encode", encoding), table("decode", decoding), sep="\n\n")
    return 0
