"""The cells that remember between steps: GRU, LSTM, and the associative LSTM of Danihelka et al. 2016 (arXiv 1602.03032).

Toderici 2017 compares the three (section 3.1), the associative one in the decoder alone, beside an LSTM in the encoder.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from ..common.depthwise import depthwise, pointwise

OPEN, SHUT = 5.0, -5.0
"""Biases of gates that let nearly all or nearly nothing through at the start."""
COPIES = 4
"""Copies of an associative memory, each by keys in another order."""
Kind = Literal["gru", "lstm", "associative"]


def matrix(o: int, i: int, scale: float) -> nn.Parameter:
    """Return the weight of a 1x1 convolution, of which rows have a length of `scale`; `Soap` takes it."""
    return nn.Parameter(torch.randn(o, i, 1, 1) * scale / math.sqrt(i))


class Cell(nn.Module):
    """A recurrent cell over (B,F,h,w); `states` are cat along the channels: h, and what else the kind remembers.

    GRU:   z, g = sigmoid(.), n = tanh(W v + g * U h),  h' = (1 - z) h + z n
    LSTM:  i, f, o = sigmoid(.), c' = f c + i tanh(W v + U h), h' = o tanh(c')
    associative: channels are F/2 complex numbers, i, f, o are of F/2; r, s are keys of F, at most 1 in size, and for copy k
           c_k' = f c_k + r_k (i tanh(W v + U h)), h' = o bound(mean of s_k c_k')   with r_k, s_k the keys in the order of the copy
    """

    def __init__(self, kind: Kind, features: int, *, diffusion: bool, gathers: bool = False) -> None:
        """diffusion: hidden kernels are 3x3. gathers: an LSTM that begins as a sum over steps, for one-shot reconstruction."""
        super().__init__()
        self.kind, self.features = kind, features
        forget = OPEN if gathers else SHUT
        biases = {
            "gru": [(features, 0.0), (features, OPEN), (features, 0.0)],
            "lstm": [(features, 0.0), (features, OPEN), (features, forget), (features, OPEN)],
            # Keys begin as 1, which is no turn and no loss.
            "associative": [
                (features, 0.0),
                *((features // 2, gate) for gate in (OPEN, forget, OPEN)),
                *((features // 2, part) for _ in range(2) for part in (1.0, 0.0)),
            ],
        }[kind]
        self.sizes = [rows for rows, _ in biases]
        self.input = nn.ParameterList(matrix(rows, features, 0.1) for rows in self.sizes)
        self.hidden = nn.ParameterList(matrix(rows, features, 0.05) for rows in self.sizes)
        self.input[0].data[:, :, 0, 0] = torch.eye(features)
        nn.init.zeros_(self.hidden[0])
        self.bias = nn.Parameter(torch.cat([torch.full((rows,), bias) for rows, bias in biases]))
        self.kernel = nn.Parameter(torch.zeros(features, 1, 3, 3)) if diffusion else None
        if self.kernel is not None:
            self.kernel.data[:, 0, 1, 1] = 1
        self.order: Tensor
        if kind == "associative":
            turned = torch.Generator().manual_seed(0)
            orders = [torch.randperm(features // 2, generator=turned) for _ in range(COPIES)]
            self.register_buffer("order", torch.stack(orders))

    @property
    def states(self) -> int:
        """Channels of the states."""
        return self.features * {"gru": 1, "lstm": 2, "associative": 1 + COPIES}[self.kind]

    def forward(self, v: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """Input (B,F,h,w) and states -> output (B,F,h,w) and states."""
        h = states[:, : self.features]
        if self.kernel is not None:
            h = depthwise(h, self.kernel, h.new_zeros(self.features))
        inputs = pointwise(v, torch.cat(list(self.input)), self.bias).float().split(self.sizes, 1)
        hidden = pointwise(h, torch.cat(list(self.hidden)), None).float().split(self.sizes, 1)
        if self.kind == "gru":
            z, g = (torch.sigmoid(a + b) for a, b in zip(inputs[1:], hidden[1:], strict=True))
            out = states + z * (torch.tanh(inputs[0] + g * hidden[0]) - states)
            return out, out
        total = [a + b for a, b in zip(inputs, hidden, strict=True)]
        i, f, o = (torch.sigmoid(gate) for gate in total[1:4])
        c = states[:, self.features :]
        if self.kind == "lstm":
            c = f * c + i * torch.tanh(total[0])
            out = o * torch.tanh(c)
        else:
            new = i * torch.complex(*torch.tanh(total[0]).chunk(2, 1))
            write, read = (bounded(torch.complex(*pair)) for pair in (total[4:6], total[6:8]))
            real, imaginary = (part.unflatten(1, (COPIES, -1)) for part in c.chunk(2, 1))
            memory = f[:, None] * torch.complex(real, imaginary) + write[:, self.order] * new[:, None]
            found = bounded((read[:, self.order] * memory).mean(1))
            out = torch.cat([o * found.real, o * found.imag], 1)
            c = torch.cat([memory.real.flatten(1, 2), memory.imag.flatten(1, 2)], 1)
        return out, torch.cat([out, c], 1)


def bounded(z: Tensor) -> Tensor:
    """Return complex numbers made as small as 1, those that are larger."""
    return z / (z.real.square() + z.imag.square() + 1e-12).sqrt().clamp_min(1)
