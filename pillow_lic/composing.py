"""Pixels -> the bytes of a file: its exact layer, what lies beneath it, the places that matter, and the level that a target needs.

Only writers import this. `codec.encode` has checked what comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from . import channels, families, metrics, rate_search
from .engine import models
from .engine.models import Model
from .exact import ground, layer
from .exact.layer import Layer
from .families import Request, Writer
from .fileformat import alpha, container, importance_map, vp8l
from .fileformat.header import Header
from .fileformat.levels import quality_to_level
from .fileformat.limits import MAX_LEVEL
from .importance import requested
from .inspection import LOSSLESS
from .options import EncodeOptions

Pixels = npt.NDArray[np.uint8]

EXPECTED: Final = 5.0
"""Quality near which a file that is written for a target is taken to be, where what is drawn is weighed."""
MOST_DB: Final = 100.0
"""PSNR of equal pictures, for a search that interpolates."""
HALF: Final = 0.5
"""Value of a mask from which on a place is kept exactly."""
SLIM: Final = 16
"""Pixels of the shorter side below which a picture may go without networks: most of what a latent of 16x16 says lies outside it."""


def composed(
    pixels: Pixels,
    mode: str,
    options: EncodeOptions,
    model: Model,
    metadata: Mapping[str, bytes] | None,
    original: bytes,
) -> bytes:
    """Return the file of pixels (H, W, C) uint8 of a mode, by a model that codes with loss; arguments and errors as of `codec.encode`."""
    height, width = pixels.shape[:2]
    seen = ground.without_hidden(pixels)
    # A file without networks says by MAX_LEVEL that every pixel is as it was.
    highest = MAX_LEVEL if seen is pixels else MAX_LEVEL - 1
    kept = None if original else _layer(seen, mode, options, model)
    wish = requested.request(options.roi, options.importance, channels.as_rgb(seen, mode))
    deltas = wish.deltas(rate_search.expected_size(options, width * height, model.bpp))
    search = options.has_target or deltas is not None
    coded = _coded(ground.beneath(seen, None if kept is None else kept.covered), mode, model)
    effort = model.effort if options.effort is None else options.effort
    writer = families.writer(model, coded, Request(deltas, effort, search, original))
    files = _Files(seen, mode, metadata, model, coded, writer, kept, highest)
    if deltas is None and not original and options.exact is not False:
        files.weigh_slim()
    data = files.by(options)
    if deltas is None:
        return data
    if options.has_target and len(importance_map.pack(deltas)) < requested.REMADE_SHARE * len(data):
        return data
    writer.deltas = wish.deltas(len(data))
    if writer.deltas is None or (writer.deltas != deltas).any():  # finer or coarser, now that the size is known
        return files.by(options)
    return data


class _Files:
    """The files that one picture may become, one for each level.

    pixels (H, W, C) uint8 of a mode, zeros where alpha hides them; coded: what `writer` codes of them, beneath the exact layer
    `kept`. highest: the level that a file without networks may say.
    """

    def __init__(
        self,
        pixels: Pixels,
        mode: str,
        metadata: Mapping[str, bytes] | None,
        model: Model,
        coded: Pixels,
        writer: Writer,
        kept: Layer | None,
        highest: int,
    ) -> None:
        self._pixels, self._mode, self._metadata, self._model = pixels, mode, metadata, model
        self._coded, self._writer, self._kept, self._highest = coded, writer, kept, highest
        self._alpha = alpha.pack(pixels[:, :, -1]) if mode in ("LA", "RGBA") else None
        self._slim: Callable[[int], bytes] | None = None
        self._wholes: dict[int, Callable[[int], bytes]] = {}

    def weigh_slim(self) -> None:
        """Let a slim picture go without networks where that file is the smaller one."""
        if min(self._pixels.shape[:2]) < SLIM and vp8l.is_there():
            self._slim = kept_whole(self._pixels, self._mode, self._metadata)

    def by(self, options: EncodeOptions) -> bytes:
        """Return the file of the quality or the target that is asked for."""
        (height, width), levels = self._pixels.shape[:2], self._model.levels
        if options.target_psnr is not None:
            return self._at(rate_search.level_for_psnr(self._psnr, options.target_psnr, levels))
        if options.target_size is not None:
            return rate_search.largest_file(self._at, options.target_size, levels)
        if options.target_bpp is not None:
            size = options.target_bpp * width * height / 8
            return rate_search.largest_file(self._at, size, levels, width * height)
        return self._at(self._model.nearest_level(options.level))

    def _at(self, level: int) -> bytes:
        """Return the file of a level: the smallest of those that show the same."""
        kept = self._kept
        if kept is None or kept.share < layer.WHOLE:
            mixed = self._mixed(level)
            return mixed if self._slim is None else min(self._slim(min(level, self._highest)), mixed, key=len)
        whole = self._whole(kept, level)
        return whole if kept.share == 1 else min(whole, self._mixed(level), key=len)

    def _mixed(self, level: int) -> bytes:
        """Return the file of what the networks code and the exact layer over it."""
        height, width = self._pixels.shape[:2]
        writer = self._writer
        header = Header(
            self._mode,
            width,
            height,
            writer.tiling.edge,
            self._model.number,
            self._model.hash,
            level,
            is_grey=channels.are_equal(self._pixels, self._mode),
        )
        carried = None if writer.deltas is None else importance_map.pack(writer.deltas)
        exact = None if self._kept is None else self._kept.payload(level, writer.tiling)
        return container.pack(
            header, writer.payloads(level), metadata=self._metadata, importance=carried, alpha=self._alpha, exact=exact
        )

    def _whole(self, kept: Layer, level: int) -> bytes:
        """Return the file of the layer alone, which has every pixel; no network runs."""
        reach = kept.reach(level)
        if reach not in self._wholes:
            colors = kept.whole(level)
            shown = colors if self._alpha is None else np.concatenate([colors, self._pixels[:, :, -1:]], 2)
            self._wholes[reach] = kept_whole(shown, self._mode, self._metadata)
        return self._wholes[reach](min(level, self._highest))

    def _psnr(self, level: int) -> float:
        """Return the PSNR in dB of the colours that the file of a level shows, at most MOST_DB beside an exact layer."""
        kept, writer = self._kept, self._writer
        if kept is None:
            return metrics.psnr(self._coded, writer.decoded(level))
        if kept.share == 1:
            return min(metrics.psnr(kept.colors, kept.whole(level)), MOST_DB)
        shown = kept.laid_over(writer.decoded(level), level, writer.tiling)
        return min(metrics.psnr(kept.wanted(self._coded), shown), MOST_DB)


def kept_whole(pixels: Pixels, mode: str, metadata: Mapping[str, bytes] | None) -> Callable[[int], bytes]:
    """Return the file that holds every pixel (H, W, C) of a mode as it is, by its level; MAX_LEVEL says lossless. No network runs."""
    model = models.choose(LOSSLESS)
    writer = families.writer(model, pixels, Request())
    payloads = writer.payloads(MAX_LEVEL)
    height, width = pixels.shape[:2]

    def file(level: int) -> bytes:
        header = Header(mode, width, height, writer.tiling.edge, model.number, model.hash, level)
        plane = bytes([alpha.IN_TILES]) if header.has_alpha else None
        return container.pack(header, payloads, metadata=metadata, alpha=plane)

    return file


def _layer(pixels: Pixels, mode: str, options: EncodeOptions, model: Model) -> Layer | None:
    """Return the exact layer of a picture by the option `exact`; None where nothing is kept exactly."""
    colors, asked = pixels[:, :, : 1 if mode in ("L", "LA") else 3], options.exact
    if asked is False:
        return None
    if isinstance(asked, str):
        level = model.nearest_level(quality_to_level(EXPECTED) if options.has_target else options.level)

        @cache
        def decoded() -> Pixels:
            return families.writer(model, _coded(pixels, mode, model), Request()).decoded(level)

        return layer.found(colors, level, decoded)
    places = requested.named_mask(cast("Any", asked), "exact", *pixels.shape[:2])
    return layer.named(colors, places >= HALF)


def _coded(pixels: Pixels, mode: str, model: Model) -> Pixels:
    """Return the colours of pixels (H, W, C) as the model's family codes them: grey as it is where it can, else RGB."""
    if mode in ("L", "LA") and "L" in families.of(model).MODES:
        return pixels[:, :, :1]
    return channels.as_rgb(pixels, mode)
