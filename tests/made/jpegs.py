"""JPEG files for tests."""

import io

import numpy as np
from PIL import Image

from pillow_lic.fileformat import jpeg

TRANSFORM = 11
"""The place of the transform in what Adobe's marker holds, from the letters Adobe on."""


def jpeg_of(picture: np.ndarray, **words: object) -> bytes:
    """Return a picture (H, W, 1, 3, or 4 of CMYK) as a JPEG file, with these options of Pillow's."""
    height, width, channels = picture.shape
    file = io.BytesIO()
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]
    Image.frombytes(mode, (width, height), picture.tobytes()).save(file, "JPEG", **words)
    return file.getvalue()


def ycck_of(picture: np.ndarray, quality: int = 75) -> bytes:
    """Return a picture of CMYK (H, W, 4) as a JPEG file of YCCK, without subsampling.

    It is one of CMYK that holds other planes, whose marker of Adobe names the transform; Pillow inverts what it writes.
    """
    colors = np.asarray(Image.fromarray(np.ascontiguousarray(picture[:, :, :3])).convert("YCbCr"))
    luma, chroma = jpeg.steps_of(quality).astype(int).tolist()
    planes = np.dstack([255 - colors, picture[:, :, 3]])
    data = bytearray(jpeg_of(planes, qtables=[luma, chroma, chroma, luma], subsampling=0))
    data[data.index(b"Adobe") + TRANSFORM] = 2
    return bytes(data)


def subsampled_rgb_of(picture: np.ndarray, quality: int = 75) -> bytes:
    """Return a JPEG file of RGB without a transform, G and B with half the rows and columns: planes of Y, Cb and Cr by another name.

    Pillow writes none such; it shows the planes of YCbCr as R, G and B.
    """
    data = jpeg_of(picture, quality=quality, subsampling=2)
    end_of_jfif = 4 + int.from_bytes(data[4:6])
    return data[:2] + b"\xff\xee\0\x0eAdobe\0\x64" + bytes(5) + data[end_of_jfif:]


def opened(data: bytes) -> np.ndarray:
    """Return the pixels that Pillow shows of a file."""
    with Image.open(io.BytesIO(data)) as im:
        return np.asarray(im)


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = 6, "a camera"
    return tags.tobytes()
