"""The recurrent residual codec, shared by four papers: two networks that run in turns, and the signs that pass between them.

    write   pixels ─▶ what is left ─encoder step─▶ signs of every block ─decoder step─▶ change ─▶ what is left ─▶ ...
    read    stream ─bits─▶ steps of every block, signs ─decoder step─▶ change + change + ... ─▶ pixels

A block is 16x16 pixels and gives `bits` signs in each step that it takes part in. The first steps show the whole picture coarsely, so
that a stream may end anywhere, and can be made shorter without a network. Of a stream that was cut, a step changes only the blocks that
have at least half of its signs: with fewer, a block may become worse than it was. Networks decide which signs are written, but never what
is read (FORMAT.md 14.8). The family of a paper says which signs a level has (`chosen`).

Networks run on n pictures at once: one, or its tiles, squares of `tile` pixels (a constant of the model) that know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...errors import LicRuntimeError
from ...fileformat import streams as payloads
from .sign_streams import BLOCK, Signs, blocks, pack, shortened, unpack

if TYPE_CHECKING:
    from ...engine.models import Model
    from ..contract import Coded

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

LEVELS: list[int] | None = [0, 146, 293, 439, 585, 731, 878, 1024]
"""The levels of a model with eight steps: each stands for a number of steps."""


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape (`families.Plain.decode`)."""
    return shown(model, unpack(model, streams, shape), shape)


def decode_cut(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) by the beginning of the stream (`families.Progressive.decode_cut`)."""
    return shown(model, unpack(model, streams, shape, cut=True), shape)


def cut(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int, size: int) -> list[bytes]:
    """Return the one stream with as many steps and blocks as fit into `size` bytes (`families.Progressive.cut`)."""
    return [shortened(model, unpack(model, streams, shape), size)]


def lowered(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> list[bytes]:
    """Return the one stream with the steps that a level means and no more (`families.Stepwise.lowered`)."""
    signs, steps = unpack(model, streams, shape), steps_of(model, level)
    counts = np.minimum(signs.counts, steps).astype(np.uint8)
    values = np.where(np.arange(len(signs.values))[:, None, None, None] < steps, signs.values, 0).astype(np.int8)
    return [pack(model, Signs(counts, values))]


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the steps uint8 (h, w) that each block of a tile takes part in, and the signs int8 (steps, bits, h, w), 0 where there are none."""
    found = unpack(model, payloads.unpack(tile.payload), tile.area.shape)
    return {"steps": found.counts, "signs": found.values}


def encoder(signs: Callable[[Model, Pixels, int], Signs]) -> Callable[[Model, Pixels, int], list[bytes]]:
    """Return the `encode` of a family by its function of a model, pixels (h, w, 3) and a level that returns their signs."""

    def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
        """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give what is no number."""
        return [pack(model, signs(model, pixels, level))]

    return encode


def steps_of(model: Model, level: int) -> int:
    """Return the number of steps that a level means, 1 at level 0 to all at level 1024."""
    return 1 + (level * (int(model.constants["steps"]) - 1) + 512) // 1024


