"""The family `toderici2015`: Toderici et al., "Variable Rate Image Compression with Recurrent Neural Networks" (ICLR 2016, arXiv 1511.06085).

    r = x - x_hat ──encoder step──▶ 32 signs for every 16x16 pixels ──decoder step──▶ x_hat = x_hat + change          up to 8 times

The paper's idea: thumbnails of 32x32 pixels in a few dozen bytes, by two recurrent networks that code what is left again and again, 16
bytes a step before the coder. So one model has every rate.

Kept: convolutional LSTMs, tiles of 32x32 that know nothing of each other, signs by a straight-through gradient. A larger picture is
such tiles side by side, as the paper has patches: its seams show.

Changed, and why:

* The change of every step is added up, where the paper's LSTM shows the whole picture anew: it begins nearer to where it ends.
* One LSTM each way, and matrices of each step beside the signs, so that training begins with a linear codec: minutes, not days.
* The loss has SSIM beside the mean absolute error: the paper judges by it.
* Integer contexts shorten the signs, which the paper leaves raw.

FORMAT.md, 14.8 says how it decodes; onnx_models/recipes/recurrent trained it.
"""

from __future__ import annotations

from .shared import recurrence

NAME = "toderici2015"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

LEVELS = recurrence.LEVELS
signs = recurrence.everywhere
encode = recurrence.encoder(signs)
decode = recurrence.decode
decode_cut = recurrence.decode_cut
cut = recurrence.cut
lowered = recurrence.lowered
