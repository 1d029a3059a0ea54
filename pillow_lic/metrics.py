"""Rates and distortions, one definition each for tests, benchmarks and reports; numpy only.

Pictures are uint8 arrays of shape (H, W) or (H, W, C). Definitions follow what papers quote: PSNR pooled over the three
colours, MS-SSIM as pytorch-msssim computes it, Bjontegaard's rate with a monotone (pchip) interpolation, PSNR-B as its authors.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MS_SSIM_MIN_SIDE", "as_json", "bd_rate", "bpp", "decibels", "ms_ssim", "pchip", "psnr", "psnr_b", "ssim"]

_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
"""Exponents of the five scales, finest first (Wang, Simoncelli and Bovik 2003)."""
_WINDOW = 11
_SIGMA = 1.5
MS_SSIM_MIN_SIDE = (_WINDOW - 1) * 2**4
"""The longest side without an MS-SSIM: at the fifth scale the window does not fit into such a picture."""
_BLOCK = 2**20
"""Samples that `psnr` compares at a time; as 32-bit integers a whole picture of 50 MP would fill a gigabyte."""
_STRIP = 2**14
"""Samples of a plane that SSIM looks at at a time: what it makes of them stays in a processor's cache, in a third of the time."""
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
_EDGE = 8
"""Pixels a side of the blocks that PSNR-B knows of."""

Float = NDArray[np.float64]


def bpp(file_bytes: int, width: int, height: int) -> float:
    """Return bits per pixel: 8 * the bytes of the whole file / pixels."""
    return 8 * file_bytes / (width * height)


