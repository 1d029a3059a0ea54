"""Fixtures of several test modules: photos, and the same as files."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from desktop import browser
from made.drawn_pages import page
from made.jpegs import exif, jpeg_of
from made.pictures import SAMPLE
from PIL import Image

hypothesis.settings.register_profile("untimed", deadline=None)  # other work on the machine must not fail a test
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A photo of 96x64 pixels, RGB."""
    with Image.open(SAMPLE) as im:
        return im.convert("RGB").crop((120, 60, 312, 188)).resize((96, 64))


@pytest.fixture(scope="session")
def cat() -> np.ndarray:
    """The package's own photo, (300, 451, 3) uint8."""
    with Image.open(SAMPLE) as im:
        return np.asarray(im.convert("RGB"))


@pytest.fixture(scope="session")
def mixed() -> bytes:
    """A page of text beside a photograph, at quality 5."""
    import pillow_lic

    return pillow_lic.encode(page(), quality=5)


@pytest.fixture
def photo_jpeg(tmp_path: Path, cat: np.ndarray) -> Path:
    """The package's own photo as a JPEG file with EXIF, a resolution and a profile."""
    path = tmp_path / "cat.jpg"
    path.write_bytes(jpeg_of(cat, quality=30, exif=exif(), icc_profile=b"\0" * 128, dpi=(72, 72)))
    return path


@pytest.fixture
def png(photo: Image.Image, tmp_path: Path) -> Path:
    """The photo as a PNG file."""
    path = tmp_path / "a.png"
    photo.save(path)
    return path


@pytest.fixture
def lic(photo: Image.Image, tmp_path: Path) -> Path:
    """The photo as a .lic file with EXIF and XMP."""
    import pillow_lic

    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "photo.lic"
    pillow_lic.save(photo, path, quality=6, exif=exif, xmp="<x/>")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[browser.Browser]:
    """A headless Chromium."""
    if browser.PROGRAM is None:
        pytest.skip("needs Chromium")
    with browser.started() as found:
        yield found
