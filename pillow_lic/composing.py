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
from .families import Request
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
    pixels = seen
    kept = None if original else _layer(pixels, mode, options, model)
    plane = alpha.pack(pixels[:, :, -1]) if mode in ("LA", "RGBA") else None
    wish = requested.request(options.roi, options.importance, channels.as_rgb(pixels, mode))
    deltas = wish.deltas(rate_search.expected_size(options, width * height, model.bpp))
    search = options.has_target or deltas is not None
    coded = _coded(ground.beneath(pixels, None if kept is None else kept.covered), mode, model)
    effort = model.effort if options.effort is None else options.effort
    writer = families.writer(model, coded, Request(deltas, effort, search, original))
    wholes: dict[int, Callable[[int], bytes]] = {}

    def mixed(level: int) -> bytes:
        header = Header(
            mode,
            width,
            height,
            writer.tiling.edge,
            model.number,
            model.hash,
            level,
            is_grey=channels.are_equal(pixels, mode),
        )
        carried = None if writer.deltas is None else importance_map.pack(writer.deltas)
        exact = None if kept is None else kept.payload(level, writer.tiling)
        return container.pack(
            header, writer.payloads(level), metadata=metadata, importance=carried, alpha=plane, exact=exact
        )

    slim = None
    if min(height, width) < SLIM and deltas is None and not original and options.exact is not False and vp8l.is_there():
        slim = kept_whole(pixels, mode, metadata)

    def file(level: int) -> bytes:
        if kept is None or kept.share < layer.WHOLE:
            return mixed(level) if slim is None else min(slim(min(level, highest)), mixed(level), key=len)
        reach = kept.reach(level)
        if reach not in wholes:
            colors = kept.whole(level)
            shown = colors if plane is None else np.concatenate([colors, pixels[:, :, -1:]], 2)
            wholes[reach] = kept_whole(shown, mode, metadata)
        whole = wholes[reach](min(level, highest))
        return whole if kept.share == 1 else min(whole, mixed(level), key=len)

    def psnr(level: int) -> float:
        if kept is None:
            return metrics.psnr(coded, writer.decoded(level))
        if kept.share == 1:
            return min(metrics.psnr(kept.colors, kept.whole(level)), MOST_DB)
        return min(
            metrics.psnr(kept.wanted(coded), kept.laid_over(writer.decoded(level), level, writer.tiling)), MOST_DB
        )

    def found() -> bytes:
        if options.target_psnr is not None:
            return file(rate_search.level_for_psnr(psnr, options.target_psnr, model.levels))
        if options.target_size is not None:
            return rate_search.largest_file(file, options.target_size, model.levels)
        if options.target_bpp is not None:
            size = options.target_bpp * width * height / 8
            return rate_search.largest_file(file, size, model.levels, width * height)
        return file(model.nearest_level(options.level))

    data = found()
    if deltas is None:
        return data
    if options.has_target and len(importance_map.pack(deltas)) < requested.REMADE_SHARE * len(data):
        return data
    writer.deltas = wish.deltas(len(data))
    if writer.deltas is None or (writer.deltas != deltas).any():  # finer or coarser, now that the size is known
        return found()
    return data


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
