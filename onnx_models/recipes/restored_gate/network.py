"""The network of the gate: what it sees of blocks, what it decides, and which blocks stay shut because they are edges of drawings."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..common.depthwise import SLOPE
from ..common.restoring import BLOCK, COEFFICIENTS, FROM_RGB, TOLD, dct

WIDTH, DEPTH = 48, 4
"""Features of a block, and layers that look at 5x5 blocks."""
WIDE, WIDE_FROM = 12, 2
"""Blocks around one, each way, over which the mean of features is taken, and the layer before which that is."""
LIKE, UNLIKE = 16, 0.5
"""Features that tell photographs from other pictures, and what of the shares is left of what is none."""
REACH = (2 * DEPTH + WIDE) * BLOCK
"""Pixels around a block that the gate sees."""
LOW = [BLOCK * i + j for i in range(4) for j in range(4)]
ORDER = [*LOW, *(k for k in range(COEFFICIENTS) if k not in LOW)]
"""Frequencies in the order of the gate, the low ones first: of colours it sees no others."""
COARSE = len(LOW)
SPAN = 1.4
"""Range of the gate before it is cut off to 0..1, so that it can be quite shut and quite open."""
MEAN = COEFFICIENTS + 5 * COARSE
"""Place of the mean luma in what is seen of blocks."""
STEEP, LARGEST = 4, 10000.0
"""Steps, of the largest of the lowest three, between coefficients of the mean that no slope leads over; more than any of these has."""
STEPS = 4
"""Steps between shut and open: a block that is open but for less than half of one is left as it is, without any work."""


class Cut(torch.autograd.Function):
    """Cut off to 0..1, with the gradient of what is not cut off."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        return grad


