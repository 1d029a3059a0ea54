"""Pictures as .lic files in memory, for tests of the Pillow contract."""

import io

import numpy as np
from PIL import Image


def saved(im: Image.Image, **options: object) -> io.BytesIO:
    """Return the image as a .lic file."""
    buffer = io.BytesIO()
    im.save(buffer, "LIC", **options)
    return buffer


def reopened(im: Image.Image, **options: object) -> Image.Image:
    """Return the image as it comes back from a .lic file."""
    out = Image.open(saved(im, **options))
    out.load()
    return out


def psnr(a: Image.Image, b: Image.Image) -> float:
    """Return the PSNR of two images of one mode, in dB."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return 10 * np.log10(255**2 / max(np.mean(difference**2), 1e-9))
