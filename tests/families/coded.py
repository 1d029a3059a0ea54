"""Files of any model for tests, and the photo that they are made of."""

import numpy as np
from made.pictures import SAMPLE, photo_like
from PIL import Image
from reference import stranger

from pillow_lic import codec, families
from pillow_lic.engine.models import Model
from pillow_lic.families import Request
from pillow_lic.fileformat import container
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions


def cat() -> np.ndarray:
    """The package's own photo, (300, 451, 3)."""
    with Image.open(SAMPLE) as im:
        return np.asarray(im.convert("RGB"))


def encoded(model: Model, pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    """Return the file of pixels (H, W, C)."""
    return codec.encode(pixels, mode, EncodeOptions(model=model.number, **options))


def check_size_and_mode(model: Model, height: int, width: int, mode: str, *, quality: float, most: float) -> None:
    """Assert that a file has its size and mode, and shows what was put in: colours to a mean error of `most`, alpha exactly."""
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    header, got = codec.decode(encoded(model, pixels, mode, quality=quality))
    assert (header.mode, header.width, header.height, header.tile_edge) == (mode, width, height, 0)
    assert got.shape == pixels.shape
    assert np.abs(got.astype(int) - pixels).mean() < most
    if mode.endswith("A"):
        np.testing.assert_array_equal(got[..., -1], pixels[..., -1])


def in_tiles(model: Model, pixels: np.ndarray, edge: int, level: int) -> bytes:
    """Return a file of tiles that the encoder would make of a larger picture only."""
    writer = families.writer(model, pixels, Request())
    writer.tiling = Tiling(pixels.shape[1], pixels.shape[0], edge)
    header = Header("RGB", pixels.shape[1], pixels.shape[0], edge, model.number, model.hash, level)
    return container.pack(header, writer.payloads(level))


def of_one_and_two_tiles(model: Model, quality: float) -> tuple[bytes, bytes]:
    """Return a file with alpha of one tile, and one of two tiles of which the second is narrow."""
    return (
        encoded(model, photo_like(40, 70, 4, seed=3), "RGBA", quality=quality),
        in_tiles(model, photo_like(30, 150), 128, int(quality * 100)),
    )


def check_format(*files: bytes, most: int = 1) -> None:
    """Assert that the decoder that was written from FORMAT.md alone shows the same of files, to so many levels."""
    for data in files:
        ours, theirs = codec.decode(data)[1], stranger.decode(data)
        assert np.abs(ours.astype(int) - theirs).max() <= most
