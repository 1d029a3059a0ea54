"""The level that the options ask for, and searches for it: the largest file that fits, the lowest level that reaches a PSNR."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..fileformat.levels import level_to_quality
from ..fileformat.limits import MAX_LEVEL
from ..options import EncodeOptions

CLOSE = 0.002
"""The search ends with a file that is smaller than the target by at most this part of it, which is half a level on average."""

SPAN_DB = 15.0
"""About how many dB lie between the ends of the scale for a photograph; the mean of Kodak's is 12.3 for lic1 and 18.4 for lic2."""


@dataclass(frozen=True)
class Goal:
    """What the options ask of the file of one picture: the file of a level, or of the level that meets a target.

    levels: those that the model writes, ascending. pixels: how many the picture has.
    """

    options: EncodeOptions
    levels: Sequence[int]
    pixels: int

    @property
    def most_bytes(self) -> float | None:
        """How many bytes the file may have; None if the options do not say."""
        if self.options.target_bpp is not None:
            return self.options.target_bpp * self.pixels / 8
        return self.options.target_size

    def expected_size(self, bpp: Sequence[float]) -> float:
        """Return about how many bytes the file will have; for a target in PSNR, those of the lowest quality.

        bpp: bits per pixel of photographs at both ends of the scale, between which they are nearly exponential.
        """
        if self.most_bytes is not None:
            return self.most_bytes
        level = 0 if self.options.target_psnr is not None else self.options.level
        lowest, highest = bpp
        return lowest * math.pow(highest / lowest, level / MAX_LEVEL) * self.pixels / 8

    def reached(self, level: int, file: Callable[[int], bytes], psnr: Callable[[int], float]) -> bytes:
        """Return the file of a level, or if there is a target, of the level that meets it; ValueError if none does.

        file, psnr: return the file of a level, and its PSNR in dB.
        """
        if self.options.target_psnr is not None:
            return file(level_for_psnr(psnr, self.options.target_psnr, self.levels))
        if self.most_bytes is not None:
            per_pixel = None if self.options.target_bpp is None else self.pixels
            return largest_file(file, self.most_bytes, self.levels, per_pixel)
        return file(level)


def largest_file(
    file: Callable[[int], bytes], target: float, levels: Sequence[int], pixels: int | None = None
) -> bytes:
    """Return the file with the highest level that has at most `target` bytes; `file` maps one of the ascending `levels` to bytes.

    ValueError naming the smallest file when even that of the lowest level is larger, in bits per pixel if there are `pixels`.
    Sizes grow with the level, nearly as an exponential, so the next level tried is interpolated in the logarithm of the size,
    and bisected when that does not close in.
    """
    low, high = 0, len(levels) - 1
    best = file(levels[low])
    if len(best) > target:
        lowest = f"quality {level_to_quality(levels[0]):g}"
        least = f"target_size must be at least {len(best)} bytes, the size at {lowest}, got {target:g}"
        if pixels is not None:
            bpp = math.ceil(8e4 * len(best) / pixels) / 1e4
            least = (
                f"target_bpp must be at least {bpp:g} bits per pixel, those at {lowest}, got {8 * target / pixels:g}"
            )
        raise ValueError(least)
    largest = file(levels[high])
    if len(largest) <= target:
        return largest
    low_size, high_size = len(best), len(largest)
    turn = 0
    while high - low > 1 and len(best) < target * (1 - CLOSE):
        middle = (low + high) // 2
        if turn % 3 < 2 and high_size > low_size:
            share = math.log(target / low_size) / math.log(high_size / low_size)
            middle = min(max(round(low + share * (high - low)), low + 1), high - 1)
        turn += 1
        tried = file(levels[middle])
        if len(tried) <= target:
            low, low_size, best = middle, len(tried), tried
        else:
            high, high_size = middle, len(tried)
    return best


def level_for_psnr(psnr: Callable[[int], float], target: float, levels: Sequence[int]) -> int:
    """Return the lowest of the ascending `levels` whose PSNR is at least `target` dB; ValueError naming the highest when none is.

    PSNR grows with the level nearly as a line: the next level tried is where the line crosses the target, on the side of it
    that has not been tried last, so that two tries beside the crossing end the search; every third try bisects.
    """
    high = len(levels) - 1
    high_db = psnr(levels[high])
    if high_db < target:
        highest = f"quality {level_to_quality(levels[high]):g}"
        msg = f"target_psnr must be at most {high_db:.2f} dB, the PSNR at {highest}, got {target:g}"
        raise ValueError(msg)
    low, low_db = -1, high_db - SPAN_DB
    turn, above = 0, True
    while high - low > 1:
        middle = (low + high) // 2
        if turn % 3 < 2 and high_db > low_db:
            crossing = low + (target - low_db) / (high_db - low_db) * (high - low)
            middle = min(max(math.floor(crossing) if above else math.ceil(crossing), low + 1), high - 1)
        turn += 1
        tried = psnr(levels[middle])
        above = tried >= target
        if above:
            high, high_db = middle, tried
        else:
            low, low_db = middle, tried
    return levels[high]
