"""The layers of `layers.py` as nodes of a `Graph`: each function adds one and returns the name of its result."""

from __future__ import annotations

from torch import nn

from .depthwise import SLOPE
from .graph import Graph, numpy
from .layers import Block


def conv(g: Graph, x: str, m: nn.Conv2d) -> str:
    return g.conv(
        x,
        numpy(m.weight),
        None if m.bias is None else numpy(m.bias),
        stride=m.stride[0],
        pad=int(m.padding[0]),
        groups=m.groups,
    )


def bent(g: Graph, x: str, slope: float = SLOPE) -> str:
    """Add a LeakyReLU, which for a slope of 0 is a ReLU."""
    return g.op("LeakyRelu", x, alpha=slope) if slope else g.op("Relu", x)


def block(g: Graph, x: str, b: Block) -> str:
    x = g.op("Add", conv(g, conv(g, bent(g, conv(g, x, b.a), b.slope), b.dw), b.b), x)
    return g.op("Add", conv(g, bent(g, conv(g, x, b.f1), b.slope), b.f2), x)


def blocks(g: Graph, x: str, body: nn.Sequential) -> str:
    """Add blocks, and 1x1 convolutions between them."""
    for b in body:
        x = block(g, x, b) if isinstance(b, Block) else conv(g, x, b)
    return x
