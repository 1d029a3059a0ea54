"""Borders of tiles: the error near them, against the same places of the same picture in one tile, is that of the rest.

Measured as an encoder cuts pictures, only smaller. Five Kodak pictures in tiles of 256 gave with lic1-11 at most 0.13 dB at quality 1
(16 pixels each side of a border), 0.03 dB at 3 and 6; here, with the smallest tiles, quality 1 gives up to 0.21, 0.03 more or less
by chance.
"""

import numpy as np
import pytest
from made.tiled import in_tiles

from pillow_lic import codec
from pillow_lic.families.lic1 import filtering, fitting
from pillow_lic.options import EncodeOptions

EDGE = 128
"""The smallest there is: most border for its pixels."""
BAND = 16
"""Pixels on each side of a border that are near it: one latent."""
MOST = {"lic1": (0.16, 0.1), "lic2": (0.24, 0.16)}
"""dB that the error near a border must stay below that of the rest, up to quality 3 and above; lic2 sees 2 latents around a tile."""


def squared_error(
    pixels: np.ndarray, model: str, quality: float, edge: int, monkeypatch: pytest.MonkeyPatch
) -> np.ndarray:
    in_tiles(monkeypatch, edge)
    # Every tile has a filter of its own, and so small a one cannot pay for that of a whole picture: this is about what networks see.
    monkeypatch.setattr(fitting, "fit", lambda *_: filtering.nothing())
    header, decoded = codec.decode(codec.encode(pixels, "RGB", EncodeOptions(quality=quality, model=model)))
    assert header.tile_edge == edge
    return ((decoded.astype(float) - pixels) ** 2).mean(2)


@pytest.mark.parametrize(("model", "quality"), [(model, q) for model in MOST for q in (1, 2, 3, 4, 7, 10)])
def test_tiles_show_no_seam(cat: np.ndarray, model: str, quality: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, tiled = (squared_error(cat, model, quality, edge, monkeypatch) for edge in (0, EDGE))
    near = np.zeros(whole.shape, bool)
    for border in range(EDGE, max(whole.shape), EDGE):
        near[border - BAND : border + BAND] = True
        near[:, border - BAND : border + BAND] = True
    loss = {name: 10 * np.log10(tiled[m].mean() / whole[m].mean()) for name, m in (("near", near), ("rest", ~near))}
    print(f"quality {quality}: {loss['near']:+.3f} dB near a border, {loss['rest']:+.3f} dB elsewhere")
    assert loss["near"] - loss["rest"] < MOST[model][quality > 3]
    assert abs(loss["rest"]) < 0.1
