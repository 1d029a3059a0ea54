"""The facts of a file that `lic info` prints, read from its header and sections alone; no network runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from ..engine import models
from ..errors import LicError, LicUnsupportedError
from ..fileformat import container
from ..fileformat.header import Header
from ..fileformat.levels import level_to_quality
from ..fileformat.sections import IMPORTANCE
from ..fileformat.source import as_file
from . import check, is_lossless

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def describe(source: bytes | IO[bytes]) -> dict[str, Any]:
    """Return the facts of a .lic file as plain values that JSON can hold; NotLicError or LicError without a header.

    source is the file, or a file object at its beginning, of which one section is held at a time.
    `damage` is None for a sound file, else the sentence that says what is wrong behind the header; `importance` is None
    where the file has one quality for all places, else the lowest and highest of them.
    """
    fp = as_file(source)
    front = container.read_front(fp)
    header = front.header
    try:
        model = models.named(header.model_id, header.model_hash).name
    except LicUnsupportedError:
        model = None
    span = damage = None
    try:
        check(fp, front)
        span = _span(header, container.read_section(fp, front, IMPORTANCE))
    except LicError as error:
        damage = str(error)
    return {
        "version": header.version,
        "mode": header.mode,
        "width": header.width,
        "height": header.height,
        "tiles": header.tile_count,
        "tile_edge": header.tile_edge,
        "quality": round(header.quality, 3),
        "level": header.level,
        "lossless": is_lossless(header),
        "importance": span,
        "model": model,
        "model_id": header.model_id,
        "model_hash": header.model_hash.hex(),
        "bytes": front.size,
        "bpp": round(8 * front.size / (header.width * header.height), 4),
        "sections": [{"name": s.name, "bytes": s.length, "offset": s.offset} for s in front.sections],
        "trailing": front.trailing,
        "damage": damage,
    }


def _span(header: Header, payload: bytes | None) -> list[float] | None:
    """Return the lowest and the highest quality by the payload of an importance section; LicDamagedError if it holds no map."""
    if payload is None:
        return None
    field = _field(header, payload)
    return [round(level_to_quality(int(level)), 3) for level in (field.min(), field.max())]


def _field(header: Header, payload: bytes) -> NDArray[np.float32]:
    """Return the level of every latent by the payload of the importance section; LicDamagedError if it holds no map."""
    from ..fileformat import importance_map

    inside = importance_map.shape_of(header.height, header.width)
    return importance_map.level_field(header.level, importance_map.unpack(payload, inside), inside)


def draw_map(source: bytes | IO[bytes]) -> NDArray[np.uint8]:
    """Return the importance map of a .lic file, (height, width) as the picture: its lowest quality black, its highest white.

    source: as of `describe`.
    ValueError for a file that has one quality for all places; NotLicError or LicError when it is damaged.
    """
    from ..fileformat.importance_map import CELL

    fp = as_file(source)
    front = container.read_front(fp)
    header, payload = front.header, container.read_section(fp, front, IMPORTANCE)
    if payload is None:
        msg = f"there is no importance map to draw: quality {header.quality:.2f} holds for the whole picture"
        raise ValueError(msg)
    field = _field(header, payload)
    shades = ((field - field.min()) * (255 / max(float(field.max() - field.min()), 1.0))).round().astype("uint8")
    whole: NDArray[np.uint8] = shades.repeat(CELL, 0).repeat(CELL, 1)
    return whole[: header.height, : header.width]


def as_text(facts: Mapping[str, Any]) -> str:
    """Return the facts as lines for people."""
    grid = f"{facts['tiles']} tiles of {facts['tile_edge']}" if facts["tile_edge"] else "one tile"
    sizes: dict[str, list[int]] = {}
    for section in facts["sections"]:
        sizes.setdefault(section["name"], []).append(section["bytes"])
    sections = ", ".join(
        f"{name} {sum(found):,}" + (f" in {len(found)}" if len(found) > 1 else "") for name, found in sizes.items()
    )
    lines = {
        "picture": f"{facts['width']}x{facts['height']} {facts['mode']}, {grid}",
        "quality": "every pixel" if facts["lossless"] else f"{facts['quality']:.2f} (level {facts['level']})",
        "model": f"{facts['model'] or 'not in this release'} (number {facts['model_id']}, hash {facts['model_hash']})",
        "file": f"{facts['bytes']:,} bytes, {facts['bpp']:.3f} bpp, format version {facts['version']}",
        "sections": sections or "none is there whole",
        "check": facts["damage"] or "every section is intact",
    }
    if facts["importance"]:
        lines["quality"] += ", by place {:.2f} to {:.2f}".format(*facts["importance"])
    if facts["trailing"]:
        lines["after it"] = f"{facts['trailing']:,} bytes that are not part of the picture"
    return "\n".join(f"  {name:9} {text}" for name, text in lines.items())