class Gate(nn.Module):
    def __init__(self, width: int = WIDTH, depth: int = DEPTH) -> None:
        super().__init__()
        c = width
        self.dct: Tensor
        self.register_buffer("dct", dct()[ORDER], persistent=False)
        around, own = COEFFICIENTS + 5 * COARSE + 3 + 6, COEFFICIENTS + 6 * COARSE
        self.told, self.films = nn.Conv2d(TOLD, 24, 1), nn.Conv2d(24, 4 * c, 1)
        self.films.weight.data.mul_(0.1)
        self.films.bias.data.zero_()
        self.around, self.own = nn.Conv2d(around, c, 1), nn.Conv2d(own, c, 1)
        self.spread = nn.ModuleList(nn.Conv2d(c, c, 5, padding=2, groups=c) for _ in range(depth))
        self.mixed = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(depth))
        self.wide = nn.Conv2d(c, c, 1)
        self.like, self.likeness = nn.Conv2d(c, LIKE, 1), nn.Conv2d(LIKE, 1, 1)
        self.likeness.weight.data.zero_()
        self.likeness.bias.data.fill_(2)
        self.joined, self.leave = nn.Conv2d(2 * c, c, 1), nn.Conv2d(c, 2, 1)
        self.leave.weight.data.mul_(0.1)
        self.leave.bias.data.fill_(2.5)

    def coefficients(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Planes (B,3,H,W) -> coefficients of luma (B,64,h,w), and the lower ones of both colours (B,32,h,w)."""
        luma = F.conv2d(planes[:, :1], self.dct.view(-1, 1, BLOCK, BLOCK), stride=BLOCK)
        kernel = self.dct[:COARSE].view(-1, 1, BLOCK, BLOCK)
        colors = F.conv2d(planes[:, 1:], kernel.repeat(2, 1, 1, 1), stride=BLOCK, groups=2)
        return luma, colors

    def seen(self, decoded: Tensor, shown: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Decoded and shown (B,3,H,W) RGB levels; steps (B,2,64) -> what is seen of blocks, what of the changes."""
        matrix = torch.tensor(FROM_RGB)[:, :, None, None]
        ycc = F.conv2d(decoded, matrix, torch.tensor([-128.0, 0, 0]))
        luma, colors = self.coefficients(ycc)
        steps_y = steps[:, 0, ORDER, None, None]
        steps_c = steps[:, 1, LOW].repeat(1, 2)[:, :, None, None]
        symbols, symbols_c = (luma / steps_y).clamp(-2.5, 2.5), (colors / steps_c).clamp(-2.5, 2.5)
        mean = torch.cat([luma[:, :1], colors[:, :1], colors[:, COARSE : COARSE + 1]], 1) / 512
        ends = torch.cat([(1 - decoded).clamp(0, 1), (decoded - 254).clamp(0, 1)], 1)
        levels = [(x.abs() + 1).log() / 4 for x in (luma[:, :COARSE], colors)]
        around = torch.cat([symbols.abs(), symbols_c.abs(), *levels, mean, F.avg_pool2d(ends, BLOCK)], 1)
        change, change_c = self.coefficients(F.conv2d(shown - decoded, matrix))
        q, q_c = (change / steps_y).clamp(-1.5, 1.5), (change_c / steps_c).clamp(-1.5, 1.5)
        same = [x * s.clamp(-1, 1) for x, s in ((q[:, :COARSE], symbols[:, :COARSE]), (q_c, symbols_c))]
        levels = [(x.abs() + 1).log() / 2 for x in (change[:, :COARSE], change_c)]
        own = torch.cat([q.abs(), *same, *levels], 1)
        return around, own

    def forward(self, decoded: Tensor, shown: Tensor, steps: Tensor, halved: Tensor) -> Tensor:
        """Return how much is shown, (B,2,h,w)."""
        around, own = self.seen(decoded, shown, steps)
        return self.decided(around, own, steps, halved) * ~edged(around, steps)

    def decided(self, around: Tensor, own: Tensor, steps: Tensor, halved: Tensor) -> Tensor:
        """Return how much is shown of blocks of which that is `seen`, (B,2,h,w), but for `edged` ones."""
        films = self._films(steps, halved)
        t, mean = self._surveyed(around, films)
        t = t + F.leaky_relu(self.wide(mean), SLOPE)
        for spread, mixed in zip(self.spread[WIDE_FROM:], self.mixed[WIDE_FROM:], strict=True):
            t = t + F.leaky_relu(mixed(spread(t)), SLOPE)
        o = F.leaky_relu(self.own(own) * (1 + films[2]) + films[3], SLOPE)
        t = F.leaky_relu(self.joined(torch.cat([t, o], 1)), SLOPE)
        opened: Tensor = Cut.apply(SPAN * torch.sigmoid(self.leave(t)) - (SPAN - 1) / 2)  # type: ignore[no-untyped-call]
        alike = UNLIKE + (1 - UNLIKE) * self.likeness(F.leaky_relu(self.like(mean), SLOPE)).clamp(0, 1)
        return whole(opened * alike * STEPS) / STEPS

    def surveyed(self, around: Tensor, steps: Tensor, halved: Tensor) -> Tensor:
        """Return the mean features (B,C,h,w) of what is around blocks, by which photographs are told from other pictures."""
        return self._surveyed(around, self._films(steps, halved))[1]

    def _films(self, steps: Tensor, halved: Tensor) -> tuple[Tensor, ...]:
        described = torch.cat([steps.log().flatten(1) / 2 - 1, halved], 1)[:, :, None, None]
        return self.films(F.leaky_relu(self.told(described), SLOPE)).chunk(4, 1)

    def _surveyed(self, around: Tensor, films: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Return the features of blocks, as far as 5x5 blocks around go WIDE_FROM times, and their means."""
        t = F.leaky_relu(self.around(around) * (1 + films[0]) + films[1], SLOPE)
        for spread, mixed in zip(self.spread[:WIDE_FROM], self.mixed[:WIDE_FROM], strict=True):
            t = t + F.leaky_relu(mixed(spread(t)), SLOPE)
        return t, mean_around(t)


def mean_around(x: Tensor) -> Tensor:
    """Return the means over the blocks up to WIDE away each way, as far as there are any."""
    columns = F.avg_pool2d(x, (2 * WIDE + 1, 1), 1, (WIDE, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, 2 * WIDE + 1), 1, (0, WIDE), count_include_pad=False)


def edged(around: Tensor, steps: Tensor) -> Tensor:
    """Return which blocks (B,1,h,w) have one luma, as ones next to them whose luma is farther than any slope leads; of what is `seen`.

    A slope from one to the other would have left a coefficient in them. So what is shown are edges on the grid of blocks, as
    codes and pictures of large pixels have them, and JPEG may have them exactly.
    """
    flat = around[:, 1:COEFFICIENTS].amax(1, keepdim=True) < 0.5
    luma = around[:, MEAN : MEAN + 1] * 512
    far = STEEP * steps[:, 0, [0, 1, BLOCK]].amax(1)[:, None, None, None]

    def most(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 1, 1)

    above, below = (most(torch.where(flat, x, torch.full_like(x, -LARGEST))) - x for x in (luma, -luma))
    edge = flat & (torch.maximum(above, below) > far)
    return flat & (most(edge.float()) > 0)


def whole(x: Tensor) -> Tensor:
    """Round, with the gradient of what is not rounded."""
    return x + (x.detach().round() - x.detach())
