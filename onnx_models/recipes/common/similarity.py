"""Structural similarity (Wang 2003) with a gradient, as maps, so that a loss may weigh places apart.

At each scale contrast and structure are compared within a Gaussian window of 11 pixels, at the coarsest luminance too; the next scale
is the mean of 2x2. `pillow_lic.metrics.ms_ssim` is the definition, which this module is tested against.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from . import kernels

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, finest first."""
MARGIN = 5
"""Pixels at each edge of a picture that a map leaves out, because the window does not fit there."""
C1, C2 = 0.01**2, 0.03**2


def window(device: torch.device) -> Tensor:
    """Return the Gaussian window (11,), of sum 1."""
    taps = torch.exp(-((torch.arange(2 * MARGIN + 1, device=device) - MARGIN) ** 2) / (2 * 1.5**2))
    return taps / taps.sum()


@cache
def _band(size: int, device: torch.device) -> Tensor:
    """Return the window at every position where it fits, as rows of (size - 10, size)."""
    taps, n = window(device), size - 2 * MARGIN
    return torch.stack([F.pad(taps, (i, n - 1 - i)) for i in range(n)])


def blurred(x: Tensor) -> Tensor:
    """Return planes (...,h,w) averaged in the Gaussian window, (...,h-10,w-10), by products with band matrices."""
    return _band(x.shape[-2], x.device) @ x @ _band(x.shape[-1], x.device).t()


def similarity(shown: Tensor, original: Tensor, luminance: bool) -> Tensor:
    """Return contrast and structure, and luminance if asked, of planes (...,h,w) in the window at every position, (...,h-10,w-10)."""
    mean_x, mean_y = blurred(shown), blurred(original)
    xx, yy, xy = blurred(torch.stack([shown * shown, original * original, shown * original]))
    result = (2 * (xy - mean_x * mean_y) + C2) / (xx - mean_x**2 + yy - mean_y**2 + C2)
    return result * (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1) if luminance else result


class QuickSimilarity(torch.autograd.Function):
    """`similarity` and its gradient by `shown` in a third of the time, on a CPU."""

    @staticmethod
    def forward(ctx, shown, original, luminance):  # type: ignore[no-untyped-def]
        shown, original = shown.contiguous(), original.contiguous()
        result, slopes = kernels.similarity(shown, original, window(shown.device), C1 if luminance else -1.0, C2)
        ctx.save_for_backward(shown, original, slopes)
        return result

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        shown, original, slopes = ctx.saved_tensors
        return kernels.similarity_back(shown, original, window(grad.device), grad.contiguous(), slopes), None, None


def maps(shown: Tensor, original: Tensor, scales: Sequence[int] = range(5)) -> list[Tensor]:
    """Return the similarity at every position (B,3,m,m) of pictures (B,3,n,n) in 0..1, for each of the rising scales, 0 the finest."""
    similar = similarity if shown.is_cuda or original.requires_grad else QuickSimilarity.apply
    result = []
    for scale in range(scales[-1] + 1):
        if scale:
            shown, original = F.avg_pool2d(shown, 2), F.avg_pool2d(original, 2)
        if scale in scales:
            result.append(similar(shown, original, scale == scales[-1]))
    return result


def ms_ssim(shown: Tensor, original: Tensor, scales: Sequence[int] = range(5)) -> Tensor:
    """Return the MS-SSIM (B,) of pictures (B,3,n,n) in 0..1, over some of its scales with their own exponents."""
    found = maps(shown, original, scales)
    terms = [m.mean((2, 3)).relu() ** WEIGHTS[scale] for scale, m in zip(scales, found, strict=True)]
    return torch.stack(terms).prod(0).mean(1)


def dissimilarity(shown: Tensor, original: Tensor, weight: Tensor) -> Tensor:
    """Return 1 - MS-SSIM (B,) to first order, the mean over positions weighed by a field (B,1,n/16,n/16), in single precision."""
    with torch.autocast(shown.device.type, enabled=False):
        parts = []
        for scale, similarity in enumerate(maps(shown.float(), original.float())):
            here = F.interpolate(weight, scale_factor=2.0 ** (4 - scale), mode="nearest")[
                ..., MARGIN:-MARGIN, MARGIN:-MARGIN
            ]
            parts.append(WEIGHTS[scale] * (here * (1 - similarity)).mean((1, 2, 3)))
        return torch.stack(parts).sum(0)
