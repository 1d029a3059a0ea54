"""Pixels <-> file, for any family.

write:  pixels ─▶ colours, alpha ─▶ exact layer, ground ─▶ places that matter ─▶ the family's writer ─▶ container
read:   container ─▶ header ─▶ model, family ─▶ the family's reader ─▶ colours, tile by tile ─▶ exact layer ─▶ pixels
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import IO, Any, Final, cast

import numpy as np
import numpy.typing as npt

from . import channels, families, metrics, rate_search
from .engine import models
from .engine.models import Model
from .engine.settings import current_settings, limited_time
from .errors import LicDamagedError, LicLimitError, LicUnsupportedError
from .exact import ground, layer
from .exact.layer import Layer
from .families import Payloads, Put, Reader, Request
from .fileformat import alpha, container, importance_map
from .fileformat.areas import Area, checked_box, onto
from .fileformat.container import Front
from .fileformat.exact_layer import ExactLayer
from .fileformat.header import CHANNELS, Header
from .fileformat.levels import quality_to_level
from .fileformat.limits import MAX_LEVEL, MAX_PIXELS, MAX_SIDE
from .fileformat.sections import ALPHA, EXACT, IMPORTANCE
from .importance import requested
from .options import EncodeOptions

Pixels = npt.NDArray[np.uint8]

LOSSLESS: Final = "lossless"
"""Name and procedure of the model that keeps every pixel."""
EXPECTED: Final = 5.0
"""Quality near which a file that is written for a target is taken to be, where what is drawn is weighed."""
MOST_DB: Final = 100.0
"""PSNR of equal pictures, for a search that interpolates."""
HALF: Final = 0.5
"""Value of a mask from which on a place is kept exactly."""
WORK_PER_PIXEL = 4
"""Pixels that networks may see, with halos and padding, for each pixel of the largest picture allowed: 1.3 in tiles of 1024."""
SMALL_PICTURE = 2**20
"""Pixels whose work is allowed whatever the limit: a picture of one pixel is padded to thousands."""


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

    metadata: icc_profile, exif, xmp. original: the JPEG file that the pixels were decoded from, which goes into the file as it
    is, for a model that `keeps_original`. Raises ValueError for other shapes, types or modes, for an option that the model's family
    does not know and for a target out of reach, LicLimitError for a picture the format has no room for, LicRuntimeError when
    the network engine fails, or when pixels are to be kept exactly and Pillow has no WebP.
    """
    _check(pixels, mode)
    model = models.choose(LOSSLESS if options.lossless and options.model is None else options.model)
    if options.lossless and model.procedure != LOSSLESS:
        msg = f"model must be left out with lossless=True, which runs no network, got {options.model!r}"
        raise ValueError(msg)
    asked = {"effort": options.effort, "roi": options.roi is not None, "importance": options.importance is not None}
    families.refuse_foreign(model, asked)
    if model.procedure == LOSSLESS:
        _refuse_lossy(model, options)
        return _kept_whole(pixels, mode, metadata)(MAX_LEVEL)
    height, width = pixels.shape[:2]
    seen = ground.without_hidden(pixels)
    # A file without networks says by MAX_LEVEL that every pixel is as it was.
    highest = MAX_LEVEL if seen is pixels else MAX_LEVEL - 1
    pixels = seen
    kept = None if original else _layer(pixels, mode, options, model)
    plane = alpha.pack(pixels[:, :, -1]) if mode in ("LA", "RGBA") else None
    wish = requested.request(options.roi, options.importance, channels.as_rgb(pixels, mode))
    deltas = wish.deltas(rate_search.expected_size(options, width * height))
    search = options.has_target or deltas is not None
    coded = _coded(ground.beneath(pixels, None if kept is None else kept.covered), mode, model)
    writer = families.writer(model, coded, Request(deltas, options.effort, search, original))
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

    def file(level: int) -> bytes:
        if kept is None or kept.share < layer.WHOLE:
            return mixed(level)
        reach = kept.reach(level)
        if reach not in wholes:
            colors = kept.whole(level)
            shown = colors if plane is None else np.concatenate([colors, pixels[:, :, -1:]], 2)
            wholes[reach] = _kept_whole(shown, mode, metadata)
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