def apart(planes: Any, side: int) -> Any:
    """Return the squares (n, C, side, side), in raster order, of planes (C, H, W); all of them (1, C, H, W) for a side of 0."""
    if not side:
        return planes[None]
    channels, height, width = planes.shape
    squares = planes.reshape(channels, height // side, side, width // side, side)
    return np.ascontiguousarray(squares.transpose(1, 3, 0, 2, 4).reshape(-1, channels, side, side))


def together(parts: Any, rows: int, columns: int) -> Any:
    """Return the planes (C, rows, columns) of squares as `apart` has them."""
    n, channels, height, width = parts.shape
    squares = parts.reshape(rows // height, columns // width, channels, height, width)
    return np.ascontiguousarray(squares.transpose(2, 0, 3, 1, 4).reshape(channels, rows, columns))


def about_grey(model: Model, pixels: Pixels) -> Floats:
    """Return pixels (h, w, 3) as (3, H, W), -0.5 to 0.5, with the last row and column repeated up to whole blocks."""
    rows, columns = blocks(model, pixels.shape[:2])
    missing = [(0, BLOCK * rows - pixels.shape[0]), (0, BLOCK * columns - pixels.shape[1]), (0, 0)]
    scaled = np.pad(pixels, missing, "edge").transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    result: Floats = scaled - np.float32(0.5)
    return result


def as_pixels(picture: Floats, shape: tuple[int, int]) -> Pixels:
    """Return the pixels (h, w, 3) of a shape of a picture (3, H, W) about grey."""
    rounded = np.rint((picture + 0.5) * 255).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(rounded[:, : shape[0], : shape[1]].transpose(1, 2, 0))


def chosen(model: Model, pixels: Pixels, steps: int, enough: float = 0.0) -> Signs:
    """Return the signs of pixels (H, W, 3) for so many steps.

    enough: mean absolute error of a block, in levels of 8 bits, at which it takes no further part. LicRuntimeError when the
    networks give what is no number.
    """
    rows, columns = blocks(model, pixels.shape[:2])
    x = apart(about_grey(model, pixels), model.constants.get("tile", 0))
    coding = Coding(model, x)
    coding.run(steps, lambda left: _block_errors(left) > enough / 255)
    counts = together(coding.counts[:, None], rows, columns)[0]
    values = np.stack([together(part, rows, columns) for part in coding.values])
    return Signs(
        counts, np.concatenate([values, np.zeros((model.constants["steps"] - steps, *values[0].shape), np.int8)])
    )


def everywhere(model: Model, pixels: Pixels, level: int) -> Signs:
    """Return the signs of pixels (H, W, 3): as many steps everywhere as the level means."""
    return chosen(model, pixels, steps_of(model, level))


class Coding:
    """The encoder at work on pictures x (n, 3, 16 h, 16 w) about grey, of which `beginning` is known, nothing if left out.

    `counts`, uint8 (n, h, w), are the steps that each block takes part in, `values` the signs int8 (n, bits, h, w) of every step, and
    `picture` is what a decoder shows.
    """

    def __init__(self, model: Model, x: Floats, beginning: Floats | None = None) -> None:
        n, _, height, width = x.shape
        shape = (n, height // BLOCK, width // BLOCK)
        self._model, self._x = model, x
        self._decoding = Decoding(model, shape, beginning)
        self._active = np.ones(shape, bool)
        self.counts = np.zeros(shape, np.uint8)
        self.values: list[npt.NDArray[np.int8]] = []

    @property
    def picture(self) -> Floats:
        """The picture of a decoder so far, float32 (n, 3, 16 h, 16 w)."""
        return self._decoding.picture

    def run(self, steps: int, goes_on: Callable[[Floats], npt.NDArray[np.bool_]], *, first: bool = False) -> None:
        """Take so many steps.

        goes_on: which blocks (n, h, w) take a further part, by what is left of the pictures; asked before the first step too if
        `first`. LicRuntimeError when the networks give what is no number.
        """
        bits_of_step, shape = self._model.constants["bits"], self.counts.shape
        state = np.zeros((shape[0], self._model.constants["encoder_states"], *shape[1:]), np.float32)
        for _ in range(self._model.constants["priming"]):
            state = self._model.run("encoder_step", residual=self._x - self.picture, state=state)[1]
        for step in range(steps):
            check_time()
            left = self._x - self.picture
            if step or first:
                self._active &= goes_on(left)
            if not self._active.any():
                self.values.append(np.zeros((shape[0], bits_of_step, *shape[1:]), np.int8))
                continue
            codes, state = self._model.run("encoder_step", residual=left, state=state)
            codes = codes[:, step * bits_of_step : (step + 1) * bits_of_step]
            if not np.isfinite(codes).all():
                msg = "the networks gave codes that are no numbers: the engine failed"
                raise LicRuntimeError(msg)
            self.counts += self._active
            self.values.append(np.where(self._active[:, None], np.where(codes >= 0, 1, -1), 0).astype(np.int8))
            self._decoding.step(self.values[-1])


def shown(model: Model, signs: Signs, shape: tuple[int, int]) -> Pixels:
    """Return the pixels (H, W, 3) of that shape that signs stand for."""
    rows, columns = signs.counts.shape
    side = model.constants.get("tile", 0) // BLOCK
    decoding = Decoding(model, apart(signs.counts[None], side)[:, 0].shape)
    for values in signs.values[: int(signs.counts.max(initial=0))]:
        if not values.any():
            break
        check_time()
        decoding.step(apart(values, side))
    return as_pixels(together(decoding.picture, BLOCK * rows, BLOCK * columns), shape)


class Decoding:
    """The decoder on its way: `picture`, float32 (n, 3, 16 h, 16 w), is what it shows about grey, at first `beginning`, or 0."""

    def __init__(self, model: Model, shape: tuple[int, ...], beginning: Floats | None = None) -> None:
        """shape: n, and the rows and columns of blocks."""
        self._model, self._steps = model, 0
        n, rows, columns = shape
        self._state = np.zeros((n, model.constants["decoder_states"], rows, columns), np.float32)
        self.picture = np.zeros((n, 3, BLOCK * rows, BLOCK * columns), np.float32) if beginning is None else beginning

    def step(self, values: npt.NDArray[np.int8]) -> None:
        """Take the signs (n, bits, h, w) of the next step; blocks that have fewer than half of theirs stay as they are."""
        steps, count = self._model.constants["steps"], self._model.constants["bits"]
        enough = 2 * np.count_nonzero(values, 1)[:, None] >= count
        signs = np.zeros((len(values), steps * (count + 1), *values.shape[2:]), np.float32)
        signs[:, self._steps * count : (self._steps + 1) * count] = np.where(enough, values, 0)
        signs[:, steps * count + self._steps] = 1
        times = 1 + (self._model.constants["priming"] if self._steps == 0 else 0)
        for _ in range(times):
            change, self._state = self._model.run("decoder_step", signs=signs, state=self._state)
        self.picture = self.picture + np.where(enough.repeat(BLOCK, 2).repeat(BLOCK, 3), change, np.float32(0))
        self._steps += 1


def _block_errors(left: Floats) -> Floats:
    """Return the mean absolute value (n, h, w) of every block of (n, 3, H, W)."""
    n, channels, height, width = left.shape
    cells = np.abs(left).reshape(n, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    mean: Floats = cells.mean((1, 3, 5))
    return mean
