"""The pictures of the page, to compare by eye: one by every model at equal bytes, files cut short, maps of importance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .. import codec, color, metrics
from ..bench import equal_bytes, peers
from ..engine import models
from ..errors import LicError
from ..inspecting import description
from ..options import DEFAULT_QUALITY, EncodeOptions
from ..pages import document
from . import curves

if TYPE_CHECKING:
    from ..bench.peers import Codec, Pixels
    from .curves import Measured

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the bytes of a file, in a strip."""
QUALITY = 3.0
"""Of the first codec of a comparison, whose bytes the others come near."""


def at_equal_bytes(measured: Measured) -> equal_bytes.Compared:
    """Return the first picture by every codec near the bytes of the default model at QUALITY."""
    path = measured.pictures[0]
    codecs = sorted(measured.codecs.values(), key=lambda one: one.name != models.DEFAULT)
    return equal_bytes.compare(path.name, peers.read(path), list(map(measured.kept, codecs)), QUALITY, measured.sizes)


@dataclass(frozen=True)
class Cut:
    """A file of which only `share` has come: the bytes of that, and the pixels (H, W, 3) that it shows with their PSNR in dB.

    shown: None where it is not enough for a picture.
    """

    share: float
    bytes: int
    shown: tuple[Pixels, float] | None


def cuts(measured: Measured) -> dict[str, list[Cut]]:
    """Return the first SHARES of one file of each model that can be cut, and of the default one, by the model's name."""
    pixels = peers.read(measured.pictures[0])
    names = [models.DEFAULT, *(name for name, paper in measured.papers.items() if paper.cut)]
    return {name: cut(measured.kept(measured.codecs[name]), pixels) for name in names if name in measured.codecs}


def cut(codec_of_model: Codec, pixels: Pixels) -> list[Cut]:
    """Return what is shown of pixels (H, W, 3) after SHARES of one file of the highest quality."""
    data = codec_of_model.encode(pixels, codec_of_model.qualities[-1])
    found = []
    for share in SHARES:
        length = round(share * len(data))
        try:
            shown = codec.decode(data[:length], strict=share == 1)[1]
            found.append(Cut(share, length, (shown, metrics.psnr(pixels, shown))))
        except LicError:
            found.append(Cut(share, length, None))
    return found


def strip(found: Sequence[Cut], name: str) -> str:
    """Return what is shown of one file as a row of pictures."""
    shots = []
    for part in found:
        if part.shown is None:
            shots.append(_shot(f"{part.share:.0%}", f"{part.bytes:,} bytes: not enough", ""))
            continue
        image = document.picture(color.to_image(part.shown[0], "RGB"), f"{name} after {part.share:.0%}", exact=False)
        shots.append(_shot(f"{part.share:.0%}", f"{part.bytes:,} bytes, {part.shown[1]:.1f} dB", image))
    return _row(shots)


def maps(measured: Measured) -> str:
    """Return the first picture and its maps of importance as a row: the brighter, the higher the quality."""
    path = measured.pictures[0]
    pixels = peers.read(path)
    shots = [_shot("Picture", "", document.picture(color.to_image(pixels, "RGB"), path.name, exact=False))]
    for wanted in ("auto", "semantic"):
        data = measured.kept(_by_importance(wanted)).encode(pixels, DEFAULT_QUALITY)
        drawn = color.to_image(description.draw_map(data)[:, :, None], "L")
        low, high = description.describe(data)["importance"]
        text = f"quality {low:.1f} to {high:.1f} by place"
        shots.append(
            _shot(f'importance="{wanted}"', text, document.picture(drawn, f"{path.name}: {wanted}", exact=True))
        )
    return _row(shots)


def _by_importance(wanted: str) -> Codec:
    """Return the codec of the default model with a map of importance."""
    own = curves.ours(models.DEFAULT)

    def encode(pixels: Pixels, quality: float) -> bytes:
        return codec.encode(pixels, "RGB", EncodeOptions(quality=quality, importance=wanted))

    return replace(own, title=f"{own.title} importance={wanted}", encode=encode)


def _shot(name: str, text: str, image: str) -> str:
    return f"<figure>{image}<figcaption><b>{name}</b> {text}</figcaption></figure>"


def _row(shots: Sequence[str]) -> str:
    return '<div class="strip">\n' + "\n".join(shots) + "\n</div>"
