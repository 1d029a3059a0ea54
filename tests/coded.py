"""Files of any model for tests, and the photo that they are made of."""

import numpy as np
from pictures import SAMPLE
from PIL import Image

from pillow_lic import codec, families
from pillow_lic.engine.models import Model
from pillow_lic.families import Request
from pillow_lic.fileformat import container
from pillow_lic.fileformat.header import Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions


def cat() -> np.ndarray:
    """The package's own photo, (300, 451, 3)."""
    with Image.open(SAMPLE) as im:
        return np.asarray(im.convert("RGB"))


def encoded(model: Model, pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    """Return the file of pixels (H, W, C)."""
    return codec.encode(pixels, mode, EncodeOptions(model=model.name, **options))


def in_tiles(model: Model, pixels: np.ndarray, edge: int, level: int) -> bytes:
    """Return a file of tiles that the encoder would make of a larger picture only."""
    writer = families.writer(model, pixels, Request())
    writer.tiling = Tiling(pixels.shape[1], pixels.shape[0], edge)
    header = Header("RGB", pixels.shape[1], pixels.shape[0], edge, model.number, model.hash, level)
    return container.pack(header, writer.payloads(level))
