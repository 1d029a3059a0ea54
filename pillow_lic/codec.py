"""Pixels <-> file, as in the paper's figure; every station is a sibling module.

    write:  pixels ─analysis─▶ trunk ─latents(level)─▶ y, z_hat ─residuals.choose─▶ symbols ─symbols.write─▶ tile payload
    read:   tile payload ─symbols.read─▶ z_hat, v ─residuals.reconstruct─▶ y_hat ─synthesis(level)─▶ pixels

A picture is one tile up to about 2 MP, else a grid of tiles. Tiles are coded apart, but analysis and synthesis see a halo
of their neighbours, so that no seam shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import IO

import numpy as np
import numpy.typing as npt

from . import rate_search
from .engine import models
from .engine.settings import current_settings
from .errors import LicDamagedError, LicDesyncError, LicLimitError
from .families.lic1 import residuals, symbols, transforms
from .families.lic1.reader import Latents, Put, Reader, onto
from .families.lic1.symbols import STRIDE, Grid
from .families.lic1.writer import Writer
from .fileformat import alpha, container, importance_map, tiles
from .fileformat.container import Header
from .fileformat.header import CHANNELS
from .fileformat.limits import MAX_PIXELS, MAX_SIDE
from .fileformat.tiles import Tile
from .importance import requested
from .options import EncodeOptions

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


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
    rgb = to_rgb(pixels, mode)
    wish = requested.wish(options.roi, options.importance, rgb)
    deltas = wish.deltas(rate_search.expected_size(options, width * height))
    writer = Writer(spec, rgb, deltas, search=options.has_target or deltas is not None, effort=options.effort)

    def file(level: int) -> bytes:
        header = Header(mode, width, height, writer.tile_edge, spec.number, spec.hash, level)
        carried = None if writer.deltas is None else importance_map.pack(writer.deltas)
        return container.pack(header, writer.payloads(level), metadata=metadata, importance=carried, alpha=plane)

    def found() -> bytes:
        if options.target_psnr is not None:
            return file(rate_search.level_for_psnr(writer.psnr, options.target_psnr))
        if options.target_size is not None:
            return rate_search.largest_file(file, options.target_size)
        if options.target_bpp is not None:
            return rate_search.largest_file(file, options.target_bpp * width * height / 8, width * height)
        return file(options.level)

    data = found()
    if deltas is None or options.has_target and len(importance_map.pack(deltas)) < requested.MOST * len(data):
        return data
    writer.deltas = wish.deltas(len(data))
    if writer.deltas is None or (writer.deltas != deltas).any():  # finer or coarser, now that the size is known
        return found()
    return data


def decode(data: bytes | memoryview, *, strict: bool = True, scale: int = 1) -> tuple[Header, Pixels]:
    """The bytes of a .lic file -> its header and pixels (H, W, C) uint8, C by mode.

    scale, one of the model's `draft_scales`, asks for a draft of (ceil(H / scale), ceil(W / scale)) pixels.
    strict=False: tiles that are damaged or missing come out grey instead of raising, and one in which the file ends has the
    detail that is there. Raises NotLicError or one of the tree in `errors`.
    """
    header, shape, paint = _prepared(data, strict, scale)
    pixels = np.empty((*shape, CHANNELS[header.mode]), np.uint8)
    paint(onto(pixels))
    return header, pixels


def draw(data: bytes | memoryview, put: Put, *, strict: bool = True, scale: int = 1) -> None:
    """As `decode`, but each tile's pixels (h, w, C) go to `put` as soon as they are there; no array of all of them is made."""
    paint = _prepared(data, strict, scale)[2]
    paint(put)


def _prepared(
    data: bytes | memoryview, strict: bool, scale: int
) -> tuple[Header, tuple[int, int], Callable[[Put], None]]:
    """The header, the rows and columns that will come out, and what decodes them tile by tile."""
    parts = container.unpack(data, strict=strict)
    header = parts.header
    _check_limit(header.width, header.height)
    reader, plane = _open(header, parts.importance, parts.alpha, scale=scale)
    if plane is not None and scale != 1:
        plane = alpha.averaged(plane, scale)
    latents = _latents(reader, dict(enumerate(parts.tiles)), strict)
    return header, reader.shape, lambda put: reader.draw(latents, _in_mode(put, header.mode, plane), len(data))


