"""The formats people would otherwise choose, each at the settings that are fair to it, written and read through Pillow.

Pictures are uint8 RGB, (H, W, 3).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, features

from .. import color
from ..errors import let_pass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Codec:
    """A codec to measure: what it is called, what exactly it is, and its two directions.

    label: its name for people. suffix: of its files. qualities: those of its curve; searched: those among which one is sought
    for a number of bytes, both ascending. together: gives the files of several qualities in their order, where one encode is enough
    for all.
    """

    name: str
    label: str
    title: str
    suffix: str
    qualities: tuple[float, ...]
    searched: Sequence[float]
    encode: Callable[[Pixels, float], bytes]
    decode: Callable[[bytes], Pixels]
    together: Callable[[Pixels, Sequence[float]], Iterator[bytes]] | None = None


@dataclass(frozen=True)
class Peer:
    """A format of Pillow, its settings, and the plugin it needs if it is not one of Pillow's own.

    name: as people write it, with what they call the settings in `known_as`. qualities: spread over 0.1-3 bits per pixel.
    span: the lowest and the highest quality. library: what `PIL.features` calls the coder. asked: how a quality is said to it.
    """

    format: str
    name: str
    known_as: str
    suffix: str
    settings: Mapping[str, Any]
    qualities: tuple[float, ...]
    span: tuple[int, int] = (1, 100)
    library: str = ""
    plugin: str | None = None
    asked: Callable[[float], Mapping[str, Any]] = lambda quality: {"quality": int(quality)}


def _hundredths_of_bits(quality: float) -> Mapping[str, Any]:
    """Return JPEG 2000's word for bits per pixel, given in hundredths: the ratio to the 24 of the picture."""
    return {"quality_mode": "rates", "quality_layers": [2400 / quality]}


PEERS: Mapping[str, Peer] = {
    "jpeg": Peer(
        "JPEG",
        "JPEG",
        "4:2:0, optimize",
        ".jpg",
        {"optimize": True, "subsampling": "4:2:0"},
        (5, 10, 20, 35, 50, 65, 80, 90, 95),
        span=(1, 95),
        library="libjpeg_turbo",
    ),
    "webp": Peer("WEBP", "WebP", "method 6", ".webp", {"method": 6}, (1, 10, 25, 45, 65, 80, 90, 96), library="webp"),
    "avif": Peer(
        "AVIF",
        "AVIF",
        "4:4:4, speed 6",
        ".avif",
        {"subsampling": "4:4:4", "speed": 6},
        (15, 25, 35, 45, 55, 65, 75, 85, 92),
        library="avif",
    ),
    "jpeg2000": Peer(
        "JPEG2000",
        "JPEG 2000",
        "irreversible, mct=1",
        ".jp2",
        {"irreversible": True, "mct": 1},
        (10, 15, 25, 40, 60, 90, 130, 190, 280),
        span=(1, 800),
        library="jpg_2000",
        asked=_hundredths_of_bits,
    ),
    "jxl": Peer(
        "JXL", "JPEG XL", "effort 7", ".jxl", {"effort": 7}, (15, 30, 45, 60, 75, 85, 91, 95), plugin="pillow_jxl"
    ),
    "heif": Peer(
        "HEIF", "HEIF", "4:4:4", ".heif", {"chroma": 444}, (10, 20, 30, 40, 50, 60, 70, 80), plugin="pillow_heif"
    ),
}
"""The one table of who is compared with, and how; README, demo and `lic bench` mean these settings."""

NAMES = tuple(PEERS)
"""Every codec here, whether this installation has it or not."""


def read(path: Path) -> Pixels:
    """Return a picture file as RGB (H, W, 3); OSError naming it if it is none."""
    return np.asarray(load(path).convert("RGB"))


def load(path: Path) -> Image.Image:
    """Return a picture file in mode L or RGB; OSError naming it if it is none."""
    try:
        with Image.open(path) as im:
            return im.convert("L" if im.mode == "L" else "RGB")
    except Exception as error:  # Pillow's plugins raise what they come upon
        let_pass(error)
        if str(path) in str(error):
            raise
        msg = f"{path}: {error}"
        raise OSError(msg) from error


def is_available(name: str) -> bool:
    """Whether this installation can write and read the codec."""
    peer = PEERS[name]
    if peer.plugin:
        return find_spec(peer.plugin) is not None
    Image.init()
    return peer.format in Image.SAVE and peer.format in Image.OPEN


def codec(name: str) -> Codec:
    """Return one of NAMES; ValueError when this installation does not have it."""
    if name not in PEERS or not is_available(name):
        msg = f"codec must be one of {', '.join(n for n in NAMES if is_available(n))}, got {name}"
        raise ValueError(msg)
    peer = PEERS[name]
    if peer.plugin:
        plugin = import_module(peer.plugin)
        if name == "heif":
            plugin.register_heif_opener()
        version = f"{peer.plugin} {metadata.version(peer.plugin.replace('_jxl', '_jxl_plugin'))}"
    else:
        version = f"{peer.library} {features.version(peer.library)}"
    settings = " ".join(f"{key}={value}" for key, value in peer.settings.items())
    title = f"{peer.format} {settings}, {version}, Pillow {metadata.version('pillow')}"

    def encode(pixels: Pixels, quality: float) -> bytes:
        buffer = io.BytesIO()
        color.to_image(pixels, "RGB").save(buffer, peer.format, **peer.asked(quality), **peer.settings)
        return buffer.getvalue()

    def decode(data: bytes) -> Pixels:
        with Image.open(io.BytesIO(data), formats=[peer.format]) as im:
            return np.asarray(im.convert("RGB"))

    return Codec(
        name, peer.name, title, peer.suffix, peer.qualities, range(peer.span[0], peer.span[1] + 1), encode, decode
    )


def ssimulacra2(reference: Pixels, picture: Pixels) -> float:
    """Return the score of RGB pictures (H, W, 3) by the package `ssimulacra2`, about 100 for equal ones; ImportError if it is missing."""
    score = import_module("ssimulacra2").compute_ssimulacra2
    files = []
    for pixels in (reference, picture):
        files.append(io.BytesIO())
        color.to_image(pixels, "RGB").save(files[-1], "PNG", compress_level=0)
    return float(score(*files))


def has_ssimulacra2() -> bool:
    """Whether the package `ssimulacra2` is installed."""
    return find_spec("ssimulacra2") is not None