def as_json(value: Any) -> Any:
    """Return measures, in lists and dictionaries or alone, as JSON can hold them: a PSNR of equal pictures, inf, as "inf"."""
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def psnr(reference: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Return the PSNR in dB over all samples of all channels, peak 255; infinite for equal pictures."""
    _check(reference, picture)
    rows = max(1, _BLOCK * len(reference) // reference.size)
    error = 0
    for y in range(0, len(reference), rows):
        difference = reference[y : y + rows].astype(np.int32) - picture[y : y + rows]
        error += int(np.square(difference).sum(dtype=np.int64))
    return float(10 * np.log10(255**2 * reference.size / error)) if error else float("inf")


def ms_ssim(reference: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Return the multi-scale structural similarity, 0..1, the mean over channels.

    As pytorch-msssim with data_range=255: 11-tap Gaussian of sigma 1.5 without padding, five scales by 2x2 means,
    negative terms cut at 0. Both sides must exceed 160 pixels, otherwise ValueError.
    """
    _check(reference, picture)
    if min(reference.shape[:2]) <= MS_SSIM_MIN_SIDE:
        msg = f"MS-SSIM needs sides above {MS_SSIM_MIN_SIDE} pixels, got {reference.shape[1]}x{reference.shape[0]}"
        raise ValueError(msg)
    x, y = (_planes(p) for p in (reference, picture))
    terms = []
    for scale in range(len(_WEIGHTS)):
        if scale:
            x, y = _halved(x), _halved(y)
        both, contrast = _similarity(x, y)
        terms.append(both if scale == len(_WEIGHTS) - 1 else contrast)
    products = np.prod(np.maximum(np.stack(terms, axis=1), 0) ** _WEIGHTS, axis=1)
    return float(products.mean())


def ssim(reference: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Return the structural similarity at one scale (Wang, Bovik, Sheikh and Simoncelli 2004), the mean over channels and places.

    11-tap Gaussian of sigma 1.5 without padding: ValueError for a side of fewer than 11 pixels.
    """
    _check(reference, picture)
    if min(reference.shape[:2]) < _WINDOW:
        msg = f"SSIM needs sides of at least {_WINDOW} pixels, got {reference.shape[1]}x{reference.shape[0]}"
        raise ValueError(msg)
    return float(_similarity(_planes(reference), _planes(picture))[0].mean())


def psnr_b(reference: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Return the PSNR in dB of a picture (H, W) that steps at the borders of its blocks of 8x8 make worse (Yim and Bovik 2011).

    To the squared error comes in how far neighbours across borders differ more than others, in mean squares, times log2(8) over
    log2 of the shorter side. ValueError for pictures of more than one channel, or with a side of fewer than 9 pixels.
    """
    _check(reference, picture)
    if picture.ndim != 2 or min(picture.shape) <= _EDGE:
        msg = f"PSNR-B needs one channel with sides above {_EDGE} pixels, got shape {picture.shape}"
        raise ValueError(msg)
    across, within = [], []
    for plane in (picture.astype(np.int64), picture.T.astype(np.int64)):
        steps = np.square(np.diff(plane, axis=1))
        at_border = np.arange(steps.shape[1]) % _EDGE == _EDGE - 1
        across.append(steps[:, at_border].ravel())
        within.append(steps[:, ~at_border].ravel())
    excess = float(np.concatenate(across).mean() - np.concatenate(within).mean())
    blocking = max(0.0, excess) * np.log2(_EDGE) / np.log2(min(picture.shape))
    error = float(np.square(reference.astype(np.int64) - picture).mean()) + blocking
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def decibels(similarity: float) -> float:
    """Return a similarity below 1 on the scale papers plot it on, -10 log10(1 - similarity); infinite for 1."""
    return float(-10 * np.log10(1 - similarity)) if similarity < 1 else float("inf")


def bd_rate(anchor: Sequence[tuple[float, float]], curve: Sequence[tuple[float, float]]) -> float:
    """Return by how many percent `curve` needs more rate than `anchor` at equal quality (negative: less).

    Both are (rate, quality) points, at least four each, rates above 0, quality rising with rate. log(rate) is
    interpolated over quality by a monotone cubic and averaged over the range both cover. ValueError when there is no
    such range or a curve does not rise.
    """
    (x, a), (y, b) = _curve(anchor), _curve(curve)
    low, high = max(x[0], y[0]), min(x[-1], y[-1])
    if not low < high:
        msg = f"curves share no quality: {x[0]:.4g}-{x[-1]:.4g} and {y[0]:.4g}-{y[-1]:.4g}"
        raise ValueError(msg)
    difference = (_integral(y, b, low, high) - _integral(x, a, low, high)) / (high - low)
    return float(100 * (np.exp(difference) - 1))


def pchip(x: Float, y: Float, at: Float) -> Float:
    """Interpolate y over rising x by a monotone cubic, as scipy's of this name; at least three points."""
    return _hermite(x, y, _slopes(x, y), at)


def _check(reference: NDArray[Any], picture: NDArray[Any]) -> None:
    for array in (reference, picture):
        if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape != reference.shape or not array.size:
            msg = (
                "pictures must be two uint8 arrays of one shape, (H, W) or (H, W, C), "
                f"got {reference.dtype} {reference.shape} and {picture.dtype} {picture.shape}"
            )
            raise ValueError(msg)


def _planes(picture: NDArray[np.uint8]) -> Float:
    """Return (C, H, W) as float64."""
    return np.moveaxis(np.atleast_3d(picture), 2, 0).astype(np.float64)


def _halved(planes: Float) -> Float:
    """Average 2x2 blocks; an odd side gets a row or column of zeros before it, as torch's padded mean does."""
    odd = [(0, 0), *((side % 2, side % 2) for side in planes.shape[1:])]
    planes = np.pad(planes, odd)
    rows, columns = planes.shape[1] // 2 * 2, planes.shape[2] // 2 * 2
    planes = planes[:, :rows, :columns]
    mean: Float = (planes[:, ::2, ::2] + planes[:, 1::2, ::2] + planes[:, ::2, 1::2] + planes[:, 1::2, 1::2]) / 4
    return mean


def _blurred(plane: Float) -> Float:
    """Convolve (H, W) with the Gaussian along both axes, keeping only where the window fits."""
    taps = np.exp(-(np.arange(-(_WINDOW // 2), _WINDOW // 2 + 1) ** 2) / (2 * _SIGMA**2))
    taps /= taps.sum()
    middle, last = _WINDOW // 2, _WINDOW - 1
    for _ in range(2):  # along the first axis, turned; so along both
        length = len(plane) - last
        blurred = taps[middle] * plane[middle : middle + length]
        for i in range(middle):  # taps are the same on both sides
            pair = plane[i : i + length] + plane[last - i : last - i + length]
            pair *= taps[i]
            blurred += pair
        plane = blurred.T
    return plane


def _similarity(x: Float, y: Float) -> tuple[Float, Float]:
    """Return the means over the places of each of the planes (C, H, W): of luminance times contrast, and of contrast alone."""
    means = []
    for a, b in zip(x, y, strict=True):
        rows, columns = (side - _WINDOW + 1 for side in a.shape)
        strip, sums = max(1, _STRIP // a.shape[1]), np.zeros(2)
        for top in range(0, rows, strip):
            u, v = (plane[top : top + strip + _WINDOW - 1] for plane in (a, b))
            mean_u, mean_v = _blurred(u), _blurred(v)
            variances = _blurred(u * u) + _blurred(v * v) - mean_u**2 - mean_v**2
            covariance = _blurred(u * v) - mean_u * mean_v
            contrast = (2 * covariance + _C2) / (variances + _C2)
            luminance = (2 * mean_u * mean_v + _C1) / (mean_u**2 + mean_v**2 + _C1)
            sums += float((luminance * contrast).sum()), float(contrast.sum())
        means.append(sums / (rows * columns))
    both, contrasts = np.array(means).T
    return both, contrasts


def _curve(points: Sequence[tuple[float, float]]) -> tuple[Float, Float]:
    """Return quality, strictly rising, and log(rate)."""
    array = np.array(sorted(points), np.float64).reshape(-1, 2)
    if len(array) < 4:
        msg = f"a curve needs at least 4 points, got {len(array)}"
        raise ValueError(msg)
    rates, qualities = array.T
    if not np.isfinite(array).all() or rates[0] <= 0 or not (np.diff(qualities) > 0).all():
        msg = f"quality must rise with a rate above 0, got {[(float(r), float(q)) for r, q in array]}"
        raise ValueError(msg)
    return qualities, np.log(rates)


def _integral(x: Float, y: Float, low: float, high: float) -> float:
    """Integrate the pchip through (x, y) from low to high; Simpson's rule is exact for its cubic pieces."""
    knots = np.concatenate([[low], x[(x > low) & (x < high)], [high]])
    slopes = _slopes(x, y)
    middles = (knots[:-1] + knots[1:]) / 2
    left, middle, right = (_hermite(x, y, slopes, at) for at in (knots[:-1], middles, knots[1:]))
    return float(np.sum(np.diff(knots) * (left + 4 * middle + right) / 6))


def _hermite(x: Float, y: Float, slopes: Float, at: Float) -> Float:
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = x[piece + 1] - x[piece]
    t = (at - x[piece]) / width
    result: Float = (
        y[piece] * (1 + 2 * t) * (1 - t) ** 2
        + y[piece + 1] * t**2 * (3 - 2 * t)
        + width * (slopes[piece] * t * (1 - t) ** 2 - slopes[piece + 1] * t**2 * (1 - t))
    )
    return result


def _slopes(x: Float, y: Float) -> Float:
    """Return the derivatives at the knots: Fritsch and Butland's weighted harmonic means, three-point at the ends."""
    h, d = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.zeros_like(x)
    same = d[:-1] * d[1:] > 0
    w1, w2 = (2 * h[1:] + h[:-1])[same], (h[1:] + 2 * h[:-1])[same]
    slopes[1:-1][same] = (w1 + w2) / (w1 / d[:-1][same] + w2 / d[1:][same])
    slopes[0] = _end_slope(h[0], h[1], d[0], d[1])
    slopes[-1] = _end_slope(h[-1], h[-2], d[-1], d[-2])
    return slopes


def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if slope * d0 <= 0:
        return 0.0
    if d0 * d1 <= 0 and abs(slope) > 3 * abs(d0):
        return 3 * d0
    return slope
