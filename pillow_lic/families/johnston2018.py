"""The family `johnston2018`: Johnston et al., "Improved Lossy Image Compression with Priming and ..." (CVPR 2018, arXiv 1703.10114).

    r = x - x_hat ──encoder step──▶ 32 signs for every 16x16 pixels not yet good enough ──decoder step──▶ x_hat = x_hat + change

The paper's ideas, on the codec of Toderici 2017: states of the cells see their neighbours (hidden kernels of 3x3), both networks run
some steps before the first signs count (priming), the error of a place weighs by its dissimilarity in training, and blocks that are
good enough send no more signs (spatially adaptive bit rates, SABR).

Kept: all four; three steps of priming; the step count of every block in the stream, whose later signs are 0.

Changed, and why:

* What `toderici2017` changes too: one GRU each way, matrices of each step beside the signs, integer contexts, tiles with a margin.
* Hidden kernels are a depthwise 3x3 and a 1x1: a tenth of the work.
* A block is good enough by its mean absolute error: the paper's target of quality, without a search for it.

FORMAT.md, 14.8 says how it decodes; onnx_models/recipes/recurrent trained it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..engine.models import Model
from .shared import recurrence
from .shared.sign_streams import Signs

Pixels = npt.NDArray[np.uint8]

NAME = "johnston2018"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

LEVELS = recurrence.LEVELS
ENOUGH = 4.0
"""Mean absolute error of a block, in levels of 8 bits, that is good enough."""


def signs(model: Model, pixels: Pixels, level: int) -> Signs:
    """Return the signs of pixels (h, w, 3): as many steps as the level means, fewer where the picture is good enough."""
    return recurrence.chosen(model, pixels, recurrence.steps_of(model, level), ENOUGH)


encode = recurrence.encoder(signs)
decode = recurrence.decode
decode_cut = recurrence.decode_cut
cut = recurrence.cut
lowered = recurrence.lowered
