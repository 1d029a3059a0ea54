"""Structural similarity (Wang 2003) with a gradient, as maps, so that a loss may weigh places apart.

At each scale contrast and structure are compared within a Gaussian window of 11 pixels, at the coarsest luminance too; the next scale
is the mean of 2x2. `pillow_lic.metrics.ms_ssim` is the definition; what is here equals it and is tested against it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, finest first."""
MARGIN = 5
"""Pixels at each edge of a map that have no place in it: the window does not fit there."""
C1, C2 = 0.01**2, 0.03**2


def blurred(x: Tensor) -> Tensor:
    """(...,n,n) -> (...,n-10,n-10): the Gaussian window, as products with a band matrix."""
    taps = torch.exp(-((torch.arange(2 * MARGIN + 1, device=x.device) - MARGIN) ** 2) / (2 * 1.5**2))
    n = x.shape[-1] - 2 * MARGIN
    band = torch.stack([F.pad(taps / taps.sum(), (i, n - 1 - i)) for i in range(n)])
    return band @ x @ band.t()


def maps(shown: Tensor, original: Tensor, scales: Sequence[int] = range(5)) -> list[Tensor]:
    """Pictures (B,3,n,n) in 0..1 -> for each of the rising scales, 0 the finest, the similarity of every place (B,3,m,m)."""
    result = []
    for scale in range(scales[-1] + 1):
        if scale:
            shown, original = F.avg_pool2d(shown, 2), F.avg_pool2d(original, 2)
        if scale not in scales:
            continue
        mean_x, mean_y = blurred(shown), blurred(original)
        xx, yy, xy = blurred(torch.stack([shown * shown, original * original, shown * original]))
        similarity = (2 * (xy - mean_x * mean_y) + C2) / (xx - mean_x**2 + yy - mean_y**2 + C2)
        if scale == scales[-1]:
            similarity = similarity * (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
        result.append(similarity)
    return result


def ms_ssim(shown: Tensor, original: Tensor, scales: Sequence[int] = range(5)) -> Tensor:
    """(B,): MS-SSIM of pictures (B,3,n,n) in 0..1, of some of its scales with their exponents as they are."""
    found = maps(shown, original, scales)
    terms = [m.mean((2, 3)).relu() ** WEIGHTS[scale] for scale, m in zip(scales, found, strict=True)]
    return torch.stack(terms).prod(0).mean(1)


def dissimilarity(shown: Tensor, original: Tensor, weight: Tensor) -> Tensor:
    """(B,): 1 - MS-SSIM to first order, the mean over places weighed by a field (B,1,n/16,n/16). In single precision."""
    with torch.autocast(shown.device.type, enabled=False):
        parts = []
        for scale, similarity in enumerate(maps(shown.float(), original)):
            here = F.interpolate(weight, scale_factor=2.0 ** (4 - scale), mode="nearest")[
                ..., MARGIN:-MARGIN, MARGIN:-MARGIN
            ]
            parts.append(WEIGHTS[scale] * (here * (1 - similarity)).mean((1, 2, 3)))
        return torch.stack(parts).sum(0)
