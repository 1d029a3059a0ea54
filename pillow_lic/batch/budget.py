"""Many pictures within a number of bytes: measure each, share the bytes at equal slope, make every file fit its share.

Because no file is larger than its share, all together never exceed the budget, whatever was stopped when; because a file
that stays far below its share is made again, they use nearly all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from ..errors import let_pass
from ..fileformat.levels import level_to_quality
from ..fileformat.limits import MAX_LEVEL
from . import equal_slope, jobs, locations, results
from .equal_slope import LEVELS, Curve, Share
from .plan import Pair
from .transcode import Made, Picture, Transcoder, psnr

_TRIES = 3
"""Levels tried before a picture is searched over the whole scale."""


@dataclass(frozen=True, kw_only=True)
class Allotted(Pair):
    """A file to make that may take so much of a budget."""

    share: Share


@dataclass(frozen=True)
class Measure:
    """Finds what a picture costs as .lic; picklable (`jobs.Work`)."""

    transcoder: Transcoder

    def __call__(self, pair: Pair) -> Curve:
        """Return the picture's bytes and errors over the scale: as many encodes and decodes as there are `LEVELS`."""
        with self.transcoder.opened(pair.source) as picture:
            points = [self._point(picture, level) for level in LEVELS]
            sizes, errors = zip(*points, strict=True)
            return Curve(picture.image.width * picture.image.height, sizes, errors)

    def _point(self, picture: Picture, level: int) -> tuple[int, float]:
        data = self.transcoder.encode(picture, quality=level_to_quality(level))
        found = psnr(picture.image, data)
        return len(data), 0.0 if found is None else float(255**2 * 10 ** (-found / 10))


@dataclass(frozen=True)
class Fit:
    """Makes a .lic file that takes its share of a budget and no more; picklable (`jobs.Work`)."""

    transcoder: Transcoder

    def __call__(self, pair: Allotted) -> Made:
        """Write the target at the level expected to fit; what is wrong there is corrected, at last by a full search."""
        size, level = pair.share.size, pair.share.level
        with self.transcoder.opened(pair.source) as picture:
            for _ in range(_TRIES):
                data = self.transcoder.encode(picture, quality=level_to_quality(level))
                if len(data) <= size and (len(data) >= equal_slope.TIGHT * size or level == MAX_LEVEL):
                    break
                level = pair.share.corrected(level, len(data))
            else:
                data = self.transcoder.encode(picture, target_size=size)
            made = self.transcoder.made(picture, data)
        locations.deliver(data, pair.target, picture.origin)
        return made


def within_budget(
    budget: float,
    pairs: Sequence[Pair],
    transcoder: Transcoder,
    *,
    workers: int = 1,
    force: bool = False,
    progress: results.Progress | None = None,
    executor: Executor | None = None,
) -> results.Summary:
    """Make the targets of `pairs`, as `jobs.run`, of at most `budget` bytes together.

    Targets that are finished count with the bytes they have. ValueError naming the smallest total when the budget is below
    it; nothing is written then.
    """
    steps = 0

    def told(result: results.Result, how_many: int) -> None:
        nonlocal steps
        steps += how_many
        if progress is not None:
            progress(result, steps, 2 * jobs.count(pairs))

    found = jobs.run(
        pairs,
        Measure(transcoder),
        makes=False,
        workers=workers,
        force=force,
        progress=lambda result, *_: told(result, 1 if result.outcome == "done" else 2),
        executor=executor,
    )
    spent = sum(result.bytes_out for result in found.skipped)
    shares = _shares([result.value for result in found.done], budget, spent)
    made = jobs.run(
        [
            Allotted(result.pair.source, result.pair.target, share=share)
            for result, share in zip(found.done, shares, strict=True)
        ],
        Fit(transcoder),
        workers=workers,
        force=True,
        progress=lambda result, *_: told(result, 1),
        executor=executor,
    )
    return results.Summary([*found.skipped, *found.failed, *made.results], found.seconds + made.seconds)


def _shares(curves: Sequence[Curve], budget: float, spent: int) -> list[Share]:
    try:
        if spent > budget:
            msg = f"budget must be at least {spent:,} bytes for what is there already, got {budget:,.0f}"
            raise ValueError(msg)
        return equal_slope.allot(curves, budget - spent)
    except ValueError as error:
        let_pass(error)
        if not spent:
            raise
        msg = f"{error} ({spent:,} of {budget:,.0f} bytes are in files that are finished; force makes those anew)"
        raise ValueError(msg) from None
