"""The family `toderici2017`: Toderici et al., "Full Resolution Image Compression with Recurrent Neural Networks" (CVPR 2017, arXiv 1608.05148).

    r = x - x_hat ──encoder step──▶ 32 signs for every 16x16 pixels ──decoder step──▶ x_hat = x_hat + change          up to 8 times

The paper's idea: one pair of recurrent networks codes a picture of any size in steps of an eighth of a bit for each pixel. Each step codes
the error that the steps before have left, so that one model and one file have every rate. An adaptive coder makes the signs shorter.

Kept: convolutional GRUs, additive reconstruction, signs by a straight-through gradient, the mean absolute error of every step, the
level as a number of steps.

Changed, and why:

* One GRU each way instead of three and four, 13 kMAC a pixel for all steps instead of thousands: minutes of training, not weeks.
* The matrices that make signs, and those that take them, are others in each step, so that training begins with a linear codec.
* The paper's BinaryRNN predicts signs in floating point. Here a small network of whole numbers picks an adaptive probability for each
  sign, so that no float decides what is read, and machines agree. (The older number 27 has contexts of neighbouring signs instead.)
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.8 and 14.15 say how it decodes; onnx_models/recipes/recurrent trained it.
"""

from __future__ import annotations

from .shared import recurrence

NAME = "toderici2017"
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