def _kept_whole(pixels: Pixels, mode: str, metadata: Mapping[str, bytes] | None) -> Callable[[int], bytes]:
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


def _refuse_lossy(model: Model, options: EncodeOptions) -> None:
    """Raise ValueError for an option that has no meaning for a model that keeps every pixel.

    A quality is allowed beside lossless=True, as programs pass it to every format, but not to contradict the model's name.
    """
    given = {
        "a target": options.has_target,
        "quality": options.quality is not None and not options.lossless,
        "exact": not isinstance(options.exact, str),
    }
    if foreign := [name for name, has in given.items() if has]:
        msg = f"{' and '.join(foreign)} must be left out for model {model.name}, which keeps every pixel as it is"
        raise ValueError(msg)


def keeps_every_pixel(model: str | int | None) -> bool:
    """Whether the model of that name or number, the default one for None, stands for lossless files. ValueError for others than are here."""
    return models.choose(model).procedure == LOSSLESS


def _layer(pixels: Pixels, mode: str, options: EncodeOptions, model: Model) -> Layer | None:
    """Return the exact layer of a picture by the option `exact`; None where nothing is kept exactly."""
    colors, asked = pixels[:, :, : 1 if mode in ("L", "LA") else 3], options.exact
    if asked is False:
        return None
    if isinstance(asked, str):
        level = model.nearest_level(quality_to_level(EXPECTED) if options.has_target else options.level)

        @cache
        def decoded() -> Pixels:
            return families.writer(model, _coded(pixels, mode, model), Request(effort=options.effort)).decoded(level)

        return layer.found(colors, level, decoded)
    places = requested.named_mask(cast("Any", asked), "exact", *pixels.shape[:2])
    return layer.named(colors, places >= HALF)


@limited_time()
def decode(data: bytes | memoryview, *, strict: bool = True, scale: int = 1) -> tuple[Header, Pixels]:
    """Return the header and the pixels (H, W, C) uint8, C by mode, of the bytes of a .lic file.

    scale, one of the model's `drafts`, asks for a draft of (ceil(H / scale), ceil(W / scale)) pixels.
    strict=False: tiles that are damaged or missing come out grey instead of raising, and one in which the file ends has the
    detail that is there. Raises NotLicError or one of the tree in `errors`.
    """
    parts = container.unpack(data, strict=strict)
    header = parts.header
    _check_limit(header.width, header.height)
    reader, plane = _opened(header, parts.importance, parts.alpha, scale=scale)
    pixels = np.empty((*reader.shape, CHANNELS[header.mode]), np.uint8)
    payloads = dict(enumerate(parts.tiles))
    shown = _shown(onto(pixels), header, plane, parts.exact, header.tiling.whole, scale)
    reader.draw(payloads, shown, strict=strict, held=len(data) + _held(plane))
    return header, pixels


@limited_time()
def cut(data: bytes | memoryview, size: int) -> bytes:
    """Return a file of at most `size` bytes that shows the picture of a whole .lic file coarser.

    No network runs but those that decide what is read. All but the coded pixels stays as it is; a file that is small enough already
    comes back. ValueError for a model whose files cannot be cut, and where `size` is too small; else as `verify`.
    """
    verify(data)
    fp = io.BytesIO(data)
    front = container.read_front(fp)
    whole = front.size - front.trailing
    if whole <= size:
        return bytes(memoryview(data)[:whole])
    model = model_of(front.header)
    if not families.is_progressive(model):
        can = ", ".join(other.name for other in models.models() if families.is_progressive(other))
        msg = f"a file to cut must be of a model that can be ({can}), got one of {model.name}, which has to be encoded anew"
        raise ValueError(msg)
    payloads = [payload for payload in container.TilePayloads(fp, front).values() if payload is not None]
    left = size - (whole - sum(map(len, payloads)))
    importances = container.read_section(fp, front, IMPORTANCE)
    shape = importance_map.shape_of(front.header.height, front.header.width)
    deltas = None if importances is None else importance_map.unpack(importances, shape)
    tiles = families.cut(model, front.header.tiling, front.header.level, deltas, payloads, left)
    return container.with_tiles(data, front, tiles)


