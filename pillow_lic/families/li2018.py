"""The family `li2018`: Li, Zuo, Gu, Zhao and Zhang, "Learning Convolutional Networks for Content-weighted Image Compression" (CVPR 2018).

    pixels ─analysis(level)─▶ n bits, and the importance of each place ─▶ depth: how many of its bits count ─▶ bits in contexts ─▶ stream
    pixels ◀──────────────────synthesis──────────────── 1, -1, and 0 beyond the depth ◀───────────────────────────── stream

The paper's idea: the code consists of bits, and an importance map, learnt with it, says how many of them each place needs: flat areas
few, texture and edges many. In training the sum of the map stands for the rate, so that no entropy has to be estimated.

Kept: a binary code at an eighth of the resolution, the importance map of 16 levels that masks it, coding in contexts: the map first,
then the bits inside the mask.

Changed, and why:

* 160 bits at most for a block of 8x8 pixels, and one model for all rates: the level says how many of them may be used. The paper's
  models are one for each rate.
* Contexts are bits of neighbours and of the same place, counted while coding, instead of a network that computes probabilities:
  no float decides what is read.
* A smaller network, computed as thresholds of principal components: some minutes of training made it worse.
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.10 says how it decodes; onnx_models/recipes/li2018.py trained it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..engine import bits
from ..engine.models import Model
from ..errors import LicDamagedError, LicRuntimeError
from ..fileformat.streams import unpack
from .shared import transform

if TYPE_CHECKING:
    from . import Coded

Pixels = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

NAME = "li2018"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

MAP_LEVELS = 16
MAP_CLASSES = np.array([[5], [6], [7], [7]], np.uint8)
"""The classes of the four planes of the map, the highest bit first; codes have classes 0 to 4."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give no numbers."""
    whole = transform.whole_blocks(model, pixels)
    codes, need = (v[0] for v in model.run("analysis", pixels=whole, level=transform.as_input(level)))
    if not (np.isfinite(need).all() and np.isfinite(codes).all()):
        msg = "the networks gave codes that are no numbers: the engine failed"
        raise LicRuntimeError(msg)
    share = 1 / (1 + np.exp(-need[0].astype(np.float64)))
    coder = bits.Encoder(model.starts)
    for planes, classes, mask in parts(model, codes > 0, np.rint(share * (MAP_LEVELS - 1)).astype(np.int64), level):
        coder.write_planes(planes, classes, mask)
    return [coder.stream()]


def parts(
    model: Model, codes: npt.NDArray[Any], need: Numbers, level: int
) -> Iterator[tuple[Bits, npt.NDArray[np.uint8], npt.NDArray[np.bool_] | None]]:
    """Yield what is coded of codes (n, h, w), 0 or 1, and of a map (h, w) of 16 levels: planes of bits, their classes and mask."""
    depths = depths_of(model, level)
    used = np.unique(depths)
    rank = np.searchsorted(used, depths)[need]
    mask = _mask(model, used[rank])
    yield _gray(rank), MAP_CLASSES, None
    for chain, classes in chains_of(model):
        yield (codes[chain] * mask[chain]).astype(np.uint8)[:, None], classes, mask[chain, None]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    codes = _read(model, streams, shape, level)[None].astype(np.float32)
    pixels: Pixels = model.run("synthesis", codes=codes)[0][0]
    return pixels[: shape[0], : shape[1]]


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (n, h, w) int8 of a tile: 1, -1, and 0 where they are masked."""
    return {"symbols": _read(model, unpack(tile.payload), tile.area.shape, tile.level)}


def _read(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> npt.NDArray[np.int8]:
    """Return the codes (n, h, w) of pixels of that shape: 1 or -1, 0 beyond the depth. LicDamagedError as `decode`."""
    (stream,) = transform.streams_of(model, streams, 1)
    rows, columns = transform.shape_of_blocks(model, shape)
    used = np.unique(depths_of(model, level))
    coder = bits.Decoder(model.starts, stream)
    rank = _number(coder.read_planes(MAP_CLASSES, rows, columns))
    if rank.max() >= used.size:
        msg = f"the map has rank {rank.max()}, level {level} has ranks below {used.size}"
        raise LicDamagedError(msg)
    mask = _mask(model, used[rank])
    codes = np.zeros(mask.shape, np.int8)
    for chain, classes in chains_of(model):
        ones = coder.read_planes(classes, rows, columns, mask[chain, None])[:, 0]
        codes[chain] = np.where(mask[chain], 2 * ones.astype(np.int8) - 1, 0)
    with transform.no_network_in_the_parse():
        coder.finish()
    return codes


def depths_of(model: Model, level: int) -> Numbers:
    """Return how many codes count where the map has each of its 16 levels, (16,) ascending: round(q / 15 * n(level)), half up."""
    spacing, anchors = model.constants["level_spacing"], model.constants["codes_at"]
    anchor, beyond = divmod(level, spacing)
    following = anchors[min(anchor + 1, len(anchors) - 1)]
    most = anchors[anchor] + ((following - anchors[anchor]) * beyond + spacing // 2) // spacing
    depths: Numbers = (2 * np.arange(MAP_LEVELS) * most + MAP_LEVELS - 1) // (2 * (MAP_LEVELS - 1))
    return depths


def chains_of(model: Model) -> Iterator[tuple[Any, npt.NDArray[np.uint8]]]:
    """Yield the codes of every chain, ascending, and their classes (codes, 1): each code is coded in the contexts of the one before."""
    chain, classes = np.array(model.constants["chains"]), np.array(model.constants["classes"], np.uint8)
    for number in range(chain.max() + 1):
        codes = np.flatnonzero(chain == number)
        yield codes, classes[codes, None]


def _mask(model: Model, depth: Numbers) -> npt.NDArray[np.bool_]:
    """Return where each of the codes counts, (n, h, w), for depths (h, w)."""
    mask: npt.NDArray[np.bool_] = np.arange(len(model.constants["chains"]))[:, None, None] < depth
    return mask


def _gray(rank: Numbers) -> Bits:
    """Return ranks (h, w) below 16 as planes (4, 1, h, w) of their Gray code, the highest bit first."""
    code = rank ^ (rank >> 1)
    return np.stack([(code >> plane & 1).astype(np.uint8) for plane in (3, 2, 1, 0)])[:, None]


def _number(planes: Bits) -> Numbers:
    """Return the ranks (h, w) of planes of `_gray`."""
    bit = planes[0, 0].astype(np.int64)
    rank: Numbers = bit
    for plane in planes[1:, 0]:
        bit = bit ^ plane
        rank = 2 * rank + bit
    return rank
