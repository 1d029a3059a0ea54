"""The things that a picture is of, for importance="semantic": a small network that was trained on boxes drawn by hand.

After MS-ROI (Prakash and others 2017, arXiv 1612.08712), which weighs every place by its percentile among those of the picture,
several objects at once. The network does not see pixels but what tells things from their ground (`cues`), so that some hundred
pictures were enough (onnx_models/recipes/importance/semantic.py). Only the encoder runs it: a file carries the map it gave.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..engine import models, runtime
from ..fileformat.importance_map import shape_of
from . import cues
from .percentiles import percentiles

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def values(rgb: Pixels) -> Floats:
    """Return a value in -1..1 for every 16x16 pixels (H, W, 3): its percentile among those of the picture, 1 the most important."""
    height, width = rgb.shape[:2]
    scale = min(1.0, cues.LONGEST / max(height, width)) / (2 * cues.CELL)
    seen = cues.features(rgb, *(max(1, round(length * scale)) for length in (height, width)))
    both = np.ascontiguousarray(np.stack([seen, seen[:, :, ::-1]]))
    plain, mirrored = runtime.run(models.semantic(), "semantic", {"features": both})[0][:, 0]
    cells = (plain + mirrored[:, ::-1])[:, :, None]
    return percentiles(cues.resampled(cells, *shape_of(height, width))[:, :, 0])
