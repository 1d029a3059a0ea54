"""Searches over the quality scale: the largest file that fits, the lowest level that reaches a PSNR."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..fileformat.levels import level_to_quality
from ..fileformat.limits import MAX_LEVEL
from ..options import EncodeOptions

CLOSE = 0.002
"""The part of a target that a file may stay below it to end the search: half a level on average."""

SPAN_DB = 15.0
"""PSNR between the ends of a scale for a photo, about: Kodak's mean is 12.3 for lic1 and 18.4 for lic2."""


def most_bytes(options: EncodeOptions, pixels: int) -> float | None:
    """Return the bytes that the file of a picture of so many pixels may have, by its options; None where they do not say."""
    if options.target_bpp is not None:
        return options.target_bpp * pixels / 8
    return options.target_size


def expected_size(options: EncodeOptions, pixels: int, bpp: Sequence[float]) -> float:
    """Return the bytes that the file of a photo of so many pixels will have, by its options; a PSNR counts as a low quality.

    bpp: bits per pixel at both ends of the scale, between which they are nearly exponential.
    """
    if (most := most_bytes(options, pixels)) is not None:
        return most
    level = 0 if options.target_psnr is not None else options.level
    lowest, highest = bpp
    return lowest * math.pow(highest / lowest, level / MAX_LEVEL) * pixels / 8


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
        msg = least
        raise ValueError(msg)
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
