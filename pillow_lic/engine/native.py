"""The layers of networks in native code, and the filter of pixels. The families say when they run instead of the networks.

Of an encoder, in the order of a picture's way (native/analysis.hpp, hyper_analysis.hpp, gradient.hpp):
    pixels uint8 (16h, 16w, 3)  --Analysis-->  trunk  --Latents-->  latents (M, h, w)  --HyperAnalysis-->  hyper-latents (Z, h/4, w/4)
    pixels as they are shown and as they should be  --ErrorGradient-->  gradient (M, h, w)

Of a decoder (native/scales.hpp, means.hpp, synthesis.hpp, detail.hpp, filter.hpp):
    hyper-latents, levels, coded latents  --Scales-->  indexes of tables, pass by pass; --Means-->  means
    latents (384, h, w), levels  --Synthesis-->  picture (12, 8h, 8w), context (16, 2h, 2w)
    picture, context, levels  --Detail-->  colours uint16 (16h, 16w, 3), sixteenths  --filtered-->  pixels uint8
    cells float32 (12, h, w)  --spread-->  colours uint16 (2h, 2w, 3), sixteenths, of models without native `Detail`

Of drafts (native/draft.hpp): latents, levels  --Draft-->  pixels uint8.
"""

from __future__ import annotations

from .. import _native
from .._native import Analysis, Detail, Draft, ErrorGradient, HyperAnalysis, Latents, Means, Scales, Synthesis
from .ending import at_work

__all__ = [
    "Analysis",
    "Detail",
    "Draft",
    "ErrorGradient",
    "HyperAnalysis",
    "Latents",
    "Means",
    "Scales",
    "Synthesis",
    "filter_sums",
    "filter_sweep",
    "filtered",
    "spread",
]

filter_sums = at_work(_native.filter_sums)
filter_sweep = at_work(_native.filter_sweep)
filtered = at_work(_native.filtered)
spread = at_work(_native.spread)