@limited_time()
def draw(
    fp: IO[bytes], front: Front, put: Put, *, strict: bool = True, scale: int = 1, most: int | None = None
) -> None:
    """As `decode`, of a file whose front was read, with fewer bytes in memory.

    Each tile is read when its turn comes, and its pixels (h, w, C) go to `put` as soon as they are there. most: how many bytes
    of the file may be used, of every tile its share; the detail that they give is shown. LicDamagedError for a file that was
    written over since.
    """
    container.refuse_another(fp, front)
    strict = strict and not _is_part(front, most)
    container.refuse_truncated(front, strict=strict)
    header = front.header
    _check_limit(header.width, header.height)
    reader, plane = _read_open(fp, front, scale=scale)
    exact = container.read_section(fp, front, EXACT)
    payloads = _payloads(fp, front, strict, most)
    shown = _shown(put, header, plane, exact, header.tiling.whole, scale)
    reader.draw(payloads, shown, strict=strict, held=len(exact or b"") + _held(plane))


@limited_time()
def decode_region(
    fp: IO[bytes], box: Sequence[int], *, front: Front | None = None, strict: bool = True, most: int | None = None
) -> Pixels:
    """A box (x0, y0, x1, y1) of the picture in a binary file, at its position -> pixels (h, w, C) uint8, C by mode.

    Of the tiles only those near the box are read and decoded. The pixels are those of `decode`, up to one level where the
    float networks round otherwise. front: what was read of the file before. ValueError for a box that is empty or not inside
    the picture; else as `draw`.
    """
    if front is None:
        front = container.read_front(fp)
    else:
        container.refuse_another(fp, front)
    strict = strict and not _is_part(front, most)
    header = front.header
    area = Area(*checked_box(box, header.width, header.height))
    _check_limit(area.width, area.height)
    container.refuse_truncated(front, strict=False)
    reader, plane = _read_open(fp, front, area)
    pixels = np.empty((*reader.shape, CHANNELS[header.mode]), np.uint8)
    plane = None if plane is None else plane[area.slices]
    exact = container.read_section(fp, front, EXACT)
    payloads = _payloads(fp, front, strict, most)
    shown = _shown(onto(pixels), header, plane, exact, area)
    reader.draw(payloads, shown, strict=strict, held=len(exact or b"") + _held(plane))
    return pixels


def verify(source: bytes | memoryview | IO[bytes]) -> None:
    """Check every rule, every CRC and, of a model that is known here, every payload of a file, and run no network.

    source is the whole file, or a file object at its beginning. Raises the error that says what is wrong, returns nothing.
    """
    fp = io.BytesIO(source) if isinstance(source, (bytes, memoryview)) else source
    front = container.read_front(fp)
    container.refuse_truncated(front)
    container.check_sections(fp, front)
    try:
        model = model_of(front.header)
    except LicUnsupportedError:
        return
    for index, payload in container.TilePayloads(fp, front).items():
        if isinstance(payload, (bytes, memoryview)):
            families.check(model, front.header.tiling, index, payload)
    _alpha_apart(model, front.header, container.read_section(fp, front, ALPHA))
    if (exact := container.read_section(fp, front, EXACT)) is not None:
        ExactLayer(exact, front.header.tiling).check()


