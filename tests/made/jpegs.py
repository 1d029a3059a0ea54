"""JPEG files for tests."""

import io

import numpy as np
from PIL import Image


def jpeg_of(picture: np.ndarray, **words: object) -> bytes:
    """Return a picture (H, W, 1 or 3) as a JPEG file, with these options of Pillow's."""
    file = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(file, "JPEG", **words)
    return file.getvalue()


def opened(data: bytes) -> np.ndarray:
    """Return the pixels that Pillow shows of a file."""
    with Image.open(io.BytesIO(data)) as im:
        return np.asarray(im)


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = 6, "a camera"
    return tags.tobytes()
