"""The family `toderici2015`: Toderici et al., "Variable Rate Image Compression with Recurrent Neural Networks" (ICLR 2016, arXiv 1511.06085).

    r = x - x_hat ──encoder step──▶ 32 signs for every 16x16 pixels ──decoder step──▶ x_hat = x_hat + change          up to 8 times

The paper's idea: two recurrent networks code a thumbnail of 32x32 pixels in steps. Each step codes the error that the steps before have
left, in 16 bytes before entropy coding, so that one model has every rate.

Kept: convolutional LSTMs, tiles of 32x32 that know nothing of each other, signs by a straight-through gradient. A larger picture is
such tiles side by side, as the paper has patches: its seams show.

Changed, and why:

* Every step adds a change to the picture; the paper's LSTM gives the whole picture anew. Training so begins nearer to its end.
* One LSTM each way. The matrices that make signs, and those that take them, are others in each step, so that training begins with a
  linear codec: it takes minutes, not days.
* The loss is SSIM and the mean absolute error: the paper judges by SSIM.
* Signs are coded in integer contexts, which makes them shorter; the paper leaves them raw.

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
dump = recurrence.dump
decode = recurrence.decode
decode_cut = recurrence.decode_cut
cut = recurrence.cut
lowered = recurrence.lowered
