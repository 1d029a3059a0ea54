"""Pixels <-> file, as in the paper's figure; every station is a sibling module.

    write:  pixels ─analysis─▶ trunk ─latents(level)─▶ y, z_hat ─residuals─▶ r      symbols.write ─▶ tile payload
    read:   tile payload ─▶ symbols.read ─▶ z_hat, r ─reconstruct─▶ y_hat ─synthesis(level)─▶ pixels

A picture is one tile up to about 2 MP, else a grid of tiles. Tiles are coded apart, but analysis and synthesis see a halo
of their neighbours, so that no seam shows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from . import alpha, container, importance, models, rate
from .container import Header
from .errors import LicDamagedError, LicDesyncError, LicLimitError
from .limits import MAX_PIXELS, MAX_SIDE
from .options import EncodeOptions, current_settings
from .reader import Reader
from .symbols import Grid
from .writer import Writer

Pixels = npt.NDArray[np.uint8]

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def to_rgb(pixels: Pixels, mode: str) -> Pixels:
    """Pixels (H, W, C) of a mode -> (H, W, 3); grey becomes three equal channels."""
    return np.repeat(pixels[:, :, :1], 3, 2) if mode in ("L", "LA") else pixels[:, :, :3]


def from_rgb(rgb: Pixels, mode: str, plane: Pixels | None) -> Pixels:
    """The reverse: grey is the rounded mean of the three channels; the alpha plane (H, W) is appended."""
    color = rgb
    if mode in ("L", "LA"):
        color = ((rgb.sum(2, dtype=np.uint16, keepdims=True) + 1) // 3).astype(np.uint8)
    return color if plane is None else np.concatenate([color, plane[:, :, None]], 2)


def encode(pixels: Pixels, mode: str, options: EncodeOptions, *, metadata: Mapping[str, bytes] | None = None) -> bytes:
    """Pixels (H, W, C) uint8, C by mode (L, LA, RGB, RGBA) -> the bytes of a .lic file.

    metadata: icc_profile, exif, xmp. Raises ValueError for other shapes, types or modes and for a target out of reach,
    LicLimitError for a picture the format has no room for, LicRuntimeError when the network engine fails.
    """
    _check(pixels, mode)
    spec = models.choose(options.model)
    height, width = pixels.shape[:2]
    plane = alpha.pack(pixels[:, :, -1]) if mode in ("LA", "RGBA") else None
    deltas = importance.of(options.roi, options.importance, height, width)
    writer = Writer(spec, to_rgb(pixels, mode), deltas, options.effort, search=options.has_target)

    def file(level: int) -> bytes:
        header = Header(mode, width, height, writer.tile_edge, spec.number, spec.hash, level)
        carried = None if deltas is None else importance.pack(deltas)
        return container.pack(header, writer.payloads(level), metadata=metadata, importance=carried, alpha=plane)

    if options.target_psnr is not None:
        return file(rate.level_for_psnr(writer.psnr, options.target_psnr))
    if options.target_size is not None:
        return rate.largest_file(file, options.target_size)
    if options.target_bpp is not None:
        return rate.largest_file(file, options.target_bpp * width * height / 8)
    return file(options.level)


def decode(data: bytes | memoryview, *, strict: bool = True) -> tuple[Header, Pixels]:
    """The bytes of a .lic file -> its header and pixels (H, W, C) uint8, C by mode.

    strict=False: tiles that are damaged or missing come out grey instead of raising. Raises NotLicError or one of the
    tree in `errors`.
    """
    parts = container.unpack(data, strict=strict)
    header = parts.header
    limit = current_settings().max_pixels
    if limit is not None and header.width * header.height > limit:
        msg = f"picture has {header.width}x{header.height} pixels, the limit set is {limit}"
        raise LicLimitError(msg)
    spec = models.named(header.model_id, header.model_hash)
    shape = (header.height, header.width)
    deltas = None if parts.importance is None else importance.unpack(parts.importance, Grid.of(*shape).inside)
    plane = None if parts.alpha is None else alpha.unpack(parts.alpha, shape)
    reader = Reader(spec, header.width, header.height, header.tile_edge, header.level, deltas)
    for tile, payload in zip(reader.grid, parts.tiles, strict=True):
        if payload is None:
            reader.miss(tile)
            continue
        try:
            reader.read(tile, payload)
        except (LicDamagedError, LicDesyncError):
            if strict:
                raise
            reader.miss(tile)
    return header, from_rgb(reader.picture(), header.mode, plane)


def _check(pixels: Pixels, mode: str) -> None:
    if mode not in CHANNELS:
        msg = f"mode must be one of {', '.join(CHANNELS)}, got {mode!r}"
        raise ValueError(msg)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != CHANNELS[mode]:
        msg = (
            f"pixels of mode {mode} must be uint8 (height, width, {CHANNELS[mode]}), got {pixels.dtype} {pixels.shape}"
        )
        raise ValueError(msg)
    height, width = pixels.shape[:2]
    if not height or not width:
        msg = "cannot write empty image"
        raise ValueError(msg)
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        msg = f"picture must have sides of at most {MAX_SIDE} and {MAX_PIXELS} pixels, got {width}x{height}"
        raise LicLimitError(msg)
