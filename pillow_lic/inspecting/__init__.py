"""What can be done with a .lic file without decoding its pixels: find its model, verify it, extract the JPEG file inside, cut it.

`description` is what `lic info` tells people of a file; `dump` gives symbols and latents as arrays.
"""

from __future__ import annotations

from typing import IO, Final, cast

from .. import families
from ..engine import models
from ..engine.models import Model
from ..engine.settings import check_pixels, limited_time
from ..errors import LicDamagedError, LicUnsupportedError
from ..fileformat import alpha, container, importance_map, preview
from ..fileformat.exact_layer import ExactLayer
from ..fileformat.header import Header
from ..fileformat.limits import MAX_LEVEL
from ..fileformat.sections import ALPHA, EXACT, IMPORTANCE, PREVIEW, TILE
from ..fileformat.source import as_file, read_at

LOSSLESS: Final = "lossless"
"""Name and procedure of the model that keeps every pixel."""


def keeps_every_pixel(model: str | int | None) -> bool:
    """Whether the model of that name or number (None: the default) is the one of lossless files; ValueError for an unknown one."""
    return models.choose(model).procedure == LOSSLESS


def verify(source: bytes | memoryview | IO[bytes]) -> None:
    """Check a file against every rule and every CRC, and its payloads too if its model is known; no network runs.

    source: the whole file, or a file object at its beginning. Raises the error that says what is wrong.
    """
    fp = as_file(source)
    check(fp, container.read_front(fp))


def check(fp: IO[bytes], front: container.Front) -> None:
    """Check every section of a file whose front was read, as `verify` does."""
    container.refuse_truncated(front)
    container.check_sections(fp, front)
    try:
        model = model_of(front.header)
    except LicUnsupportedError:
        return
    for index, payload in container.TilePayloads(fp, front).items():
        if isinstance(payload, (bytes, memoryview)):
            families.check(model, front.header.tiling, index, payload)
    alpha_apart(model, front.header, container.read_section(fp, front, ALPHA))
    if (exact := container.read_section(fp, front, EXACT)) is not None:
        ExactLayer(exact, front.header.tiling).check()
    if (small := container.read_section(fp, front, PREVIEW)) is not None:
        preview.check(preview.unpack(small, front.header))


def sound_preview(fp: IO[bytes], front: container.Front) -> preview.Preview | None:
    """Return the preview of a file whose front was read; None where it has none, or one that breaks a rule."""
    try:
        return preview.sound(container.read_section(fp, front, PREVIEW), front.header)
    except LicDamagedError:
        return None


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


def alpha_apart(model: Model, header: Header, opacity: bytes | None) -> bytes | None:
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


@limited_time()
def cut(source: bytes | memoryview | IO[bytes], size: int) -> bytes:
    """Return a file of at most `size` bytes that shows the picture of a whole .lic file coarser.

    source is the file, or a file object at its beginning, of which no more is held than is kept. No network runs but those that
    decide what is read. All but the coded pixels stays as it is; a file that is small enough already comes back. ValueError
    for a model whose files cannot be cut, and where `size` is too small; else as `verify`.
    """
    fp = as_file(source)
    front = container.read_front(fp)
    check(fp, front)
    whole = front.size - front.trailing
    if whole <= size:
        return read_at(fp, front.start, whole)
    model = model_of(front.header)
    if not families.is_progressive(model):
        can = ", ".join(dict.fromkeys(other.name for other in models.models() if families.is_progressive(other)))
        msg = f"a file to cut must be of a model that can be ({can}), got one of {model.name}, which has to be encoded anew"
        raise ValueError(msg)
    check_pixels(front.header.width, front.header.height)
    other = whole - sum(ref.length for ref in front.sections if ref.tag == TILE)
    if size <= other:
        msg = f"size must be more than the {other} bytes that this file has beside its coded pixels, got {size}"
        raise ValueError(msg)
    payloads = [payload for payload in container.TilePayloads(fp, front).values() if payload is not None]
    importances = container.read_section(fp, front, IMPORTANCE)
    shape = importance_map.shape_of(front.header.height, front.header.width)
    deltas = None if importances is None else importance_map.unpack(importances, shape)
    tiles = families.cut(model, front.header.tiling, front.header.level, deltas, payloads, size - other)
    return container.with_tiles(fp, front, tiles)
