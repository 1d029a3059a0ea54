"""What eyes compare: one picture by every model at equal bytes, files cut short, and maps of what is important."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import codec, color, describe, metrics
from ..bench import equal_bytes, peers
from ..errors import LicError
from ..options import EncodeOptions
from ..pages import document

if TYPE_CHECKING:
    from pathlib import Path

    from ..bench.peers import Codec, Pixels
    from .curves import Measured

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the bytes of a file, in a strip."""
QUALITY = 3.0
"""Of the first codec of a comparison, whose bytes the others come near."""


def at_equal_bytes(measured: Measured) -> equal_bytes.Compared:
    """Return the first picture by every codec near the bytes of the default model at QUALITY."""
    path = measured.pictures[0]
    first, *others = sorted(measured.codecs.values(), key=lambda one: one.name != "lic1")
    return equal_bytes.compare(path.name, peers.read(path), [first, *others], QUALITY)


def strips(measured: Measured) -> Iterator[tuple[str, str]]:
    """Yield names and rows of pictures: one file of each model that can be cut, and of the default one, after SHARES of it."""
    path = measured.pictures[0]
    pixels = peers.read(path)
    cut = ["lic1", *(name for name, paper in measured.papers.items() if paper.cut and name in measured.codecs)]
    for name in cut:
        yield name, strip(measured.codecs[name], pixels, path.name)


def strip(codec_of_model: Codec, pixels: Pixels, name: str) -> str:
    """Return one file of a picture as a row of what is shown of it after SHARES of its bytes."""
    data = codec_of_model.encode(pixels, codec_of_model.qualities[-1])
    shots = []
    for share in SHARES:
        length = round(share * len(data))
        try:
            shown = np.asarray(codec.decode(data[:length], strict=share == 1)[1])
            text, image = f"{length:,} bytes, {metrics.psnr(pixels, shown):.1f} dB", color.to_image(shown, "RGB")
        except LicError:
            text, image = f"{length:,} bytes: not enough", color.to_image(np.full_like(pixels, 128), "RGB")
        shots.append(_shot(f"{share:.0%}", text, document.picture(image, f"{name} after {share:.0%}", exact=False)))
    return _row(shots)


def maps(path: Path) -> str:
    """Return a picture and its maps of importance as a row: the brighter, the higher the quality."""
    pixels = peers.read(path)
    shots = [_shot("Picture", "", document.picture(color.to_image(pixels, "RGB"), path.name, exact=False))]
    for wanted in ("auto",):
        data = codec.encode(pixels, "RGB", EncodeOptions(importance=wanted))
        drawn = color.to_image(describe.draw_map(data)[:, :, None], "L")
        low, high = describe.describe(data)["importance"]
        text = f"quality {low:.1f} to {high:.1f} by place"
        shots.append(
            _shot(f'importance="{wanted}"', text, document.picture(drawn, f"{path.name}: {wanted}", exact=True))
        )
    return _row(shots)


def _shot(name: str, text: str, image: str) -> str:
    return f"<figure>{image}<figcaption><b>{name}</b> {text}</figcaption></figure>"


def _row(shots: Sequence[str]) -> str:
    return '<div class="strip">\n' + "\n".join(shots) + "\n</div>"