def decode_region(fp: IO[bytes], box: Sequence[int], *, strict: bool = True) -> Pixels:
    """A box (x0, y0, x1, y1) of the picture in a seekable binary file, at its position -> pixels (h, w, C) uint8, C by mode.

    Of the tiles only those near the box are read and decoded. The pixels are those of `decode`, up to one level where the
    float networks round otherwise. ValueError for a box that is empty or not inside the picture; else as `decode`.
    """
    front = container.read_front(fp)
    header = front.header
    area = Tile(*tiles.checked_box(box, header.width, header.height))
    _check_limit(area.width, area.height)
    importances, opacity = (container.read_section(fp, front, tag) for tag in (container.IMPORTANCE, container.ALPHA))
    reader, plane = _open(header, importances, opacity, area)
    payloads = {i: container.read_section(fp, front, container.TILE, i, strict=strict) for i in reader.needed}
    pixels = np.empty((*reader.shape, CHANNELS[header.mode]), np.uint8)
    plane = None if plane is None else plane[area.y0 : area.y1, area.x0 : area.x1]
    reader.draw(_latents(reader, payloads, strict), _in_mode(onto(pixels), header.mode, plane))
    return pixels


def _in_mode(put: Put, mode: str, plane: Pixels | None) -> Put:
    """Takes RGB, and passes on pixels of the mode with their part of the alpha plane."""

    def put_rgb(place: Tile, rgb: Pixels) -> None:
        put(place, from_rgb(rgb, mode, None if plane is None else plane[place.y0 : place.y1, place.x0 : place.x1]))

    return put_rgb


def _open(
    header: Header, importances: bytes | None, opacity: bytes | None, box: Tile | None = None, scale: int = 1
) -> tuple[Reader, Pixels | None]:
    """The reader of a picture, and its alpha plane, by the header and the payloads of two sections."""
    shape = (header.height, header.width)
    deltas = None if importances is None else importance_map.unpack(importances, Grid.of(*shape).inside)
    plane = None if opacity is None else alpha.unpack(opacity, shape)
    spec = models.named(header.model_id, header.model_hash)
    return Reader(spec, header.width, header.height, header.tile_edge, header.level, deltas, box, scale), plane


def _latents(reader: Reader, payloads: Mapping[int, bytes | memoryview | None], strict: bool) -> Latents:
    """What the reader asks of a tile, out of the payloads by raster index; those not strict are None when damaged."""

    def latents(index: int, area: Tile) -> Floats | None:
        payload, tile = payloads[index], reader.grid[index]
        if payload is None:
            return None
        grid = Grid.of(tile.height, tile.width)
        place = tile.over(STRIDE)
        field = reader.field(place, grid.shape)
        read = symbols.read_cut if isinstance(payload, container.CutPayload) else symbols.read
        try:
            z_hat, v = read(reader.spec, payload, reader.level, field, grid)
        except (LicDamagedError, LicDesyncError):
            if strict:
                raise
            return None
        means = residuals.reconstruct if reader.scale == 1 else transforms.draft_latents
        rows, columns = _aligned(area.y0 - place.y0, area.height), _aligned(area.x0 - place.x0, area.width)
        hyper = z_hat[:, rows.start // 4 : rows.stop // 4, columns.start // 4 : columns.stop // 4]
        return means(reader.spec, hyper, v[:, rows, columns], field[rows, columns], (area.height, area.width))

    return latents


def _aligned(start: int, length: int) -> slice:
    """So many latents, rounded up to whole hyper-latents as the means network wants them."""
    return slice(start, start + -(-length // 4) * 4)


def _check_limit(width: int, height: int) -> None:
    limit = current_settings().max_pixels
    if limit is not None and width * height > limit:
        msg = f"picture has {width}x{height} pixels, the limit set is {limit}"
        raise LicLimitError(msg)


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
