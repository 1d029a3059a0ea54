"""The forms that a picture can be written in: by networks (`Coded`), with or without an exact layer, and without networks (`Alone`).

The cost of a form is the bits of its file, plus its squared error times the slope of the level, which is what the level takes error to be
worth in bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .. import channels, families, metrics
from ..engine import models
from ..engine.models import Model
from ..exact import aims, ground, pixelwise, snapping
from ..exact.aims import Aim
from ..exact.blockwise import BLOCK
from ..exact.layer import Kind, Layer, squares_of
from ..families import Request, Writer
from ..fileformat import alpha, container, importance_map, vp8l
from ..fileformat.header import Header
from ..fileformat.importance_map import Deltas
from ..fileformat.limits import MAX_LEVEL
from ..inspecting import LOSSLESS

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

MOST_DB: Final = 100.0
"""PSNR that equal pictures are given: a search that interpolates needs a number."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to be written: pixels (H, W, C) of a mode, and metadata by the names of their sections.

    highest: the highest level that a file without networks may have; MAX_LEVEL would claim that every pixel is as it was.
    preview: returns the payload of the preview of a file with networks, of its level and the bytes of its tiles; None for no preview.
    """

    pixels: Pixels
    mode: str
    metadata: Mapping[str, bytes] | None
    highest: int = MAX_LEVEL
    preview: Callable[[int, int], bytes | None] | None = None

    @property
    def colors(self) -> Pixels:
        """The channels without alpha (H, W, 1 or 3)."""
        return self.pixels[:, :, : 1 if self.mode in ("L", "LA") else 3]

    @cached_property
    def plane(self) -> bytes | None:
        """The payload of the alpha section."""
        return alpha.pack(self.pixels[:, :, -1]) if self.mode in ("LA", "RGBA") else None

    @cached_property
    def whole_bits(self) -> int:
        """About how many bits a lossless file of all pixels has, by a quick search."""
        return vp8l.bits(self.pixels)

    @cached_property
    def written(self) -> dict[int, Callable[[int], bytes]]:
        """The results of `as_it_is` so far, by effort."""
        return {}

    def of(self, colors: Pixels) -> Picture:
        """Return the picture with other colours (H, W, 1 or 3) and the same alpha."""
        pixels = np.concatenate([colors, self.pixels[:, :, -1:]], 2) if self.pixels.shape[2] % 2 == 0 else colors
        return Picture(pixels, self.mode, self.metadata, self.highest)

    def header(self, model: Model, edge: int, level: int, *, is_grey: bool = False) -> Header:
        """Return the header of a file of a model with tiles of that edge."""
        height, width = self.pixels.shape[:2]
        return Header(self.mode, width, height, edge, model.number, model.hash, level, is_grey=is_grey)


class _Tried(NamedTuple):
    """What a level and deltas give: payloads, and the squared error of every block of 16x16 pixels, the mean over channels."""

    level: int
    deltas: Deltas | None
    payloads: Sequence[bytes | memoryview]
    errors: Floats


class Form(Protocol):
    """One form of a picture. deltas: its importance map, where its family has one."""

    deltas: Deltas | None

    @property
    def is_drawn(self) -> bool:
        """Whether it has an exact layer, or was in doubt about one."""

    def file(self, level: int) -> bytes:
        """Return the file of a level."""

    def cost(self, level: int) -> float:
        """Return what the file of a level costs, in bits, its error counted."""

    def expected(self, level: int) -> float:
        """Return about what the file of a level costs, without writing it."""

    def psnr(self, level: int) -> float:
        """Return the PSNR of the file of a level, in dB; MOST_DB if it is more."""


class Coded:
    """A picture by the networks of a model, with an exact layer over them, or without (`kept` None).

    plain: returns what every block costs without a layer, near the level that the layer was chosen for; None if nothing was in doubt.
    """

    def __init__(
        self,
        picture: Picture,
        model: Model,
        request: Request,
        kept: Layer | None = None,
        plain: Callable[[], Floats] | None = None,
    ) -> None:
        self._picture, self._model, self._request, self._kept, self._plain = picture, model, request, kept, plain
        self._last: _Tried | None = None
        self._last_guess: tuple[int, float, Floats] | None = None

    @cached_property
    def writer(self) -> Writer:
        """The family's writer of what the networks see, made when it is first needed: `expected` does without it."""
        return families.writer(self._model, self._seen, self._request)

    @cached_property
    def _seen(self) -> Pixels:
        """The colours (H, W, 1 or 3) that the networks see."""
        beneath = ground.beneath(self._picture.pixels, None if self._kept is None else self._kept.covered)
        return _seen_by(self._model, beneath, self._picture.mode)

    @property
    def is_drawn(self) -> bool:
        """Whether it has a layer, or may have had one."""
        return self._kept is not None or self._plain is not None

    @property
    def deltas(self) -> Deltas | None:
        """The importance map."""
        return self.writer.deltas

    @deltas.setter
    def deltas(self, deltas: Deltas | None) -> None:
        self.writer.deltas = deltas

    def was_tried(self, level: int) -> bool:
        """Return whether the cost of a level is known, because the file was coded and decoded."""
        return self._known(level) is not None

    def aim(self, level: int) -> Aim:
        """Return what files of a level aim at."""
        return aim_of(self._model, level)

    def file(self, level: int) -> bytes:
        """Return the file of a level."""
        picture, tiling, deltas = self._picture, self.writer.tiling, self.writer.deltas
        known = self._known(level)
        payloads = self.writer.payloads(level) if known is None else known.payloads
        return container.pack(
            picture.header(self._model, tiling.edge, level, is_grey=channels.are_equal(picture.pixels, picture.mode)),
            payloads,
            metadata=picture.metadata,
            preview=None if picture.preview is None else picture.preview(level, sum(map(len, payloads))),
            importance=None if deltas is None else importance_map.pack(deltas),
            alpha=picture.plane,
            exact=None if self._kept is None else self._kept.payload(level, tiling, quick=self._request.effort == 0),
        )

    def cost(self, level: int) -> float:
        """Return what the file of a level costs, in bits, its error counted."""
        error = float(self._trial(level).errors.sum(dtype=np.float64))
        return 8 * len(self.file(level)) + self.aim(level).slope * error

    def expected(self, level: int) -> float:
        """Return about what the file of a level costs: the layer, and what the networks spend on the rest, as far as that is known."""
        if self._kept is None:
            return 0.0 if self._plain is None else float(self._plain().sum())
        layer = self._kept.bits(level) + self.aim(level).slope * self._kept.wrong(level)
        return layer if self._plain is None else layer + float((self._kept.left() * self._plain()).sum())

    def psnr(self, level: int) -> float:
        """Return the PSNR of the file of a level, in dB; MOST_DB if it is more."""
        error = float(self._trial(level).errors.sum(dtype=np.float64)) / (self._seen.shape[0] * self._seen.shape[1])
        return min(10 * math.log10(255**2 / error), MOST_DB) if error else MOST_DB

    def guessed(self, level: int) -> float:
        """Return about what the file of a level costs, in bits, its error counted. No stream is written."""
        bits, errors = self._guess(level)
        layer = 0.0 if self._kept is None else self._kept.bits(level)
        return bits + layer + self.aim(level).slope * float(errors.sum(dtype=np.float64))

    def spent(self, level: int) -> Floats:
        """Return about what the networks spend on every block of 16x16 pixels in a file of a level, in bits, its error counted.

        The bits of the file are divided among blocks by their contrast, which bits follow closely.
        """
        bits, errors = self._guess(level)
        contrasts = np.empty_like(errors)
        for area in squares_of(*self._seen.shape[:2]):
            contrasts[area.over(BLOCK).slices] = pixelwise.contrast(self._seen[area.slices])
        share = bits / max(1.0, float(contrasts.sum(dtype=np.float64)))
        result: Floats = self.aim(level).slope * errors + np.float32(share) * contrasts
        return result

    def _guess(self, level: int) -> tuple[float, Floats]:
        """Return about how many bits the networks need in a file of a level, and the squared error of every block."""
        if self._last_guess is None or self._last_guess[0] != level:
            found = families.guessed(self.writer, level)
            if self._kept is not None:
                self._kept.lay_over(found.colors, level, squares_of(*self._seen.shape[:2]), snapping.LOOK)
            errors = self._errors(found.colors, left=found.left)
            self._last_guess = level, 8 * found.size, errors
        return self._last_guess[1:]

    def _trial(self, level: int) -> _Tried:
        if (known := self._known(level)) is None:
            payloads, colors = self.writer.tried(level)
            if self._kept is not None:
                self._kept.lay_over(colors, level, self.writer.tiling.tiles())
            known = self._last = _Tried(level, self.writer.deltas, payloads, self._errors(colors))
        return known

    def _known(self, level: int) -> _Tried | None:
        """Return the last trial if it was of this level and of the present deltas."""
        last = self._last
        return last if last is not None and last.level == level and last.deltas is self.writer.deltas else None

    def _errors(self, colors: Pixels, left: float = 1.0) -> Floats:
        """Return the squared error of every block of colours (H, W, C) with the layer over them.

        left: by which the error of pixels that are not exact is multiplied (`families.Guess`).
        """
        height, width = colors.shape[:2]
        errors = np.empty((-(-height // BLOCK), -(-width // BLOCK)), np.float32)
        for area in squares_of(height, width):
            shown, wanted = colors[area.slices], self._seen[area.slices]
            if self._kept is not None:
                exact = np.broadcast_to(self._kept.colors[area.slices], wanted.shape)
                wanted = pixelwise.chosen(self._kept.covered(area), exact, wanted)
            here = errors[area.over(BLOCK).slices]
            here[:] = np.float32(left) * pixelwise.errors(shown, wanted)
            if left != 1 and self._kept is not None:
                here += np.float32(1 - left) * pixelwise.errors_of_marked(self._kept.exact(area), shown, wanted)
        return errors


class Alone:
    """A picture without networks: every pixel is exact, or below quality 5 has one of fewer colours."""

    deltas: Deltas | None = None
    is_drawn = True

    def __init__(self, picture: Picture, model: Model, request: Request, kept: Layer) -> None:
        self._picture, self._model, self._kept, self._effort = picture, model, kept, request.effort
        self._files: dict[Kind, Callable[[int], bytes]] = {}

    def is_exact(self, level: int) -> bool:
        """Return whether files of a level have every colour as it was."""
        return self._kept.is_kept(level)

    def file(self, level: int) -> bytes:
        """Return the file of a level."""
        kind = self._kept.kind(level)
        if kind not in self._files:
            shown = self._picture if self.is_exact(level) else self._picture.of(self._kept.whole(level))
            self._files[kind] = as_it_is(shown, self._effort)
        return self._files[kind](level)

    def cost(self, level: int) -> float:
        """Return what the file of a level costs, in bits, its error counted."""
        return 8 * len(self.file(level)) + self._error(level)

    def expected(self, level: int) -> float:
        """Return about what the file of a level costs, in bits, its error counted, by a quick search."""
        if self.is_exact(level) and self._picture.plane is None:
            return self._picture.whole_bits
        return self._kept.whole_bits(level) + self._error(level)

    def _error(self, level: int) -> float:
        """Return the bits that the error of a file of a level is worth."""
        if self.is_exact(level):
            return 0.0
        height, width = self._picture.pixels.shape[:2]
        return self._model.slope(level) * 255.0**2 / math.pow(10, self.psnr(level) / 10) * float(height * width)

    def psnr(self, level: int) -> float:
        """Return the PSNR of the file of a level, in dB; MOST_DB if it is more."""
        return min(metrics.psnr(self._kept.colors, self._kept.whole(level)), MOST_DB)


def aim_of(model: Model, level: int) -> Aim:
    """Return what files of a level of a model aim at."""
    return aims.aim(model.slope(level), level)


def as_it_is(picture: Picture, effort: int) -> Callable[[int], bytes]:
    """Return a function that gives the lossless file of a picture for a level, which only the header tells. No network runs.

    effort: from 2 on the search for a small file takes as long as WebP's method 6.
    """
    if effort in picture.written:
        return picture.written[effort]
    model = models.choose(LOSSLESS)
    writer = families.writer(model, picture.pixels, Request(effort=effort))
    payloads = writer.payloads(MAX_LEVEL)

    def file(level: int) -> bytes:
        header = picture.header(model, writer.tiling.edge, min(level, picture.highest))
        plane = bytes([alpha.IN_TILES]) if header.has_alpha else None
        return container.pack(header, payloads, metadata=picture.metadata, alpha=plane)

    picture.written[effort] = file
    return file


def _seen_by(model: Model, pixels: Pixels, mode: str) -> Pixels:
    """Return the colours of pixels (H, W, C) as the model's family codes them: grey as it is where it can, else RGB."""
    if mode in ("L", "LA") and "L" in families.of(model).MODES:
        return pixels[:, :, :1]
    return channels.as_rgb(pixels, mode)
