"""The family `johnston2018`: Johnston et al., "Improved Lossy Image Compression with Priming and ..." (CVPR 2018, arXiv 1703.10114).

    r = x - x_hat ──encoder step──▶ 32 signs for every 16x16 pixels not yet good enough ──decoder step──▶ x_hat = x_hat + change

The paper's ideas, on the codec of Toderici 2017:

* the states of the recurrent cells see their neighbours (hidden kernels of 3x3);
* both networks run some steps before the first signs are sent (priming);
* in training, the error of a place is weighed by its dissimilarity (SSIM);
* blocks that are good enough send no more signs (spatially adaptive bit rates, SABR).

Kept: all four; three steps of priming. The stream says how many steps every block has; its later signs are taken to be 0.

Changed, and why:

* As in `toderici2017`: one GRU each way, matrices of each step, integer contexts, tiles with a halo.
* Hidden kernels are a depthwise 3x3 and a 1x1: a tenth of the work.
* A block is good enough if its mean absolute error is at most ENOUGH; the paper searches for a target of quality.

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
dump = recurrence.dump
decode = recurrence.decode
decode_cut = recurrence.decode_cut
cut = recurrence.cut
lowered = recurrence.lowered