def inner_file(fp: IO[bytes]) -> bytes:
    """Return the file of another format that a .lic file holds, as it was put there.

    LicUnsupportedError for a model whose files hold none; else the errors of `verify`.
    """
    front = container.read_front(fp)
    container.refuse_truncated(front)
    container.check_sections(fp, front)
    model = model_of(front.header)
    payload = cast("bytes", container.TilePayloads(fp, front)[0])
    found = families.inner(model, payload)
    families.check(model, front.header.tiling, 0, payload)
    return bytes(found)


def is_lossless(header: Header) -> bool:
    """Whether the file of a header was asked to hold every pixel as it was."""
    model = models.choose(LOSSLESS)
    return (header.model_id, header.model_hash, header.level) == (model.number, model.hash, MAX_LEVEL)


def model_of(header: Header) -> Model:
    """Return the model a file names. LicUnsupportedError for one that is not here, LicLimitError for larger tiles than its own."""
    model = models.named(header.model_id, header.model_hash)
    families.refuse_large_tiles(model, header.tiling)
    return model


def check_budget(fp: IO[bytes], front: Front, most: int) -> None:
    """Raise ValueError where `most` bytes of a file leave none for its coded pixels."""
    _payloads(fp, front, strict=False, most=most)


def _payloads(fp: IO[bytes], front: Front, strict: bool, most: int | None) -> Payloads:
    """Return the payloads of the tiles of a file, or where it has more than `most` bytes as much of each as they allow."""
    if most is not None and _is_part(front, most):
        return container.Beginnings(fp, front, min(most, front.size))
    return container.TilePayloads(fp, front, strict=strict)


def _is_part(front: Front, most: int | None) -> bool:
    """Whether `most` bytes were asked for and they are not all of the picture."""
    return most is not None and (front.truncated or front.size - front.trailing > most)


def _read_open(fp: IO[bytes], front: Front, area: Area | None = None, scale: int = 1) -> tuple[Reader, Pixels | None]:
    """As `_opened`, of a file whose front was read."""
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
    apart = _alpha_apart(model, header, opacity)
    return reader, None if apart is None else alpha.unpack(apart, shape, scale)


def _alpha_apart(model: Model, header: Header, opacity: bytes | None) -> bytes | None:
    """Return the payload of an alpha section that holds the plane; None where the tiles hold it, or there is none.

    LicDamagedError for one that says of the tiles what the model's family does not do.
    """
    if opacity is None:
        return None
    inside = alpha.in_tiles(opacity)
    if inside != (header.mode in families.of(model).MODES):
        msg = f"alpha section must {'not ' if inside else ''}say that the tiles have it, by model {model.name}"
        raise LicDamagedError(msg)
    return None if inside else opacity


def _held(plane: Pixels | None) -> int:
    """Return the bytes of memory that an alpha plane takes: none when it is one value."""
    return 0 if plane is None or not any(plane.strides) else plane.size


def _coded(pixels: Pixels, mode: str, model: Model) -> Pixels:
    """Return the colours of pixels (H, W, C) as the model's family codes them: grey as it is where it can, else RGB."""
    if mode in ("L", "LA") and "L" in families.of(model).MODES:
        return pixels[:, :, :1]
    return channels.as_rgb(pixels, mode)


def _shown(put: Put, header: Header, plane: Pixels | None, exact: bytes | None, area: Area, scale: int = 1) -> Put:
    """Return a function that takes decoded colours of an area, and passes on what is shown of them; `exact` is a payload."""
    in_mode = channels.in_mode(put, header, plane)
    return in_mode if exact is None else ExactLayer(exact, header.tiling).over(in_mode, area, scale)


def _check_limit(width: int, height: int) -> None:
    limit = current_settings().max_pixels
    if limit is not None and width * height > limit:
        msg = f"picture has {width}x{height} pixels, the limit set is {limit}"
        raise LicLimitError(msg)


def _check_work(reader: Reader, header: Header) -> None:
    """Refuse a picture whose tiles are so slim or small that decoding takes far longer than its pixels tell."""
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
