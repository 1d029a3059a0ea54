"""Pixels <-> file, for any family.

write:  pixels ─▶ colours, alpha ─▶ importance map ─▶ exact layer ─▶ the family's writer ─▶ container        (all in `writing`)
read:   container ─▶ header ─▶ model ─▶ the family's reader ─▶ colours, tile by tile ─▶ exact layer over them ─▶ alpha ─▶ pixels
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import channels, families, missing_tiles
from .engine import models
from .engine.models import Model
from .engine.settings import check_pixels, current_settings, limited_time
from .errors import LicLimitError
from .families import Payloads, Put, Reader
from .fileformat import alpha, container, importance_map, preview
from .fileformat.areas import Area, checked_box, onto
from .fileformat.container import Front
from .fileformat.exact_layer import ExactLayer
from .fileformat.header import CHANNELS, Header
from .fileformat.limits import MAX_LEVEL, MAX_PIXELS, MAX_SIDE
from .fileformat.preview import Preview
from .fileformat.sections import ALPHA, EXACT, IMPORTANCE
from .inspecting import LOSSLESS, alpha_apart, model_of, sound_preview

if TYPE_CHECKING:
    from .options import EncodeOptions

Pixels = npt.NDArray[np.uint8]

WORK_PER_PIXEL = 4
"""Networks may run on this many pixels, halos and padding included, for each pixel of the largest picture allowed; a picture in tiles of
1024 needs 1.3."""
SMALL_PICTURE = 2**17
"""A picture may take the work of one of this many pixels whatever the limit: one of a single pixel is padded to thousands, one of 1x8192
needs so much."""


@limited_time()
def encode(
    pixels: Pixels,
    mode: str,
    options: EncodeOptions,
    *,
    metadata: Mapping[str, bytes] | None = None,
    original: bytes = b"",
) -> bytes:
    """Return the bytes of a .lic file of pixels (H, W, C) uint8, C by mode (L, LA, RGB, RGBA).

    metadata: icc_profile, exif, xmp. original: the JPEG file that the pixels were decoded from, which a model that `keeps_original`
    stores as it is. ValueError for other shapes, types or modes, for an option that the model's family does not know, and for a
    target out of reach; LicLimitError for a picture that is too large for the format; LicRuntimeError if the network engine fails,
    or if pixels are to be kept exactly and Pillow has no WebP.
    """
    from .writing import composing, forms  # readers do without

    _check(pixels, mode)
    model = models.choose(LOSSLESS if options.lossless and options.model is None else options.model)
    if options.lossless and model.procedure != LOSSLESS:
        msg = f"model must be left out with lossless=True, which runs no network, got {options.model!r}"
        raise ValueError(msg)
    asked = {
        "effort": options.effort,
        "roi": options.roi is not None,
        "importance": options.importance is not None,
        "preview": options.preview is True,
    }
    families.refuse_foreign(model, asked)
    if model.procedure == LOSSLESS:
        _refuse_lossy(model, options)
        return forms.as_it_is(forms.Picture(pixels, mode, metadata), families.LONG_EFFORT)(MAX_LEVEL)
    return composing.composed(pixels, mode, options, model, metadata, original)


def _refuse_lossy(model: Model, options: EncodeOptions) -> None:
    """Raise ValueError for an option that has no meaning for a model that keeps every pixel.

    A quality is allowed with lossless=True, because programs pass one to every format, but not with model="lossless".
    """
    given = {
        "a target": options.has_target,
        "quality": options.quality is not None and not options.lossless,
        "exact": not isinstance(options.exact, str),
    }
    if foreign := [name for name, has in given.items() if has]:
        msg = f"{' and '.join(foreign)} must be left out for model {model.name}, which keeps every pixel as it is"
        raise ValueError(msg)


@limited_time()
def decode(data: bytes | memoryview, *, strict: bool = True, scale: int = 1) -> tuple[Header, Pixels]:
    """Return the header and the pixels (H, W, C) uint8, C by mode, of the bytes of a .lic file.

    scale: one of the model's `drafts`, for a draft of (ceil(H / scale), ceil(W / scale)) pixels. strict=False: tiles that are damaged
    or missing raise nothing; they are filled from the preview, or grey, and a tile in which the file ends has the detail that is
    there. Raises NotLicError or another error of `errors`.
    """
    parts = container.unpack(data, strict=strict)
    header = parts.header
    check_pixels(header.width, header.height)
    reader, plane = _opened(header, parts.importance, parts.alpha, scale=scale)
    pixels = np.empty((*reader.shape, CHANNELS[header.mode]), np.uint8)
    payloads = dict(enumerate(parts.tiles))
    shown = _shown(onto(pixels), header, plane, parts.exact, header.tiling.whole, scale)
    lost = _drawn(reader, payloads, shown, strict, len(data) + _held(plane))
    if lost and scale == 1:
        _fill(lost, header, preview.sound(parts.preview, header), header.tiling.whole, shown)
    return header, pixels


@limited_time()
def draw(
    fp: IO[bytes], front: Front, put: Put, *, strict: bool = True, scale: int = 1, most: int | None = None
) -> None:
    """Decode a file whose front was read, tile by tile, with less memory than `decode`; errors as there.

    Each tile is read when its turn comes, and its pixels (h, w, C) go to `put` as soon as they are decoded. most: how many bytes of
    the file may be used; every tile gets its share of them, and shows the detail that they give. LicDamagedError if the file was
    overwritten since its front was read.
    """
    container.refuse_another(fp, front)
    strict = strict and not _is_part(front, most)
    container.refuse_truncated(front, strict=strict)
    header = front.header
    check_pixels(header.width, header.height)
    reader, plane = _read_open(fp, front, scale=scale)
    exact = container.read_section(fp, front, EXACT)
    payloads = _payloads(fp, front, strict, most)
    shown = _shown(put, header, plane, exact, header.tiling.whole, scale)
    lost = _drawn(reader, payloads, shown, strict, len(exact or b"") + _held(plane))
    if lost and scale == 1:
        _fill(lost, header, sound_preview(fp, front), header.tiling.whole, shown)


@limited_time()
def decode_region(
    fp: IO[bytes], box: Sequence[int], *, front: Front | None = None, strict: bool = True, most: int | None = None
) -> Pixels:
    """Return the pixels (h, w, C) uint8, C by mode, of a box (x0, y0, x1, y1) of the picture that begins at the position of a file.

    Only the tiles near the box are read and decoded. The pixels differ from those of `decode` by at most one level, where networks
    round differently. front: what `container.read_front` has returned for the file, if it was read before. ValueError for a box that
    is empty or not inside the picture; else as `draw`.
    """
    if front is None:
        front = container.read_front(fp)
    else:
        container.refuse_another(fp, front)
    strict = strict and not _is_part(front, most)
    header = front.header
    area = Area(*checked_box(box, header.width, header.height))
    check_pixels(area.width, area.height)
    container.refuse_truncated(front, strict=False)
    reader, plane = _read_open(fp, front, area)
    pixels = np.empty((*reader.shape, CHANNELS[header.mode]), np.uint8)
    plane = None if plane is None else plane[area.slices]
    exact = container.read_section(fp, front, EXACT)
    payloads = _payloads(fp, front, strict, most)
    shown = _shown(onto(pixels), header, plane, exact, area)
    if lost := _drawn(reader, payloads, shown, strict, len(exact or b"") + _held(plane)):
        _fill(lost, header, sound_preview(fp, front), area, shown)
    return pixels


def _drawn(reader: Reader, payloads: Payloads, put: Put, strict: bool, held: int) -> set[int]:
    """Have a reader draw all tiles, and return the indexes of those that were missing."""
    noted = missing_tiles.Noted(payloads)
    reader.draw(noted, put, strict=strict, held=held)
    return noted.gaps


def _fill(lost: set[int], header: Header, small: Preview | None, area: Area, put: Put) -> None:
    """Fill lost tiles, as far as they lie in an area, from the preview if there is one; their pixels go to `put`."""
    if small is not None:
        missing_tiles.fill(lost, header, small, area, put, decode(small.file, strict=False)[1])


def check_budget(fp: IO[bytes], front: Front, most: int) -> None:
    """Raise ValueError where `most` bytes of a file leave none for its coded pixels."""
    _payloads(fp, front, strict=False, most=most)


def _payloads(fp: IO[bytes], front: Front, strict: bool, most: int | None) -> Payloads:
    """Return the payloads of the tiles of a file; if it has more than `most` bytes, the beginning of each that they allow."""
    if most is not None and _is_part(front, most):
        return container.Beginnings(fp, front, min(most, front.size))
    return container.TilePayloads(fp, front, strict=strict)


def _is_part(front: Front, most: int | None) -> bool:
    """Whether `most` bytes were asked for and they are not all of the picture."""
    return most is not None and (front.truncated or front.size - front.trailing > most)


def _read_open(fp: IO[bytes], front: Front, area: Area | None = None, scale: int = 1) -> tuple[Reader, Pixels | None]:
    """Return the reader and alpha of a file whose front was read, as `_opened` does."""
    importances, opacity = (container.read_section(fp, front, tag) for tag in (IMPORTANCE, ALPHA))
    return _opened(front.header, importances, opacity, area, scale)


def _opened(
    header: Header, importances: bytes | None, opacity: bytes | None, area: Area | None = None, scale: int = 1
) -> tuple[Reader, Pixels | None]:
    """Return the reader of a picture, and its alpha plane, by the header and the payloads of two sections."""
    shape = (header.height, header.width)
    deltas = None if importances is None else importance_map.unpack(importances, importance_map.shape_of(*shape))
    model = model_of(header)
    reader = families.reader(model, header.tiling, header.level, deltas, area, scale)
    if area is None:
        _check_work(reader, header)
    apart = alpha_apart(model, header, opacity)
    return reader, None if apart is None else alpha.unpack(apart, shape, scale)


def _held(plane: Pixels | None) -> int:
    """Return the bytes of memory that an alpha plane takes: none when it is one value."""
    return 0 if plane is None or not any(plane.strides) else plane.size


def _shown(put: Put, header: Header, plane: Pixels | None, exact: bytes | None, area: Area, scale: int = 1) -> Put:
    """Return a function that takes decoded colours of an area, and passes on what is shown of them; `exact` is a payload."""
    in_mode = channels.in_mode(put, header, plane)
    return in_mode if exact is None else ExactLayer(exact, header.tiling).over(in_mode, area, scale)


def _check_work(reader: Reader, header: Header) -> None:
    """Raise LicLimitError for a picture whose tiles are so narrow or small that decoding takes far longer than its size suggests."""
    most = WORK_PER_PIXEL * max(SMALL_PICTURE, current_settings().max_pixels or MAX_PIXELS)
    if reader.work > most:
        msg = (
            f"picture of {header.width}x{header.height} pixels in tiles of {header.tile_edge} takes the work of "
            f"{reader.work} pixels, at most {most} are allowed"
        )
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
