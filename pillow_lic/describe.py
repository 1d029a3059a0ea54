"""What `lic info` says about a file: read from its header and sections alone, no network runs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from . import container, models
from .errors import LicError, LicUnsupportedError


def describe(data: bytes) -> dict[str, Any]:
    """Return the facts of a .lic file as plain values that JSON can hold; NotLicError or LicError without a header.

    `damage` is None for a sound file, else the sentence that says what is wrong behind the header; `importance` is None
    where the file has one quality for all places, else the lowest and highest of them.
    """
    front = container.read_front(io.BytesIO(data))
    header = front.header
    try:
        model = models.named(header.model_id, header.model_hash).name
    except LicUnsupportedError:
        model = None
    span = damage = None
    try:
        container.verify(data)
        span = _span(container.unpack(data))
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
        "importance": span,
        "model": model,
        "model_id": header.model_id,
        "model_hash": header.model_hash.hex(),
        "bytes": len(data),
        "bpp": round(8 * len(data) / (header.width * header.height), 4),
        "sections": [{"name": s.name, "bytes": s.length, "offset": s.offset} for s in front.sections],
        "trailing": front.trailing,
        "damage": damage,
    }


def _span(parts: container.Container) -> list[float] | None:
    """Return the lowest and the highest quality of a file with an importance section; LicDamagedError if it holds none."""
    if parts.importance is None:
        return None
    from . import importance, options, symbols

    inside = symbols.Grid.of(parts.header.height, parts.header.width).inside
    field = importance.level_field(parts.header.level, importance.unpack(parts.importance, inside), inside)
    return [round(options.level_to_quality(int(level)), 3) for level in (field.min(), field.max())]


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
        "quality": f"{facts['quality']:.2f} (level {facts['level']})",
        "model": f"{facts['model'] or 'not in this release'} (number {facts['model_id']}, hash {facts['model_hash']})",
        "file": f"{facts['bytes']:,} bytes, {facts['bpp']:.3f} bpp, format version {facts['version']}",
        "sections": sections,
        "check": facts["damage"] or "every section is intact",
    }
    if facts["importance"]:
        lines["quality"] += ", by place {:.2f} to {:.2f}".format(*facts["importance"])
    if facts["trailing"]:
        lines["after it"] = f"{facts['trailing']:,} bytes that are not part of the picture"
    return "\n".join(f"  {name:9} {text}" for name, text in lines.items())
