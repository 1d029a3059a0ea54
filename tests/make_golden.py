"""Golden files: what this release writes, for every later one to open.

    python tests/make_golden.py             adds the missing ones to tests/golden/v1

A folder per feature holds file.lic, reference.png (what the release that wrote it decoded) and expect.json. The collection
only grows: a folder that exists is never touched. Before 1.0 a changed model may be reason to delete one by hand, with a
line in the CHANGELOG.
"""

import binascii
import hashlib
import io
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt
from golden_symbols import symbol_digests
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import codec, families, inspecting
from pillow_lic.engine import entropy, models
from pillow_lic.engine.models import Model
from pillow_lic.exact import aims, layer
from pillow_lic.families import Request
from pillow_lic.families.lic1 import fitting
from pillow_lic.families.lic1.writing import Writer
from pillow_lic.fileformat import alpha, container, importance_map
from pillow_lic.fileformat.header import Header, write_header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions

FOLDER = Path(__file__).parent / "golden" / "v1"
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
METADATA = {"icc_profile": bytes(range(256)), "exif": b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0", "xmp": b"<x:xmpmeta/>"}
FIRST = "lic1"
"""Name of the model whose files have no name of a model before theirs."""
SAMPLES_WITHIN_1 = 0.999
"""The tolerance of FORMAT.md section 9."""

Pixels = npt.NDArray[np.uint8]


def simple(
    width: int,
    height: int,
    mode: str = "RGB",
    quality: float = 6,
    model: int | str = FIRST,
    metadata: Mapping[str, bytes] | None = None,
    effort: int = 0,
) -> bytes:
    pixels = photo_like(height, width, CHANNELS[mode], seed=width + height)
    return codec.encode(
        pixels, mode, EncodeOptions(quality=quality, model=model, effort=effort, exact=False), metadata=metadata
    )


def in_lanes(lanes: int) -> bytes:
    with mock.patch.object(entropy, "choose_lanes", return_value=lanes):
        return simple(80, 64)


def constant_alpha() -> bytes:
    pixels = photo_like(24, 40, 4)
    pixels[..., 3] = 200
    return codec.encode(pixels, "RGBA", EncodeOptions(quality=5, model=FIRST))


def assembled(
    width: int, height: int, edge: int, mode: str = "RGB", deltas: npt.NDArray[np.int8] | None = None
) -> bytes:
    """A file the encoder does not choose to write by itself: small tiles, a map of deltas."""
    spec, level = models.choose(FIRST), 400
    pixels = photo_like(height, width, CHANNELS[mode], seed=width)
    writer = Writer(spec, pixels[..., :3], Request(deltas))
    writer.tiling = Tiling(width, height, edge)
    return container.pack(
        Header(mode, width, height, edge, spec.number, spec.hash, level),
        writer.payloads(level),
        importance=None if deltas is None else importance_map.pack(deltas),
        alpha=alpha.pack(pixels[..., -1]) if mode.endswith("A") else None,
    )


def with_exact_places(width: int, height: int, mode: str = "RGB", edge: int = 0) -> bytes:
    """A box of pixels that are kept exactly; of small tiles those on the right have none."""
    spec, level, tiling = models.choose(FIRST), 300, Tiling(width, height, edge)
    pixels = photo_like(height, width, CHANNELS[mode], seed=width)
    places = np.zeros((height, width), np.bool_)
    places[height // 4 : height // 2, 10 : width // 2] = True
    kept = layer.named(pixels, places, lambda level: aims.aim(spec.slope(level), level))
    assert kept is not None
    writer = families.writer(spec, pixels.repeat(3 // CHANNELS[mode], 2), Request())
    writer.tiling = tiling
    header = Header(mode, width, height, edge, spec.number, spec.hash, level)
    return container.pack(header, writer.payloads(level), exact=kept.payload(level, tiling))


def with_preview(mode: str = "RGB", **words: object) -> bytes:
    """A file that holds a smaller copy of its picture."""
    pixels = photo_like(75, 110, CHANNELS[mode], seed=5)
    return codec.encode(pixels, mode, EncodeOptions(**{"quality": 5, "exact": False, "preview": True} | words))


def equal_channels() -> bytes:
    return codec.encode(photo_like(40, 50, 1).repeat(3, 2), "RGB", EncodeOptions(quality=2, model=FIRST))


def ramp(height: int, width: int) -> npt.NDArray[np.int8]:
    return np.add.outer(np.arange(height) * 9 - 40, np.arange(width) * 7).astype(np.int8)


def crc32(section: bytes, header: bytes, number: int) -> bytes:
    """The last four bytes of a section, FORMAT.md section 4."""
    return zlib.crc32(section, int.from_bytes(header[-2:], "little") | number << 16).to_bytes(4, "little")


def with_unknown_section() -> bytes:
    """An ancillary section of a later release, before the tile."""
    data = simple(32, 32)
    section = b"\x90\x05hello"
    front = len(write_header(container.unpack(data).header))
    return data[:front] + section + crc32(section, data[:front], 0) + data[front:]


def with_unused_bit() -> bytes:
    """The unused bit of the picture byte set, which a decoder ignores."""
    data = simple(32, 32)
    front = len(write_header(container.unpack(data).header))
    header = data[:7] + bytes([data[7] | 0x20]) + data[8 : front - 2]
    header += binascii.crc_hqx(header, 0xFFFF).to_bytes(2, "little")
    tile = data[front:-4]
    return header + tile + crc32(tile, header, 1)


CASES: dict[str, Callable[[], bytes]] = {
    "rgb": lambda: simple(96, 64),
    "l": lambda: simple(96, 64, "L"),
    "la": lambda: simple(50, 40, "LA"),
    "rgba": lambda: simple(50, 40, "RGBA"),
    "alpha-constant": constant_alpha,
    "1x1": lambda: simple(1, 1),
    "1x1-l": lambda: simple(1, 1, "L", 1),
    "1x300": lambda: simple(1, 300),
    "300x1": lambda: simple(300, 1),
    "odd-size": lambda: simple(67, 33, quality=7),
    "16x16": lambda: simple(16, 16),
    "17x16": lambda: simple(17, 16),
    "65x64": lambda: simple(65, 64),
    "widest": lambda: simple(65535, 1, quality=2),
    "quality-1": lambda: simple(96, 64, quality=1),
    "quality-2.5": lambda: simple(96, 64, quality=2.5),
    "quality-10": lambda: simple(96, 64, quality=10),
    "metadata": lambda: simple(32, 32, metadata=METADATA),
    "lanes-1": lambda: in_lanes(1),
    "lanes-2": lambda: in_lanes(2),
    "lanes-4": lambda: in_lanes(4),
    "lanes-8": lambda: in_lanes(8),
    "tiles-128": lambda: assembled(300, 140, 128),
    "tiles-256-rgba": lambda: assembled(270, 40, 256, "RGBA"),
    "tile-larger-than-picture": lambda: assembled(60, 40, 8192),
    "importance": lambda: assembled(96, 64, 0, deltas=ramp(4, 6)),
    "importance-tiles": lambda: assembled(200, 100, 128, deltas=ramp(7, 13)),
    "unknown-section": with_unknown_section,
    "unused-bit": with_unused_bit,
    "cut": lambda: inspecting.cut(simple(96, 64), 1000),
    "cut-tiles": lambda: inspecting.cut(assembled(300, 140, 128), 3500),
    "exact": lambda: with_exact_places(96, 64),
    "exact-l": lambda: with_exact_places(96, 64, "L"),
    "exact-tiles": lambda: with_exact_places(300, 140, edge=128),
    "exact-widest": lambda: with_exact_places(9000, 4),
    "equal-channels": equal_channels,
    "preview": lambda: with_preview(model=FIRST),
    "preview-rgba": lambda: with_preview("RGBA", model=FIRST),
    "trailing-bytes": lambda: simple(32, 32) + b"ignored",
}


def in_tiles(model: Model, width: int, height: int, edge: int) -> bytes:
    """A file of small tiles with any model."""
    writer = families.writer(model, photo_like(height, width, seed=width), Request())
    writer.tiling = Tiling(width, height, edge)
    level = model.nearest_level(400)
    return container.pack(Header("RGB", width, height, edge, model.number, model.hash, level), writer.payloads(level))


def plainly_filtered(model: Model) -> bytes:
    """A file whose filter has nothing that extended ones have, as encoders once wrote."""
    with mock.patch.object(fitting, "KINDS", fitting.KINDS[:1]):
        return simple(320, 240, quality=7, effort=1, model=model.number)


def with_original(model: Model, mode: str = "RGB", **words: object) -> bytes:
    """A file that keeps a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(photo_like(40, 60, CHANNELS[mode], seed=9).squeeze()).save(file, "JPEG", quality=35, **words)
    with Image.open(file) as im:
        pixels = np.asarray(im).reshape(40, 60, -1)
    return codec.encode(pixels, mode, EncodeOptions(quality=3.5, model=model.number), original=file.getvalue())


def cases_of(model: Model) -> dict[str, Callable[[], bytes]]:
    """Return what is kept of another model than FIRST: sizes, modes, the ends of its scale, tiles."""
    made: dict[str, Callable[[], bytes]] = {
        "rgb": lambda: simple(96, 64, model=model.number),
        "l": lambda: simple(50, 40, "L", model=model.number),
        "rgba": lambda: simple(50, 40, "RGBA", model=model.number),
        "1x1": lambda: simple(1, 1, model=model.number),
        "17x300": lambda: simple(17, 300, model=model.number),
        "quality-1": lambda: simple(96, 64, quality=1, model=model.number),
        "quality-10": lambda: simple(96, 64, quality=10, model=model.number),
    }
    if "tile_edge" in model.constants or model.procedure == "lic1":
        made["tiles-128"] = lambda: in_tiles(model, 300, 140, 128)
    if model.procedure == "lic1":
        made["preview"] = lambda: with_preview(model=model.number)
    if model.constants.get("fraction"):
        made["filter"] = lambda: plainly_filtered(model)
        made["filter-fixed"] = lambda: simple(320, 240, quality=4, model=model.number)
        made["filter-extended"] = lambda: simple(320, 240, quality=7, effort=1, model=model.number)
    if families.keeps_original(model):
        made["original"] = lambda: with_original(model, progressive=True)
        made["original-grey"] = lambda: with_original(model, mode="L")
    first = next(other for other in models.models() if other.name == model.name)
    prefix = model.name if model is first else f"{model.name}-{model.number}"
    return {f"{prefix}-{name}": make for name, make in made.items()}


for other in models.models():
    if other.name != FIRST and other.superseded_by is None:
        CASES |= cases_of(other)


def expectation(data: bytes) -> dict[str, object]:
    """Return the exact part of expect.json for a file, which must come out the same for ever."""
    parts = container.unpack(data)
    h = parts.header
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "mode": h.mode,
        "size": [h.width, h.height],
        "tile_edge": h.tile_edge,
        "model": h.model_id,
        "model_hash": h.model_hash.hex(),
        "level": h.level,
        "metadata": {name: value.hex() for name, value in parts.metadata.items()},
        "trailing": parts.trailing,
        "symbols": symbol_digests(data),
    }


def add(folder: Path, make: Callable[[], bytes]) -> bool:
    """Make one golden file; False, and nothing is touched, if its folder exists."""
    if folder.exists():
        return False
    data = make()
    _, pixels = codec.decode(data)
    expect = expectation(data) | {
        "written_by": pillow_lic.__version__,
        "mean": float(pixels.mean()),
        "samples_within_1": SAMPLES_WITHIN_1,
    }
    folder.mkdir(parents=True)
    (folder / "file.lic").write_bytes(data)
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(folder / "reference.png", optimize=True)
    (folder / "expect.json").write_text(json.dumps(expect, indent=1) + "\n")
    return True


def check(folder: Path) -> None:
    """Open one golden file; AssertionError tells what became different."""
    data = (folder / "file.lic").read_bytes()
    expect = json.loads((folder / "expect.json").read_text())
    exact = expectation(data)
    assert exact == {name: expect[name] for name in exact}
    header, pixels = codec.decode(data)
    with Image.open(folder / "reference.png") as im:
        assert im.mode == header.mode
        reference = np.asarray(im).reshape(pixels.shape).astype(int)
    within = (np.abs(pixels.astype(int) - reference) <= 1).mean()
    assert within >= expect["samples_within_1"], f"{within:.5f} of the samples are within 1"
    assert abs(pixels.mean() - expect["mean"]) < 0.1
    if header.has_alpha:
        assert (pixels[..., -1] == reference[..., -1]).all()


def main() -> None:
    for name, make in CASES.items():
        print(f"{name}: {'added' if add(FOLDER / name, make) else 'kept as it is'}")


if __name__ == "__main__":
    sys.exit(main())
